namespace Unrolled;

/// <summary>
/// A function applied to every element on its own, with its usual numbers; with numbers of one's own it is written in
/// <see cref="LayerAttribute.Set"/>: <c>"activation = elu(0.5)"</c>.
/// </summary>
public enum Activation
{
    /// <summary>The hyperbolic tangent, between -1 and 1.</summary>
    Tanh,

    /// <summary>max(x, 0).</summary>
    Relu,

    /// <summary>1 / (1 + e⁻ˣ), between 0 and 1.</summary>
    Sigmoid,

    /// <summary>x itself.</summary>
    Identity,

    /// <summary>x above 0, 0.01 x below (Maas, Hannun and Ng 2013).</summary>
    LeakyRelu,

    /// <summary>x above 1, 0 elsewhere (Konda, Memisevic and Krueger 2015).</summary>
    ThresholdedRelu,

    /// <summary>x above 0, eˣ - 1 below (Clevert, Unterthiner and Hochreiter 2016).</summary>
    Elu,

    /// <summary>log(1 + eˣ), a smooth max(x, 0).</summary>
    Softplus,

    /// <summary>x / (1 + |x|), between -1 and 1.</summary>
    Softsign,

    /// <summary>x / 6 + 1/2 limited to 0 … 1, as in PyTorch.</summary>
    HardSigmoid,

    /// <summary>x limited to -1 … 1.</summary>
    HardTanh,

    /// <summary>x Φ(x), Φ the normal distribution's cumulative function (Hendrycks and Gimpel 2016).</summary>
    Gelu,

    /// <summary>x / (1 + e⁻ˣ), also called swish.</summary>
    Silu,
}

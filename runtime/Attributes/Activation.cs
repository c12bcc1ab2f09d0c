namespace Unrolled;

/// <summary>A function applied to every element on its own.</summary>
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
}

namespace Unrolled;

/// <summary>A gated recurrent unit layer (Cho et al. 2014).</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true, Inherited = false)]
public sealed class GruAttribute : LayerAttribute
{
    /// <summary>A gated recurrent unit layer of <paramref name="units"/> units.</summary>
    public GruAttribute(int units)
        : base(units)
    {
    }

    /// <summary>
    /// Whether the reset gate acts after the recurrent product, as in cuDNN, PyTorch and Keras; otherwise before it, as in the
    /// original paper.
    /// </summary>
    public bool ResetAfter { get; set; } = true;

    /// <summary>Whether the gates have biases.</summary>
    public bool Bias { get; set; } = true;
}

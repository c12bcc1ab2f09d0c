namespace Unrolled;

/// <summary>A simple recurrent layer: h[t] = f(W_x x[t] + W_h h[t-1] + b) (Elman 1990).</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true, Inherited = false)]
public sealed class RnnAttribute : LayerAttribute
{
    /// <summary>A simple recurrent layer of <paramref name="units"/> units.</summary>
    public RnnAttribute(int units)
        : base(units)
    {
    }

    /// <summary>The function f.</summary>
    public Activation Nonlinearity { get; set; } = Activation.Tanh;

    /// <summary>Whether there is a bias b.</summary>
    public bool Bias { get; set; } = true;
}

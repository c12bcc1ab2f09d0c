namespace Unrolled;

/// <summary>A fully connected layer applied at every step: y[t] = f(W x[t] + b).</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true, Inherited = false)]
public sealed class DenseAttribute : LayerAttribute
{
    /// <summary>A fully connected layer of <paramref name="units"/> units.</summary>
    public DenseAttribute(int units)
        : base(units)
    {
    }

    /// <summary>The function f.</summary>
    public Activation Activation { get; set; } = Activation.Identity;

    /// <summary>Whether there is a bias b.</summary>
    public bool Bias { get; set; } = true;
}

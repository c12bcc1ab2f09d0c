namespace Unrolled;

/// <summary>
/// A long short-term memory layer (Hochreiter and Schmidhuber 1997) with forget gates (Gers, Schmidhuber and Cummins 2000).
/// </summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true, Inherited = false)]
public sealed class LstmAttribute : LayerAttribute
{
    /// <summary>A long short-term memory layer of <paramref name="units"/> units.</summary>
    public LstmAttribute(int units)
        : base(units)
    {
    }

    /// <summary>Whether the gates see the memory cell (Gers and Schmidhuber 2000; Graves, Mohamed and Hinton 2013, equations 3-7).</summary>
    public bool Peepholes { get; set; }

    /// <summary>Whether the gates have biases.</summary>
    public bool Bias { get; set; } = true;

    /// <summary>
    /// What the bias of the forget gate starts at: 1, so that a new network remembers (Gers et al. 2000; Jozefowicz et al. 2015).
    /// </summary>
    public double ForgetBias { get; set; } = 1;
}

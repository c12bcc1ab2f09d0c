namespace Unrolled;

/// <summary>
/// A recurrent cell of one's own, as the equations its paper prints, for the <see cref="LayerAttribute"/>s that name it:
/// on a model's class for that model, on the assembly for all of its models, those of JSON files too. A file <c>NAME.cell</c> among the
/// project's additional files is the same as one on the assembly. A class's cell hides a shared one of the same name, and either hides
/// the library's.
/// </summary>
/// <example>
/// <code>
/// [Model(Features = 64)]
/// [Cell("minimal_gated", """
///     f[t] = sigmoid(W_f @ x[t] + U_f @ h[t-1] + b_f)
///     h[t] = (1 - f[t]) * h[t-1] + f[t] * tanh(W_h @ x[t] + U_h @ (f[t] * h[t-1]) + b_h)
///     """)]
/// [Layer("minimal_gated", 128)]
/// [Dense(10)]
/// public sealed partial class Classifier;
/// </code>
/// </example>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Assembly, AllowMultiple = true, Inherited = false)]
public sealed class CellAttribute : Attribute
{
    /// <summary>Declares a cell.</summary>
    /// <param name="name">A letter or _, then letters, digits and _.</param>
    /// <param name="equations">The equations, one a line, with the cell's declarations; mistakes are reported on their characters.</param>
    public CellAttribute(string name, string equations)
    {
        Name = name;
        Equations = equations;
    }

    /// <summary>The cell's name.</summary>
    public string Name { get; }

    /// <summary>The cell's equations.</summary>
    public string Equations { get; }
}

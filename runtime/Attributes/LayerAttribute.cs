namespace Unrolled;

/// <summary>
/// A layer of a network. Layers are stacked in the order their attributes are written. Written itself, <c>[Layer("minimal_gated", 128)]</c>
/// is a layer of the cell of that name, declared by a <see cref="CellAttribute"/>; the layers derived from it are shorthands for
/// cells of the library and their options.
/// </summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true, Inherited = false)]
public class LayerAttribute : Attribute
{
    /// <summary>A layer of <paramref name="units"/> units of the cell called <paramref name="cell"/>.</summary>
    /// <param name="cell">
    /// The name of a <see cref="CellAttribute"/> on the model's class, else of one on the assembly or of a file <c>NAME.cell</c>, else of a cell of the library
    /// (<c>"lstm"</c>), whose equations are taken as they are, without the options of its own attribute.
    /// </param>
    /// <param name="units">The number of elements of the layer's output.</param>
    public LayerAttribute(string cell, int units)
    {
        Cell = cell;
        Units = units;
    }

    private protected LayerAttribute(int units) => Units = units;

    /// <summary>The cell's name; null where the attribute's class says which cell it is.</summary>
    public string? Cell { get; }

    /// <summary>The number of elements of the layer's output.</summary>
    public int Units { get; }

    /// <summary>
    /// The layer's name, the first part of its parameters' names: <c>{Name}.W_xi</c>. Where it is not set: the kind and its number,
    /// <c>lstm_0</c>.
    /// </summary>
    public string? Name { get; set; }

    /// <summary>
    /// What this layer sets of its cell, separated by commas or line ends: <c>"depth = 3, activation = relu, w_ci = 0, init b_f = 2"</c>.
    /// A <c>size</c> takes a whole number and a <c>param</c> a number or a function, which may have numbers of its own
    /// (<c>gate_activation = hard_sigmoid(0.2, 0.5)</c>) and another function inside (<c>gate_activation = sigmoid(clip(-3, 3))</c>); a
    /// parameter set to a number is that number and is not trained (a matrix takes 0 only, which removes its product); <c>init</c> says how a
    /// parameter starts, by a number or by an initialisation, <c>init W_x = uniform(-1, 1)</c>. Settings come after what the attribute's
    /// other properties say.
    /// </summary>
    public string? Set { get; set; }
}

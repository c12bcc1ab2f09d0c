namespace Unrolled;

/// <summary>A layer of a network. Layers are stacked in the order their attributes are written.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true, Inherited = false)]
public abstract class LayerAttribute : Attribute
{
    private protected LayerAttribute(int units) => Units = units;

    /// <summary>The number of elements of the layer's output.</summary>
    public int Units { get; }

    /// <summary>
    /// The layer's name, the first part of its parameters' names: <c>{Name}.W_xi</c>. Where it is not set: the kind and its number,
    /// <c>lstm_0</c>.
    /// </summary>
    public string? Name { get; set; }
}

using System.Collections.Immutable;

namespace Unrolled.Generator.Frontend;

/// <summary>
/// The layers that attributes name: which cell file each one is and what its properties set there. This table is the only
/// place that knows a cell by name.
/// </summary>
internal static class BuiltInLayers
{
    /// <summary>The function each member of the runtime's <c>Activation</c> means, in the order of its values.</summary>
    public static readonly ImmutableArray<string> Activations = ImmutableArray.Create(
        "tanh", "relu", "sigmoid", "identity", "leaky_relu", "thresholded_relu", "elu", "softplus", "softsign", "hard_sigmoid", "hard_tanh", "gelu", "silu");

    public static readonly ImmutableArray<BuiltInLayer> All = ImmutableArray.Create(
        new BuiltInLayer("Rnn", "rnn", ImmutableArray.Create<LayerOption>(
            new FunctionOption("Nonlinearity", "tanh", "activation"),
            new BindOption("Bias", true, When: false, 0, ImmutableArray.Create("b")))),
        new BuiltInLayer("Lstm", "lstm", ImmutableArray.Create<LayerOption>(
            new BindOption("Peepholes", false, When: false, 0, ImmutableArray.Create("w_ci", "w_cf", "w_co")),
            new BindOption("Bias", true, When: false, 0, ImmutableArray.Create("b_i", "b_f", "b_c", "b_o")),
            new InitOption("ForgetBias", 1, "b_f"))),
        new BuiltInLayer("Gru", "gru_reset_after", ImmutableArray.Create<LayerOption>(
            new CellOption("ResetAfter", true, When: false, "gru"),
            new BindOption("Bias", true, When: false, 0, ImmutableArray.Create("b_r", "b_z", "b_n", "b_xn", "b_hn")))),
        new BuiltInLayer("Dense", "dense", ImmutableArray.Create<LayerOption>(
            new FunctionOption("Activation", "identity", "activation"),
            new BindOption("Bias", true, When: false, 0, ImmutableArray.Create("b")))));

    /// <summary>The layer of an attribute class <c>{Attribute}Attribute</c>, or null.</summary>
    public static BuiltInLayer? Find(string attributeClass)
    {
        foreach (BuiltInLayer layer in All)
        {
            if (attributeClass == layer.Attribute + "Attribute")
            {
                return layer;
            }
        }

        return null;
    }
}

/// <summary>A row of the table: an attribute, its cell file, and its properties.</summary>
internal sealed record BuiltInLayer(string Attribute, string Cell, ImmutableArray<LayerOption> Options);

/// <summary>A property of a layer's attribute.</summary>
internal abstract record LayerOption(string Property);

/// <summary>A switch that takes another cell file when it has a certain value.</summary>
internal sealed record CellOption(string Property, bool Default, bool When, string Cell) : LayerOption(Property);

/// <summary>A switch that binds parameters to a number when it has a certain value; names the chosen cell lacks are passed over.</summary>
internal sealed record BindOption(string Property, bool Default, bool When, double Number, ImmutableArray<string> Parameters) : LayerOption(Property);

/// <summary>A number a parameter starts at, unless the parameter is bound.</summary>
internal sealed record InitOption(string Property, double Default, string Parameter) : LayerOption(Property);

/// <summary>A function, given as a member of <c>Activation</c> or in JSON as the language writes it, that a param holds.</summary>
internal sealed record FunctionOption(string Property, string Default, string Param) : LayerOption(Property);

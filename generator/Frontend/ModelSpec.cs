using System;
using System.Globalization;
using Unrolled.Generator.Frontend.Equations;
using Unrolled.Generator.Graph;

namespace Unrolled.Generator.Frontend;

/// <summary>What the user asked for, whichever front end said it: the one value the compiler starts from.</summary>
/// <param name="Layers">From the input to the output.</param>
internal sealed record ModelSpec(
    string Namespace,
    EquatableArray<string> ContainingTypes,
    string Declaration,
    string Class,
    int Tokens,
    int Features,
    EquatableArray<LayerSpec> Layers,
    string Loss) : ModelClass(Namespace, ContainingTypes, Declaration, Class, Tokens, Features, Loss);

/// <summary>One layer: a cell's equations and what the use site sets of them.</summary>
/// <param name="Name">The layer's name, unique in the model; parameters are called <c>{Name}.{symbol}</c>.</param>
/// <param name="Cell">The cell's name, for remarks and diagnostics only.</param>
/// <param name="Text">The cell's equations.</param>
/// <param name="Units">Elements of the layer's output.</param>
/// <param name="Settings">Sizes, params and parameters the use site sets, in the order of the cell's text.</param>
internal sealed record LayerSpec(
    string Name,
    string Cell,
    string Text,
    int Units,
    EquatableArray<CellSetting> Settings);

/// <summary>One setting of a use site; exactly one value is set.</summary>
/// <param name="Name">A <c>size</c> or <c>param</c> of the cell, a parameter bound to a number, or a parameter whose initialisation is replaced.</param>
/// <param name="Kind">Size, Number (a param or a bound parameter), Function (a param), or Init.</param>
internal sealed record CellSetting(string Name, CellSettingKind Kind, double Number, FunctionValue? Function)
{
    /// <summary>What the name is set to, as a use site writes it.</summary>
    public string Value => Function?.ToString() ?? Number.ToString("R", CultureInfo.InvariantCulture);
}

internal enum CellSettingKind
{
    /// <summary><c>size NAME</c> takes the value of <see cref="CellSetting.Number"/>.</summary>
    Size,

    /// <summary>A <c>param</c> takes a number, or a parameter is bound to it and is none any more.</summary>
    Number,

    /// <summary>A <c>param</c> takes the function <see cref="CellSetting.Function"/>.</summary>
    Function,

    /// <summary>
    /// A parameter starts as the initialisation <see cref="CellSetting.Function"/> says, or where that is null at
    /// <see cref="CellSetting.Number"/>, instead of the cell's initialisation.
    /// </summary>
    Init,
}

using Unrolled.Generator.Diagnostics;

namespace Unrolled.Generator.Frontend;

/// <summary>
/// What a front end reads from one model's source: what to compile, where its parts stand, and what is wrong with it. Places
/// are apart from the request, so that moving a class down a line compiles nothing again.
/// </summary>
/// <param name="Request">What to compile, or null where the source is not good enough for that.</param>
/// <param name="HintName">The generated file's name, which also identifies the model.</param>
/// <param name="Location">The class's name.</param>
/// <param name="Layers">The layers, first to last.</param>
internal sealed record ParsedModel(
    ModelRequest? Request,
    string HintName,
    LocationInfo Location,
    EquatableArray<LayerPlace> Layers,
    EquatableArray<DiagnosticInfo> Diagnostics)
{
    /// <summary>The class's full name if it stands directly in a namespace and is to be compiled, otherwise null.</summary>
    public string? TopLevelClass => Request is { Spec: { ContainingTypes.Count: 0 } spec } ? $"{spec.Namespace}.{spec.Class}" : null;

    /// <summary>The same with the name as metadata has it.</summary>
    public NamedClass? NamedClass => TopLevelClass is string name
        ? new NamedClass(name.TrimStart('.').Replace("@", ""), Request!.Spec.Declaration.StartsWith("public ", System.StringComparison.Ordinal))
        : null;
}

/// <summary>
/// What a class's attributes say, before the cells they only name are found among those that models share: these are known to a later
/// step of the pipeline, so that an edit of a shared cell reads no attributes again.
/// </summary>
/// <param name="Spec">The model, without the equations and settings of the layers in <paramref name="Named"/>.</param>
/// <param name="Location">The class's name.</param>
/// <param name="Layers">The layers, first to last.</param>
/// <param name="Named">The layers whose cells the class does not declare.</param>
/// <param name="OwnCells">The names of the cells that the class declares.</param>
/// <param name="IsComplete">Whether nothing is missing that the C# compiler reports.</param>
/// <param name="HasForeignCells">Whether the class has a <c>[Cell]</c> that the C# compiler refuses: what it declares is unknown.</param>
internal sealed record DeclaredModel(
    ModelSpec Spec,
    string HintName,
    LocationInfo Location,
    EquatableArray<LayerPlace> Layers,
    EquatableArray<NamedCell> Named,
    EquatableArray<string> OwnCells,
    bool IsComplete,
    bool HasForeignCells,
    EquatableArray<DiagnosticInfo> Diagnostics)
{
    /// <summary>What stands for a model that the front end failed on.</summary>
    public static DeclaredModel Fault(LocationInfo location, EquatableArray<DiagnosticInfo> fault) => new(
        new ModelSpec("", EquatableArray<string>.Empty, "", "", 0, 0, EquatableArray<LayerSpec>.Empty, ""),
        "",
        location,
        EquatableArray<LayerPlace>.Empty,
        EquatableArray<NamedCell>.Empty,
        EquatableArray<string>.Empty,
        false,
        false,
        fault);
}

/// <summary>A layer's cell that is only named: where, and what the layer sets of it.</summary>
/// <param name="Layer">The layer's index.</param>
/// <param name="SettingsPlace">Where the settings stand, if there are any.</param>
internal sealed record NamedCell(int Layer, LocationInfo Place, EquatableArray<WrittenSetting> Settings, LiteralText? SettingsPlace);

/// <summary>A model to compile and the file to put it in.</summary>
internal sealed record ModelRequest(string HintName, ModelSpec Spec);

/// <summary>Where a layer stands, and its cell's equations if they are the user's own.</summary>
internal sealed record LayerPlace(LocationInfo Location, LiteralText? Equations);

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
}

/// <summary>A model to compile and the file to put it in.</summary>
internal sealed record ModelRequest(string HintName, ModelSpec Spec);

/// <summary>Where a layer stands, and its cell's equations if they are the user's own.</summary>
internal sealed record LayerPlace(LocationInfo Location, LiteralText? Equations);

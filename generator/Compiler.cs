using Unrolled.Generator.Frontend;
using Unrolled.Generator.Frontend.Equations;

namespace Unrolled.Generator;

/// <summary>What a compilation gives: the emitted source, or the mistakes found in a layer's equations.</summary>
internal sealed record CompilationResult(string? Source, EquatableArray<LayerError> Errors);

/// <summary>A mistake in the equations of one layer, by its index in the model.</summary>
internal sealed record LayerError(int Layer, EquationError Error);

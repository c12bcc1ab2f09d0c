using Microsoft.CodeAnalysis.Text;

namespace Unrolled.Generator.Frontend.Equations;

/// <summary>A mistake in a cell's text: a diagnostic's id, what is wrong and what to do, and the characters it is about.</summary>
internal sealed record EquationError(string Id, string Message, TextSpan Span);

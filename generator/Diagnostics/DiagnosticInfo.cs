using System.Linq;
using Microsoft.CodeAnalysis;

namespace Unrolled.Generator.Diagnostics;

/// <summary>A diagnostic as a value of the pipeline; it becomes a real one only where it is reported.</summary>
internal sealed record DiagnosticInfo(string Id, LocationInfo? Location, EquatableArray<string> Arguments)
{
    public static DiagnosticInfo Create(DiagnosticDescriptor descriptor, LocationInfo? location, params string[] arguments) =>
        new(descriptor.Id, location, new EquatableArray<string>(arguments));

    /// <summary>Whether there is nothing to compile because of it.</summary>
    public bool IsError => Descriptors.Find(Id).DefaultSeverity == DiagnosticSeverity.Error;

    /// <param name="pages">Where the pages of the package lie, as <see cref="HelpPages"/> tells it.</param>
    public Diagnostic ToDiagnostic(string pages) => Diagnostic.Create(
        HelpPages.WithLink(Descriptors.Find(Id), pages),
        Location?.ToLocation() ?? Microsoft.CodeAnalysis.Location.None,
        Arguments.Cast<object>().ToArray());
}

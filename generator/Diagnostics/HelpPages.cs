using System;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Unrolled.Generator.Diagnostics;

/// <summary>
/// The page that explains the diagnostics, where the package has it: editors and builds follow only links that are whole, and the
/// project has no address in the web. The package's build files tell where they lie.
/// </summary>
internal static class HelpPages
{
    /// <summary>The property of a build that names the folder of the package's pages.</summary>
    public const string Property = "build_property.UnrolledDocumentation";

    /// <summary>The folder as the start of a link, empty where the build names none.</summary>
    public static string Of(AnalyzerConfigOptions options) =>
        options.TryGetValue(Property, out string? folder) && Uri.TryCreate(folder, UriKind.Absolute, out Uri? address) ? address.AbsoluteUri.TrimEnd('/') + "/" : "";

    /// <summary>A descriptor whose link leads to the package's page; the row itself where the pages' place is not known.</summary>
    public static DiagnosticDescriptor WithLink(DiagnosticDescriptor row, string pages) => pages.Length == 0 ? row : new DiagnosticDescriptor(
        row.Id,
        row.Title,
        row.MessageFormat,
        row.Category,
        row.DefaultSeverity,
        row.IsEnabledByDefault,
        row.Description,
        pages + "diagnostics.md" + row.HelpLinkUri.Substring(row.HelpLinkUri.IndexOf('#')));
}

using System;
using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.IO;
using System.Linq;
using System.Reflection;

namespace Unrolled.Generator.Frontend;

/// <summary>The equation files of the library's own cells, which are embedded in the generator.</summary>
internal static class CellFiles
{
    private const string Extension = ".cell";

    /// <summary>The names of the library's cells, in order.</summary>
    public static readonly ImmutableArray<string> Names = typeof(CellFiles).GetTypeInfo().Assembly.GetManifestResourceNames()
        .Where(name => name.EndsWith(Extension, StringComparison.Ordinal))
        .Select(name => name.Substring(0, name.Length - Extension.Length))
        .OrderBy(name => name, StringComparer.Ordinal)
        .ToImmutableArray();

    private static readonly ConcurrentDictionary<string, string> Texts = new(StringComparer.Ordinal);

    /// <summary>The text of <c>Cells/{cell}.cell</c>, with one kind of line end whatever the machine that built the generator.</summary>
    public static string Read(string cell) => Texts.GetOrAdd(cell, static name =>
    {
        using Stream stream = typeof(CellFiles).GetTypeInfo().Assembly.GetManifestResourceStream(name + Extension)
            ?? throw new InvalidOperationException($"The generator has no file Cells/{name}.cell.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Replace("\r\n", "\n");
    });
}

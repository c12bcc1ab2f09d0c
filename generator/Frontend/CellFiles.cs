using System;
using System.Collections.Concurrent;
using System.IO;
using System.Reflection;

namespace Unrolled.Generator.Frontend;

/// <summary>The equation files of the library's own cells, which are embedded in the generator.</summary>
internal static class CellFiles
{
    private static readonly ConcurrentDictionary<string, string> Texts = new(StringComparer.Ordinal);

    /// <summary>The text of <c>Cells/{cell}.cell</c>, with one kind of line end whatever the machine that built the generator.</summary>
    public static string Read(string cell) => Texts.GetOrAdd(cell, static name =>
    {
        using Stream stream = typeof(CellFiles).GetTypeInfo().Assembly.GetManifestResourceStream(name + ".cell")
            ?? throw new InvalidOperationException($"The generator has no file Cells/{name}.cell.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Replace("\r\n", "\n");
    });
}

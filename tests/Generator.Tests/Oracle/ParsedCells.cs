using Unrolled.Generator.Frontend;
using Unrolled.Generator.Frontend.Equations;

namespace Unrolled.Generator.Tests.Oracle;

/// <summary>The one place where the oracle meets the front end: a layer's text, parsed and expanded.</summary>
internal static class ParsedCells
{
    /// <exception cref="InvalidOperationException">The text has a mistake.</exception>
    public static CellSyntax Expand(LayerSpec spec, int inputSize)
    {
        (CellSyntax? cell, EquatableArray<EquationError> errors) = Parser.Parse(spec.Text);
        Require(spec, errors);
        var sizes = new Dictionary<string, int> { ["input"] = inputSize, ["units"] = spec.Units };
        foreach (CellSetting setting in spec.Settings.Where(setting => setting.Kind == CellSettingKind.Size))
        {
            sizes.Add(setting.Name, (int)setting.Number);
        }

        (CellSyntax expanded, errors) = Expander.Expand(cell!, sizes);
        Require(spec, errors);
        return expanded;
    }

    /// <summary>The text of a built-in cell.</summary>
    public static string BuiltIn(string name)
    {
        using Stream stream = typeof(ModelSpec).Assembly.GetManifestResourceStream(name + ".cell")
            ?? throw new ArgumentException($"No built-in cell '{name}'");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private static void Require(LayerSpec spec, EquatableArray<EquationError> errors)
    {
        if (errors.Count > 0)
        {
            throw new InvalidOperationException($"{spec.Name}: {string.Join("; ", errors.Select(error => $"{error.Message} at {error.Span}"))}");
        }
    }
}

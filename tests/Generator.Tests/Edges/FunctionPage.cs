using System.Globalization;
using Unrolled.Generator.Tests.Harness;

namespace Unrolled.Generator.Tests.Edges;

/// <summary>A row of the page's tables.</summary>
/// <param name="Expression">Of <c>a</c>, or of the vector <c>v</c>.</param>
/// <param name="At">One number, or the elements of v.</param>
/// <param name="Value">One number, or a vector.</param>
/// <param name="Slope">Of each element; empty where the page says none.</param>
internal sealed record PageRow(string Expression, float[] At, float[] Value, float[] Slope)
{
    public bool IsOfVector => At.Length > 1;

    /// <summary>The equation's right side.</summary>
    public string Equation => System.Text.RegularExpressions.Regex.Replace(Expression, @"\b[av]\b", "x[t]");
}

/// <summary>The section of the cells' page that says what functions give at their edges.</summary>
internal static class FunctionPage
{
    private const string Heading = "## Functions at their edges";

    public static IReadOnlyList<PageRow> Rows { get; } = Read();

    public static IReadOnlyList<string> Expressions { get; } = [.. Rows.Select(row => row.Expression).Distinct()];

    private static List<PageRow> Read()
    {
        string page = File.ReadAllText(Path.Combine(Repository.Root, "generator", "Cells", "README.md"));
        string section = page[page.IndexOf(Heading, StringComparison.Ordinal)..];
        section = section[..section.IndexOf("\n## ", StringComparison.Ordinal)];
        var rows = new List<PageRow>();
        foreach (string line in section.Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal)))
        {
            string[] cells = [.. line.Split('|')[1..^1].Select(cell => cell.Trim())];
            if (cells.Length != 4)
            {
                throw new InvalidOperationException($"Four columns, not {cells.Length}: {line}");
            }

            // Several expressions, or several places, that give the same.
            foreach (string expression in cells[0].Split("`, `").Select(text => text.Trim('`')))
            {
                rows.AddRange(cells[1].Split("; ").Select(place => new PageRow(expression, Numbers(place), Numbers(cells[2]), Numbers(cells[3]))));
            }
        }

        return rows;
    }

    private static float[] Numbers(string text) => text.Length == 0 ? [] : [.. text.Trim('(', ')').Split(", ").Select(Number)];

    private static float Number(string text) => text switch
    {
        "∞" => float.PositiveInfinity,
        "-∞" => float.NegativeInfinity,
        "½" => 0.5f,
        "-½" => -0.5f,
        _ => float.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture),
    };
}

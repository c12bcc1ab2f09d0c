using Unrolled.Generator.Tests.Harness;
using Xunit;

namespace Unrolled.Generator.Tests.Edges;

/// <summary>What the page says of functions at their edges is what emitted code gives.</summary>
public sealed class FunctionPageTests
{
    // The page rounds to five digits.
    private const double Digits = 1e-4;

    /// <summary>An element's value fills several vectors and a part of one, so that no lane is left out; a vector's is as long as it is.</summary>
    private const int Elements = 37;

    internal static readonly ModelSet Models = new(FunctionPage.Rows.Select(Key).Distinct().Select((_, index) => Network(index)));

    public static TheoryData<string, int> Expressions => new(FunctionPage.Rows.Select(Key).Distinct());

    [Theory]
    [MemberData(nameof(Expressions))]
    [Trait("Category", "Emitted")]
    [Trait("Category", "EmittedSmall")]
    public void Emitted_code_gives_what_the_page_says(string expression, int elements)
    {
        (string, int) key = (expression, elements);
        int index = FunctionPage.Rows.Select(Key).Distinct().ToList().IndexOf(key);
        IModel model = Models.Create(Network(index).Class);
        using var run = new FunctionRun(model, 1);
        if (model.Layout.Parameters.Count > 0)
        {
            run.SetParameter(1, [.. Enumerable.Repeat(1f, elements)]);
        }

        foreach (PageRow row in FunctionPage.Rows.Where(row => Key(row) == key))
        {
            float[] values = run.Values(row.IsOfVector ? row.At : [.. Enumerable.Repeat(row.At[0], Elements)]);
            bool isOneResult = row.IsOfVector && row.Value.Length == 1;
            Hold(row, row.Value, isOneResult ? values[..1] : values, "the value");
            if (row.Slope.Length > 0)
            {
                // Of a vector's first result, or of the only one.
                float[] upstream = row.IsOfVector ? [1, .. new float[row.At.Length - 1]] : [.. Enumerable.Repeat(1f, Elements)];
                Hold(row, row.Slope, run.Slopes(upstream), "the slope");
            }
        }
    }

    [Fact]
    public void The_page_has_its_rows() => Assert.InRange(FunctionPage.Rows.Count, 40, 500);

    private static void Hold(PageRow row, float[] expected, float[] actual, string what)
    {
        for (int i = 0; i < actual.Length; i++)
        {
            float right = expected[expected.Length == 1 ? 0 : i];
            bool isRight = float.IsNaN(right) ? float.IsNaN(actual[i])
                : right == 0 || float.IsInfinity(right) ? actual[i] == right
                : Math.Abs(actual[i] - right) <= Digits * Math.Abs(right);
            Assert.True(isRight, $"{row.Expression} at {string.Join(", ", row.At)}: {what} is {actual[i]:R}, the page says {right:R}");
        }
    }

    private static (string Expression, int Elements) Key(PageRow row) => (row.Expression, row.IsOfVector ? row.At.Length : Elements);

    private static TestNetwork Network(int index)
    {
        (string expression, int elements) = FunctionPage.Rows.Select(Key).Distinct().ElementAt(index);
        PageRow row = FunctionPage.Rows.First(row => Key(row) == (expression, elements));

        // What gives one element is multiplied by a vector, as long as the layer's output.
        string equation = row.IsOfVector && row.Value.Length == 1 ? $"p1 * ({row.Equation})" : row.Equation;
        return new FunctionUse(expression, equation).Network("Page_" + index, elements);
    }
}

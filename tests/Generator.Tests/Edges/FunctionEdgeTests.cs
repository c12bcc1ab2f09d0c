using Unrolled.Generator.Tests.Harness;
using Xunit;

namespace Unrolled.Generator.Tests.Edges;

/// <summary>
/// Every function and its slope where functions go wrong, through emitted code, against double precision. The functions are those of the
/// table of operations: a new row is tried without being listed.
/// </summary>
public sealed class FunctionEdgeTests(ITestOutputHelper output)
{
    // A function errs by at most 16 units in the last place (gelu below -3 by x²/2 more), two roundings each; among the denormals by steps
    // of theirs, silu by 3 |x| where e^x is one.
    private const double ValueTolerance = 64.0 / (1 << 24);
    private const double DenormalSteps = 512 * 1.401298464324817e-45;

    // A slope that is computed from a result rounded to float32 keeps that rounding, next to 1 and not next to itself; silu's times x.
    private const double SlopeTolerance = 24.0 / (1 << 24);

    private static readonly float[] Magnitudes =
        [0, float.Epsilon, 1.1754942e-38f, 1e-8f, 1e-3f, 0.25f, 0.5f, 0.75f, 1, 1.5f, 2, 2.5f, 3, 6, 15, 89, 1e4f, 1e30f, 3e38f, float.PositiveInfinity];

    private static readonly float[] Points = [.. Magnitudes, .. Magnitudes.Select(magnitude => -magnitude), float.NaN];

    /// <summary>Values of parameters for slopes: products of these stay where their rounding can be told.</summary>
    private static readonly float[] Moderate = [-3, -1.5f, -0.25f, 0, 0.25f, 0.75f, 2.5f];

    private static readonly FunctionUse[] Uses = [.. FunctionUse.All()];

    /// <summary>Neither whole vectors of any width nor halves of them.</summary>
    private const int VectorLength = 19;

    internal static readonly ModelSet Models = new(Uses.Select((use, index) => Network(index)));

    public static TheoryData<string> OfElements => [.. Uses.Where(use => !use.IsOfVector).Select(use => use.Expression)];

    public static TheoryData<string> WithParameters => [.. Uses.Where(use => !use.IsOfVector && use.Parameters > 0).Select(use => use.Expression)];

    public static TheoryData<string> OfVectors => [.. Uses.Where(use => use.IsOfVector).Select(use => use.Expression)];

    [Theory]
    [MemberData(nameof(OfElements))]
    [Trait("Category", "Emitted")]
    [Trait("Category", "EmittedSmall")]
    public void A_function_and_its_slope_are_right_everywhere(string expression)
    {
        (FunctionUse use, TestNetwork network, IModel model) = Open(expression);
        var reference = new FunctionReference(network, model, use.Parameters);
        using var run = new FunctionRun(model, Points.Length);

        // Every point in every lane: each row begins one further on.
        float[] inputs = [.. Enumerable.Range(0, Points.Length).SelectMany(row => Points.Select((_, i) => Points[(row + i) % Points.Length]))];
        float[] upstream = new float[inputs.Length];
        Array.Fill(upstream, 1);
        foreach (float[] parameters in Settings(use.Parameters, Moderate))
        {
            for (int index = 0; index < parameters.Length; index++)
            {
                run.SetParameter(index + 1, [.. Enumerable.Repeat(parameters[index], Points.Length)]);
            }

            Expected[] expected = [.. Points.Select(point => Expect(use, reference, [point, .. parameters], 0))];
            float[] values = run.Values(inputs), slopes = run.Slopes(upstream);
            for (int i = 0; i < inputs.Length; i++)
            {
                int row = i / Points.Length, point = (row + i % Points.Length) % Points.Length;
                Hold(use, expected[point], values[i], slopes[i], [inputs[i], .. parameters]);
            }
        }
    }

    [Theory]
    [MemberData(nameof(WithParameters))]
    [Trait("Category", "Emitted")]
    public void Values_and_slopes_of_pairs_are_right(string expression)
    {
        (FunctionUse use, TestNetwork network, IModel model) = Open(expression);
        var reference = new FunctionReference(network, model, use.Parameters);
        using var run = new FunctionRun(model, 1);
        float[] upstream = new float[Points.Length];
        Array.Fill(upstream, 1);

        // Any value of the first with any of the second: the values; slopes where all are moderate.
        for (int shift = 0; shift < Points.Length; shift++)
        {
            float[][] parameters =
            [
                .. Enumerable.Range(1, use.Parameters).Select(index => index == 1 ? Points : Moderate)
                    .Select(from => Points.Select((_, i) => from[(i + shift) % from.Length]).ToArray()),
            ];
            for (int index = 0; index < parameters.Length; index++)
            {
                run.SetParameter(index + 1, parameters[index]);
            }

            float[] values = run.Values(Points);
            run.Slopes(upstream);
            float[][] slopes = [.. Enumerable.Range(1, use.Parameters).Select(run.ParameterSlopes)];
            for (int i = 0; i < Points.Length; i++)
            {
                float[] at = [Points[i], .. parameters.Select(parameter => parameter[i])];
                if (!(at.Any(float.IsInfinity) && at.Any(value => value != 0 && Math.Abs(value) < 1e-30f)))
                {
                    // What underflows on the way to infinity is another matter than the function.
                    HoldValue(use, reference.Value([.. at.Select(value => (double)value)]), values[i], at);
                }

                for (int index = 1; index < at.Length && at.All(value => Math.Abs(value) <= 15); index++)
                {
                    Expected expected = Expect(use, reference, at, index);
                    Hold(use, expected, values[i], slopes[index - 1][i], at);
                }
            }
        }
    }

    public static TheoryData<string> Vectors => [.. VectorPatterns.Keys];

    private static readonly Dictionary<string, float[]> VectorPatterns = new()
    {
        ["zeros"] = [0],
        ["zeros of both signs"] = [0, -0f],
        ["ones"] = [1],
        ["a slope"] = [-1, -0.5f, 0.25f, 0.75f, 1, 3],
        ["ties"] = [2, 1, 2, -1],
        ["denormals"] = [float.Epsilon, -1e-40f, 1.1754942e-38f, 0],
        ["tiny"] = [1e-30f, -2e-30f, 1e-25f],
        ["large"] = [1e4f, -1e4f, 3e3f],
        ["larger"] = [1e14f, -3e15f, 5e14f],
        ["beyond squares"] = [1e20f, -1e20f, 0],
        ["huge"] = [1e30f, -2e30f, 3e28f],
        ["largest"] = [3e38f, -3e38f],
        ["equal and huge"] = [1e25f],
        ["one infinite below"] = [float.NegativeInfinity, 1, 0.5f, 2],
        ["infinite"] = [float.PositiveInfinity, 1, -2],
        ["not a number"] = [1, float.NaN, 2],
    };

    [Theory]
    [MemberData(nameof(OfVectors))]
    [Trait("Category", "Emitted")]
    [Trait("Category", "EmittedSmall")]
    public void A_function_of_a_vector_and_its_slopes_are_right_everywhere(string expression)
    {
        (FunctionUse use, TestNetwork network, IModel model) = Open(expression);
        var reference = new FunctionReference(network, model, use.Parameters);
        using var run = new FunctionRun(model, VectorLength);
        for (int index = 1; index <= use.Parameters; index++)
        {
            run.SetParameter(index, [.. Enumerable.Repeat(1f, VectorLength)]);
        }

        foreach ((string name, float[] pattern) in VectorPatterns)
        {
            float[] vector = [.. Enumerable.Range(0, VectorLength).Select(i => pattern[i % pattern.Length])];
            double[] exact = [.. vector.Select(value => (double)value)];

            // A row for each result: its slopes alone are asked for.
            float[] inputs = [.. Enumerable.Range(0, VectorLength).SelectMany(_ => vector)];
            float[] upstream = [.. Enumerable.Range(0, VectorLength * VectorLength).Select(i => i / VectorLength == i % VectorLength ? 1f : 0f)];
            float[] values = run.Values(inputs), slopes = run.Slopes(upstream);
            if (use.Function == "layer_norm" && exact.Distinct().Count() == 1 && Math.Abs(exact[0]) > 1e3)
            {
                // The mean of equal elements is rounded, and next to a deviation of nothing that rounding is all there is.
                Assert.All(values.Concat(slopes), value => Assert.True(float.IsFinite(value)));
                continue;
            }

            double[] expected = reference.ValueOfVector(exact);
            double size = expected.Max(Math.Abs);
            bool isSum = use.Function is "sum" or "mean";
            if (isSum && exact.Sum(Math.Abs) > float.MaxValue)
            {
                // On the way such sums may leave float32 in both directions.
                continue;
            }

            for (int i = 0; i < values.Length; i++)
            {
                // A sum of terms keeps the rounding of the largest of them.
                HoldValue(use, expected[i % VectorLength], values[i], [vector[0]], double.IsFinite(size) ? Math.Max(size, isSum ? exact.Max(Math.Abs) : 0) : 0);
            }

            if (!expected.All(double.IsFinite) || !exact.All(double.IsFinite) || expected.Any(value => Math.Abs(value) > float.MaxValue))
            {
                continue;
            }

            for (int result = 0; result < VectorLength; result++)
            {
                Slope[] row = [.. Enumerable.Range(0, VectorLength).Select(element => reference.SlopeOfVector(result, element, exact))];
                double largest = row.Where(slope => slope.Kind == SlopeKind.Smooth).Select(slope => Math.Abs(slope.Left)).DefaultIfEmpty(0).Max();
                for (int element = 0; element < VectorLength; element++)
                {
                    float slope = slopes[result * VectorLength + element];
                    Assert.True(float.IsFinite(slope), $"{expression} of {name}: the slope of {result} in {element} is {slope:R}");
                    if (row[element].Kind == SlopeKind.Smooth)
                    {
                        double error = Math.Abs(slope - row[element].Left), allowed = SlopeTolerance * 4 * largest + DenormalSteps;
                        Assert.True(error <= allowed, $"{expression} of {name}: the slope of {result} in {element} is {slope:R}, not {row[element].Left:R}");
                    }
                    else
                    {
                        AssertIsOnThePage(use);
                    }
                }
            }
        }
    }

    [Fact]
    [Trait("Category", "Emitted")]
    [Trait("Category", "EmittedSmall")]
    public void Equal_elements_share_the_slope_of_the_greatest()
    {
        (_, _, IModel model) = Open("p1 * max(x[t])");
        using var run = new FunctionRun(model, 1);
        run.SetParameter(1, [.. Enumerable.Repeat(1f, VectorLength)]);
        foreach (float tie in new[] { 2, 0, -0f, -3, 1e-45f, 3e38f, float.PositiveInfinity })
        {
            for (int equal = 1; equal <= VectorLength; equal++)
            {
                run.Values([.. Enumerable.Range(0, VectorLength).Select(i => i * 7 % VectorLength < equal ? tie : -3.5f)]);
                float[] slopes = run.Slopes([1, .. new float[VectorLength - 1]]);
                for (int i = 0; i < VectorLength; i++)
                {
                    Assert.Equal(i * 7 % VectorLength < equal ? 1f / equal : 0f, slopes[i]);
                }
            }
        }
    }

    [Fact]
    [Trait("Category", "Emitted")]
    public void Equal_values_share_the_slope_of_min_and_max()
    {
        foreach (string expression in new[] { "min(x[t], p1)", "max(x[t], p1)" })
        {
            (_, _, IModel model) = Open(expression);
            using var run = new FunctionRun(model, 1);
            float[] upstream = [.. Enumerable.Repeat(1f, Points.Length)];
            for (int shift = 0; shift < Points.Length; shift++)
            {
                float[] others = [.. Points.Select((_, i) => Points[(i + shift) % Points.Length])];
                run.SetParameter(1, others);
                run.Values(Points);
                float[] first = run.Slopes(upstream), second = run.ParameterSlopes(1);
                for (int i = 0; i < Points.Length; i++)
                {
                    bool isUnordered = float.IsNaN(Points[i]) || float.IsNaN(others[i]);
                    bool firstWins = Points[i] < others[i] == expression.StartsWith("min", StringComparison.Ordinal);
                    float expected = isUnordered ? float.NaN : Points[i] == others[i] ? 0.5f : firstWins ? 1 : 0;
                    Assert.Equal(expected, first[i]);
                    Assert.Equal(1 - expected, second[i]);
                }
            }
        }
    }

    private static TestNetwork Network(int index) => Uses[index].Network("Edge_" + index, Uses[index].IsOfVector ? VectorLength : Points.Length);

    private static (FunctionUse Use, TestNetwork Network, IModel Model) Open(string expression)
    {
        int index = Array.FindIndex(Uses, use => use.Expression == expression);
        TestNetwork network = Network(index);
        return (Uses[index], network, Models.Create(network.Class));
    }

    /// <summary>Every choice of a value for each parameter; one empty one where there are none.</summary>
    private static IEnumerable<float[]> Settings(int parameters, float[] values) =>
        parameters == 0 ? [[]] : Settings(parameters - 1, values).SelectMany(first => values.Select(value => (float[])[.. first, value]));

    private sealed record Expected(double Value, Slope Slope, double Scale);

    private Expected Expect(FunctionUse use, FunctionReference reference, float[] at, int index)
    {
        double[] values = [.. at.Select(value => (double)value)];
        Slope slope = reference.SlopeIn(index, values);
        if (slope.Kind == SlopeKind.Kink || (slope.Kind == SlopeKind.Outside && use.Parameters == 0))
        {
            output.WriteLine($"{use}: {slope.Kind} at {string.Join(", ", at)}, {slope.Left:R} and {slope.Right:R}");
            AssertIsOnThePage(use);
        }

        // What a slope is made of: one, and the parameters and numbers it is multiplied with.
        double scale = values.Skip(1).Where(double.IsFinite).Aggregate(4.0, (product, value) => product * Math.Max(1, Math.Abs(value)));
        return new Expected(reference.Value(values), slope, scale);
    }

    private static void Hold(FunctionUse use, Expected expected, float value, float slope, float[] at)
    {
        HoldValue(use, expected.Value, value, at);
        (SlopeKind kind, double left, double right) = expected.Slope;
        bool underflows = at.Length > 1 && at[0] != 0 && Math.Abs(at[0]) < 1e-37f;
        if (kind == SlopeKind.Outside || (kind == SlopeKind.Kink && left == right) || underflows)
        {
            // No slope, or one point between two bounds that are equal: what the page says is all there is. And a denormal number times a
            // parameter may be on the other side of a kink for being zero.
            return;
        }

        double low = Math.Min(left, right), high = Math.Max(left, right);
        double tolerance = SlopeTolerance * (expected.Scale + Math.Abs(high)) + (kind == SlopeKind.Kink ? 1e-5 : 0);
        bool isRight = double.IsNaN(left) || (float.IsNaN(at[0]) && float.IsNaN(slope)) ? float.IsNaN(slope)
            : Math.Abs(left) > float.MaxValue ? slope == (float)left
            : slope >= low - tolerance && slope <= high + tolerance;
        Assert.True(isRight, $"{use} at {string.Join(", ", at)}: the slope is {slope:R}, not {left:R}{(kind == SlopeKind.Kink ? $" … {right:R}" : "")}");
    }

    private static void HoldValue(FunctionUse use, double expected, float value, float[] at, double size = 0)
    {
        // What rounds away before it is multiplied by a number is magnified by it.
        double factor = at.Skip(1).Where(float.IsFinite).Aggregate(1.0, (product, number) => product * Math.Max(1, Math.Abs(number)));
        double tolerance = ValueTolerance * Math.Max(Math.Abs(expected), size) + DenormalSteps * factor;
        bool isRight = double.IsNaN(expected) ? float.IsNaN(value)
            : Math.Abs(expected) > float.MaxValue ? value == (float)expected
            : Math.Abs(value - expected) <= tolerance;
        Assert.True(isRight, $"{use} at {string.Join(", ", at)} is {value:R}, not {expected:R}");
    }

    /// <summary>Where a function has no slope, or no value, the page says what it gives.</summary>
    private static void AssertIsOnThePage(FunctionUse use) => Assert.True(
        FunctionPage.Expressions.Any(expression => expression.Contains(use.Function is "/" ? " / " : use.Function + "(", StringComparison.Ordinal)),
        $"The page of the cells' language does not say what {use.Function} gives at its edges");
}

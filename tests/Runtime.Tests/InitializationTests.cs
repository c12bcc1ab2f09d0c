namespace Unrolled.Tests;

[Trait("Category", "InstructionSet")]
public class InitializationTests
{
    [Fact]
    public void Constants_are_constant()
    {
        Assert.All(Fill(new(InitializerKind.Zero), 5, 3), value => Assert.Equal(0, value));
        Assert.All(Fill(new(InitializerKind.Constant, 1.5f), 5, 0), value => Assert.Equal(1.5f, value));
        Assert.Equal([1, 0, 0, 0, 1, 0], Fill(new(InitializerKind.Identity), 2, 3));
        Assert.Equal([1, 0, 0, 1, 0, 0], Fill(new(InitializerKind.Identity), 3, 2));
        Assert.Equal([1, 1, 1], Fill(new(InitializerKind.Identity), 3, 0));
    }

    [Theory]
    [InlineData(0f, 1.0)]
    [InlineData(3f, 3.0)]
    public void Glorot_is_uniform_with_variance_2_by_rows_plus_columns(float gain, double factor)
    {
        float[] values = Fill(new(InitializerKind.Glorot, gain), 120, 80);
        double limit = factor * Math.Sqrt(6.0 / 200);
        AssertUniform(values, -limit, limit);
    }

    [Fact]
    public void Uniform_fills_its_range() => AssertUniform(Fill(new(InitializerKind.Uniform, -1, 3), 100, 100), -1, 3);

    [Fact]
    public void He_is_normal_with_variance_2_by_columns()
    {
        AssertNormal(Fill(new(InitializerKind.He), 150, 50), 0, Math.Sqrt(2.0 / 50));
        AssertNormal(Fill(new(InitializerKind.He, 0.5f), 150, 50), 0, 0.5 * Math.Sqrt(2.0 / 50));
    }

    [Fact]
    public void Normal_has_its_mean_and_deviation() => AssertNormal(Fill(new(InitializerKind.Normal, 2, 0.25f), 8000, 0), 2, 0.25);

    [Theory]
    [InlineData(1, 1, 0f)]
    [InlineData(5, 5, 0f)]
    [InlineData(64, 64, 0f)]
    [InlineData(129, 129, 2f)]
    [InlineData(7, 20, 0f)]
    [InlineData(33, 10, 0.5f)]
    [InlineData(1, 9, 0f)]
    public void Orthogonal_rows_or_columns_are_orthonormal(int rows, int columns, float gain)
    {
        float[] values = Fill(new(InitializerKind.Orthogonal, gain), rows, columns);
        double square = gain == 0 ? 1 : gain * gain;
        bool wide = rows <= columns;
        int count = Math.Min(rows, columns);
        double At(int vector, int k) => wide ? values[vector * columns + k] : values[k * columns + vector];
        for (int i = 0; i < count; i++)
        {
            for (int j = 0; j <= i; j++)
            {
                double dot = Enumerable.Range(0, Math.Max(rows, columns)).Sum(k => At(i, k) * At(j, k));
                Numbers.AssertClose(i == j ? square : 0, dot, 0, 1e-6 * square);
            }
        }
    }

    [Fact]
    public void Orthogonal_matrices_have_no_preferred_direction()
    {
        // Of a rotation or reflection of the plane, both signs of determinant and all quadrants of the first row come alike.
        int reflections = 0;
        int[] quadrants = new int[4];
        const int Count = 2000;
        for (ulong seed = 0; seed < Count; seed++)
        {
            float[] m = Fill(new(InitializerKind.Orthogonal), 2, 2, seed);
            reflections += m[0] * m[3] - m[1] * m[2] < 0 ? 1 : 0;
            quadrants[(m[0] < 0 ? 1 : 0) + (m[1] < 0 ? 2 : 0)]++;
        }

        Assert.InRange(reflections, Count / 2 - 112, Count / 2 + 112);
        Assert.All(quadrants, count => Assert.InRange(count, Count / 4 - 97, Count / 4 + 97));
    }

    [Fact]
    public void A_parameter_does_not_depend_on_the_others()
    {
        var glorot = new Initializer(InitializerKind.Glorot);
        ModelLayout Layout(params string[] names) => new(
            "M", 0, 1, 1, Loss.None, names.Length * 64, [.. names.Select((name, i) => new ParameterInfo(name, 8, 4, glorot, new(i * 64)))], []);
        var small = new ParameterBlock(Layout("a.W", "b.W"));
        var large = new ParameterBlock(Layout("c.W", "b.W", "a.W"));
        Initialization.Initialize(small, 9);
        Initialization.Initialize(large, 9);
        Assert.Equal(small.ToArray("a.W"), large.ToArray("a.W"));
        Assert.Equal(small.ToArray("b.W"), large.ToArray("b.W"));
        Assert.Empty(small.ToArray("a.W").Intersect(small.ToArray("b.W")));
        Initialization.Initialize(large, 10);
        Assert.Empty(small.ToArray("a.W").Intersect(large.ToArray("a.W")));
        Numbers.AssertPaddingIsZero(large);
    }

    // What a seed gives never changes: people's results depend on it. The numbers are those of a program apart, written after the papers.
    [Fact]
    public void A_seed_gives_the_same_bits_for_good()
    {
        AssertBits([0xBF9AC623, 0x3F9CB738, 0xBF48D0D4, 0xBE774539], Fill(new(InitializerKind.Glorot), 2, 2, 42));
        AssertBits([0xBF7CBEAE, 0x3F7FEA69, 0xBF23F722, 0xBE49E53C], Fill(new(InitializerKind.Uniform, -1, 1), 4, 0, 42));
        AssertBits([0xBF9ACABD, 0xBEBE9996, 0xBF25A71F, 0x3F466E80], Fill(new(InitializerKind.Normal, 0, 1), 4, 0, 42));
        AssertBits([0xBF9ACABD, 0xBEBE9996, 0xBF25A71F, 0x3F466E80], Fill(new(InitializerKind.He), 2, 2, 42));
        AssertBits([0xBF74AB77, 0xBE96A276, 0xBE96A276, 0x3F74AB77], Fill(new(InitializerKind.Orthogonal), 2, 2, 42));
    }

    private static void AssertBits(uint[] expected, float[] actual) =>
        Assert.Equal(
            string.Join(", ", expected.Select(bits => $"0x{bits:X8}")),
            string.Join(", ", actual.Select(value => $"0x{BitConverter.SingleToUInt32Bits(value):X8}")));

    private static float[] Fill(Initializer initializer, int rows, int columns, ulong seed = 1)
    {
        var parameter = new ParameterInfo("layer_0.p", rows, columns, initializer, new PackedSegment(0));
        var layout = new ModelLayout(
            "M", 0, 1, 1, Loss.None, Padding.Of(rows) * Math.Max(1, columns), [parameter], []);
        var block = new ParameterBlock(layout);
        Initialization.Initialize(block, seed);
        Numbers.AssertPaddingIsZero(block);
        return block.ToArray(parameter.Name);
    }

    private static void AssertUniform(float[] values, double low, double high)
    {
        double width = high - low;
        Assert.All(values, value => Assert.InRange(value, low - 1e-6, high + 1e-6));
        Assert.InRange(values.Average(), (low + high) / 2 - 5 * width / Math.Sqrt(12.0 * values.Length), (low + high) / 2 + 5 * width / Math.Sqrt(12.0 * values.Length));
        for (int bin = 0; bin < 10; bin++)
        {
            double from = low + width * bin / 10;
            int count = values.Count(value => value >= from && value < from + width / 10);
            double tolerance = 5 * Math.Sqrt(values.Length * 0.09);
            Assert.InRange(count, values.Length / 10.0 - tolerance, values.Length / 10.0 + tolerance);
        }
    }

    private static void AssertNormal(float[] values, double mean, double deviation)
    {
        double tolerance = 5 / Math.Sqrt(values.Length);
        double[] standard = [.. values.Select(value => (value - mean) / deviation)];
        Assert.InRange(standard.Average(), -tolerance, tolerance);
        Assert.InRange(standard.Average(x => x * x), 1 - Math.Sqrt(2) * tolerance, 1 + Math.Sqrt(2) * tolerance);
        Assert.InRange(standard.Count(x => Math.Abs(x) > 1.959964) / (double)values.Length, 0.05 - 0.22 * tolerance, 0.05 + 0.22 * tolerance);
    }
}

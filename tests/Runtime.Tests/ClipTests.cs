namespace Unrolled.Tests;

[Trait("Category", "InstructionSet")]
public class ClipTests
{
    [Theory]
    [InlineData(1e-12f)]
    [InlineData(1f)]
    [InlineData(1e15f)]
    [InlineData(1e30f)]
    public void A_norm_above_the_threshold_is_brought_down_to_it(float spread)
    {
        ParameterBlock gradients = Gradients(spread);
        float[] before = gradients.Values.ToArray();
        double expected = Math.Sqrt(before.Sum(g => (double)g * g));
        float threshold = (float)(expected / 4);
        float norm = Clip.ByGlobalNorm(gradients, threshold);
        Numbers.AssertClose(expected, norm, 1e-7);
        Numbers.AssertClose(threshold, Math.Sqrt(gradients.Values.ToArray().Sum(g => (double)g * g)), 1e-6);
        for (int i = 0; i < before.Length; i++)
        {
            Numbers.AssertClose(before[i] * (threshold / expected), gradients.Values[i], 1e-6);
        }

        Numbers.AssertPaddingIsZero(gradients);
    }

    [Fact]
    public void A_norm_below_the_threshold_changes_nothing()
    {
        ParameterBlock gradients = Gradients(1);
        float[] before = gradients.Values.ToArray();
        float norm = Clip.ByGlobalNorm(gradients, 1e4f);
        Assert.Equal(before, gradients.Values.ToArray());
        Assert.InRange(norm, 10, 30);
        gradients.Clear();
        Assert.Equal(0, Clip.ByGlobalNorm(gradients, 1));
        Assert.True(gradients.Values.IndexOfAnyExcept(0f) < 0);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void A_norm_that_is_no_number_changes_nothing_and_is_told(float bad)
    {
        ParameterBlock gradients = Gradients(1);
        float[] decay = gradients.ToArray(LeakyModel.Decay);
        decay[2] = bad;
        gradients.Set(LeakyModel.Decay, decay);
        float[] before = gradients.Values.ToArray();
        Assert.Equal(Math.Abs(bad), Clip.ByGlobalNorm(gradients, 1));
        Assert.Equal(before, gradients.Values.ToArray());
    }

    [Fact]
    public void A_norm_beyond_the_range_of_float_is_still_brought_down()
    {
        ParameterBlock gradients = new(new LeakyModel(0, 1, 2, Loss.None).Layout);
        gradients.Set(LeakyModel.Decay, [3e38f, 3e38f]);
        Assert.Equal(float.PositiveInfinity, Clip.ByGlobalNorm(gradients, 3e30f));
        Assert.All(gradients.ToArray(LeakyModel.Decay), g => Numbers.AssertClose(3e30 / Math.Sqrt(2), g, 1e-6));
    }

    [Theory]
    [InlineData(100, 3e38f, 1f)]
    [InlineData(100, 3.4e37f, 1e-6f)]
    [InlineData(100, 3.4e38f, 1e-30f)]
    [InlineData(7, 1e38f, 3e38f)]
    [InlineData(100, 3e38f, float.MaxValue)]
    [InlineData(3, 1f, 1e-37f)]
    [InlineData(3, 1f, 1e-40f)]
    [InlineData(3, 1e-30f, 1e-36f)]
    [InlineData(5, 1e-38f, 1e-39f)]
    [InlineData(5, float.Epsilon, 2 * float.Epsilon)]
    public void Norms_and_thresholds_at_the_ends_of_float_s_range_are_right_to_rounding(int count, float gradient, float threshold)
    {
        ParameterBlock gradients = new(new LeakyModel(0, 1, count, Loss.None).Layout);
        float[] values = [.. Enumerable.Range(0, count).Select(i => i % 2 == 0 ? gradient : -gradient)];
        gradients.Set(LeakyModel.Decay, values);
        double norm = Math.Sqrt(count) * gradient;
        Assert.Equal((float)norm, Clip.ByGlobalNorm(gradients, threshold), Math.Max(norm < float.MaxValue ? norm * 1e-7 : 0, float.Epsilon));
        double scale = Math.Min(1, threshold / norm);

        // The scale and the product are rounded, to half a unit in the last place each.
        float[] clipped = gradients.ToArray(LeakyModel.Decay);
        for (int i = 0; i < count; i++)
        {
            Numbers.AssertClose(values[i] * scale, clipped[i], 1.3e-7, float.Epsilon);
        }

        Numbers.AssertPaddingIsZero(gradients);
    }

    [Fact]
    public void What_is_scaled_below_the_smallest_normal_number_is_zero()
    {
        ParameterBlock gradients = new(new LeakyModel(0, 1, 6, Loss.None).Layout);
        gradients.Set(LeakyModel.Decay, [1e4f, -1e-33f, 1e-35f, -1e-37f, 1e-39f, -float.Epsilon]);
        Clip.ByGlobalNorm(gradients, 1);
        float[] clipped = gradients.ToArray(LeakyModel.Decay);
        Numbers.AssertClose(1, clipped[0], 1e-6);
        Numbers.AssertClose(-1e-37, clipped[1], 1e-6);
        Assert.Equal([0, 0, 0, 0], clipped[2..]);
    }

    [Fact]
    public void The_norm_has_the_same_bits_on_every_machine()
    {
        ParameterBlock gradients = Gradients(1);
        double[] lanes = new double[16];
        for (int i = 0; i < gradients.Values.Length; i++)
        {
            lanes[i % 16] += (double)gradients.Values[i] * gradients.Values[i];
        }

        for (int half = 8; half > 0; half /= 2)
        {
            for (int lane = 0; lane < half; lane++)
            {
                lanes[lane] += lanes[lane + half];
            }
        }

        Assert.Equal((float)Math.Sqrt(lanes[0]), Clip.ByGlobalNorm(gradients, float.PositiveInfinity));
    }

    [Fact]
    public void Values_are_brought_within_the_limit()
    {
        ParameterBlock gradients = new(new LeakyModel(0, 1, 7, Loss.None).Layout);
        gradients.Set(LeakyModel.Decay, [-2, -0.5f, 0, 0.5f, 2, float.NegativeInfinity, float.PositiveInfinity]);
        gradients.Set(LeakyModel.Weights, [float.NaN, 1, -1, 1.0001f, 0, 0, 0]);
        Clip.ByValue(gradients, 1);
        Assert.Equal([-1, -0.5f, 0, 0.5f, 1, -1, 1], gradients.ToArray(LeakyModel.Decay));
        Assert.Equal([float.NaN, 1, -1, 1, 0, 0, 0], gradients.ToArray(LeakyModel.Weights));
        Numbers.AssertPaddingIsZero(gradients);
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(-1f)]
    [InlineData(float.NaN)]
    public void Thresholds_are_positive(float threshold)
    {
        ParameterBlock gradients = Gradients(1);
        Assert.Throws<ArgumentOutOfRangeException>(() => Clip.ByGlobalNorm(gradients, threshold));
        Assert.Throws<ArgumentOutOfRangeException>(() => Clip.ByValue(gradients, threshold));
    }

    private static ParameterBlock Gradients(float spread)
    {
        ParameterBlock gradients = new(new LeakyModel(0, 5, 37, Loss.None).Layout);
        Numbers.FillNormal(gradients, 7, spread);
        return gradients;
    }
}

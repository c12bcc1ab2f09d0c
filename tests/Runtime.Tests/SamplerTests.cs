namespace Unrolled.Tests;

[Trait("Category", "InstructionSet")]
public class SamplerTests
{
    private const int Count = 40_000;

    private static readonly float[] s_logits = [0.5f, 2, -1, 1.5f, 0, 3];

    [Theory]
    [InlineData(0.25f)]
    [InlineData(1f)]
    [InlineData(4f)]
    public void Tokens_come_as_often_as_the_tempered_softmax_says(float temperature) =>
        AssertDistribution(s_logits, new Sampler(temperature, new RandomStream(1)), Softmax(s_logits, temperature));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(100)]
    public void Only_the_k_likeliest_are_left(int k)
    {
        double[] expected = Softmax(s_logits, 0.8f);
        double least = expected.OrderDescending().Take(k).Last();
        expected = Normalised([.. expected.Select(p => p >= least ? p : 0)]);
        AssertDistribution(s_logits, new Sampler(0.8f, new RandomStream(2), topK: k), expected);
    }

    [Theory]
    [InlineData(0.001f, 1)]
    [InlineData(0.5f, 1)]
    [InlineData(0.7f, 2)]
    [InlineData(0.9f, 3)]
    [InlineData(0.92f, 4)]
    public void Only_the_fewest_that_have_the_probability_are_left(float p, int expectedCount)
    {
        // Softmax: 0.5753, 0.2117, 0.1284, 0.0472, 0.0286, 0.0105 from the likeliest down would reach 0.9154 with three.
        double[] probabilities = Softmax(s_logits, 1);
        double least = probabilities.OrderDescending().Take(expectedCount).Last();
        Assert.True(probabilities.Where(value => value >= least).Sum() >= p);
        Assert.True(probabilities.Where(value => value > least).Sum() < p);
        double[] expected = Normalised([.. probabilities.Select(value => value >= least ? value : 0)]);
        AssertDistribution(s_logits, new Sampler(1, new RandomStream(3), topP: p), expected);
    }

    [Fact]
    public void The_nucleus_is_of_what_the_k_likeliest_leave()
    {
        // Of the three likeliest, 0.63, 0.23 and 0.14, two have 0.8 together; of all they would not.
        double[] expected = Normalised([0, Math.Exp(2), 0, 0, 0, Math.Exp(3)]);
        Assert.True(Softmax(s_logits, 1)[5] + Softmax(s_logits, 1)[1] < 0.8);
        AssertDistribution(s_logits, new Sampler(1, new RandomStream(4), topK: 3, topP: 0.8f), expected);
    }

    [Fact]
    public void No_temperature_takes_the_likeliest_and_the_first_of_equals()
    {
        var sampler = new Sampler(0, new RandomStream(1));
        Assert.Equal(5, sampler.Sample(s_logits));
        Assert.Equal(1, sampler.Sample([0, 7, 7, float.NegativeInfinity, 7]));
        Assert.Equal(1, new Sampler(1, new RandomStream(1), topK: 1).Sample([-1, 0f, -0f]));
        Assert.Equal(0, new Sampler(1, new RandomStream(1), topP: 0.1f).Sample([-0f, 0f, -1]));
    }

    [Fact]
    public void Of_equals_the_first_are_among_the_likeliest() =>
        AssertDistribution([1, 2, 1, 1], new Sampler(1, new RandomStream(5), topK: 2), Normalised([Math.Exp(-1), 1, 0, 0]));

    [Fact]
    public void Impossible_tokens_are_never_drawn()
    {
        float[] logits = [float.NegativeInfinity, 0, float.NegativeInfinity, 0, float.NegativeInfinity];
        AssertDistribution(logits, new Sampler(2, new RandomStream(6)), [0, 0.5, 0, 0.5, 0]);
        AssertDistribution(logits, new Sampler(2, new RandomStream(6), topK: 4), [0, 0.5, 0, 0.5, 0]);
    }

    [Fact]
    public void Extreme_logits_and_temperatures_are_drawn_from()
    {
        Assert.Equal(2, new Sampler(1, new RandomStream(1)).Sample([-3e38f, 0, 3e38f]));
        Assert.Equal(1, new Sampler(float.Epsilon, new RandomStream(1)).Sample([1, 1.0001f, 0]));
        AssertDistribution([0, 1, 5], new Sampler(1e30f, new RandomStream(1)), [1 / 3.0, 1 / 3.0, 1 / 3.0]);
        AssertDistribution([3e38f, 3e38f], new Sampler(1, new RandomStream(1)), [0.5, 0.5]);
    }

    // From a program apart that follows the papers; never to change.
    [Fact]
    public void A_seed_draws_the_same_tokens_for_good()
    {
        int[] expected = [5, 3, 5, 5, 5, 5, 1, 1, 4, 1, 5, 5, 5, 5, 5, 5, 1, 5, 1, 1, 1, 5, 5, 3];
        var sampler = new Sampler(1, new RandomStream(7));
        Assert.Equal(expected, Enumerable.Range(0, expected.Length).Select(_ => sampler.Sample(s_logits)));
    }

    [Fact]
    public void What_cannot_be_drawn_from_is_refused_and_draws_nothing()
    {
        var random = new RandomStream(8);
        var sampler = new Sampler(1, random);
        Assert.Throws<ArgumentException>(() => sampler.Sample([]));
        Assert.Throws<ArgumentException>(() => sampler.Sample([0, float.NaN]));
        Assert.Throws<ArgumentException>(() => sampler.Sample([0, float.PositiveInfinity]));
        Assert.Throws<ArgumentException>(() => sampler.Sample([float.NegativeInfinity, float.NegativeInfinity]));
        Assert.Equal(new RandomStream(8).NextUInt64(), random.NextUInt64());
        Assert.Throws<ArgumentOutOfRangeException>(() => new Sampler(-1, random));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Sampler(float.NaN, random));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Sampler(1, random, topK: -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Sampler(1, random, topP: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Sampler(1, random, topP: 1.1f));
        Assert.Throws<ArgumentNullException>(() => new Sampler(1, null!));
    }

    private static double[] Softmax(float[] logits, float temperature) => Normalised([.. logits.Select(x => Math.Exp((double)x / temperature))]);

    private static double[] Normalised(double[] weights) => [.. weights.Select(weight => weight / weights.Sum())];

    private static void AssertDistribution(float[] logits, Sampler sampler, double[] expected)
    {
        int[] counts = new int[expected.Length];
        for (int i = 0; i < Count; i++)
        {
            counts[sampler.Sample(logits)]++;
        }

        // Five standard deviations; none where the probability is 0.
        for (int token = 0; token < expected.Length; token++)
        {
            double tolerance = 5 * Math.Sqrt(Count * expected[token] * (1 - expected[token]));
            Assert.InRange(counts[token], Count * expected[token] - tolerance - 1e-6, Count * expected[token] + tolerance + 1e-6);
        }
    }
}

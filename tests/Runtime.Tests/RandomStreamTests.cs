namespace Unrolled.Tests;

[Trait("Category", "InstructionSet")]
public class RandomStreamTests
{
    [Fact]
    public void The_generator_is_xoshiro256_starstar()
    {
        // The first numbers of the authors' own program (prng.di.unimi.it) for the state 1, 2, 3, 4.
        var random = new RandomStream(1, 2, 3, 4);
        ulong[] expected =
        [
            11520, 0, 1509978240, 1215971899390074240, 1216172134540287360,
            607988272756665600, 16172922978634559625, 8476171486693032832, 10595114339597558777, 2904607092377533576,
        ];
        Assert.Equal(expected, Enumerable.Range(0, expected.Length).Select(_ => random.NextUInt64()));
    }

    [Fact]
    public void Seeds_are_spread_by_SplitMix64()
    {
        ulong[] expected = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821];
        Assert.Equal(expected, Enumerable.Range(1, 5).Select(i => RandomStream.SplitMix(1234567, (ulong)i)));
    }

    [Fact]
    public void Numbers_are_uniform_below_1()
    {
        const int Count = 100_000;
        var random = new RandomStream(1);
        int[] singles = new int[10];
        int[] doubles = new int[10];
        for (int i = 0; i < Count; i++)
        {
            float single = random.NextFloat();
            double number = random.NextDouble();
            Assert.True(single is >= 0 and < 1 && number is >= 0 and < 1);
            singles[(int)(single * 10)]++;
            doubles[(int)(number * 10)]++;
        }

        // Five standard deviations of a count
        double tolerance = 5 * Math.Sqrt(Count * 0.1 * 0.9);
        Assert.All([.. singles, .. doubles], count => Assert.InRange(count, Count / 10 - tolerance, Count / 10 + tolerance));
    }

    [Fact]
    public void Normal_numbers_have_the_normal_distribution()
    {
        const int Count = 200_000;
        var random = new RandomStream(2);
        double[] values = [.. Enumerable.Range(0, Count).Select(_ => random.NextNormal())];
        double deviation = 1 / Math.Sqrt(Count);
        Assert.InRange(values.Average(), -5 * deviation, 5 * deviation);
        Assert.InRange(values.Average(x => x * x), 1 - 5 * Math.Sqrt(2) * deviation, 1 + 5 * Math.Sqrt(2) * deviation);
        Assert.InRange(values.Average(x => x * x * x * x), 3 - 5 * Math.Sqrt(96) * deviation, 3 + 5 * Math.Sqrt(96) * deviation);
        Assert.InRange(values.Count(x => x > 1.959964) / (double)Count, 0.025 - 0.002, 0.025 + 0.002);

        // Neighbours, which come from one pair, have nothing to do with each other.
        Assert.InRange(values.Zip(values.Skip(1), (a, b) => a * b).Average(), -5 * deviation, 5 * deviation);
    }

    [Fact]
    public void The_same_seed_gives_the_same_numbers_and_another_others()
    {
        ulong[] Draw(ulong seed)
        {
            var random = new RandomStream(seed);
            return [.. Enumerable.Range(0, 8).Select(_ => random.NextUInt64())];
        }

        Assert.Equal([3628370374969813497, 17885451940711451998, 8622752019489400367, 2342437615205057030], Draw(123)[..4]);
        Assert.Equal(Draw(3), Draw(3));
        Assert.Empty(Draw(3).Intersect(Draw(4)));
        Assert.Empty(Draw(0).Intersect(Draw(ulong.MaxValue)));
    }

    [Fact]
    public void Logarithm_and_exponential_are_within_two_ulp()
    {
        var random = new RandomStream(5);
        for (int i = 0; i < 20_000; i++)
        {
            double x = Math.Exp(40 * random.NextNormal());
            if (x is > 1e-300 and < 1e300)
            {
                Numbers.AssertClose(Math.Log(x), StableMath.Log(x), 4.5e-16, 1e-17);
            }

            double near = 1 + (random.NextDouble() - 0.5) / 8;
            Numbers.AssertClose(Math.Log(near), StableMath.Log(near), 4.5e-16);
            double negative = -700 * random.NextDouble();
            Numbers.AssertClose(Math.Exp(negative), StableMath.Exp(negative), 4.5e-16);
        }

        Assert.Equal(0, StableMath.Log(1));
        Assert.Equal(1, StableMath.Exp(0));
        Assert.Equal(0, StableMath.Exp(double.NegativeInfinity));
        Assert.Equal(double.Epsilon, StableMath.Exp(-744.4));
        Assert.Equal(0, StableMath.Exp(-1e300));
    }
}

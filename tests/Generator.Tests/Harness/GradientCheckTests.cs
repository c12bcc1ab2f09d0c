using Xunit;

namespace Unrolled.Generator.Tests.Harness;

/// <summary>The check itself: it accepts a network written by hand, and finds each mistake planted in it.</summary>
public sealed class GradientCheckTests(ITestOutputHelper output)
{
    /// <summary>Every mistake in a small network, and in one with too many parameters to try every coordinate.</summary>
    public static TheoryData<Defect, int, int> Defects
    {
        get
        {
            var data = new TheoryData<Defect, int, int>();
            foreach (Defect defect in Enum.GetValues<Defect>().Where(defect => defect != Defect.None))
            {
                data.Add(defect, 5, 7);
                data.Add(defect, 40, 40);
            }

            return data;
        }
    }

    [Theory]
    [InlineData(5, 7, 3, 6)]
    [InlineData(40, 40, 2, 3)]
    public void AcceptsANetworkWithoutMistakes(int features, int units, int rows, int steps)
    {
        TestNetwork network = Network(features, units);
        GradientCheck.Run(network, new HandWrittenModel(features, units, Defect.None), rows, steps, seed: 1, output: output);
    }

    [Theory]
    [MemberData(nameof(Defects))]
    public void FindsEveryMistake(Defect defect, int features, int units)
    {
        Exception? found = Record.Exception(() =>
            GradientCheck.Run(Network(features, units), new HandWrittenModel(features, units, defect), rows: 3, steps: 4, seed: 1));
        Assert.NotNull(found);
        output.WriteLine(found.Message);
        Assert.Contains("off by", found.Message, StringComparison.Ordinal);
    }

    private static TestNetwork Network(int features, int units) => new("HandWritten", 0, features, [TestLayer.Rnn("rnn", units)]);
}

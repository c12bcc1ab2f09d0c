using System.Globalization;
using Unrolled.Generator.Tests.Harness;
using Xunit;

namespace Unrolled.Generator.Tests;

/// <summary>
/// Cells at random, as broad as people write them: every way of running one network has the same bits, and some agree with their equations
/// in double precision.
/// </summary>
public sealed class BroadCellTests(ITestOutputHelper output)
{
    /// <summary>Names the cells to run, as in 0-5000, and those of them whose gradients are checked, as in 0-1000.</summary>
    private const string Range = "UNROLLED_BROAD_CELLS", GradientRange = "UNROLLED_BROAD_GRADIENTS";

    private const int Seed = 20261127;

    // As of RandomCellTests: functions of functions of sums magnify what rounding left of their arguments.
    private const double Conditioning = 16;

    private static readonly (int First, int End) Cells = Read(Range, 100), Gradients = Read(GradientRange, 25);

    internal static readonly ModelSet Models = new(
        Enumerable.Range(Math.Min(Cells.First, Gradients.First), Math.Max(Cells.End, Gradients.End) - Math.Min(Cells.First, Gradients.First)).Select(Network));

    public static TheoryData<int> Numbers => [.. Enumerable.Range(Cells.First, Cells.End - Cells.First)];

    public static TheoryData<int> GradientNumbers => [.. Enumerable.Range(Gradients.First, Gradients.End - Gradients.First)];

    [Theory]
    [MemberData(nameof(Numbers))]
    [Trait("Category", "Emitted")]
    [Trait("Category", "Broad")]
    public void Every_way_of_running_a_cell_has_the_same_bits(int number)
    {
        string name = Name(number);
        output.WriteLine(Models[name].Specs[0].Text);
        EveryWay.Check(Models.Create(name, seed: 1));
    }

    [Theory]
    [MemberData(nameof(GradientNumbers))]
    [Trait("Category", "Emitted")]
    [Trait("Category", "BroadGradients")]
    public void Broad_cells_agree_with_their_equations(int number)
    {
        TestNetwork network = Models[Name(number)];
        output.WriteLine(network.Specs[0].Text);
        GradientCheck.Run(network, Models.Create(network.Class), rows: 2, steps: 5, Seed + number, Conditioning, output, mayStandOnKink: true);
    }

    private static string Name(int number) => "Broad_" + number;

    private static TestNetwork Network(int number)
    {
        RandomCell cell = RandomCell.Broad(number);
        return new TestNetwork(Name(number), 0, cell.Features, [TestLayer.Own("cell", cell.Text, cell.Units)]);
    }

    private static (int First, int End) Read(string variable, int count)
    {
        int[] ends = [.. (Environment.GetEnvironmentVariable(variable) ?? $"0-{count}").Split('-').Select(end => int.Parse(end, CultureInfo.InvariantCulture))];
        return (ends[0], ends[1]);
    }
}

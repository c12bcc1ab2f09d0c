using Unrolled.Generator.Graph;
using Unrolled.Generator.Tests.Harness;
using Unrolled.Generator.Tests.PassTests;
using Xunit;

namespace Unrolled.Generator.Tests;

/// <summary>Equations nobody wrote, compiled, against themselves in double precision: outputs, states and all gradients.</summary>
public sealed class RandomCellTests(ITestOutputHelper output)
{
    private const int Seed = 20261122;

    // Two rounds through the functions.
    private static readonly int Cells = Math.Max(2 * RandomCell.Functions.Length, 40);

    // Functions of functions of sums magnify what rounding left of their arguments, and a gradient that cancels to nothing (of what a
    // layer_norm takes away) keeps the rounding of its terms: the worst of them came to a half of what this allows.
    private const double Conditioning = 16;

    internal static readonly ModelSet Models = new(Enumerable.Range(0, Cells).Select(Network));

    public static TheoryData<int> Numbers => [.. Enumerable.Range(0, Cells)];

    [Theory]
    [MemberData(nameof(Numbers))]
    [Trait("Category", "Emitted")]
    public void Random_cells_agree_with_their_equations(int number)
    {
        TestNetwork network = Models[Name(number)];
        output.WriteLine(network.Specs[0].Text);
        GradientCheck.Run(network, Models.Create(network.Class), rows: 2, steps: 4, Seed + number, Conditioning, output);
    }

    [Fact]
    public void They_call_every_function()
    {
        string all = string.Join("\n", Enumerable.Range(0, Cells).Select(number => RandomCell.Create(number).Text));
        Assert.All(RandomCell.Functions.Union(OperationTable.FunctionNames), function => Assert.Contains(function + "(", all, StringComparison.Ordinal));
        Assert.Contains("for ", all, StringComparison.Ordinal);
        Assert.Contains("[t-3]", all, StringComparison.Ordinal);
    }

    /// <summary>A row that none of them reaches, forward or backward, would be one that no oracle has seen.</summary>
    [Fact]
    public void They_compute_every_row_of_the_table_and_no_value_is_dead()
    {
        var computed = new HashSet<string>();
        for (int number = 0; number < Cells; number++)
        {
            ModelGraph bound = Networks.Bind(Network(number).Spec), training = Compiler.Training(Compiler.Network(bound));
            computed.UnionWith(bound.SelfAndLoops().Concat(training.SelfAndLoops()).Where(node => node.Kind == NodeKind.Map).Select(node => node.Name));
            Assert.NotEmpty(bound.States);
            Assert.True(
                training.Gradients.All(gradient => gradient.Value.Kind != NodeKind.Constant),
                $"{string.Join(", ", training.Gradients.Where(gradient => gradient.Value.Kind == NodeKind.Constant).Select(gradient => gradient.Target.Name))} of {number} have no effect:\n{Network(number).Specs[0].Text}");
        }

        Assert.Empty(OperationTable.All.Select(row => row.Name).Except(computed));
    }

    private static string Name(int number) => "Random_" + number;

    private static TestNetwork Network(int number)
    {
        RandomCell cell = RandomCell.Create(number);
        return new TestNetwork(Name(number), 0, cell.Features, [TestLayer.Own("cell", cell.Text, cell.Units)]);
    }
}

using Unrolled.Generator.Graph;
using Unrolled.Generator.Passes;
using Unrolled.Generator.Schedule;
using Xunit;

namespace Unrolled.Generator.Tests.PassTests;

public sealed class FuseTests
{
    /// <summary>A tanh, a sigmoid, a division: what takes several times as long as a multiplication.</summary>
    private const double Expensive = 0.3;

    [Theory]
    [MemberData(nameof(Networks.Names), MemberType = typeof(Networks))]
    public void No_epilogue_chains_two_expensive_functions(string name)
    {
        ModelGraph network = Compiler.Network(Networks.Graph(name));
        ParameterLayout layout = ParameterLayout.Of(network);
        foreach (ModelGraph graph in new[] { Prune.Run(network), Prune.Run(Hoist.Run(network)), Compiler.Training(network) })
        {
            foreach (MapStage stage in Stages(Schedules.Of(graph, layout, fused: true)))
            {
                Assert.True(LongestChain(stage) <= 1, $"'{stage.Name}' chains {LongestChain(stage)} expensive functions");
            }
        }
    }

    [Theory]
    [InlineData("lstm", 2, 2)]
    [InlineData("rnn", 1, 1)]
    [InlineData("gru reset after", 2, 2)]
    [InlineData("recurrent highway of depth two", 1, 2)]
    public void Splits_where_a_function_waits_for_another_and_nowhere_else(string name, int longestBefore, int stagesAfter)
    {
        ModelGraph network = Compiler.Network(Networks.Graph(name));
        ModelGraph sequence = Prune.Run(Hoist.Run(network));
        ModelSchedule before = Generator.Passes.Stack.Run(sequence, ParameterLayout.Of(network), "Test"), after = Fuse.Run(before);
        Assert.Equal(longestBefore, Stages(before).Max(LongestChain));
        Assert.Equal(stagesAfter, Stages(after).Count(stage => LongestChain(stage) > 0));

        // Nothing is computed twice.
        Assert.Equal(Stages(before).Sum(stage => stage.Computed().Count), Stages(after).Sum(stage => stage.Computed().Count));
    }

    [Fact]
    public void What_passes_between_two_parts_is_stored_by_the_first_and_loaded_by_the_second()
    {
        ModelGraph network = Compiler.Network(Networks.BindCell("h[t] = tanh(1 + exp(W @ x[t] + u * h[t-1]))", 4));
        ModelSchedule before = Generator.Passes.Stack.Run(Prune.Run(network), ParameterLayout.Of(network), "Test");
        ModelSchedule after = Fuse.Run(before);
        Assert.Equal(before.Values.Length + 1, after.Values.Length);
        List<MapStage> stages = Stages(after).Where(stage => LongestChain(stage) == 1).ToList();
        Assert.Equal(2, stages.Count);
        Binding between = Assert.Single(stages[0].Stores, store => store.Operand.Value == before.Values.Length);
        Assert.Contains(between, stages[1].Loads);
        Assert.Equal(Residence.Step, after.ValueOf(between.Operand).Residence);
    }

    private static IEnumerable<MapStage> Stages(ModelSchedule schedule) => schedule.AllStatements.OfType<MapStage>();

    private static int LongestChain(MapStage stage)
    {
        HashSet<Node> loaded = stage.Loads.Select(load => load.Node).ToHashSet();
        int Chain(Node node) => loaded.Contains(node) || node.Kind != NodeKind.Map
            ? 0
            : node.Inputs.Max(Chain) + (OperationTable.Get(node.Name).Cycles >= Expensive ? 1 : 0);
        return stage.Stores.Select(store => Chain(store.Node)).DefaultIfEmpty(0).Max();
    }
}

using System.Collections.Immutable;
using Unrolled.Generator.Graph;
using Unrolled.Generator.Passes;
using Xunit;

namespace Unrolled.Generator.Tests.PassTests;

public sealed class PruneTests
{
    [Theory]
    [MemberData(nameof(Networks.Names), MemberType = typeof(Networks))]
    public void Every_part_of_every_loop_is_used(string name)
    {
        ModelGraph network = Compiler.Network(Networks.Graph(name));
        foreach (ModelGraph graph in new[] { Prune.Run(network), Prune.Run(Hoist.Run(network)), Compiler.Training(network) })
        {
            List<Node> results = graph.Roots.Reachable().Where(node => node.Kind == NodeKind.Result).ToList();
            foreach (Node scan in graph.Scans())
            {
                ScanBody body = scan.Body!;
                HashSet<Node> nodes = body.Nodes().ToHashSet();
                HashSet<int> stacked = results.Where(r => r.Inputs[0] == scan && r.Name == "stacked").Select(r => r.Index).ToHashSet();
                HashSet<int> final = results.Where(r => r.Inputs[0] == scan && r.Name == "final").Select(r => r.Index).ToHashSet();
                Assert.Equal(Enumerable.Range(0, body.Stacked.Length), stacked.Order());
                Assert.All(body.Sequences, sequence => Assert.Contains(sequence, nodes));
                Assert.All(Enumerable.Range(0, body.Carried.Length), i => Assert.True(final.Contains(i) || nodes.Contains(body.Carried[i].Argument)));
            }
        }
    }

    [Fact]
    public void Stacked_states_that_only_an_adjoint_would_read_go_from_streaming()
    {
        ModelGraph network = Compiler.Network(Networks.Graph("lstm"));
        Assert.Equal(2, network.Scans().Single().Body!.Stacked.Length);
        Assert.Single(Prune.Run(network).Scans().Single().Body!.Stacked);
    }

    [Theory]
    [InlineData("lstm", "lstm")]
    [InlineData("deep stack", "lower")]
    [InlineData("stack of dense", "first")]
    public void An_input_gradient_nobody_asks_for_leaves_nothing(string name, string lowest)
    {
        // The adjoint of the input is the only place where the lowest layer's input matrices are multiplied from the left.
        ModelGraph hoisted = Hoist.Run(Differentiated(name));
        Assert.NotEmpty(TransposedInputProducts(Prune.Run(hoisted), lowest));
        ModelGraph without = Prune.Run(hoisted with { Gradients = hoisted.Gradients.RemoveAll(gradient => gradient.Kind == GradientKind.Input) });
        Assert.Empty(TransposedInputProducts(without, lowest));
    }

    [Fact]
    public void The_gradient_of_a_frozen_parameter_leaves_nothing()
    {
        ModelGraph graph = Differentiated("deep stack");
        ModelGraph frozen = Prune.Run(graph with { Gradients = graph.Gradients.RemoveAll(g => g.Kind == GradientKind.Input || g.Target.Name.StartsWith("lower.", StringComparison.Ordinal)) });

        // With everything below it frozen, the upper layer's adjoint ends there: the lower one has no adjoint loop.
        Assert.DoesNotContain(frozen.Scans(), scan => scan.Body!.Layer == "lower" && scan.Body.Primal != 0);
        Assert.Contains(graph.Scans(), scan => scan.Body!.Layer == "lower" && scan.Body.Primal != 0);
        Assert.Contains(frozen.Scans(), scan => scan.Body!.Layer == "upper" && scan.Body.Primal != 0);
    }

    [Fact]
    public void A_stacked_adjoint_without_its_parameters_gradient_goes()
    {
        ModelGraph graph = Differentiated("peephole lstm");
        ImmutableArray<Gradient> kept = graph.Gradients.Where(g => g.Kind == GradientKind.InitialState).ToImmutableArray();
        Node adjoint = Prune.Run(graph with { Gradients = kept }).Scans().Single(scan => scan.Body!.Primal != 0);
        Assert.Empty(adjoint.Body!.Stacked);
        Assert.Equal(2, adjoint.Body.Carried.Length);
    }

    private static ModelGraph Differentiated(string name) => Simplify.Run(Differentiate.Run(Compiler.Network(Networks.Graph(name))));

    private static List<Node> TransposedInputProducts(ModelGraph graph, string layer)
    {
        Node input = graph.Input;
        return graph.SelfAndLoops()
            .Where(node => node.Kind == NodeKind.Contract && node.Over == Axes.Unit && node.Inputs[0].Name.StartsWith(layer + ".W", StringComparison.Ordinal)
                && node.Inputs[0].Type.Columns == input.Type.Units)
            .ToList();
    }
}

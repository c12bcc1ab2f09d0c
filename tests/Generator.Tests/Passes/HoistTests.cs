using Unrolled.Generator.Graph;
using Unrolled.Generator.Passes;
using Xunit;

namespace Unrolled.Generator.Tests.PassTests;

public sealed class HoistTests
{
    [Theory]
    [MemberData(nameof(Networks.Names), MemberType = typeof(Networks))]
    public void No_product_stays_in_a_loop_that_could_run_over_all_steps(string name)
    {
        ModelGraph network = Compiler.Network(Networks.Graph(name));
        foreach (ModelGraph graph in new[] { Prune.Run(Hoist.Run(network)), Compiler.Training(network) })
        {
            foreach (ScanBody body in graph.Scans().Select(scan => scan.Body!))
            {
                HashSet<Node> arguments = body.Carried.Select(c => c.Argument).ToHashSet();
                foreach (Node product in body.Nodes().Where(IsProduct))
                {
                    Assert.True(Reaches(product, arguments.Contains), $"{product} depends on no step before");

                    // A product that only leaves the loop may stay where it reads a value of the step before itself.
                    bool isCarried = body.Carried.Any(c => Reaches(c.Next, node => node == product));
                    bool readsCarried = body.Stacked.Any(stacked => Reaches(stacked, node => node == product) && ReadsOutside(stacked, body, arguments));
                    Assert.True(isCarried || readsCarried, $"no later step reads {product}");
                }
            }
        }
    }

    [Theory]
    [InlineData("rnn", 1, 1)]
    [InlineData("lstm", 4, 4)]
    [InlineData("peephole lstm", 4, 4)]
    [InlineData("gru", 3, 3)]
    [InlineData("gru reset after", 3, 3)]
    [InlineData("tokens, gru", 3, 3)]
    [InlineData("output not the state", 1, 1)]
    public void Only_products_with_the_state_stay(string name, int forward, int backward)
    {
        ModelGraph network = Compiler.Network(Networks.Graph(name));
        ModelGraph training = Compiler.Training(network);
        int ProductsIn(bool adjoint) => training.Scans().Where(scan => scan.Body!.Primal != 0 == adjoint).Sum(scan => scan.Body!.Nodes().Count(IsProduct));
        Assert.Equal(forward, ProductsIn(adjoint: false));
        Assert.Equal(backward, ProductsIn(adjoint: true));
        Assert.True(network.SelfAndLoops().Count(IsProduct) > forward);
    }

    [Theory]
    [InlineData("dense")]
    [InlineData("linear dense")]
    [InlineData("stack of dense")]
    public void A_layer_without_a_state_is_no_loop(string name)
    {
        ModelGraph network = Compiler.Network(Networks.Graph(name));
        Assert.NotEmpty(network.Scans());
        Assert.Empty(Prune.Run(Hoist.Run(network)).Scans());
        Assert.Empty(Compiler.Training(network).Scans());
    }

    [Fact]
    public void A_readout_runs_after_the_loop()
    {
        ModelGraph sequence = Prune.Run(Hoist.Run(Compiler.Network(Networks.Graph("output not the state"))));
        Assert.Equal(Axes.Time | Axes.Batch | Axes.Unit, sequence.Output.Type.Axes);
        Assert.True(sequence.Output.IsMap("add"));
        Assert.DoesNotContain(sequence.Scans().Single().Body!.Nodes(), node => node.Kind == NodeKind.Parameter && node.Name is "cell.W_y" or "cell.b_y");
    }

    [Fact]
    public void The_bias_goes_with_the_input_product()
    {
        ModelGraph sequence = Prune.Run(Hoist.Run(Compiler.Network(Networks.Graph("rnn"))));
        Assert.Equal(["rnn.W_h"], sequence.Scans().Single().Body!.Nodes().Where(node => node.Kind == NodeKind.Parameter).Select(node => node.Name));
    }

    private static bool IsProduct(Node node) => node.Kind is NodeKind.Contract or NodeKind.Gather;

    private static bool Reaches(Node from, Func<Node, bool> isTarget) => new[] { from }.Reachable().Any(isTarget);

    /// <summary>Whether a value reads a step before without going through what the loop carries on anyway.</summary>
    private static bool ReadsOutside(Node value, ScanBody body, HashSet<Node> arguments)
    {
        HashSet<Node> carried = body.Carried.Select(c => c.Next).Reachable().ToHashSet();
        var pending = new Stack<Node>([value]);
        while (pending.TryPop(out Node? node))
        {
            if (arguments.Contains(node))
            {
                return true;
            }

            foreach (Node input in node.Inputs.Where(input => arguments.Contains(input) || !carried.Contains(input)))
            {
                pending.Push(input);
            }
        }

        return false;
    }
}

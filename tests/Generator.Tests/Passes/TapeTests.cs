using Unrolled.Generator.Graph;
using Unrolled.Generator.Passes;
using Xunit;

namespace Unrolled.Generator.Tests.PassTests;

public sealed class TapeTests
{
    // The pass's own costs, in cycles for 16 lanes.
    private const double Save = 0.35;

    private const double Read = 0.05;

    [Fact]
    public void An_lstm_saves_its_gates_and_the_squashed_cell_state()
    {
        // The states are kept anyway. 1 - i costs less than reading it back; tanh(c) costs more (0.5 against 0.35).
        ModelGraph graph = Taped("lstm");
        Assert.Equal(["f", "g", "i", "o", "tanh_c"], Saved(graph).Select(node => graph.Table.Label(node) ?? node.Name).Order());
    }

    [Fact]
    public void A_tanh_rnn_saves_nothing_beyond_its_state()
    {
        // 1 - h² reads the state, which is stacked as the output.
        ModelGraph graph = Taped("rnn");
        Assert.Equal(["h"], Saved(graph).Select(node => graph.Table.Label(node)));
        Assert.Single(graph.Scans().Single(scan => scan.Body!.Primal == 0).Body!.Stacked);
    }

    [Theory]
    [InlineData("rnn")]
    [InlineData("lstm")]
    [InlineData("peephole lstm")]
    [InlineData("gru")]
    [InlineData("gru reset after")]
    [InlineData("tokens")]
    [InlineData("minimal gated")]
    [InlineData("five gates")]
    public void Forward_products_are_not_computed_again(string name)
    {
        ModelGraph graph = Taped(name);
        foreach (Node adjoint in graph.Scans().Where(scan => scan.Body!.Primal != 0))
        {
            // The adjoint's own products are with transposed matrices.
            Assert.DoesNotContain(adjoint.Body!.Nodes(), node => node.Kind == NodeKind.Gather || (node.Kind == NodeKind.Contract && node.Over == Axes.Column));
        }
    }

    // A cell; whether saving some and computing the rest is cheaper than either alone.
    [Theory]
    [InlineData("h[t] = tanh(W @ x[t] + U @ h[t-1] + b)", false)]
    [InlineData("f[t] = sigmoid(W @ x[t] + u * h[t-1])\nh[t] = f[t] * h[t-1] + (1 - f[t]) * tanh(V @ x[t])", true)]
    [InlineData("f[t] = sigmoid(w * x[t] + u * h[t-1])\nh[t] = f[t] * f[t] * h[t-1] + (1 - f[t]) * x[t]", true)]
    [InlineData("a[t] = exp(W @ x[t])\nh[t] = square(a[t] - h[t-1]) * softsign(h[t-1] * a[t]) + x[t]", true)]
    [InlineData("h[t] = (x[t] - h[t-1]) * (x[t] + h[t-1]) * w", false)]
    [InlineData("a[t] = tanh(W @ x[t])\nb[t] = a[t] * a[t] + 1\nh[t] = b[t] / (2 + b[t] * h[t-1] * h[t-1])", true)]
    [InlineData("a[t] = sqrt(2 + abs(U @ h[t-1]))\nh[t] = log(1 + a[t]) * a[t] + max(a[t], x[t])", true)]
    [InlineData("a[t] = softmax(W @ x[t])\nh[t] = a[t] * h[t-1] + x[t]", false)]
    public void No_other_choice_costs_less(string cell, bool isMixed)
    {
        ModelGraph before = Simplify.Run(Differentiate.Run(Compiler.Network(Networks.BindCell(cell, 3))));
        ModelGraph after = Tape.Run(before);
        Node forward = before.Scans().Single(scan => scan.Body!.Primal == 0), adjoint = before.Scans().Single(scan => scan.Body!.Primal != 0);
        HashSet<Node> kept = forward.Body!.Roots().ToHashSet();
        List<Node> computed = forward.Body!.Nodes().Where(IsComputed).ToList();
        HashSet<Node> own = computed.ToHashSet();
        List<Node> needed = adjoint.Body!.Nodes().Where(node => !own.Contains(node)).SelectMany(node => node.Inputs).Concat(adjoint.Body!.Roots())
            .Where(own.Contains).Distinct().ToList();
        List<Node> candidates = needed.Reachable().Where(IsComputed).ToList();
        Assert.InRange(candidates.Count, 0, 18);

        double Cost(Func<Node, bool> isSaved)
        {
            double cost = 0;
            var seen = new HashSet<Node>();
            var pending = new Stack<Node>(needed);
            while (pending.TryPop(out Node? node))
            {
                if (!IsComputed(node) && node.Kind != NodeKind.Relabel || !seen.Add(node))
                {
                    continue;
                }

                if (IsComputed(node) && isSaved(node))
                {
                    cost += kept.Contains(node) || !node.Type.Has(Axes.Unit) ? Read : Save;
                    continue;
                }

                cost += node.Kind switch
                {
                    NodeKind.Map => OperationTable.Get(node.Name).Cycles,
                    NodeKind.Contract => node.Inputs[0].Type.Columns / 2.0,
                    NodeKind.Reduce => 0.2,
                    _ => 0,
                };
                foreach (Node input in node.Inputs)
                {
                    pending.Push(input);
                }
            }

            return cost;
        }

        double best = double.PositiveInfinity;
        for (int choice = 0; choice < 1 << candidates.Count; choice++)
        {
            best = Math.Min(best, Cost(node => (choice >> candidates.IndexOf(node) & 1) != 0));
        }

        HashSet<Node> saved = Saved(after).ToHashSet();
        double chosen = Cost(saved.Contains), all = Cost(_ => true), none = Cost(_ => false);
        Assert.Equal(best, chosen, 1e-9);
        Assert.True(chosen <= all + 1e-9 && chosen <= none + 1e-9);
        Assert.Equal(isMixed, chosen < Math.Min(all, none) - 1e-9);
    }

    private static bool IsComputed(Node node) => node.Kind is NodeKind.Map or NodeKind.Contract or NodeKind.Reduce;

    private static ModelGraph Taped(string name) => Tape.Run(Simplify.Run(Differentiate.Run(Compiler.Network(Networks.Graph(name)))));

    /// <summary>The forward values whose steps an adjoint loop reads, other than states of the step before.</summary>
    private static IEnumerable<Node> Saved(ModelGraph graph) => graph.Scans().Where(scan => scan.Body!.Primal != 0)
        .SelectMany(adjoint => adjoint.Inputs.Skip(adjoint.Body!.Carried.Length)
            .Where((_, k) => adjoint.Body.Sequences[k].Name.StartsWith("saved_", StringComparison.Ordinal)))
        .Where(input => input is { Kind: NodeKind.Result, Name: "stacked" } && input.Inputs[0].Body!.Primal == 0)
        .Select(input => input.Inputs[0].Body!.Stacked[input.Index]).Distinct();
}

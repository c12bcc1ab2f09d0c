using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;

namespace Unrolled.Generator.Graph;

/// <summary>Walks a graph from the roots and builds the rewritten one; a pass says what becomes of a node whose inputs are rewritten.</summary>
internal sealed class GraphRewriter
{
    private readonly NodeTable _table;
    private readonly Func<Node, Node> _rule;
    private readonly Dictionary<Node, Node> _done = new();

    /// <param name="rule">From a node with rewritten inputs to the node that takes its place.</param>
    public GraphRewriter(NodeTable table, Func<Node, Node> rule)
    {
        _table = table;
        _rule = rule;
    }

    /// <summary>Says beforehand what <paramref name="node"/> becomes.</summary>
    public void Replace(Node node, Node replacement) => _done[node] = replacement;

    public Node Visit(Node node)
    {
        Walk.InputsFirst(node, _done.ContainsKey, below => below.Inputs, Rewrite);
        return _done[node];
    }

    private void Rewrite(Node node)
    {
        ImmutableArray<Node> inputs = node.Inputs.Select(input => _done[input]).ToImmutableArray();
        Node result = node;
        if (node.Body is { } body)
        {
            ScanBody rewritten = VisitBody(body);
            result = ReferenceEquals(rewritten, body) && inputs.SequenceEqual(node.Inputs) ? node : _table.Scan(rewritten, inputs);
        }
        else if (!inputs.SequenceEqual(node.Inputs))
        {
            result = _table.With(node, inputs);
        }

        result = _rule(result);
        _done[node] = result;
        _table.CopyLabel(node, result);
    }

    public ScanBody VisitBody(ScanBody body) => body.Rewrite(Visit);

    public ModelGraph Visit(ModelGraph graph) => graph with
    {
        Output = Visit(graph.Output),
        States = graph.States.Select(state => state with { Start = Visit(state.Start), Final = Visit(state.Final) }).ToImmutableArray(),
        Gradients = graph.Gradients.Select(gradient => gradient with { Value = Visit(gradient.Value) }).ToImmutableArray(),
    };
}

/// <summary>
/// How passes go from users to inputs: with a stack of their own, since a graph may be deeper than the stacks of the threads that
/// compilers run on allow for recursion.
/// </summary>
internal static class Walk
{
    /// <summary>Visits what <paramref name="root"/> is computed from and then itself, each item after its inputs and once.</summary>
    /// <param name="isDone">Whether an item needs no visit; after its visit it must be so.</param>
    public static void InputsFirst<T>(T root, Func<T, bool> isDone, Func<T, IReadOnlyList<T>> inputs, Action<T> visit)
    {
        if (isDone(root))
        {
            return;
        }

        var stack = new Stack<(T Item, bool AreInputsDone)>();
        stack.Push((root, false));
        while (stack.Count > 0)
        {
            (T item, bool areInputsDone) = stack.Pop();
            if (isDone(item))
            {
                continue;
            }

            if (areInputsDone)
            {
                visit(item);
                continue;
            }

            stack.Push((item, true));
            IReadOnlyList<T> below = inputs(item);
            for (int i = below.Count - 1; i >= 0; i--)
            {
                stack.Push((below[i], false));
            }
        }
    }
}

/// <summary>Questions about graphs that several passes ask.</summary>
internal static class GraphExtensions
{
    /// <summary>Everything reachable from <paramref name="roots"/> without entering loop bodies, inputs before users.</summary>
    public static List<Node> Reachable(this IEnumerable<Node> roots)
    {
        var seen = new HashSet<Node>();
        var order = new List<Node>();
        var stack = new Stack<(Node Node, bool Expanded)>();
        foreach (Node root in roots)
        {
            stack.Push((root, false));
            while (stack.Count > 0)
            {
                (Node node, bool expanded) = stack.Pop();
                if (expanded)
                {
                    order.Add(node);
                }
                else if (seen.Add(node))
                {
                    stack.Push((node, true));
                    for (int i = node.Inputs.Length - 1; i >= 0; i--)
                    {
                        stack.Push((node.Inputs[i], false));
                    }
                }
            }
        }

        return order;
    }

    /// <summary>The values a body must hand out: next carried values, then stacked ones.</summary>
    public static IEnumerable<Node> Roots(this ScanBody body) => body.Carried.Select(c => c.Next).Concat(body.Stacked);

    /// <summary>The body with every value it hands out replaced; the same body where nothing changes.</summary>
    public static ScanBody Rewrite(this ScanBody body, Func<Node, Node> replace)
    {
        ImmutableArray<Carried> carried = body.Carried.Select(c => new Carried(c.Argument, replace(c.Next))).ToImmutableArray();
        ImmutableArray<Node> stacked = body.Stacked.Select(replace).ToImmutableArray();
        return carried.SequenceEqual(body.Carried) && stacked.SequenceEqual(body.Stacked)
            ? body
            : body with { Carried = carried, Stacked = stacked };
    }

    /// <summary>What a loop's sequence or captured argument stands for outside.</summary>
    public static Node InputOf(this Node scan, Node argument)
    {
        ScanBody body = scan.Body!;
        int sequence = body.Sequences.IndexOf(argument);
        return scan.Inputs[body.Carried.Length + (sequence >= 0 ? sequence : body.Sequences.Length + body.Captured.IndexOf(argument))];
    }

    /// <summary>A loop's inputs with those of further sequences after the ones it has.</summary>
    public static ImmutableArray<Node> InputsWith(this Node scan, IEnumerable<Node> sequences) =>
        scan.Inputs.InsertRange(scan.Body!.Carried.Length + scan.Body.Sequences.Length, sequences);

    /// <summary>How often each value is read by <paramref name="nodes"/> or asked for by <paramref name="roots"/>.</summary>
    public static Dictionary<Node, int> CountUses(this IEnumerable<Node> nodes, IEnumerable<Node> roots)
    {
        var uses = new Dictionary<Node, int>();
        foreach (Node used in nodes.SelectMany(node => node.Inputs).Concat(roots))
        {
            uses[used] = (uses.TryGetValue(used, out int count) ? count : 0) + 1;
        }

        return uses;
    }

    /// <summary>Every node a body computes or reads, inputs before users.</summary>
    public static List<Node> Nodes(this ScanBody body) => body.Roots().Reachable();

    /// <summary>The nodes among <paramref name="order"/> (inputs before users) that depend on one of <paramref name="sources"/>, these included.</summary>
    public static HashSet<Node> DependentOn(this IEnumerable<Node> order, IEnumerable<Node> sources)
    {
        var dependent = new HashSet<Node>(sources);
        foreach (Node node in order)
        {
            if (node.Inputs.Any(dependent.Contains))
            {
                dependent.Add(node);
            }
        }

        return dependent;
    }

    /// <summary>The name of the layer a parameter belongs to.</summary>
    public static string Layer(this Node parameter) => parameter.Name.Substring(0, parameter.Name.IndexOf('.'));

    /// <summary>A name without the layer before it.</summary>
    public static string WithoutLayer(this string name) => name.Substring(name.LastIndexOf('.') + 1);

    /// <summary>The vector that is seen as a column, or the value itself.</summary>
    public static Node Vector(this Node node) => node.Kind == NodeKind.Relabel && !node.IsProduct() ? node.Inputs[0] : node;

    /// <summary>A product or a lookup in a matrix: what is worth a stage of its own.</summary>
    public static bool IsProduct(this Node node) =>
        node.Kind is NodeKind.Gather or NodeKind.Contract || (node.Kind == NodeKind.Relabel && node.Inputs[0] is { Kind: NodeKind.Contract, Over: Axes.Unit });

    /// <summary>The matrix of a product or a lookup.</summary>
    public static Node Matrix(this Node product) => (product.Kind == NodeKind.Relabel ? product.Inputs[0] : product).Inputs[0];

    /// <summary>What a sum adds up, from left to right.</summary>
    public static List<Node> Terms(this Node sum) => sum.Leaves(node => node.IsMap("add"), _ => true);

    /// <summary>What stands below an expression's inner nodes, from left to right.</summary>
    /// <param name="isMeant">Asked of each node before it is looked at.</param>
    public static List<Node> Leaves(this Node root, Func<Node, bool> isInner, Func<Node, bool> isMeant)
    {
        var leaves = new List<Node>();
        var pending = new Stack<Node>();
        pending.Push(root);
        while (pending.Count > 0)
        {
            Node node = pending.Pop();
            if (!isMeant(node))
            {
                continue;
            }

            if (!isInner(node))
            {
                leaves.Add(node);
                continue;
            }

            for (int i = node.Inputs.Length - 1; i >= 0; i--)
            {
                pending.Push(node.Inputs[i]);
            }
        }

        return leaves;
    }
}

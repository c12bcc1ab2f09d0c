using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Unrolled.Generator.Graph;

namespace Unrolled.Generator.Passes;

/// <summary>
/// What depends on no carried value leaves the Scan and gains Time: products with the input run over all steps at once. So do stacked
/// values that no later step reads (the adjoint of the input, a readout): they are computed after the loop from what it stacked.
/// </summary>
internal static class Hoist
{
    public static ModelGraph Run(ModelGraph graph)
    {
        NodeTable table = graph.Table;
        var moved = new Dictionary<(Node Scan, int Index), Node>();
        return new GraphRewriter(table, Rewrite).Visit(graph);

        Node Rewrite(Node node)
        {
            if (node.Kind == NodeKind.Scan)
            {
                return After(table, Before(table, node), moved);
            }

            if (node.Kind != NodeKind.Result || node.Name != "stacked")
            {
                return node;
            }

            Node scan = node.Inputs[0];
            if (moved.TryGetValue((scan, node.Index), out Node? outside))
            {
                return outside;
            }

            int sequence = scan.Body!.Sequences.IndexOf(scan.Body.Stacked[node.Index]);
            return sequence >= 0 ? scan.Inputs[scan.Body.Carried.Length + sequence] : node;
        }
    }

    /// <summary>Products that depend on no carried value become sequences.</summary>
    private static Node Before(NodeTable table, Node scan)
    {
        ScanBody body = scan.Body!;
        List<Node> nodes = body.Nodes();
        HashSet<Node> dependent = nodes.DependentOn(body.Carried.Select(c => c.Argument));
        var withProduct = new HashSet<Node>();
        foreach (Node node in nodes.Where(node => node.IsProduct() || node.Inputs.Any(withProduct.Contains)))
        {
            withProduct.Add(node);
        }

        ImmutableArray<Node>.Builder sequences = body.Sequences.ToBuilder();
        var inputs = new List<Node>();
        var lifted = new Dictionary<Node, Node>();
        var done = new Dictionary<Node, Node>();
        ScanBody rewritten = body.Rewrite(Visit);
        return lifted.Count == 0 ? scan : table.Scan(rewritten with { Sequences = sequences.ToImmutable() }, scan.InputsWith(inputs));

        Node Visit(Node root)
        {
            Walk.InputsFirst(root, done.ContainsKey, node => Leaves(node) ? ImmutableArray<Node>.Empty : node.Inputs, Replace);
            return done[root];
        }

        bool Leaves(Node node) => !dependent.Contains(node) && (node.IsProduct() || (withProduct.Contains(node) && node.Kind != NodeKind.Relabel));

        void Replace(Node node)
        {
            Node result;
            if (Leaves(node))
            {
                result = table.Argument("hoisted_" + node.Id, node.Type, body.Scope);
                table.SetLabel(result, (table.Label(node) ?? "input") + "_hoisted");
                sequences.Add(result);
                Node outside = Lift(table, node, lifted, scan.InputOf);
                table.CopyLabel(node, outside);

                inputs.Add(outside);
            }
            else
            {
                ImmutableArray<Node> visited = node.Inputs.Select(input => done[input]).ToImmutableArray();
                result = visited.SequenceEqual(node.Inputs) ? node : table.With(node, visited);
                table.CopyLabel(node, result);
            }

            done[node] = result;
        }
    }

    /// <summary>Stacked values that no carried value needs are computed after the loop, where that saves a product or costs no new sequence.</summary>
    private static Node After(NodeTable table, Node scan, Dictionary<(Node Scan, int Index), Node> moved)
    {
        ScanBody body = scan.Body!;
        var carried = new HashSet<Node>(body.Carried.Select(c => c.Next).Reachable());
        var arguments = new HashSet<Node>(body.Carried.Select(c => c.Argument));
        List<Node> stacked = body.Stacked.ToList();
        var sinking = new List<int>();
        for (int index = 0; index < body.Stacked.Length; index++)
        {
            Node value = body.Stacked[index];
            if (value.Kind == NodeKind.Argument || carried.Contains(value) || !value.Type.Has(Axes.Batch))
            {
                continue;
            }

            List<Node> frontier = Frontier(value, carried, arguments, out bool hasProduct, out bool readsCarried);
            bool isKept = frontier.All(stacked.Contains);
            if (!readsCarried && (hasProduct || isKept))
            {
                sinking.Add(index);
                stacked.AddRange(frontier.Where(node => !stacked.Contains(node)));
            }
        }

        if (sinking.Count == 0)
        {
            return scan;
        }

        Node result = table.Scan(body with { Stacked = stacked.ToImmutableArray() }, scan.Inputs);
        var lifted = new Dictionary<Node, Node>();
        foreach (Node node in carried.Where(node => stacked.Contains(node) && node.Kind != NodeKind.Argument))
        {
            lifted[node] = table.Stacked(result, stacked.IndexOf(node));
        }

        foreach (int index in sinking)
        {
            Node outside = Lift(table, body.Stacked[index], lifted, scan.InputOf);
            table.CopyLabel(body.Stacked[index], outside);

            moved[(result, index)] = outside;
        }

        return result;
    }

    /// <summary>The values of the loop proper that <paramref name="value"/> is computed from.</summary>
    private static List<Node> Frontier(Node value, HashSet<Node> inLoop, HashSet<Node> carriedArguments, out bool hasProduct, out bool readsCarried)
    {
        var frontier = new List<Node>();
        var seen = new HashSet<Node>();
        var pending = new Stack<Node>();
        pending.Push(value);
        hasProduct = false;
        readsCarried = false;
        while (pending.Count > 0)
        {
            Node node = pending.Pop();
            if (!seen.Add(node) || node.Kind is NodeKind.Parameter or NodeKind.Constant)
            {
                continue;
            }

            if (node.Kind == NodeKind.Argument)
            {
                // A sequence is outside already; a carried value of the step before would need its own sequence.
                readsCarried |= carriedArguments.Contains(node);
                continue;
            }

            // Memory holds vectors: one that is seen as a column is stacked as the vector it is.
            if (inLoop.Contains(node) && (node.Kind != NodeKind.Relabel || node.IsProduct()))
            {
                frontier.Add(node);
                continue;
            }

            hasProduct |= node.IsProduct();
            foreach (Node input in node.Inputs)
            {
                pending.Push(input);
            }
        }

        return frontier;
    }

    /// <summary>The same computation outside the loop, on whole sequences.</summary>
    private static Node Lift(NodeTable table, Node root, Dictionary<Node, Node> lifted, Func<Node, Node> outsideOf)
    {
        Walk.InputsFirst(root, lifted.ContainsKey, node => node.Inputs, node => lifted[node] = node.Kind switch
        {
            NodeKind.Argument => outsideOf(node),
            NodeKind.Parameter or NodeKind.Constant => node,
            _ => table.With(node, node.Inputs.Select(input => lifted[input]).ToImmutableArray()),
        });
        return lifted[root];
    }
}

using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Unrolled.Generator.Graph;

namespace Unrolled.Generator.Passes;

/// <summary>
/// What depends on parameters alone is the same in every row and step: it leaves the Scan, is computed once a call, and comes back as a
/// captured value. What is cheaper computed than read stays.
/// </summary>
internal static class Capture
{
    /// <summary>Operations from this cost on are worth a vector in memory.</summary>
    private const double WorthwhileCycles = 0.3;

    public static ModelGraph Run(ModelGraph graph)
    {
        NodeTable table = graph.Table;
        return new GraphRewriter(table, node => node.Kind == NodeKind.Scan ? Rewrite(table, node) : node).Visit(graph);
    }

    private static Node Rewrite(NodeTable table, Node scan)
    {
        ScanBody body = scan.Body!;
        var worthwhile = new HashSet<Node>();
        foreach (Node node in body.Nodes().Where(node => !node.Type.Has(Axes.Batch) && (IsWorthwhile(node) || node.Inputs.Any(worthwhile.Contains))))
        {
            worthwhile.Add(node);
            if (table.Label(node) is null && node.Kind != NodeKind.Relabel)
            {
                table.SetLabel(node, $"once_{worthwhile.Count}");
            }
        }

        if (worthwhile.Count == 0)
        {
            return scan;
        }

        ImmutableArray<Node>.Builder captured = body.Captured.ToBuilder();
        var inputs = new List<Node>();
        var done = new Dictionary<Node, Node>();
        ScanBody rewritten = body.Rewrite(Visit);
        return table.Scan(rewritten with { Captured = captured.ToImmutable() }, scan.Inputs.AddRange(inputs));

        Node Visit(Node node)
        {
            if (done.TryGetValue(node, out Node? result))
            {
                return result;
            }

            if (worthwhile.Contains(node))
            {
                result = table.Argument("captured_" + node.Id, node.Type, body.Scope);
                captured.Add(result);
                inputs.Add(node);
            }
            else
            {
                ImmutableArray<Node> visited = node.Inputs.Select(Visit).ToImmutableArray();
                result = visited.SequenceEqual(node.Inputs) ? node : table.With(node, visited);
            }

            done[node] = result;
            table.CopyLabel(node, result);
            return result;
        }
    }

    private static bool IsWorthwhile(Node node) => node.Kind switch
    {
        NodeKind.Map => OperationTable.Get(node.Name).Cycles >= WorthwhileCycles,
        NodeKind.Contract or NodeKind.Reduce or NodeKind.Concat => true,
        _ => false,
    };
}

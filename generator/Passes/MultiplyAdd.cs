using System.Collections.Generic;
using System.Linq;
using Unrolled.Generator.Graph;

namespace Unrolled.Generator.Passes;

/// <summary>
/// a·b + c in one operation where nothing else uses the product. Decided on the graph, so that streaming, sequences and training
/// round alike.
/// </summary>
internal static class MultiplyAdd
{
    /// <param name="adjoints">Whether to work on adjoint loops (after Differentiate) or on the network's own.</param>
    public static ModelGraph Run(ModelGraph graph, bool adjoints)
    {
        NodeTable table = graph.Table;
        return new GraphRewriter(table, node => node.Body is { } body && body.Primal != 0 == adjoints ? table.Scan(Fuse(table, body), node.Inputs) : node).Visit(graph);
    }

    private static ScanBody Fuse(NodeTable table, ScanBody body)
    {
        var uses = new Dictionary<Node, int>();
        foreach (Node used in body.Nodes().SelectMany(node => node.Inputs).Concat(body.Roots()))
        {
            uses[used] = (uses.TryGetValue(used, out int count) ? count : 0) + 1;
        }

        // Only products that the sum alone reads disappear; the dictionary speaks of the nodes before this pass.
        var single = new HashSet<Node>(uses.Where(pair => pair.Value == 1 && pair.Key.IsMap("mul")).Select(pair => pair.Key));
        return new GraphRewriter(table, node =>
        {
            if (!node.IsMap("add") || node.Inputs.Any(input => input.IsProduct()))
            {
                return node;
            }

            (Node left, Node right) = (node.Inputs[0], node.Inputs[1]);
            return single.Contains(right) ? table.Map("multiply_add", right.Inputs[0], right.Inputs[1], left)
                : single.Contains(left) ? table.Map("multiply_add", left.Inputs[0], left.Inputs[1], right)
                : node;
        }).VisitBody(body);
    }
}

using System.Collections.Generic;
using System.Collections.Immutable;
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
        Dictionary<Node, int> uses = body.Nodes().CountUses(body.Roots());
        var done = new Dictionary<Node, Node>();
        return body.Rewrite(Visit);

        Node Visit(Node root)
        {
            Walk.InputsFirst(root, done.ContainsKey, node => node.Inputs, Replace);
            return done[root];
        }

        void Replace(Node node)
        {
            ImmutableArray<Node> inputs = node.Inputs.Select(input => done[input]).ToImmutableArray();
            int product = -1;
            for (int i = 0; i < node.Inputs.Length && node.IsMap("add") && !node.Inputs.Any(input => input.IsProduct()); i++)
            {
                product = node.Inputs[i].IsMap("mul") && uses[node.Inputs[i]] == 1 ? i : product;
            }

            Node result = product >= 0 ? table.Map("multiply_add", inputs[product].Inputs[0], inputs[product].Inputs[1], inputs[1 - product])
                : inputs.SequenceEqual(node.Inputs) ? node : table.With(node, inputs);
            done[node] = result;
            table.CopyLabel(node, result);
        }
    }
}

using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Unrolled.Generator.Graph;

namespace Unrolled.Generator.Passes;

/// <summary>
/// Sets what a loop carries to zero where it is so small that it or its products come close to the denormal numbers: processors are slow
/// on these, and rounding keeps a state that decays among them for good. What is carried, stacked or multiplied by a matrix is the flushed value; the equations that
/// lead to another carried value, which is flushed itself, do not wait for it. Decided on the graph, so that streaming, sequences and
/// training have the same bits. (What an adjoint loop carries is flushed where it is read: <see cref="Differentiate"/>.)
/// </summary>
internal static class FlushStates
{
    public const string Operation = "flush";

    /// <summary>The same for what adjoint loops carry, where only the denormal numbers themselves go.</summary>
    public const string AdjointOperation = "flush_denormal";

    public static ModelGraph Run(ModelGraph graph)
    {
        NodeTable table = graph.Table;
        return new GraphRewriter(table, node => node.Body is { } body ? table.Scan(Flushed(table, body), node.Inputs) : node).Visit(graph);
    }

    /// <summary>Whether a value that a loop carries is more than a copy of one that is flushed or of an input.</summary>
    public static bool IsComputed(Node next) => next.Kind is not (NodeKind.Argument or NodeKind.Parameter or NodeKind.Constant);

    private static ScanBody Flushed(NodeTable table, ScanBody body)
    {
        var states = new HashSet<Node>(body.Carried.Select(c => c.Next).Where(IsComputed));
        var inLoop = new HashSet<Node>(body.Carried.Select(c => c.Next).Reachable());
        var done = new Dictionary<Node, Node>();
        var flushed = new Dictionary<Node, Node>();
        return body.Rewrite(root =>
        {
            Walk.InputsFirst(root, done.ContainsKey, node => node.Inputs, Replace);
            return Stored(root);
        });

        void Replace(Node node)
        {
            bool waits = node.Kind != NodeKind.Map || !inLoop.Contains(node);
            ImmutableArray<Node> inputs = node.Inputs.Select(input => waits ? Stored(input) : done[input]).ToImmutableArray();
            done[node] = inputs.SequenceEqual(node.Inputs) ? node : table.With(node, inputs);
            table.CopyLabel(node, done[node]);
        }

        Node Stored(Node node)
        {
            if (!states.Contains(node))
            {
                return done[node];
            }

            if (!flushed.TryGetValue(node, out Node? result))
            {
                result = done[node].IsMap(Operation) ? done[node] : table.Map(Operation, done[node]);
                flushed[node] = result;
                table.CopyLabel(node, result);
            }

            return result;
        }
    }
}

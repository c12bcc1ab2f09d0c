using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Unrolled.Generator.Graph;

namespace Unrolled.Generator.Passes;

/// <summary>
/// Puts the terms of every sum that holds products into one order: bias, input terms, recurrent terms, the rest.
/// One order makes streaming, sequences and training give the same bits, and lets Hoist take the front of a sum.
/// </summary>
internal static class OrderSums
{
    /// <param name="adjoints">Whether to order adjoint loops (after Differentiate) or the network's own.</param>
    public static ModelGraph Run(ModelGraph graph, bool adjoints)
    {
        NodeTable table = graph.Table;
        return new GraphRewriter(table, Rewrite).Visit(graph);

        Node Rewrite(Node node) =>
            node.Body is { } body && body.Primal != 0 == adjoints ? table.Scan(new BodyOrder(table, body).Run(), node.Inputs) : node;
    }

    private sealed class BodyOrder
    {
        private readonly NodeTable _table;
        private readonly ScanBody _body;
        private readonly Dictionary<Node, Node> _done = new();
        private readonly Dictionary<Node, int> _uses;
        private readonly HashSet<Node> _dependent;

        public BodyOrder(NodeTable table, ScanBody body)
        {
            _table = table;
            _body = body;
            List<Node> nodes = body.Nodes();
            _dependent = nodes.DependentOn(body.Carried.Select(c => c.Argument));
            _uses = nodes.CountUses(body.Roots());
        }

        public ScanBody Run() => _body.Rewrite(Visit);

        private Node Visit(Node node) => Visit(node, null);

        /// <param name="user">What the value that is computed from this one is called.</param>
        private Node Visit(Node node, string? user)
        {
            if (_done.TryGetValue(node, out Node? result))
            {
                return result;
            }

            var terms = new List<Node>();
            Collect(node, terms, isRoot: true);
            if (terms.Count > 1 && terms.Any(term => term.IsProduct()))
            {
                Node? bias = terms.FirstOrDefault(term => term.Kind == NodeKind.Parameter);
                string? name = _table.Label(node) ?? user;
                List<Node> ordered = terms
                    .OrderBy(term => term == bias ? 0 : !term.IsProduct() ? 3 : _dependent.Contains(term) ? 2 : 1)
                    .Select(term => Visit(term, user)).ToList();
                result = ordered[0];
                int products = terms.Count(term => term == bias || term.IsProduct());
                for (int i = 1; i < ordered.Count; i++)
                {
                    result = _table.Add(result, ordered[i]);
                    if (i + 1 == products && name is not null)
                    {
                        _table.SetLabel(result, name + (i + 1 == ordered.Count ? "_preactivation" : "_products"));
                    }
                }

                if (_table.Label(node) is null && name is not null)
                {
                    _table.SetLabel(result, name + "_preactivation");
                }
            }
            else
            {
                ImmutableArray<Node> inputs = node.Inputs.Select(input => Visit(input, _table.Label(node) ?? user)).ToImmutableArray();
                result = inputs.SequenceEqual(node.Inputs) ? node : _table.With(node, inputs);
            }

            _done[node] = result;
            _table.CopyLabel(node, result);

            return result;
        }

        /// <summary>The terms of a sum, looking into inner sums that nothing else uses.</summary>
        private void Collect(Node node, List<Node> terms, bool isRoot)
        {
            if (node.IsMap("add") && (isRoot || _uses[node] == 1))
            {
                Collect(node.Inputs[0], terms, isRoot: false);
                Collect(node.Inputs[1], terms, isRoot: false);
            }
            else
            {
                terms.Add(node);
            }
        }
    }
}

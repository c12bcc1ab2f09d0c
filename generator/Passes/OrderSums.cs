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

        private Node Visit(Node root)
        {
            Walk.InputsFirst<(Node Node, string? User)>((root, null), item => _done.ContainsKey(item.Node), item => Below(item), item => Replace(item.Node, item.User));
            return _done[root];
        }

        /// <summary>The terms of a sum in their order, the inputs of anything else; each with the name of what is computed from it.</summary>
        private ImmutableArray<(Node Node, string? User)> Below((Node Node, string? User) item) => Terms(item.Node) is { } terms
            ? terms.Select(term => (term, item.User)).ToImmutableArray()
            : item.Node.Inputs.Select(input => (input, _table.Label(item.Node) ?? item.User)).ToImmutableArray();

        /// <param name="user">What the value that is computed from this one is called.</param>
        private void Replace(Node node, string? user)
        {
            Node result;
            if (Terms(node) is { } terms)
            {
                string? name = _table.Label(node) ?? user;
                List<Node> ordered = terms.Select(term => _done[term]).ToList();
                result = ordered[0];
                int products = terms.Count(term => term.IsProduct() || term == terms[0]);
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
                ImmutableArray<Node> inputs = node.Inputs.Select(input => _done[input]).ToImmutableArray();
                result = inputs.SequenceEqual(node.Inputs) ? node : _table.With(node, inputs);
            }

            _done[node] = result;
            _table.CopyLabel(node, result);
        }

        /// <summary>
        /// The terms of a sum that holds products, in their order; null for anything else. Looks into inner sums that nothing else uses.
        /// </summary>
        private List<Node>? Terms(Node root)
        {
            var terms = new List<Node>();
            var pending = new Stack<Node>();
            pending.Push(root);
            while (pending.Count > 0)
            {
                Node node = pending.Pop();
                if (node.IsMap("add") && (node == root || _uses[node] == 1))
                {
                    pending.Push(node.Inputs[1]);
                    pending.Push(node.Inputs[0]);
                }
                else
                {
                    terms.Add(node);
                }
            }

            if (terms.Count == 1 || !terms.Any(term => term.IsProduct()))
            {
                return null;
            }

            Node? bias = terms.FirstOrDefault(term => term.Kind == NodeKind.Parameter);
            return terms.OrderBy(term => term == bias ? 0 : !term.IsProduct() ? 3 : _dependent.Contains(term) ? 2 : 1).ToList();
        }
    }
}

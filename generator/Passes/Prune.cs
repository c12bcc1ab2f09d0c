using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Unrolled.Generator.Graph;

namespace Unrolled.Generator.Passes;

/// <summary>What nobody asked for disappears: gradients that were not requested, stacked values nobody reads, states nobody needs.</summary>
internal static class Prune
{
    public static ModelGraph Run(ModelGraph graph)
    {
        var live = new Liveness();
        foreach (Node root in graph.Roots)
        {
            live.Need(root);
        }

        var rebuild = new Rebuild(graph.Table, live);
        return graph with
        {
            Output = rebuild.Visit(graph.Output),
            States = graph.States.Select(state => state with { Start = rebuild.Visit(state.Start), Final = rebuild.Visit(state.Final) }).ToImmutableArray(),
            Gradients = graph.Gradients.Select(gradient => gradient with { Value = rebuild.Visit(gradient.Value) }).ToImmutableArray(),
        };
    }

    /// <summary>What is needed of each loop, found by going back from the roots until nothing is added.</summary>
    private sealed class Liveness
    {
        private readonly HashSet<Node> _needed = new();

        public Dictionary<Node, Part> Parts { get; } = new();

        public void Need(Node root)
        {
            var pending = new Stack<Node>();
            pending.Push(root);
            while (pending.Count > 0)
            {
                Node node = pending.Pop();
                if (!_needed.Add(node))
                {
                    continue;
                }

                if (node.Kind != NodeKind.Result)
                {
                    foreach (Node input in node.Inputs)
                    {
                        pending.Push(input);
                    }

                    continue;
                }

                Node scan = node.Inputs[0];
                if (!Parts.TryGetValue(scan, out Part? part))
                {
                    part = new Part();
                    Parts.Add(scan, part);
                }

                foreach (Node input in part.Grow(scan, node))
                {
                    pending.Push(input);
                }
            }
        }
    }

    /// <summary>The needed results, carried values, sequences and captured values of one loop, by index.</summary>
    private sealed class Part
    {
        private readonly HashSet<Node> _reached = new();

        public SortedSet<int> Stacked { get; } = new();

        public SortedSet<int> Carried { get; } = new();

        public SortedSet<int> Sequences { get; } = new();

        public SortedSet<int> Captured { get; } = new();

        /// <summary>The loop's inputs that are left, in their order.</summary>
        public IEnumerable<Node> Inputs(Node scan) => Carried
            .Concat(Sequences.Select(k => scan.Body!.Carried.Length + k))
            .Concat(Captured.Select(k => scan.Body!.Carried.Length + scan.Body.Sequences.Length + k))
            .Select(index => scan.Inputs[index]);

        /// <summary>Adds what a needed result needs inside the loop; gives the loop's inputs it reaches for the first time.</summary>
        public List<Node> Grow(Node scan, Node result)
        {
            ScanBody body = scan.Body!;
            var inputs = new List<Node>();
            var pending = new Stack<Node>();
            if (result.Name == "stacked")
            {
                Stacked.Add(result.Index);
                pending.Push(body.Stacked[result.Index]);
            }
            else
            {
                Carry(result.Index);
            }

            while (pending.Count > 0)
            {
                Node node = pending.Pop();
                if (!_reached.Add(node))
                {
                    continue;
                }

                foreach (Node input in node.Inputs)
                {
                    pending.Push(input);
                }

                if (node.Kind == NodeKind.Argument && IndexOf(body.Carried, node) is var carried and >= 0)
                {
                    Carry(carried);
                }
                else if (node.Kind == NodeKind.Argument && body.Sequences.IndexOf(node) is var sequence and >= 0 && Sequences.Add(sequence))
                {
                    inputs.Add(scan.Inputs[body.Carried.Length + sequence]);
                }
                else if (node.Kind == NodeKind.Argument && body.Captured.IndexOf(node) is var captured and >= 0 && Captured.Add(captured))
                {
                    inputs.Add(scan.Inputs[body.Carried.Length + body.Sequences.Length + captured]);
                }
            }

            return inputs;

            void Carry(int index)
            {
                if (Carried.Add(index))
                {
                    pending.Push(body.Carried[index].Next);
                    inputs.Add(scan.Inputs[index]);
                }
            }
        }

        private static int IndexOf(ImmutableArray<Carried> carried, Node argument)
        {
            for (int i = 0; i < carried.Length; i++)
            {
                if (carried[i].Argument == argument)
                {
                    return i;
                }
            }

            return -1;
        }
    }

    private sealed class Rebuild
    {
        private readonly NodeTable _table;
        private readonly Liveness _live;
        private readonly Dictionary<Node, Node> _done = new();

        public Rebuild(NodeTable table, Liveness live)
        {
            _table = table;
            _live = live;
        }

        public Node Visit(Node root)
        {
            Walk.InputsFirst(root, _done.ContainsKey, Needed, Replace);
            return _done[root];
        }

        /// <summary>Where a needed index stands among those that are left.</summary>
        private static int Place(SortedSet<int> needed, int index) => needed.Count(other => other < index);

        /// <summary>The inputs that are needed; of a loop those it still takes.</summary>
        private IReadOnlyList<Node> Needed(Node node) => node.Kind != NodeKind.Scan ? node.Inputs : [.. _live.Parts[node].Inputs(node)];

        private void Replace(Node node)
        {
            Node result;
            ImmutableArray<Node> inputs = Needed(node).Select(input => _done[input]).ToImmutableArray();
            if (node.Kind == NodeKind.Scan)
            {
                ScanBody body = node.Body!;
                Part part = _live.Parts[node];
                result = _table.Scan(
                    body with
                    {
                        Carried = part.Carried.Select(i => body.Carried[i]).ToImmutableArray(),
                        Sequences = part.Sequences.Select(k => body.Sequences[k]).ToImmutableArray(),
                        Stacked = part.Stacked.Select(i => body.Stacked[i]).ToImmutableArray(),
                        Captured = part.Captured.Select(k => body.Captured[k]).ToImmutableArray(),
                    },
                    inputs);
            }
            else if (node.Kind == NodeKind.Result)
            {
                Part part = _live.Parts[node.Inputs[0]];
                result = node.Name == "stacked"
                    ? _table.Stacked(inputs[0], Place(part.Stacked, node.Index))
                    : _table.Final(inputs[0], Place(part.Carried, node.Index));
            }
            else
            {
                result = _table.With(node, inputs);
            }

            _done[node] = result;
            _table.CopyLabel(node, result);
        }
    }
}

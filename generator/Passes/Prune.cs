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

                (node.Name == "stacked" ? part.Stacked : part.Carried).Add(node.Index);
                foreach (Node input in part.Grow(scan))
                {
                    pending.Push(input);
                }
            }
        }
    }

    /// <summary>The needed results, carried values, sequences and captured values of one loop, by index.</summary>
    private sealed class Part
    {
        public SortedSet<int> Stacked { get; } = new();

        public SortedSet<int> Carried { get; } = new();

        public SortedSet<int> Sequences { get; } = new();

        public SortedSet<int> Captured { get; } = new();

        /// <summary>The loop's inputs that are left, in their order.</summary>
        public IEnumerable<Node> Inputs(Node scan) => Carried
            .Concat(Sequences.Select(k => scan.Body!.Carried.Length + k))
            .Concat(Captured.Select(k => scan.Body!.Carried.Length + scan.Body.Sequences.Length + k))
            .Select(index => scan.Inputs[index]);

        /// <summary>Adds what the needed results need inside the loop; gives the loop's inputs they reach.</summary>
        public List<Node> Grow(Node scan)
        {
            ScanBody body = scan.Body!;
            var reached = new HashSet<Node>();
            for (int count = -1; count != Carried.Count;)
            {
                count = Carried.Count;
                reached = new HashSet<Node>(Stacked.Select(i => body.Stacked[i]).Concat(Carried.Select(i => body.Carried[i].Next)).Reachable());
                for (int i = 0; i < body.Carried.Length; i++)
                {
                    if (reached.Contains(body.Carried[i].Argument))
                    {
                        Carried.Add(i);
                    }
                }
            }

            for (int k = 0; k < body.Sequences.Length; k++)
            {
                if (reached.Contains(body.Sequences[k]))
                {
                    Sequences.Add(k);
                }
            }

            for (int k = 0; k < body.Captured.Length; k++)
            {
                if (reached.Contains(body.Captured[k]))
                {
                    Captured.Add(k);
                }
            }

            return Inputs(scan).ToList();
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

        public Node Visit(Node node)
        {
            if (_done.TryGetValue(node, out Node? result))
            {
                return result;
            }

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
                    part.Inputs(node).Select(Visit).ToImmutableArray());
            }
            else if (node.Kind == NodeKind.Result)
            {
                Node scan = Visit(node.Inputs[0]);
                Part part = _live.Parts[node.Inputs[0]];
                result = node.Name == "stacked"
                    ? _table.Stacked(scan, part.Stacked.ToList().IndexOf(node.Index))
                    : _table.Final(scan, part.Carried.ToList().IndexOf(node.Index));
            }
            else
            {
                result = _table.With(node, node.Inputs.Select(Visit).ToImmutableArray());
            }

            _done[node] = result;
            _table.CopyLabel(node, result);

            return result;
        }
    }
}

using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Unrolled.Generator.Graph;

namespace Unrolled.Generator.Passes;

/// <summary>
/// What to save between a forward body and its adjoint, and what to compute again: the cheapest choice, found as a minimum cut.
/// For each forward value two questions: does the adjoint have it, and does it compute it? Having it without computing it costs
/// saving it; computing it costs its operation and needs its inputs.
/// </summary>
internal static class Tape
{
    /// <summary>Cycles on 16 lanes to write a value out and read it back a pass later.</summary>
    private const double SaveCycles = 0.35;

    /// <summary>Cycles to read a value that is kept anyway.</summary>
    private const double ReadCycles = 0.05;

    public static ModelGraph Run(ModelGraph graph)
    {
        foreach (int scope in graph.Roots.Reachable().Where(node => node.Body is { Primal: > 0 }).Select(node => node.Body!.Scope).ToList())
        {
            graph = RunOn(graph, scope);
        }

        return graph;
    }

    private static ModelGraph RunOn(ModelGraph graph, int adjointScope)
    {
        NodeTable table = graph.Table;
        List<Node> nodes = graph.Roots.Reachable();
        Node adjoint = nodes.Single(node => node.Body?.Scope == adjointScope);
        Node forward = nodes.Single(node => node.Body?.Scope == adjoint.Body!.Primal);
        List<Node> saved = Choose(forward.Body!, adjoint.Body!);
        if (saved.Count == 0)
        {
            return graph;
        }

        ScanBody forwardBody = forward.Body! with { Stacked = forward.Body!.Stacked.Concat(saved).Distinct().ToImmutableArray() };
        var substitution = new GraphRewriter(table, node => node);
        ImmutableArray<Node>.Builder sequences = adjoint.Body!.Sequences.ToBuilder();
        int unnamed = 0;
        foreach (Node value in saved)
        {
            // Both ways call it the same.
            Node argument = table.Argument("saved_" + forwardBody.Stacked.IndexOf(value), value.Type, adjointScope);
            if (table.Label(value) is null)
            {
                table.SetLabel(value, value is { Kind: NodeKind.Map, Inputs: { Length: 1 } inputs } && table.Label(inputs[0]) is { } of ? $"{value.Name}_{of}" : $"saved_{++unnamed}");
            }

            table.CopyLabel(value, argument);
            substitution.Replace(value, argument);
            sequences.Add(argument);
        }

        ScanBody adjointBody = substitution.VisitBody(adjoint.Body) with { Sequences = sequences.ToImmutable() };
        GraphRewriter? rewriter = null;
        rewriter = new GraphRewriter(table, node =>
        {
            if (node.Body?.Scope == forwardBody.Scope)
            {
                return table.Scan(forwardBody, node.Inputs);
            }

            if (node.Body?.Scope != adjointScope)
            {
                return node;
            }

            Node rewrittenForward = rewriter!.Visit(forward);
            return table.Scan(adjointBody, node.InputsWith(saved.Select(value => table.Stacked(rewrittenForward, forwardBody.Stacked.IndexOf(value)))));
        });
        return rewriter.Visit(graph);
    }

    /// <summary>The forward values to save.</summary>
    private static List<Node> Choose(ScanBody forward, ScanBody adjoint)
    {
        List<Node> primal = forward.Nodes().Where(IsComputed).ToList();
        var isPrimal = new HashSet<Node>(primal);
        List<Node> adjointNodes = adjoint.Nodes();
        var needed = new HashSet<Node>(
            adjointNodes.Where(node => !isPrimal.Contains(node)).SelectMany(node => node.Inputs).Concat(adjoint.Roots()).Where(isPrimal.Contains));
        if (needed.Count == 0)
        {
            return new List<Node>();
        }

        // Only what the adjoint could reach takes part.
        primal = needed.Reachable().Where(IsComputed).ToList();
        var kept = new HashSet<Node>(forward.Roots());
        var place = new Dictionary<Node, int>();
        for (int i = 0; i < primal.Count; i++)
        {
            place.Add(primal[i], i);
        }

        var network = new MinimumCut(2 + 2 * primal.Count);
        const int source = 0, sink = 1;
        int Have(int i) => 2 + 2 * i;
        int Compute(int i) => 3 + 2 * i;
        for (int i = 0; i < primal.Count; i++)
        {
            Node node = primal[i];
            if (needed.Contains(node))
            {
                network.AddEdge(source, Have(i), double.PositiveInfinity);
            }

            // A value of one element costs next to nothing to keep.
            network.AddEdge(Have(i), Compute(i), kept.Contains(node) || !node.Type.Has(Axes.Unit) ? ReadCycles : SaveCycles);
            network.AddEdge(Compute(i), sink, RecomputeCycles(node));
            foreach (Node input in node.Inputs.Select(input => input.Vector()).Where(IsComputed))
            {
                network.AddEdge(Compute(i), Have(place[input]), double.PositiveInfinity);
            }
        }

        bool[] sourceSide = network.Solve(source, sink);
        return primal.Where((node, i) => sourceSide[Have(i)] && !sourceSide[Compute(i)]).ToList();
    }

    private static bool IsComputed(Node node) => node.Kind is NodeKind.Map or NodeKind.Reduce or NodeKind.Concat or NodeKind.Slice || node.IsProduct();

    private static double RecomputeCycles(Node node) => node.Kind switch
    {
        NodeKind.Map => OperationTable.Get(node.Name).Cycles,

        // A product of k columns: k fused multiply-adds for each element, two vectors of 16 a cycle.
        NodeKind.Contract => Math.Max(node.Inputs[0].Type.Columns, 1) / 2.0,
        NodeKind.Relabel => RecomputeCycles(node.Inputs[0]),
        NodeKind.Reduce => 0.2,
        _ => 1,
    };

    /// <summary>Dinic 1970: of the shortest augmenting paths as many as there are, then of the next longer ones. Fast on layered networks like these.</summary>
    private sealed class MinimumCut
    {
        private const double Nothing = 1e-12;

        private readonly List<(int To, double Capacity)> _edges = new();
        private readonly List<int>[] _edgesOf;
        private readonly int[] _level;
        private readonly int[] _next;

        public MinimumCut(int count)
        {
            _edgesOf = Enumerable.Range(0, count).Select(_ => new List<int>()).ToArray();
            _level = new int[count];
            _next = new int[count];
        }

        /// <summary>An edge and, at the odd number after it, its reverse.</summary>
        public void AddEdge(int from, int to, double capacity)
        {
            _edgesOf[from].Add(_edges.Count);
            _edges.Add((to, capacity));
            _edgesOf[to].Add(_edges.Count);
            _edges.Add((from, 0));
        }

        /// <summary>The nodes on the source's side of the cut.</summary>
        public bool[] Solve(int source, int sink)
        {
            while (Search(source)[sink] >= 0)
            {
                Array.Clear(_next, 0, _next.Length);
                while (Augment(source, sink))
                {
                }
            }

            return _level.Select(level => level >= 0).ToArray();
        }

        /// <summary>Steps from the source to each node; -1 where no path leads.</summary>
        private int[] Search(int source)
        {
            for (int node = 0; node < _level.Length; node++)
            {
                _level[node] = -1;
            }

            _level[source] = 0;
            var queue = new Queue<int>();
            queue.Enqueue(source);
            while (queue.Count > 0)
            {
                int node = queue.Dequeue();
                foreach (int edge in _edgesOf[node])
                {
                    (int to, double capacity) = _edges[edge];
                    if (capacity > Nothing && _level[to] < 0)
                    {
                        _level[to] = _level[node] + 1;
                        queue.Enqueue(to);
                    }
                }
            }

            return _level;
        }

        /// <summary>Sends what one shortest path takes. An edge that led nowhere is not tried again, see <see cref="_next"/>.</summary>
        private bool Augment(int source, int sink)
        {
            var path = new List<int>();
            int node = source;
            while (node != sink)
            {
                if (_next[node] < _edgesOf[node].Count)
                {
                    int edge = _edgesOf[node][_next[node]];
                    (int to, double capacity) = _edges[edge];
                    if (capacity > Nothing && _level[to] == _level[node] + 1)
                    {
                        path.Add(edge);
                        node = to;
                    }
                    else
                    {
                        _next[node]++;
                    }
                }
                else if (path.Count == 0)
                {
                    return false;
                }
                else
                {
                    // Back to where the dead end was entered.
                    node = _edges[path[path.Count - 1] ^ 1].To;
                    path.RemoveAt(path.Count - 1);
                    _next[node]++;
                }
            }

            double flow = path.Min(edge => _edges[edge].Capacity);
            foreach (int edge in path)
            {
                _edges[edge] = (_edges[edge].To, _edges[edge].Capacity - flow);
                _edges[edge ^ 1] = (_edges[edge ^ 1].To, _edges[edge ^ 1].Capacity + flow);
            }

            return true;
        }
    }
}

using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Unrolled.Generator.Graph;

namespace Unrolled.Generator.Passes;

/// <summary>
/// One reverse walk over the operation table. The adjoint of a Scan is a Scan in the other direction: adjoints of carried values are
/// carried, adjoints of sequences are stacked. What a parameter gets in each step, <c>d_t ⊗ v_t</c>, is not summed inside: d is stacked
/// and one Contract over Time and Batch stands outside. The adjoint body computes what it needs of the forward values anew, from the
/// same sequences and the stacked states; <see cref="Tape"/> decides what to save instead.
/// </summary>
internal static class Differentiate
{
    public static ModelGraph Run(ModelGraph graph)
    {
        NodeTable table = graph.Table;
        var adjoints = new Adjoints(table);
        adjoints.Add(graph.Output, table.Input(UpstreamGradient.Output, graph.Output.Type));
        foreach (StateDeclaration state in graph.States)
        {
            adjoints.Add(state.Final, table.Input(UpstreamGradient.Final(state.Name), state.Final.Type));
        }

        foreach (Node node in Enumerable.Reverse(graph.Roots.Reachable()))
        {
            if (node.Kind == NodeKind.Scan)
            {
                AdjointOfScan(table, node, graph, adjoints);
            }
            else if (node.Kind is not (NodeKind.Input or NodeKind.Parameter or NodeKind.Result) && adjoints.TryGet(node) is { } d)
            {
                // Outside loops stands what is the same in every step: here a parameter's contribution is complete.
                AdjointsOfInputs(
                    table, node, d, Axes.Unit | Axes.Batch | Axes.Time, adjoints, value => value,
                    (parameter, left, right) => adjoints.Add(parameter, right is null ? left : table.Contract(left, right, Axes.None)));
            }
        }

        ImmutableArray<Gradient>.Builder gradients = ImmutableArray.CreateBuilder<Gradient>();
        gradients.AddRange(graph.Parameters.Select(p => new Gradient(GradientKind.Parameter, p.Node, adjoints.Get(p.Node))));
        gradients.AddRange(graph.States.Select(s => new Gradient(GradientKind.InitialState, s.Initial, adjoints.Get(s.Start))));
        if (!graph.Input.Type.IsToken)
        {
            gradients.Add(new Gradient(GradientKind.Input, graph.Input, adjoints.Get(graph.Input)));
        }

        return graph with { Gradients = gradients.ToImmutable() };
    }

    private static void AdjointOfScan(NodeTable table, Node scan, ModelGraph graph, Adjoints outside)
    {
        ScanBody body = scan.Body!;
        int scope = table.NewScope();
        var inside = new Adjoints(table);
        ImmutableArray<Node>.Builder sequences = ImmutableArray.CreateBuilder<Node>();
        ImmutableArray<Node>.Builder sequenceInputs = ImmutableArray.CreateBuilder<Node>();

        // The forward values are reached from what the forward body is given: states of the step before, and its sequences.
        for (int i = 0; i < body.Carried.Length; i++)
        {
            sequences.Add(body.Carried[i].Argument);
            int stacked = body.Stacked.IndexOf(body.Carried[i].Next);
            sequenceInputs.Add(table.Shift(table.Stacked(scan, stacked), scan.Inputs[i]));
        }

        for (int k = 0; k < body.Sequences.Length; k++)
        {
            sequences.Add(body.Sequences[k]);
            sequenceInputs.Add(scan.Inputs[body.Carried.Length + k]);
        }

        // Adjoints that come in: of the stacked results at each step, and of the next carried values from the step after.
        for (int j = 0; j < body.Stacked.Length; j++)
        {
            if (outside.TryGet(table.Stacked(scan, j)) is { } upstream)
            {
                Node argument = table.Argument("d_stacked_" + j, body.Stacked[j].Type.With(Axes.Batch), scope);
                table.SetLabel(argument, "d_" + (table.Label(body.Stacked[j]) ?? "output") + "_upstream");
                sequences.Add(argument);
                sequenceInputs.Add(upstream);
                inside.Add(body.Stacked[j], argument);
            }
        }

        Node[] carriedAdjoints = body.Carried.Select((c, i) => table.Argument("d_carried_" + i, c.Argument.Type, scope)).ToArray();
        for (int i = 0; i < carriedAdjoints.Length; i++)
        {
            table.SetLabel(carriedAdjoints[i], "d_" + (table.Label(body.Carried[i].Next) ?? "state") + "_carried");

            // Adjoints vanish as states decay. Most come from a product, which stores them as they are: what reads them flushes them.
            inside.Add(body.Carried[i].Next, table.Map(FlushStates.AdjointOperation, carriedAdjoints[i]));
        }

        var contributions = new List<(Node Parameter, Node Left, Node? Right)>();
        Walk(table, body, inside, contributions);

        // What leaves the loop: adjoints of the sequences, and the two sides of every parameter's contributions.
        var stackedValues = new List<Node>();
        int StackIndex(Node value)
        {
            int index = stackedValues.IndexOf(value);
            if (index < 0)
            {
                index = stackedValues.Count;
                stackedValues.Add(value);
            }

            return index;
        }

        Node?[] sequenceAdjoints = body.Sequences.Select(argument => argument.Type.IsToken ? null : inside.TryGet(argument)).ToArray();
        foreach (Node value in sequenceAdjoints.OfType<Node>())
        {
            StackIndex(value);
        }

        foreach ((Node _, Node left, Node? right) in contributions)
        {
            StackIndex(left.Vector());
            if (right is not null && !right.Type.IsToken)
            {
                StackIndex(right.Vector());
            }
        }

        var carried = body.Carried.Select((c, i) => new Carried(carriedAdjoints[i], inside.TryGet(c.Argument) ?? table.Multiply(table.Constant(0), carriedAdjoints[i])));
        IEnumerable<Node> initial = body.Carried.Select((c, i) => outside.TryGet(table.Final(scan, i)) ?? table.Constant(0));
        Node adjoint = table.Scan(
            new ScanBody(scope, body.Scope, body.Layer, !body.Reverse, carried.ToImmutableArray(), sequences.ToImmutable(), stackedValues.ToImmutableArray()) { Captured = body.Captured },
            initial.Concat(sequenceInputs).Concat(body.Captured.Select(scan.InputOf)).ToImmutableArray());

        for (int i = 0; i < body.Carried.Length; i++)
        {
            outside.Add(scan.Inputs[i], table.Final(adjoint, i));
        }

        for (int k = 0; k < body.Sequences.Length; k++)
        {
            if (sequenceAdjoints[k] is { } value)
            {
                outside.Add(scan.Inputs[body.Carried.Length + k], table.Stacked(adjoint, StackIndex(value)));
            }
        }

        foreach ((Node parameter, Node left, Node? right) in contributions)
        {
            Node d = Outside(left);
            outside.Add(parameter.Kind == NodeKind.Argument ? scan.InputOf(parameter) : parameter, right is null ? table.Reduce(d, Axes.Batch | Axes.Time)
                : right.Type.IsToken ? table.ScatterAdd(d, sequenceInputs[sequences.IndexOf(right)], parameter.Type.Columns)
                : table.Contract(d, Outside(right), Axes.Batch | Axes.Time));
        }

        Node Outside(Node value)
        {
            Node stacked = table.Stacked(adjoint, StackIndex(value.Vector()));
            return value.Vector() == value ? stacked : table.Relabel(stacked);
        }
    }

    /// <summary>The reverse walk over one body: adjoints of its arguments end up in <paramref name="inside"/>.</summary>
    private static void Walk(NodeTable table, ScanBody body, Adjoints inside, List<(Node Parameter, Node Left, Node? Right)> contributions)
    {
        // A state is kept as it was flushed: slopes are written from that, and nothing else of it needs keeping.
        List<Node> nodes = body.Nodes();
        Dictionary<Node, Node> flushed = nodes.Where(node => node.IsMap(FlushStates.Operation)).ToDictionary(node => node.Inputs[0]);
        Node Kept(Node value) => flushed.TryGetValue(value, out Node? kept) ? kept : value;
        foreach (Node node in Enumerable.Reverse(nodes))
        {
            if (inside.TryGet(node) is not { } d)
            {
                continue;
            }

            if (node.Kind == NodeKind.Parameter || body.Captured.Contains(node))
            {
                contributions.Add((node, d, null));
            }
            else if (node.Kind != NodeKind.Argument)
            {
                // Over batch and time a parameter's contributions are summed outside.
                AdjointsOfInputs(table, node, d, Axes.Unit, inside, Kept, (parameter, left, right) => contributions.Add((parameter, left, right)));
            }
        }
    }

    /// <summary>What a value's adjoint gives to its inputs.</summary>
    /// <param name="summed">The axes to sum over where an input was broadcast along them.</param>
    /// <param name="kept">The value that stands for one of the forward pass.</param>
    /// <param name="contribute">Told what a matrix gets: the two vectors whose outer product it is, or a lookup's adjoint and tokens.</param>
    private static void AdjointsOfInputs(NodeTable table, Node node, Node d, Axes summed, Adjoints adjoints, Func<Node, Node> kept, Action<Node, Node, Node?> contribute)
    {
        switch (node.Kind)
        {
            case NodeKind.Map:
                Node?[] derivatives = OperationTable.Get(node.Name).Derivative(table, node.Inputs.Select(kept).ToList(), kept(node), d);
                for (int i = 0; i < derivatives.Length; i++)
                {
                    Give(node.Inputs[i], derivatives[i]);
                }

                break;
            case NodeKind.Relabel:
                Give(node.Inputs[0], table.Relabel(d));
                break;
            case NodeKind.Reduce when node.Name == "sum":
                Give(node.Inputs[0], d);
                break;
            case NodeKind.Reduce:
                // Those that are the maximum share it.
                Node zero = table.Constant(0);
                Node greatest = table.Reduce(table.Map("select_greater", node, node.Inputs[0], zero, table.Constant(1)), node.Over);
                Give(node.Inputs[0], table.Map("select_greater", node, node.Inputs[0], zero, table.Map("div", d, greatest)));
                break;
            case NodeKind.Concat:
                int first = 0;
                foreach (Node part in node.Inputs)
                {
                    Give(part, table.Slice(d, first, part.Type.Elements));
                    first += part.Type.Elements;
                }

                break;
            case NodeKind.Slice:
                throw new InvalidOperationException("equations have no slices");
            case NodeKind.Contract:
                Node left = node.Inputs[0], right = node.Inputs[1];
                if (left.Kind == NodeKind.Parameter)
                {
                    contribute(left, d.Type.Has(Axes.Unit) ? d : right, d.Type.Has(Axes.Unit) ? right : d);
                }

                // The vector's adjoint as a vector again, so that several products' adjoints add up elementwise.
                Node adjoint = table.Contract(left, d, left.Type.Axes & d.Type.Axes & (Axes.Unit | Axes.Column));
                Give(right.Vector(), right.Vector() == right ? adjoint : table.Relabel(adjoint));
                break;
            case NodeKind.Gather:
                contribute(node.Inputs[0], d, node.Inputs[1]);
                break;
            case NodeKind.Constant:
                break;
            default:
                throw new InvalidOperationException($"no derivative for {node.Kind}");
        }

        void Give(Node input, Node? derivative)
        {
            if (derivative is null || input.Kind == NodeKind.Constant)
            {
                return;
            }

            // An input that was broadcast gets the sum; one that was summed gets the same for each of its elements.
            derivative = table.Reduce(derivative, derivative.Type.Axes & ~input.Type.Axes & summed);
            adjoints.Add(input, input.Type.Has(Axes.Unit) && !derivative.Type.Has(Axes.Unit) ? table.Map("broadcast", derivative, input) : derivative);
        }
    }

    private sealed class Adjoints
    {
        private readonly NodeTable _table;
        private readonly Dictionary<Node, Node> _adjoints = new();

        public Adjoints(NodeTable table) => _table = table;

        public void Add(Node node, Node adjoint)
        {
            _adjoints[node] = _adjoints.TryGetValue(node, out Node? sum) ? _table.Add(sum, adjoint) : adjoint;
            if (!node.IsMap(FlushStates.Operation) && _table.Label(node) is { } label)
            {
                _table.SetLabel(_adjoints[node], "d_" + label.WithoutLayer());
            }
        }

        public Node? TryGet(Node node) => _adjoints.TryGetValue(node, out Node? adjoint) ? adjoint : null;

        public Node Get(Node node) => TryGet(node) ?? _table.Constant(0);
    }
}

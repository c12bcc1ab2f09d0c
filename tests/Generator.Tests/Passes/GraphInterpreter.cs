using System.Collections.Immutable;
using Unrolled.Generator.Graph;

namespace Unrolled.Generator.Tests.PassTests;

/// <summary>
/// The meaning of a graph in double precision: every node evaluated as its documentation says it, nothing reordered, nothing saved.
/// It shares with the compiler only the table of operations' meanings.
/// </summary>
internal sealed class GraphInterpreter
{
    private readonly NetworkData _data;
    private readonly Dictionary<Node, Tensor> _values = new();
    private readonly Dictionary<Node, (Tensor[] Stacked, Tensor[] Final)> _scans = new();

    private GraphInterpreter(NetworkData data) => _data = data;

    /// <summary>Outputs, final states and whatever gradients the graph has.</summary>
    public static NetworkValues Evaluate(ModelGraph graph, NetworkData data)
    {
        var interpreter = new GraphInterpreter(data);
        Tensor Of(Node node, NodeType type) => interpreter.Value(node).SpreadOver(type, data.Steps, data.Batch);
        var values = new NetworkValues();
        values.Add(NetworkValues.Output, Of(graph.Output, graph.Output.Type));
        foreach (StateDeclaration state in graph.States)
        {
            values.Add(NetworkValues.Final(state.Name), Of(state.Final, state.Initial.Type));
        }

        foreach (Gradient gradient in graph.Gradients)
        {
            values.Add(NetworkValues.Gradient(gradient.Kind, gradient.Target), Of(gradient.Value, gradient.Target.Type));
        }

        return values;
    }

    private Tensor Value(Node node)
    {
        if (!_values.TryGetValue(node, out Tensor? value))
        {
            value = node.Kind switch
            {
                NodeKind.Shift => Shift(Value(node.Inputs[0]), Value(node.Inputs[1])),
                NodeKind.Result => node.Name switch
                {
                    "stacked" => Scan(node.Inputs[0]).Stacked[node.Index],
                    "final" => Scan(node.Inputs[0]).Final[node.Index],
                    _ => throw new InvalidOperationException($"{node} is no result of a loop"),
                },
                _ => Compute(node, node.Inputs.Select(Value).ToArray()),
            };
            _values.Add(node, Checked(node, value));
        }

        return value;
    }

    /// <summary>A value must have the axes that its node's type promises.</summary>
    private static Tensor Checked(Node node, Tensor value)
    {
        if (value.Axes != node.Type.Axes
            || (node.Type.Has(Axes.Unit) && value.Units != node.Type.Units) || (node.Type.Has(Axes.Column) && value.Columns != node.Type.Columns))
        {
            throw new InvalidOperationException($"{node} evaluates to a value over {value.Axes}, {value.Units} units and {value.Columns} columns");
        }

        return value;
    }

    private Tensor Compute(Node node, Tensor[] inputs) => node.Kind switch
    {
        NodeKind.Input => _data.Input(node.Name),
        NodeKind.Parameter => _data.Parameters[node.Name],
        NodeKind.Constant => Tensor.Number(node.Value).SpreadOver(node.Type, 1, 1),
        NodeKind.Map => Map(node.Name, inputs),
        NodeKind.Contract => Summed(inputs, node.Over),
        NodeKind.Reduce => node.Name switch
        {
            "sum" => Summed(inputs, node.Over),
            "max" => Largest(inputs[0], node.Over),
            _ => throw new InvalidOperationException($"no reduction is called {node.Name}"),
        },
        NodeKind.Concat => Concat(inputs),
        NodeKind.Slice => Slice(inputs[0], node.Index, node.Type.Units),
        NodeKind.Gather => Gather(inputs[0], inputs[1]),
        NodeKind.ScatterAdd => ScatterAdd(inputs[0], inputs[1], node.Type.Columns),
        NodeKind.Relabel => Relabel(inputs[0]),
        _ => throw new InvalidOperationException($"{node} has no value here"),
    };

    private static Tensor Map(string operation, Tensor[] inputs)
    {
        Operation row = OperationTable.Get(operation);
        Tensor result = Union(inputs, Axes.None);
        var arguments = new double[inputs.Length];
        result.ForEach((step, batch, unit, column) =>
        {
            for (int i = 0; i < inputs.Length; i++)
            {
                arguments[i] = inputs[i][step, batch, unit, column];
            }

            result[step, batch, unit, column] = row.Meaning(arguments);
        });
        return result;
    }

    /// <summary>The product of all inputs, summed over some axes.</summary>
    private static Tensor Summed(Tensor[] inputs, Axes over)
    {
        Tensor result = Union(inputs, over);
        Union(inputs, Axes.None).ForEach((step, batch, unit, column) =>
        {
            double product = 1;
            foreach (Tensor input in inputs)
            {
                product *= input[step, batch, unit, column];
            }

            result[step, batch, unit, column] += product;
        });
        return result;
    }

    private static Tensor Largest(Tensor value, Axes over)
    {
        Tensor result = Union([value], over);
        Array.Fill(result.Data, double.NegativeInfinity);
        value.ForEach((step, batch, unit, column) =>
            result[step, batch, unit, column] = Math.Max(result[step, batch, unit, column], value[step, batch, unit, column]));
        return result;
    }

    private static Tensor Concat(Tensor[] parts)
    {
        Axes axes = parts.Aggregate(Axes.Unit, (all, part) => all | part.Axes);
        var result = new Tensor(axes, parts.Max(p => p.Steps), parts.Max(p => p.Batch), parts.Sum(p => p.Units), 1);
        result.ForEach((step, row, unit, _) =>
        {
            int part = 0, element = unit;
            while (element >= parts[part].Units)
            {
                element -= parts[part++].Units;
            }

            result[step, row, unit, 0] = parts[part][step, row, element, 0];
        });
        return result;
    }

    private static Tensor Slice(Tensor value, int first, int units)
    {
        var result = new Tensor(value.Axes, value.Steps, value.Batch, units, 1);
        result.ForEach((step, row, unit, _) => result[step, row, unit, 0] = value[step, row, first + unit, 0]);
        return result;
    }

    /// <summary>Zeros over all axes of the inputs but <paramref name="without"/>.</summary>
    private static Tensor Union(Tensor[] inputs, Axes without)
    {
        Axes axes = inputs.Aggregate(Axes.None, (all, input) => all | input.Axes) & ~without;
        return new Tensor(axes, inputs.Max(i => i.Steps), inputs.Max(i => i.Batch), inputs.Max(i => i.Units), inputs.Max(i => i.Columns));
    }

    private static Tensor Gather(Tensor matrix, Tensor tokens)
    {
        var result = new Tensor(tokens.Axes | Axes.Unit, tokens.Steps, tokens.Batch, matrix.Units, 1);
        result.ForEach((step, row, unit, _) => result[step, row, unit, 0] = matrix[0, 0, unit, (int)tokens[step, row, 0, 0]]);
        return result;
    }

    private static Tensor ScatterAdd(Tensor rows, Tensor tokens, int columns)
    {
        var result = new Tensor(Axes.Unit | Axes.Column, 1, 1, rows.Units, columns);
        rows.ForEach((step, row, unit, _) => result[0, 0, unit, (int)tokens[step, row, 0, 0]] += rows[step, row, unit, 0]);
        return result;
    }

    private static Tensor Relabel(Tensor value)
    {
        Axes rest = value.Axes & ~(Axes.Unit | Axes.Column);
        bool toColumn = (value.Axes & Axes.Unit) != 0;
        var result = new Tensor(rest | (toColumn ? Axes.Column : Axes.Unit), value.Steps, value.Batch, value.Columns, value.Units);
        Array.Copy(value.Data, result.Data, value.Data.Length);
        return result;
    }

    private static Tensor Shift(Tensor sequence, Tensor initial)
    {
        Tensor result = sequence.Copy();
        result.ForEach((step, row, unit, column) =>
            result[step, row, unit, column] = step == 0 ? initial[0, row, unit, column] : sequence[step - 1, row, unit, column]);
        return result;
    }

    private (Tensor[] Stacked, Tensor[] Final) Scan(Node scan)
    {
        if (_scans.TryGetValue(scan, out (Tensor[] Stacked, Tensor[] Final) known))
        {
            return known;
        }

        ScanBody body = scan.Body!;
        ImmutableArray<Tensor> inputs = scan.Inputs.Select(Value).ToImmutableArray();
        Tensor[] carried = body.Carried.Select((c, i) => inputs[i].SpreadOver(c.Argument.Type, 1, _data.Batch)).ToArray();
        Tensor[] stacked = body.Stacked.Select(s => new Tensor(s.Type.With(Axes.Time | Axes.Batch), _data.Steps, _data.Batch)).ToArray();
        for (int count = 0; count < _data.Steps; count++)
        {
            int step = body.Reverse ? _data.Steps - 1 - count : count;
            var values = new Dictionary<Node, Tensor>();
            for (int i = 0; i < carried.Length; i++)
            {
                values.Add(body.Carried[i].Argument, carried[i]);
            }

            for (int k = 0; k < body.Sequences.Length; k++)
            {
                values.Add(body.Sequences[k], Checked(body.Sequences[k], inputs[carried.Length + k].At(step)));
            }

            for (int k = 0; k < body.Captured.Length; k++)
            {
                values.Add(body.Captured[k], Checked(body.Captured[k], inputs[carried.Length + body.Sequences.Length + k]));
            }

            for (int j = 0; j < stacked.Length; j++)
            {
                Tensor value = InBody(body.Stacked[j], values), target = stacked[j];
                value.SpreadOver(body.Stacked[j].Type.With(Axes.Batch), 1, _data.Batch)
                    .ForEach((_, row, unit, column) => target[step, row, unit, column] = value[0, row, unit, column]);
            }

            carried = body.Carried.Select(c => InBody(c.Next, values).SpreadOver(c.Argument.Type, 1, _data.Batch)).ToArray();
        }

        return _scans[scan] = (stacked, carried);
    }

    private Tensor InBody(Node node, Dictionary<Node, Tensor> values)
    {
        if (!values.TryGetValue(node, out Tensor? value))
        {
            value = Checked(node, Compute(node, node.Inputs.Select(input => InBody(input, values)).ToArray()));
            values.Add(node, value);
        }

        return value;
    }
}

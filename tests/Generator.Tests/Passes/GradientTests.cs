using System.Globalization;
using Unrolled.Generator.Graph;
using Unrolled.Generator.Passes;
using Xunit;

namespace Unrolled.Generator.Tests.PassTests;

/// <summary>Gradients that Differentiate writes, against differences of the graph it started from.</summary>
public sealed class GradientTests
{
    /// <summary>Elements of one tensor that are tried; all of them in the small networks.</summary>
    private const int MostElements = 24;

    [Theory]
    [MemberData(nameof(Networks.Names), MemberType = typeof(Networks))]
    public void Are_the_slopes_of_the_forward_graph(string network)
    {
        foreach ((int batch, int steps) in new[] { (1, 1), (1, 2), (3, 2), (3, 5), (1, 5) })
        {
            ModelGraph graph = Compiler.Network(Networks.Graph(network));
            NetworkData data = NetworkData.Random(graph, batch, steps, seed: 2);
            NetworkValues gradients = GraphInterpreter.Evaluate(Differentiate.Run(graph), data);
            foreach (ParameterDeclaration parameter in graph.Parameters)
            {
                Hold(graph, data, data.Parameters[parameter.Node.Name], gradients[NetworkValues.Gradient(GradientKind.Parameter, parameter.Node)], parameter.Node.Name);
            }

            foreach (StateDeclaration state in graph.States)
            {
                // A fresh row does not read its state; what its start is worth is the parameter's gradient.
                Tensor gradient = gradients[NetworkValues.Gradient(GradientKind.InitialState, state.Initial)].Copy();
                gradient.ForEach((_, row, unit, _) => gradient[0, row, unit, 0] *= state.Fresh is { } fresh ? 1 - data.Input(fresh.Name)[0, row, 0, 0] : 1);
                Hold(graph, data, data.Input(state.Initial.Name), gradient, state.Name);
            }

            if (!graph.Input.Type.IsToken)
            {
                Hold(graph, data, data.Input(graph.Input.Name), gradients[NetworkValues.Gradient(GradientKind.Input, graph.Input)], "the input");
            }
        }
    }

    public static TheoryData<string> Operations => new(OperationTable.All.Select(operation => operation.Name));

    [Theory]
    [MemberData(nameof(Operations))]
    public void Of_every_operation_are_the_slopes_of_its_meaning(string name)
    {
        Operation operation = OperationTable.Get(name);
        var random = new Random(3);
        int compared = 0;
        for (int trial = 0; trial < 50; trial++)
        {
            double[] x = Enumerable.Range(0, operation.Arity).Select(_ => random.NextDouble() * 4 - 2).ToArray();
            if (name is "log" or "sqrt" or "root_of_squares")
            {
                x[0] = Math.Abs(x[0]) + 0.1;
            }
            else if (name == "div")
            {
                x[1] = x[1] < 0 ? x[1] - 0.2 : x[1] + 0.2;
            }
            else if (name == "clip")
            {
                (x[1], x[2]) = (-0.7, 0.9);
            }

            var table = new NodeTable();
            Node[] inputs = x.Select((_, i) => table.Input("x" + i, NodeType.Vector(1))).ToArray();
            Node?[] derivatives = operation.Derivative(table, inputs, table.Map(name, inputs), table.Input("d", NodeType.Vector(1)));
            Assert.Equal(operation.Arity, derivatives.Length);
            for (int i = 0; i < x.Length; i++)
            {
                if (derivatives[i] is not { } derivative)
                {
                    // A condition, whose slope is zero; axes alone; what is held.
                    Assert.True((name, i) is ("select_greater", 0 or 1) or ("broadcast", 1) or ("held", 0), $"{name} has no derivative in its input {i}");
                    continue;
                }

                double Meaning(double at) => operation.Meaning(x.Select((value, j) => j == i ? at : value).ToArray());

                // A kink within reach of the difference shows as slopes that differ from side to side; there is nothing to compare then.
                const double reach = 2e-3;
                double left = Slope(Meaning, x[i] - 2 * reach, reach / 2), right = Slope(Meaning, x[i] + 2 * reach, reach / 2);
                if (Math.Abs(left - right) > 0.1)
                {
                    continue;
                }

                compared++;
                double expected = 1.7 * Slope(Meaning, x[i], reach / 2);
                double actual = Evaluate(derivative, node => node.Name == "d" ? 1.7 : x[int.Parse(node.Name[1..], CultureInfo.InvariantCulture)]);
                Assert.True(Math.Abs(expected - actual) < 1e-6 * Math.Max(1, Math.Abs(expected)), $"{name} at {string.Join(", ", x)}: slope {actual} in input {i}, not {expected}");
            }
        }

        Assert.True(compared > 25 || name == "held");
    }

    private static double Evaluate(Node node, Func<Node, double> input) => node.Kind switch
    {
        NodeKind.Input => input(node),
        NodeKind.Constant => node.Value,
        _ => OperationTable.Get(node.Name).Meaning(node.Inputs.Select(i => Evaluate(i, input)).ToArray()),
    };

    private static void Hold(ModelGraph graph, NetworkData data, Tensor variable, Tensor gradient, string name)
    {
        double scale = Math.Max(gradient.Data.Max(Math.Abs), 1e-2);
        int stride = Math.Max(1, variable.Data.Length / MostElements);
        for (int i = 0; i < variable.Data.Length; i += stride)
        {
            double start = variable.Data[i];
            double slope = Slope(
                at =>
                {
                    variable.Data[i] = at;
                    return Loss(graph, data);
                },
                start, 3e-4);
            variable.Data[i] = start;

            // The differences' own error: 1e-14 times the fifth derivative from the step, 1e-16 / 3e-4 of the loss from rounding.
            Assert.True(
                Math.Abs(slope - gradient.Data[i]) <= 1e-8 * scale,
                $"batch {data.Batch}, {data.Steps} steps: the gradient of {name} is {gradient.Data[i]:R} at element {i}, the slope {slope:R}");
        }
    }

    /// <summary>Central differences of fourth order.</summary>
    private static double Slope(Func<double, double> function, double at, double step) =>
        (8 * (function(at + step) - function(at - step)) - (function(at + 2 * step) - function(at - 2 * step))) / (12 * step);

    /// <summary>A number whose gradient with respect to outputs and final states is what the data give as upstream gradients.</summary>
    private static double Loss(ModelGraph graph, NetworkData data)
    {
        NetworkValues values = GraphInterpreter.Evaluate(graph, data);
        double loss = Dot(values[NetworkValues.Output], data.Input(UpstreamGradient.Output));
        foreach (StateDeclaration state in graph.States)
        {
            loss += Dot(values[NetworkValues.Final(state.Name)], data.Input(UpstreamGradient.Final(state.Name)));
        }

        return loss;
    }

    private static double Dot(Tensor left, Tensor right) => left.Data.Zip(right.Data, (a, b) => a * b).Sum();
}

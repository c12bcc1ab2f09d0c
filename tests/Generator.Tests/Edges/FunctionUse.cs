using System.Globalization;
using Unrolled.Generator.Frontend.Equations;
using Unrolled.Generator.Graph;
using Unrolled.Generator.Passes;
using Unrolled.Generator.Tests.Harness;

namespace Unrolled.Generator.Tests.Edges;

/// <summary>A function as an equation uses it, in a model that computes nothing else.</summary>
/// <param name="Function">Its name, or an operator.</param>
/// <param name="Expression">Of <c>x[t]</c>, of parameters p1, p2, … and of numbers.</param>
/// <param name="Parameters">How many of its values are parameters.</param>
/// <param name="IsOfVector">Whether every result depends on all elements.</param>
internal sealed record FunctionUse(string Function, string Expression, int Parameters = 0, bool IsOfVector = false)
{
    /// <summary>Numbers for the values after the first: each list is cut to what a function takes. Floats hold them exactly, so that ties are ties.</summary>
    private static readonly double[][] Numbers = [[0.25, 0.5], [-1.5, 0.75], [2.5, -0.5], [-3, 3]];

    public override string ToString() => Expression;

    /// <summary>Every function that equations may call, as the table of operations has them, and the operators of two values.</summary>
    public static IEnumerable<FunctionUse> All()
    {
        foreach (string name in OperationTable.FunctionNames)
        {
            Function function = OperationTable.FindFunction(name)!;
            if (IsOfAVector(function))
            {
                yield return new FunctionUse(name, $"{name}(x[t])", IsOfVector: true);
                continue;
            }

            // With plain numbers in the equation, and with parameters in their place: the emitted code differs.
            foreach (int numbers in new[] { function.Required - 1, function.Arity - 1 }.Distinct())
            {
                foreach (double[] values in Numbers.Take(numbers == 0 ? 1 : Numbers.Length))
                {
                    yield return new FunctionUse(name, Call(name, values.Take(numbers).Select(value => value.ToString(CultureInfo.InvariantCulture))));
                }
            }

            if (function.Arity > 1)
            {
                yield return new FunctionUse(name, Call(name, Enumerable.Range(1, function.Arity - 1).Select(index => "p" + index)), function.Arity - 1);
            }
        }

        foreach (string name in OperationTable.ReductionNames)
        {
            // The product with a vector makes it as long as the layer's output.
            yield return new FunctionUse(name, $"p1 * {name}(x[t])", 1, IsOfVector: true);
        }

        foreach (string symbol in new[] { "+", "-", "*", "/" })
        {
            yield return new FunctionUse(symbol, $"x[t] {symbol} p1", 1);
        }
    }

    /// <summary>The model, whose vectors have as many elements as there are to try.</summary>
    public TestNetwork Network(string name, int elements) => new(name, 0, elements, [TestLayer.Own("use", $"h[t] = {Expression}", elements)]);

    private static string Call(string name, IEnumerable<string> others) => $"{name}({string.Join(", ", others.Prepend("x[t]"))})";

    private static bool IsOfAVector(Function function)
    {
        var table = new NodeTable();
        Node x = table.Input("x", NodeType.Vector(2));
        Node result = function.Of(table, [x, .. Enumerable.Range(1, function.Required - 1).Select(_ => x)]);
        return new[] { result }.Reachable().Any(node => node.Kind == NodeKind.Reduce);
    }
}

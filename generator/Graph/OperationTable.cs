using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;

namespace Unrolled.Generator.Graph;

/// <summary>Adjoints of an operation's inputs from its inputs <c>x</c>, its result <c>y</c> and the result's adjoint <c>d</c>; null where there is none.</summary>
internal delegate Node?[] Derivative(NodeTable g, IReadOnlyList<Node> x, Node y, Node d);

/// <summary>How a function is put together of a graph's operations, from all its values.</summary>
internal delegate Node Composer(NodeTable g, IReadOnlyList<Node> x);

/// <summary>What equations may call with a value and perhaps numbers, and what has as many elements as the value.</summary>
/// <param name="Arity">Values it takes at the most.</param>
internal abstract record Function(string Name, int Arity)
{
    /// <summary>The last values where an equation leaves them out: PyTorch's.</summary>
    public ImmutableArray<double> Defaults { get; init; } = ImmutableArray<double>.Empty;

    /// <summary>Values an equation must give.</summary>
    public int Required => Arity - Defaults.Length;

    /// <summary>How many values it takes, in words: <c>1 or 2 values</c>.</summary>
    public string Takes => Required == Arity ? $"{Arity} value{(Arity == 1 ? "" : "s")}"
        : $"{string.Join(", ", Enumerable.Range(Required, Arity - Required))} or {Arity} values";

    /// <summary>The function of values, of which the last may be missing.</summary>
    public Node Of(NodeTable table, ImmutableArray<Node> values) =>
        Compose(table, values.AddRange(Defaults.Skip(values.Length - Required).Select(number => table.Constant(number))));

    /// <summary>The function of all its values.</summary>
    protected abstract Node Compose(NodeTable table, ImmutableArray<Node> values);
}

/// <summary>A function put together of operations, whose derivative and code it takes.</summary>
internal sealed record Composition(string Name, int Arity, Composer Composer) : Function(Name, Arity)
{
    protected override Node Compose(NodeTable table, ImmutableArray<Node> values) => Composer(table, values);
}

/// <summary>One elementwise operation.</summary>
/// <param name="Name">As equations write it, or as operators name it.</param>
/// <param name="Meaning">The reference, in double precision.</param>
/// <param name="Derivative">In terms of other operations; written from the result where that is cheaper.</param>
/// <param name="Code">The C# expression on vectors; {0}, {1} … are the inputs.</param>
/// <param name="Cycles">Rough cost for an element on 16 lanes, for save-or-recompute decisions.</param>
/// <param name="IsFunction">Can be called by name in equations.</param>
internal sealed record Operation(
    string Name, int Arity, Func<double[], double> Meaning, Derivative Derivative, string Code, double Cycles, bool IsFunction = true) : Function(Name, Arity)
{
    protected override Node Compose(NodeTable table, ImmutableArray<Node> values) => table.Map(Name, values);
}

/// <summary>
/// Every elementwise operation, a row each, and every function that is put together of them. Adding an activation is adding a row.
/// </summary>
internal static class OperationTable
{
    private const string VectorMath = "VectorMath.";

    private const double HardSigmoidSlope = 1.0 / 6, HardSigmoidOffset = 0.5;

    /// <summary>As PyTorch's LayerNorm: added to the variance.</summary>
    private const double LayerNormEpsilon = 1e-5;

    private static readonly Dictionary<string, Operation> Rows = new[]
    {
        Operator("add", 2, x => x[0] + x[1], (g, x, y, d) => new[] { d, d }, "({0} + {1})"),
        Operator("sub", 2, x => x[0] - x[1], (g, x, y, d) => new[] { d, g.Map("neg", d) }, "({0} - {1})"),
        Operator("mul", 2, x => x[0] * x[1], (g, x, y, d) => new[] { g.Multiply(d, x[1]), g.Multiply(d, x[0]) }, "({0} * {1})"),
        Operator("div", 2, x => x[0] / x[1], (g, x, y, d) => new[] { g.Map("div", d, x[1]), g.Map("neg", g.Map("div", g.Multiply(d, y), x[1])) }, "({0} / {1})", 0.6),
        Operator("neg", 1, x => -x[0], (g, x, y, d) => new[] { g.Map("neg", d) }, "(-{0})"),

        // a * b + c, rounded once where the instruction set can.
        Operator(
            "multiply_add", 3, x => x[0] * x[1] + x[2],
            (g, x, y, d) => new[] { g.Multiply(d, x[1]), g.Multiply(d, x[0]), d }, VectorMath + "MultiplyAdd({0}, {1}, {2})"),

        // x > 0 ? a : b; what the derivatives of piecewise functions are made of.
        Operator(
            "select_positive", 3, x => x[0] > 0 ? x[1] : x[2],
            (g, x, y, d) => new[] { null, g.Map("select_positive", x[0], d, g.Constant(0)), g.Map("select_positive", x[0], g.Constant(0), d) },
            VectorMath + "SelectPositive({0}, {1}, {2})", 0.2),

        // PyTorch's slope and offset, without the rounding of the slope.
        Operator(
            "hard_sigmoid", 1, x => Math.Min(Math.Max(x[0] / 6 + 0.5, 0), 1),
            (g, x, y, d) => new[] { Inside(g, x[0], -3, 3, g.Multiply(d, g.Constant(HardSigmoidSlope))) }, VectorMath + "HardSigmoid({0})", 0.1),

        // A value with the axes of another too: what the adjoint of a sum is, and a state that parameters alone decide.
        Operator("broadcast", 2, x => x[0], (g, x, y, d) => new[] { d, null }, "{0}", 0),

        // The normal distribution's cumulative function, for gelu's derivative.
        Operator(
            "normal_cumulative", 1, x => NormalCumulative(x[0]),
            (g, x, y, d) => new[] { g.Multiply(d, NormalDensity(g, x[0])) }, VectorMath + "NormalCumulative({0})", 1),

        Function("identity", 1, x => x[0], (g, x, y, d) => new[] { d }, "{0}", 0),
        Function("sigmoid", 1, x => 1 / (1 + Math.Exp(-x[0])), (g, x, y, d) => new[] { g.Multiply(d, g.Multiply(y, OneMinus(g, y))) }, VectorMath + "Sigmoid({0})", 0.4),
        Function("tanh", 1, x => Math.Tanh(x[0]), (g, x, y, d) => new[] { g.Multiply(d, OneMinus(g, g.Multiply(y, y))) }, VectorMath + "Tanh({0})", 0.5),
        Function("relu", 1, x => Math.Max(x[0], 0), (g, x, y, d) => new[] { g.Map("select_positive", x[0], d, g.Constant(0)) }, VectorMath + "Relu({0})", 0.1),
        Function("exp", 1, x => Math.Exp(x[0]), (g, x, y, d) => new[] { g.Multiply(d, y) }, VectorMath + "Exp({0})", 0.4),
        Function("log", 1, x => Math.Log(x[0]), (g, x, y, d) => new[] { g.Map("div", d, x[0]) }, VectorMath + "Log({0})", 0.5),
        Function("sqrt", 1, x => Math.Sqrt(x[0]), (g, x, y, d) => new[] { g.Map("div", g.Multiply(d, g.Constant(0.5)), y) }, VectorMath + "Sqrt({0})", 0.6),
        Function("square", 1, x => x[0] * x[0], (g, x, y, d) => new[] { g.Multiply(d, g.Multiply(g.Constant(2), x[0])) }, "({0} * {0})", 0.1),
        Function("abs", 1, x => Math.Abs(x[0]), (g, x, y, d) => new[] { g.Map("select_positive", x[0], d, g.Map("neg", d)) }, VectorMath + "Abs({0})", 0.1),
        Function(
            "min", 2, x => Math.Min(x[0], x[1]),
            (g, x, y, d) => Choose(g, g.Subtract(x[1], x[0]), d), VectorMath + "Min({0}, {1})", 0.1),
        Function(
            "max", 2, x => Math.Max(x[0], x[1]),
            (g, x, y, d) => Choose(g, g.Subtract(x[0], x[1]), d), VectorMath + "Max({0}, {1})", 0.1),
        Function(
            "leaky_relu", 2, x => x[0] > 0 ? x[0] : x[1] * x[0],
            (g, x, y, d) => new[] { g.Map("select_positive", x[0], d, g.Multiply(d, x[1])), g.Map("select_positive", x[0], g.Constant(0), g.Multiply(d, x[0])) },
            VectorMath + "SelectPositive({0}, {0}, {0} * {1})", 0.2) with { Defaults = ImmutableArray.Create(0.01) },
        Function(
            "elu", 2, x => x[0] > 0 ? x[0] : x[1] * (Math.Exp(x[0]) - 1),
            (g, x, y, d) => new[] { g.Map("select_positive", x[0], d, g.Multiply(d, g.Add(y, x[1]))), g.Map("select_positive", x[0], g.Constant(0), g.Map("div", g.Multiply(d, y), x[1])) },
            VectorMath + "SelectPositive({0}, {0}, {1} * (" + VectorMath + "Exp(" + VectorMath + "Min({0}, V.Zero)) - V.One))", 0.6) with { Defaults = ImmutableArray.Create(1.0) },
        Function("softplus", 1, x => Math.Max(x[0], 0) + Math.Log(1 + Math.Exp(-Math.Abs(x[0]))), (g, x, y, d) => new[] { g.Multiply(d, g.Map("sigmoid", x[0])) }, VectorMath + "Softplus({0})", 1),
        Function(
            "softsign", 1, x => x[0] / (1 + Math.Abs(x[0])),
            (g, x, y, d) => new[] { g.Map("div", d, g.Map("square", g.Add(g.Constant(1), g.Map("abs", x[0])))) }, VectorMath + "Softsign({0})", 0.6),
        Function(
            "hard_tanh", 1, x => Math.Min(Math.Max(x[0], -1), 1),
            (g, x, y, d) => new[] { Inside(g, x[0], -1, 1, d) }, VectorMath + "HardTanh({0})", 0.1),
        Function(
            "silu", 1, x => x[0] / (1 + Math.Exp(-x[0])),
            (g, x, y, d) =>
            {
                Node s = g.Map("sigmoid", x[0]);
                return new[] { g.Multiply(d, g.Add(s, g.Multiply(y, OneMinus(g, s)))) };
            },
            VectorMath + "Silu({0})", 0.5),
        Function(
            "gelu", 1, x => x[0] * NormalCumulative(x[0]),
            (g, x, y, d) => new[] { g.Multiply(d, g.Add(g.Map("normal_cumulative", x[0]), g.Multiply(x[0], NormalDensity(g, x[0])))) }, VectorMath + "Gelu({0})", 1),
        Function(
            "clip", 3, x => Math.Min(Math.Max(x[0], x[1]), x[2]),
            (g, x, y, d) => new[]
            {
                g.Map("select_positive", g.Subtract(x[0], x[1]), g.Map("select_positive", g.Subtract(x[2], x[0]), d, g.Constant(0)), g.Constant(0)),
                g.Map("select_positive", g.Subtract(x[1], x[0]), d, g.Constant(0)),
                g.Map("select_positive", g.Subtract(x[0], x[2]), d, g.Constant(0)),
            },
            VectorMath + "Min(" + VectorMath + "Max({0}, {1}), {2})", 0.2),
    }.ToDictionary(row => row.Name);

    private static readonly Dictionary<string, Composition> Compositions = new[]
    {
        // As ONNX defines them, alpha before beta.
        new Composition("affine", 3, (g, x) => g.Add(g.Multiply(x[0], x[1]), x[2])),
        new Composition("scaled_tanh", 3, (g, x) => g.Multiply(g.Map("tanh", g.Multiply(x[0], x[2])), x[1])),
        new Composition("thresholded_relu", 2, (g, x) => g.Map("select_positive", g.Subtract(x[0], x[1]), x[0], g.Constant(0))) { Defaults = ImmutableArray.Create(1.0) },
        new Composition("hard_sigmoid", 3, (g, x) => x[1].IsConstant(HardSigmoidSlope) && x[2].IsConstant(HardSigmoidOffset)
            ? g.Map("hard_sigmoid", x[0])
            : g.Map("clip", g.Add(g.Multiply(x[0], x[1]), x[2]), g.Constant(0), g.Constant(1)))
        {
            Defaults = ImmutableArray.Create(HardSigmoidSlope, HardSigmoidOffset),
        },

        // The maximum is taken off first, so that no exponential overflows.
        new Composition("softmax", 1, (g, x) =>
        {
            Node exponentials = g.Map("exp", g.Subtract(x[0], g.Reduce(x[0], Axes.Unit, "max")));
            return g.Map("div", exponentials, g.Reduce(exponentials, Axes.Unit, "sum"));
        }),
        new Composition("layer_norm", 1, (g, x) =>
        {
            Node centred = g.Subtract(x[0], Mean(g, x[0]));
            Node variance = Mean(g, g.Map("square", centred));
            return g.Map("div", centred, g.Map("sqrt", g.Add(variance, g.Constant(LayerNormEpsilon))));
        }),
    }.ToDictionary(row => row.Name);

    /// <summary>The row of an operation.</summary>
    public static Operation Get(string name) =>
        Rows.TryGetValue(name, out Operation? row) ? row : throw new InvalidOperationException($"the operation table has no row '{name}'");

    /// <summary>A function that equations may call, or null.</summary>
    public static Function? FindFunction(string name) =>
        Compositions.TryGetValue(name, out Composition? composition) ? composition
        : Rows.TryGetValue(name, out Operation? row) && row.IsFunction ? row
        : null;

    /// <summary>Names of all functions that equations may call.</summary>
    public static IEnumerable<string> FunctionNames => Rows.Values.Where(row => row.IsFunction).Select(row => row.Name).Concat(Compositions.Keys);

    public static IEnumerable<Operation> All => Rows.Values;

    private static Operation Operator(string name, int arity, Func<double[], double> meaning, Derivative derivative, string code, double cycles = 0.1) =>
        new(name, arity, meaning, derivative, code, cycles, IsFunction: false);

    private static Operation Function(string name, int arity, Func<double[], double> meaning, Derivative derivative, string code, double cycles) =>
        new(name, arity, meaning, derivative, code, cycles);

    /// <summary>exp(-x²/2) / √(2π).</summary>
    private static Node NormalDensity(NodeTable g, Node x) =>
        g.Multiply(g.Constant(1 / Math.Sqrt(2 * Math.PI)), g.Map("exp", g.Multiply(g.Constant(-0.5), g.Multiply(x, x))));

    /// <summary>The normal distribution's cumulative function, by its continued fraction in the tails and its series in the middle.</summary>
    private static double NormalCumulative(double x)
    {
        double magnitude = Math.Abs(x), density = Math.Exp(-0.5 * x * x) / Math.Sqrt(2 * Math.PI);
        double upper;
        if (magnitude < 5)
        {
            // Marsaglia 2004: Φ(x) = ½ + φ(x)·(x + x³/3 + x⁵/(3·5) + …).
            double term = magnitude, sum = magnitude;
            for (int k = 3; Math.Abs(term) > 1e-17 * sum; k += 2)
            {
                term *= magnitude * magnitude / k;
                sum += term;
            }

            upper = 0.5 - density * sum;
        }
        else
        {
            double fraction = magnitude;
            for (int k = 200; k >= 1; k--)
            {
                fraction = magnitude + k / fraction;
            }

            upper = density / fraction;
        }

        return x < 0 ? upper : 1 - upper;
    }

    /// <summary>The mean of a value's elements.</summary>
    public static Node Mean(NodeTable g, Node value) =>
        g.Multiply(g.Constant(1.0 / Math.Max(value.Type.Units, 1)), g.Reduce(value, Axes.Unit, "sum"));

    private static Node OneMinus(NodeTable g, Node value) => g.Subtract(g.Constant(1), value);

    private static Node?[] Choose(NodeTable g, Node firstWins, Node d) => new Node?[]
    {
        g.Map("select_positive", firstWins, d, g.Constant(0)), g.Map("select_positive", firstWins, g.Constant(0), d),
    };

    private static Node Inside(NodeTable g, Node x, double low, double high, Node d) => g.Map(
        "select_positive", g.Subtract(x, g.Constant(low)), g.Map("select_positive", g.Subtract(g.Constant(high), x), d, g.Constant(0)), g.Constant(0));
}

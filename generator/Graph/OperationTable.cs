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

    /// <summary>2^-95: its products with weights are far from the denormal numbers of float32, which begin below 2^-126.</summary>
    private const double SmallestState = 1.0 / (1L << 47) / (1L << 48);

    /// <summary>2^-126: the smallest number of float32 that is not denormal.</summary>
    private const double SmallestNormal = SmallestState / (1L << 31);

    /// <summary>As PyTorch's LayerNorm: added to the variance.</summary>
    private const double LayerNormEpsilon = 1e-5;

    /// <summary>There sigmoid and the normal distribution have long been 0 or 1.</summary>
    private const double Limit = 128;

    /// <summary>Beyond these the squares of a vector's elements may leave float32; multiplied by a power of two, which rounds nothing, they do not.</summary>
    private const double Huge = 1L << 50, Tiny = 1.0 / (1L << 50);

    /// <summary>2⁻⁷⁶ and 2¹⁰⁰.</summary>
    private const double Down = 1.0 / (1L << 38) / (1L << 38), Up = (double)(1L << 50) * (1L << 50);

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

        // a > b ? p : q, and NaN where either of a and b is; what the derivatives of piecewise functions are made of.
        Operator(
            "select_greater", 4, x => x[0] > x[1] ? x[2] : x[0] <= x[1] ? x[3] : double.NaN,
            (g, x, y, d) => new[] { null, null, Greater(g, x[0], x[1], d, g.Constant(0)), Greater(g, x[0], x[1], g.Constant(0), d) },
            VectorMath + "SelectGreater({0}, {1}, {2}, {3})", 0.2),

        // The same value, whose changes count for nothing: what is taken away from all elements and does not change the result.
        Operator("held", 1, x => x[0], (g, x, y, d) => new Node?[] { null }, "{0}", 0),

        // The square root of a sum of squares: its slope is 0 where they all are 0.
        Operator(
            "root_of_squares", 1, x => Math.Sqrt(x[0]),
            (g, x, y, d) => new[] { Greater(g, y, g.Constant(0), g.Map("div", g.Multiply(d, g.Constant(0.5)), y), g.Constant(0)) }, VectorMath + "Sqrt({0})", 0.6),

        // What hard_sigmoid is between its numbers.
        Operator("saturate", 1, x => Clip(x[0], 0, 1), (g, x, y, d) => new[] { Inside(g, x[0], 0, 1, d) }, VectorMath + "Clip({0}, 0f, 1f)"),

        // PyTorch's slope and offset, without the rounding of the slope.
        Operator(
            "hard_sigmoid", 1, x => Clip(x[0] / 6 + 0.5, 0, 1),
            (g, x, y, d) => new[] { Inside(g, x[0], -3, 3, g.Multiply(d, g.Constant(HardSigmoidSlope))) }, VectorMath + "HardSigmoid({0})", 0.1),

        // A value with the axes of another too: what the adjoint of a sum is, and a state that parameters alone decide.
        Operator("broadcast", 2, x => x[0], (g, x, y, d) => new[] { d, null }, "{0}", 0),

        // Nothing that is close to the denormal numbers: what loops carry. Its derivative is that of what it differs from by 2^-95 at the most.
        Operator("flush", 1, x => Math.Abs(x[0]) < SmallestState ? 0 : x[0], (g, x, y, d) => new[] { d }, VectorMath + "Flush({0})"),

        // What an adjoint loop carries: gradients that nearly vanish are still asked for.
        Operator("flush_denormal", 1, x => Math.Abs(x[0]) < SmallestNormal ? 0 : x[0], (g, x, y, d) => new[] { d }, VectorMath + "FlushDenormal({0})"),

        // Slopes whose parts would be infinity times zero far out.
        Operator(
            "silu_slope", 1, x => SiluSlope(x[0]),
            (g, x, y, d) =>
            {
                Node s = g.Map("sigmoid", x[0]), twoSided = g.Multiply(x[0], g.Subtract(OneMinus(g, s), s));
                return new[] { g.Multiply(d, g.Multiply(g.Multiply(s, OneMinus(g, s)), g.Add(g.Constant(2), twoSided))) };
            },
            VectorMath + "SiluSlope({0})", 0.5),
        Operator(
            "gelu_slope", 1, x => NormalCumulative(x[0]) + Clip(x[0], -Limit, Limit) * NormalDensity(x[0]),
            (g, x, y, d) =>
            {
                Node square = g.Map("square", x[0]), density = g.Multiply(g.Constant(NormalDensity(0)), g.Map("exp", g.Multiply(g.Constant(-0.5), square)));
                return new[] { g.Multiply(d, g.Multiply(density, g.Subtract(g.Constant(2), square))) };
            },
            VectorMath + "GeluSlope({0})", 1),

        Function("identity", 1, x => x[0], (g, x, y, d) => new[] { d }, "{0}", 0),
        Function("sigmoid", 1, x => 1 / (1 + Math.Exp(-x[0])), (g, x, y, d) => new[] { g.Multiply(d, g.Multiply(y, OneMinus(g, y))) }, VectorMath + "Sigmoid({0})", 0.4),
        Function("tanh", 1, x => Math.Tanh(x[0]), (g, x, y, d) => new[] { g.Multiply(d, OneMinus(g, g.Multiply(y, y))) }, VectorMath + "Tanh({0})", 0.5),
        Function("relu", 1, x => Math.Max(x[0], 0), (g, x, y, d) => new[] { Greater(g, x[0], g.Constant(0), d, g.Constant(0)) }, VectorMath + "Relu({0})", 0.1),
        Function("exp", 1, x => Math.Exp(x[0]), (g, x, y, d) => new[] { g.Multiply(d, y) }, VectorMath + "Exp({0})", 0.4),
        Function("log", 1, x => Math.Log(x[0]), (g, x, y, d) => new[] { g.Map("div", d, x[0]) }, VectorMath + "Log({0})", 0.5),
        Function("sqrt", 1, x => Math.Sqrt(x[0]), (g, x, y, d) => new[] { g.Map("div", g.Multiply(d, g.Constant(0.5)), y) }, VectorMath + "Sqrt({0})", 0.6),
        Function("square", 1, x => x[0] * x[0], (g, x, y, d) => new[] { g.Multiply(d, g.Multiply(g.Constant(2), x[0])) }, "({0} * {0})", 0.1),
        Function(
            "abs", 1, x => Math.Abs(x[0]),
            (g, x, y, d) => new[] { Greater(g, x[0], g.Constant(0), d, Greater(g, g.Constant(0), x[0], g.Map("neg", d), g.Constant(0))) }, VectorMath + "Abs({0})", 0.1),
        Function(
            "min", 2, x => Math.Min(x[0], x[1]),
            (g, x, y, d) => new[] { Share(g, x[1], x[0], d), Share(g, x[0], x[1], d) }, VectorMath + "Min({0}, {1})", 0.1),
        Function(
            "max", 2, x => Math.Max(x[0], x[1]),
            (g, x, y, d) => new[] { Share(g, x[0], x[1], d), Share(g, x[1], x[0], d) }, VectorMath + "Max({0}, {1})", 0.1),
        Function(
            "leaky_relu", 2, x => x[0] > 0 ? x[0] : x[1] * x[0],
            (g, x, y, d) => new[]
            {
                Greater(g, x[0], g.Constant(0), d, g.Multiply(d, x[1])),
                Greater(g, x[0], g.Constant(0), g.Constant(0), g.Multiply(d, x[0])),
            },
            VectorMath + "LeakyRelu({0}, {1})", 0.2) with { Defaults = ImmutableArray.Create(0.01) },
        Function(
            "elu", 2, x => x[0] < 0 ? x[1] * ExpMinusOne(x[0]) : x[0],
            (g, x, y, d) => new[]
            {
                Greater(g, x[0], g.Constant(0), d, g.Multiply(d, g.Add(y, x[1]))),
                Greater(g, x[0], g.Constant(0), g.Constant(0), g.Multiply(d, g.Map("elu", x[0], g.Constant(1)))),
            },
            VectorMath + "Elu({0}, {1})", 0.6) with { Defaults = ImmutableArray.Create(1.0) },
        Function("softplus", 1, x => Math.Max(x[0], 0) + Math.Log(1 + Math.Exp(-Math.Abs(x[0]))), (g, x, y, d) => new[] { g.Multiply(d, g.Map("sigmoid", x[0])) }, VectorMath + "Softplus({0})", 1),
        Function(
            "softsign", 1, x => double.IsInfinity(x[0]) ? Math.Sign(x[0]) : x[0] / (1 + Math.Abs(x[0])),
            (g, x, y, d) => new[] { g.Map("div", d, g.Map("square", g.Add(g.Constant(1), g.Map("abs", x[0])))) }, VectorMath + "Softsign({0})", 0.6),
        Function(
            "hard_tanh", 1, x => Clip(x[0], -1, 1),
            (g, x, y, d) => new[] { Inside(g, x[0], -1, 1, d) }, VectorMath + "HardTanh({0})", 0.1),
        Function(
            "silu", 1, x => Math.Max(x[0], double.MinValue) / (1 + Math.Exp(-x[0])),
            (g, x, y, d) => new[] { g.Multiply(d, g.Map("silu_slope", x[0])) },
            VectorMath + "Silu({0})", 0.5),
        Function(
            "gelu", 1, x => Math.Max(x[0], -Limit) * NormalCumulative(x[0]),
            (g, x, y, d) => new[] { g.Multiply(d, g.Map("gelu_slope", x[0])) },
            VectorMath + "Gelu({0})", 1),
        Function(
            "clip", 3, x => Clip(x[0], x[1], x[2]),
            (g, x, y, d) => new[]
            {
                Greater(g, x[1], x[0], g.Constant(0), Greater(g, x[0], x[2], g.Constant(0), d)),
                Greater(g, x[1], x[0], Greater(g, x[2], x[1], d, g.Constant(0)), g.Constant(0)),
                Greater(g, x[0], x[2], d, Greater(g, x[1], x[2], d, g.Constant(0))),
            },
            VectorMath + "Min(" + VectorMath + "Max({0}, {1}), {2})", 0.2),
    }.ToDictionary(row => row.Name);

    private static readonly Dictionary<string, Composition> Compositions = new[]
    {
        // As ONNX defines them, alpha before beta.
        new Composition("affine", 3, (g, x) => g.Add(g.Multiply(x[0], x[1]), x[2])),
        new Composition("scaled_tanh", 3, (g, x) => g.Multiply(g.Map("tanh", g.Multiply(x[0], x[2])), x[1])),
        new Composition("thresholded_relu", 2, (g, x) => Greater(g, x[0], x[1], x[0], g.Constant(0))) { Defaults = ImmutableArray.Create(1.0) },
        new Composition("hard_sigmoid", 3, (g, x) => x[1].IsConstant(HardSigmoidSlope) && x[2].IsConstant(HardSigmoidOffset)
            ? g.Map("hard_sigmoid", x[0])
            : g.Map("saturate", g.Add(g.Multiply(x[0], x[1]), x[2])))
        {
            Defaults = ImmutableArray.Create(HardSigmoidSlope, HardSigmoidOffset),
        },

        // The maximum is taken off first, so that no exponential overflows.
        new Composition("softmax", 1, (g, x) =>
        {
            Node exponentials = g.Map("exp", g.Subtract(x[0], g.Map("held", g.Reduce(x[0], Axes.Unit, "max"))));
            return g.Map("div", exponentials, g.Reduce(exponentials, Axes.Unit, "sum"));
        }),
        new Composition("layer_norm", 1, (g, x) =>
        {
            Node largest = Largest(g, x[0]);
            Node scaled = g.Multiply(x[0], Greater(g, largest, g.Constant(Huge), g.Constant(Down), g.Constant(1)));
            Node centred = g.Subtract(scaled, Mean(g, scaled));
            Node variance = Mean(g, g.Map("square", centred));

            // Scaled by the square of so small a number the epsilon would be 0; by the number itself it stands beside the root.
            Node epsilon = Greater(g, largest, g.Constant(Huge), g.Constant(0), g.Constant(LayerNormEpsilon));
            Node beside = Greater(g, largest, g.Constant(Huge), g.Constant(Down * Math.Sqrt(LayerNormEpsilon)), g.Constant(0));
            return g.Map("div", centred, g.Add(g.Map("root_of_squares", g.Add(variance, epsilon)), beside));
        }),
    }.ToDictionary(row => row.Name);

    /// <summary>What equations may call with one vector and what gives one element. Of one element it is that element's own.</summary>
    private static readonly Dictionary<string, Composition> Reductions = new[]
    {
        new Composition("sum", 1, (g, x) => g.Reduce(x[0], Axes.Unit)),
        new Composition("mean", 1, (g, x) => Mean(g, x[0])),
        new Composition("max", 1, (g, x) => g.Reduce(x[0], Axes.Unit, "max")),

        // The squares of what is huge or tiny leave float32.
        new Composition("norm", 1, (g, x) =>
        {
            Node largest = Largest(g, x[0]);
            Node squares = g.Map("square", g.Multiply(x[0], Scale(Down, Up)));
            return g.Multiply(g.Map("root_of_squares", g.Reduce(squares, Axes.Unit)), Scale(1 / Down, 1 / Up));

            Node Scale(double ofHuge, double ofTiny) =>
                Greater(g, largest, g.Constant(Huge), g.Constant(ofHuge), Greater(g, g.Constant(Tiny), largest, g.Constant(ofTiny), g.Constant(1)));
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

    /// <summary>A function of one vector that gives one element, or null. <c>max</c> of two values is not one.</summary>
    public static Function? FindReduction(string name, int arguments) =>
        arguments == 1 && Reductions.TryGetValue(name, out Composition? reduction) ? reduction : null;

    /// <summary>Names of the functions of a vector that give one element.</summary>
    public static IEnumerable<string> ReductionNames => Reductions.Keys;

    /// <summary>Names of all functions that equations may call and that keep a value's size.</summary>
    public static IEnumerable<string> FunctionNames => Rows.Values.Where(row => row.IsFunction).Select(row => row.Name).Concat(Compositions.Keys);

    public static IEnumerable<Operation> All => Rows.Values;

    private static Operation Operator(string name, int arity, Func<double[], double> meaning, Derivative derivative, string code, double cycles = 0.1) =>
        new(name, arity, meaning, derivative, code, cycles, IsFunction: false);

    private static Operation Function(string name, int arity, Func<double[], double> meaning, Derivative derivative, string code, double cycles) =>
        new(name, arity, meaning, derivative, code, cycles);

    private static double SiluSlope(double x)
    {
        double s = 1 / (1 + Math.Exp(-x));
        return s + Clip(x, -Limit, Limit) * s * (1 - s);
    }

    /// <summary>exp(-x²/2) / √(2π).</summary>
    private static double NormalDensity(double x) => Math.Exp(-0.5 * x * x) / Math.Sqrt(2 * Math.PI);

    /// <summary>The normal distribution's cumulative function, by its continued fraction in the tails and its series in the middle.</summary>
    private static double NormalCumulative(double x)
    {
        double magnitude = Math.Abs(x), density = NormalDensity(x);
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

    private static Node Greater(NodeTable g, Node left, Node right, Node above, Node otherwise) => g.Map("select_greater", left, right, above, otherwise);

    /// <summary>What <paramref name="greater"/> gets of d: all of it where it is the greater one, half where they are equal.</summary>
    private static Node Share(NodeTable g, Node greater, Node lesser, Node d) =>
        Greater(g, greater, lesser, d, Greater(g, lesser, greater, g.Constant(0), g.Multiply(d, g.Constant(0.5))));

    /// <summary>d strictly between two numbers, 0 on them and beyond.</summary>
    private static Node Inside(NodeTable g, Node x, double low, double high, Node d) =>
        Greater(g, x, g.Constant(low), Greater(g, g.Constant(high), x, d, g.Constant(0)), g.Constant(0));

    /// <summary>The greatest magnitude of a value's elements.</summary>
    private static Node Largest(NodeTable g, Node value) => g.Reduce(g.Map("abs", value), Axes.Unit, "max");

    private static double Clip(double x, double low, double high) => Math.Min(Math.Max(x, low), high);

    /// <summary>eˣ - 1 without cancellation: the rounding errors of eˣ cancel against its logarithm (Kahan).</summary>
    private static double ExpMinusOne(double x)
    {
        double power = Math.Exp(x);
        return power == 1 || double.IsNaN(power) ? x : power - 1 == -1 ? -1 : (power - 1) * x / Math.Log(power);
    }
}

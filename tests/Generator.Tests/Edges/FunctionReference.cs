using Unrolled.Generator.Tests.Harness;
using Unrolled.Generator.Tests.Oracle;

namespace Unrolled.Generator.Tests.Edges;

/// <summary>How a function goes on from a point.</summary>
internal enum SlopeKind
{
    /// <summary>It has one slope.</summary>
    Smooth,

    /// <summary>It has one slope on each side.</summary>
    Kink,

    /// <summary>It is not a number here, or on one side, or it jumps.</summary>
    Outside,
}

/// <summary>The slope to the left and to the right of a point; equal where it is smooth.</summary>
internal readonly record struct Slope(SlopeKind Kind, double Left, double Right);

/// <summary>
/// A function in double precision: its equation run by the oracle, its slopes by differences whose step goes down until two of them agree.
/// </summary>
internal sealed class FunctionReference
{
    /// <summary>Stands for infinity where a slope is asked for: float32 ends at 3.4e38, and double goes on long enough for the square of this.</summary>
    private const double FarAway = 1e100;

    private readonly EquationOracle _oracle;
    private readonly double[] _inputs;
    private readonly int _parameters;

    public FunctionReference(TestNetwork network, IModel model, int parameters)
    {
        _oracle = new EquationOracle(network.Specs, model.Layout);
        _inputs = new double[_oracle.InputSize];
        _parameters = parameters;
    }

    /// <summary>The function of an element: of x, p1, p2, …</summary>
    public double Value(double[] values)
    {
        Array.Fill(_inputs, values[0]);
        SetParameters(values);
        return _oracle.Run(_inputs, [], 1).Outputs[0];
    }

    /// <summary>The function of a vector, with its parameters one.</summary>
    public double[] ValueOfVector(double[] vector)
    {
        SetParameters([0, 1]);
        return _oracle.Run([.. vector], [], 1).Outputs;
    }

    /// <summary>The slope in value <paramref name="index"/>.</summary>
    public Slope SlopeIn(int index, double[] values)
    {
        if (values.Any(double.IsNaN))
        {
            // The slope of what is linear is the same everywhere.
            Slope[] slopes = [.. new[] { 1, -1.7, 31, -900 }.Select(number => SlopeIn(index, [.. values.Select((value, i) => i == index ? number : value)]))];
            if (slopes.Any(slope => slope.Kind != SlopeKind.Smooth))
            {
                return new Slope(SlopeKind.Outside, double.NaN, double.NaN);
            }

            bool isLinear = values.Count(double.IsNaN) == 1 && double.IsNaN(values[index])
                && slopes.All(slope => Math.Abs(slope.Left - slopes[0].Left) <= 1e-6 * Math.Abs(slopes[0].Left));
            return isLinear ? slopes[0] : new Slope(SlopeKind.Smooth, double.NaN, double.NaN);
        }

        if (double.IsNaN(Value(values)))
        {
            return new Slope(SlopeKind.Outside, double.NaN, double.NaN);
        }

        double at = double.IsInfinity(values[index]) ? Math.CopySign(FarAway, values[index]) : values[index];
        double[] steps = [Math.Max(Math.Abs(at), 1) * 1e-5, 1e-5, Math.Abs(at) * 1e-5, 1e-9];
        Slope slope = SlopeOf(moved => Value([.. values.Select((value, i) => i == index ? moved : value)]), at, steps);

        // Where the function leaves even double, so does its slope: it grows like an exponential.
        return slope.Kind == SlopeKind.Outside && _parameters == 0 && at != 0 && double.IsPositiveInfinity(Value([at]))
            ? new Slope(SlopeKind.Smooth, double.PositiveInfinity, double.PositiveInfinity)
            : slope;
    }

    /// <summary>The slope of result <paramref name="result"/> of a vector in element <paramref name="element"/>.</summary>
    public Slope SlopeOfVector(int result, int element, double[] vector)
    {
        // Steps that are small next to the largest element, and next to one.
        double size = vector.Max(Math.Abs);
        double[] steps = [size * 1e-5, size * 1e-7, size * 1e-8, 1e-5];
        return SlopeOf(moved => ValueOfVector([.. vector.Select((value, i) => i == element ? moved : value)])[result], vector[element], steps);
    }

    private Slope SlopeOf(Func<double, double> function, double at, double[] steps)
    {
        if (!double.IsFinite(function(at)))
        {
            return new Slope(SlopeKind.Outside, double.NaN, double.NaN);
        }

        bool meetsKink = false;
        double? best = null;
        double bestDifference = double.PositiveInfinity;
        foreach (double step in steps.Where(step => step > Math.Abs(at) * 1e-9).Distinct().OrderDescending())
        {
            function(at + step);
            ulong above = _oracle.Kinks.Sides;
            function(at - step);
            if (_oracle.Kinks.Sides != above)
            {
                meetsKink = true;
                continue;
            }

            double whole = (function(at + step) - function(at - step)) / (2 * step), half = (function(at + step / 2) - function(at - step / 2)) / step;
            double difference = Math.Abs(whole - half), centre = function(at);
            double rise = (function(at + step) - centre) / step, fall = (centre - function(at - step)) / step;
            if (!(Math.Abs(rise - fall) <= 1e-3 * Math.Max(Math.Abs(rise), Math.Abs(fall)) + (step <= 1e-5 ? 10 * step : 0)))
            {
                // A step that leaves the point's surroundings: around a minimum both sides would cancel.
                continue;
            }

            if (double.IsFinite(half) && difference <= 1e-7 * Math.Abs(half))
            {
                return new Slope(SlopeKind.Smooth, half, half);
            }

            if (double.IsFinite(half) && difference < bestDifference)
            {
                (best, bestDifference) = (half, difference);
            }
        }

        if (best is double slope && bestDifference < 1e-6)
        {
            return new Slope(SlopeKind.Smooth, slope, slope);
        }

        double reach = Math.Max(Math.Abs(at) * 1e-6, steps.Min() * 1e-3);
        double left = (function(at) - function(at - reach)) / reach, right = (function(at + reach) - function(at)) / reach;
        return meetsKink && double.IsFinite(left) && double.IsFinite(right) && Math.Abs(left) + Math.Abs(right) < 1e5
            ? new Slope(SlopeKind.Kink, left, right)
            : new Slope(SlopeKind.Outside, left, right);
    }

    private void SetParameters(double[] values)
    {
        for (int index = 1; index <= _parameters; index++)
        {
            Array.Fill(_oracle.Parameters[$"use.p{index}"], values[index]);
        }
    }
}

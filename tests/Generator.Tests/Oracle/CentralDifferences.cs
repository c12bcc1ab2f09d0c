namespace Unrolled.Generator.Tests.Oracle;

/// <summary>A derivative of the loss along a direction, and what it cost to be sure of it.</summary>
/// <param name="Values">One value for every row, or a single one where the direction touches all rows together.</param>
/// <param name="CrossesKink">No step was short enough to stay on one side of every kink; the values mean nothing.</param>
/// <param name="Noise">The rounding error of the quotient itself.</param>
internal readonly record struct Quotient(double[] Values, bool CrossesKink, double Noise);

/// <summary>Derivatives of an <see cref="OracleLoss"/> by central differences in double precision.</summary>
internal sealed class CentralDifferences(EquationOracle oracle, OracleLoss loss, double[] inputs, double[] initialStates, int rows)
{
    // Truncation grows with the square of the step and rounding with its inverse; near the cube root of 2^-52 they meet.
    private const double FirstStep = 1e-5;

    /// <summary>The derivative along a direction in one parameter.</summary>
    public Quotient Parameter(string name, double[] direction) => Quotient(oracle.Parameters[name], direction, perRow: false);

    /// <summary>The derivative by one element of a parameter.</summary>
    public Quotient Parameter(string name, int index) => Quotient(oracle.Parameters[name], [index], perRow: false);

    /// <summary>
    /// Derivatives by input <paramref name="element"/> at <paramref name="step"/> of every row: a row's loss depends on its own inputs
    /// alone, so all rows move at once.
    /// </summary>
    public Quotient Input(int step, int element)
    {
        int size = inputs.Length / Steps / rows;
        return Quotient(inputs, Enumerable.Range(0, rows).Select(row => (step * rows + row) * size + element).ToArray(), perRow: true);
    }

    /// <summary>Derivatives of every row along a direction in all inputs.</summary>
    public Quotient Inputs(double[] direction) => Quotient(inputs, direction, perRow: true);

    /// <summary>Derivatives by initial state element <paramref name="element"/> of every row.</summary>
    public Quotient InitialState(int element) =>
        Quotient(initialStates, Enumerable.Range(0, rows).Select(row => row * oracle.StateLength + element).ToArray(), perRow: true);

    /// <summary>Derivatives of every row along a direction in all initial states.</summary>
    public Quotient InitialStates(double[] direction) => Quotient(initialStates, direction, perRow: true);

    private int Steps => inputs.Length / rows / oracle.InputSize;

    private Quotient Quotient(double[] values, int[] indices, bool perRow)
    {
        double[] saved = Array.ConvertAll(indices, index => values[index]);
        return Quotient(
            step =>
            {
                for (int i = 0; i < indices.Length; i++)
                {
                    values[indices[i]] = saved[i] + step;
                }
            },
            perRow);
    }

    private Quotient Quotient(double[] values, double[] direction, bool perRow)
    {
        double[] saved = [.. values];
        return Quotient(
            step =>
            {
                for (int i = 0; i < values.Length; i++)
                {
                    values[i] = saved[i] + step * direction[i];
                }
            },
            perRow);
    }

    private Quotient Quotient(Action<double> move, bool perRow)
    {
        try
        {
            for (double step = FirstStep; step > 5e-7; step /= 10)
            {
                move(step);
                double[] above = Terms(out ulong sidesAbove);
                move(-step);
                double[] below = Terms(out ulong sidesBelow);
                if (sidesAbove == sidesBelow)
                {
                    double[] differences = above.Zip(below, (a, b) => (a - b) / (2 * step)).ToArray();
                    double noise = 2e-15 * Math.Max(1, above.Sum(Math.Abs)) / step;
                    return new Quotient(perRow ? differences : [differences.Sum()], false, noise);
                }
            }

            return new Quotient([], CrossesKink: true, 0);
        }
        finally
        {
            move(0);
        }
    }

    private double[] Terms(out ulong sides)
    {
        OracleRun run = oracle.Run(inputs, initialStates, rows);
        sides = oracle.Kinks.Sides;
        return loss.RowTerms(run, rows);
    }
}

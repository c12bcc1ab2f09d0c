using System.Diagnostics.CodeAnalysis;

namespace Unrolled;

/// <summary>The checks sessions and trainers share. They touch nothing.</summary>
internal static class Check
{
    public static void Capacity(ModelLayout layout, int batchSize, int steps)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(steps);
        int widest = Math.Max(layout.TakesTokens ? 1 : layout.InputSize, Math.Max(layout.OutputSize, layout.StateLength));
        long floats = checked((long)batchSize * steps) > Array.MaxLength ? long.MaxValue : (long)batchSize * steps * Padding.Of(widest);
        if (floats > Array.MaxLength)
        {
            throw new ArgumentOutOfRangeException(
                nameof(batchSize), batchSize, $"{batchSize} rows of {steps} steps of {layout} need buffers longer than an array can be.");
        }
    }

    public static void TakesVectors(ModelLayout layout)
    {
        if (layout.TakesTokens)
        {
            ThrowTakesTokens(layout);
        }
    }

    public static void TakesTokens(ModelLayout layout)
    {
        if (!layout.TakesTokens)
        {
            ThrowTakesVectors(layout);
        }
    }

    /// <summary>Rows of one step, from the length of its input.</summary>
    public static int RowsOfStep(int length, int elements, int batchSize, string argument)
    {
        int rows = length / elements;
        if (length == 0 || rows * elements != length || rows > batchSize)
        {
            string rowsTaken = batchSize == 1 ? "one row" : $"1 to {batchSize} rows";
            throw new ArgumentException(
                $"A step takes {rowsTaken} of {Count(elements, "element")}, not {Count(length, "element")} (more rows need a session with a larger batchSize).", argument);
        }

        return rows;
    }

    public static int Rows(int rows, int batchSize)
    {
        if ((uint)rows > (uint)batchSize)
        {
            throw new ArgumentOutOfRangeException(nameof(rows), rows, $"Rows are 1 to {batchSize}, or 0 for all of them (more need a larger batchSize where this is created).");
        }

        return rows == 0 ? batchSize : rows;
    }

    /// <summary>Steps of a sequence, from the length of its input.</summary>
    public static int Steps(int length, int rows, int elements, string argument)
    {
        // Rows times elements fits: the capacity was checked.
        int step = rows * elements;
        int steps = length / step;
        if (steps * step != length)
        {
            throw new ArgumentException(
                $"{Count(length, "element")} are not a whole number of steps of {Count(rows, "row")} of {Count(elements, "element")}.", argument);
        }

        return steps;
    }

    public static void Length(int length, int steps, int rows, int elements, string argument)
    {
        long expected = (long)steps * rows * elements;
        if (length != expected)
        {
            throw new ArgumentException(
                $"{Count(steps, "step")} of {Count(rows, "row")} of {Count(elements, "element")} make {expected}, not {length}.", argument);
        }
    }

    public static void Tokens(ReadOnlySpan<int> tokens, int count, string argument)
    {
        for (int i = 0; i < tokens.Length; i++)
        {
            if ((uint)tokens[i] >= (uint)count)
            {
                throw new ArgumentOutOfRangeException(
                    argument, tokens[i], $"{(tokens.Length == 1 ? "The token" : $"The token at {i}")} is {tokens[i]}; it must be 0 to {count - 1}.");
            }
        }
    }

    private static string Count(int number, string what) => number == 1 ? $"1 {what}" : $"{number} {what}s";

    [DoesNotReturn]
    private static void ThrowTakesTokens(ModelLayout layout) => throw new InvalidOperationException(
        $"{layout} reads tokens (pass a span of int, or declare the model with Features instead of Tokens).");

    [DoesNotReturn]
    private static void ThrowTakesVectors(ModelLayout layout) => throw new InvalidOperationException(
        $"{layout} reads vectors (pass a span of float, or declare the model with Tokens instead of Features).");
}

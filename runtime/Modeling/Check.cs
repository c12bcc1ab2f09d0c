using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Unrolled;

/// <summary>The checks sessions and trainers share. They touch nothing.</summary>
internal static class Check
{
    public static void Capacity(ModelLayout layout, int batchSize, int steps)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(steps);
        long widest = Math.Max(layout.TakesTokens ? 1 : layout.InputSize, Math.Max(layout.OutputSize, layout.StateLength)) + Padding.Lanes - 1L;
        if ((Int128)batchSize * steps * (widest & -Padding.Lanes) > Array.MaxLength)
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

    public static void SameLength(int length, int expected, string argument)
    {
        if (length != expected)
        {
            throw new ArgumentException($"{Count(expected, "element")} are needed, not {length}.", argument);
        }
    }

    /// <summary>What a sum of losses is multiplied by.</summary>
    public static double ScaleOf(LossReduction reduction, int elements) => reduction switch
    {
        LossReduction.Mean => 1.0 / elements,
        LossReduction.Sum => 1,
        _ => throw new ArgumentOutOfRangeException(nameof(reduction), reduction, "There is no such reduction."),
    };

    /// <summary>That two spans of the caller's share no memory, whatever their elements are.</summary>
    public static void Disjoint(ReadOnlySpan<int> inputs, ReadOnlySpan<float> outputs, string argument)
    {
        if (outputs.Overlaps(MemoryMarshal.Cast<int, float>(inputs)))
        {
            ThrowOverlap(argument);
        }
    }

    /// <summary>That two spans of the caller's share no memory, or begin as one where an output takes the place of its input.</summary>
    public static void Disjoint(ReadOnlySpan<float> inputs, ReadOnlySpan<float> outputs, bool mayReplace, string argument)
    {
        bool isSame = Unsafe.AreSame(ref MemoryMarshal.GetReference(inputs), ref MemoryMarshal.GetReference(outputs));
        if (outputs.Overlaps(inputs) && !(mayReplace && isSame))
        {
            ThrowOverlap(argument);
        }
    }

    public static void Tokens(ReadOnlySpan<int> tokens, int count, string argument) => Identifiers("token", tokens, default, count, argument);

    public static void ClassIds(ReadOnlySpan<int> targets, int count, string argument) => Identifiers("class id", targets, default, count, argument);

    /// <summary>Copies tokens that are checked on the way: what is checked is what is used, whatever becomes of the caller's span meanwhile.</summary>
    public static void TakeTokens(ReadOnlySpan<int> tokens, Span<int> taken, int count, string argument) =>
        Identifiers("token", tokens, taken[..tokens.Length], count, argument);

    /// <summary>The same for class ids.</summary>
    public static void TakeClassIds(ReadOnlySpan<int> targets, Span<int> taken, int count, string argument) =>
        Identifiers("class id", targets, taken[..targets.Length], count, argument);

    /// <summary>That numbers are 0 to count - 1. Each is read once; where a buffer is given, it gets those that passed and no others.</summary>
    private static void Identifiers(string what, ReadOnlySpan<int> values, Span<int> taken, int count, string argument)
    {
        int next = 0;
        var bound = new Vector<uint>((uint)count);
        for (; next <= values.Length - Vector<uint>.Count; next += Vector<uint>.Count)
        {
            var read = new Vector<uint>(MemoryMarshal.Cast<int, uint>(values[next..]));
            if (Vector.GreaterThanOrEqualAny(read, bound))
            {
                break;
            }

            if (!taken.IsEmpty)
            {
                read.CopyTo(MemoryMarshal.Cast<int, uint>(taken[next..]));
            }
        }

        for (; next < values.Length; next++)
        {
            int value = Volatile.Read(ref Unsafe.AsRef(in values[next]));
            if ((uint)value >= (uint)count)
            {
                throw new ArgumentOutOfRangeException(
                    argument, value, $"{(values.Length == 1 ? $"The {what}" : $"The {what} at {next}")} is {value}; it must be 0 to {count - 1}.");
            }

            if (!taken.IsEmpty)
            {
                taken[next] = value;
            }
        }
    }

    private static string Count(int number, string what) => number == 1 ? $"1 {what}" : $"{number} {what}s";

    [DoesNotReturn]
    private static void ThrowOverlap(string argument) =>
        throw new ArgumentException("What is read and what is written overlap (give each memory of its own).", argument);

    [DoesNotReturn]
    private static void ThrowTakesTokens(ModelLayout layout) => throw new InvalidOperationException(
        $"{layout} reads tokens (pass a span of int, or declare the model with Features instead of Tokens).");

    [DoesNotReturn]
    private static void ThrowTakesVectors(ModelLayout layout) => throw new InvalidOperationException(
        $"{layout} reads vectors (pass a span of float, or declare the model with Tokens instead of Features).");
}

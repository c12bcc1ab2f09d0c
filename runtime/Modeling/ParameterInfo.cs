using System.ComponentModel;

namespace Unrolled;

/// <summary>A parameter of a model: what it is called, its mathematical shape, how it starts and where it lies.</summary>
public sealed record ParameterInfo
{
    /// <summary>Describes a parameter. For emitted code.</summary>
    /// <param name="name">The name, <c>{layer}.{symbol}</c>.</param>
    /// <param name="rows">Rows of a matrix, elements of a vector.</param>
    /// <param name="columns">Columns of a matrix, 0 for a vector.</param>
    /// <param name="initializer">How it starts.</param>
    /// <param name="segment">Where it lies in the packed block.</param>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public ParameterInfo(string name, int rows, int columns, Initializer initializer, PackedSegment segment)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(initializer);
        Name = name;
        Rows = rows;
        Columns = columns;
        Initializer = initializer;
        Segment = segment;
    }

    /// <summary>The name, <c>{layer}.{symbol}</c>: <c>lstm_0.W_xi</c>.</summary>
    public string Name { get; }

    /// <summary>Rows of a matrix, elements of a vector.</summary>
    public int Rows { get; }

    /// <summary>Columns of a matrix, 0 for a vector.</summary>
    public int Columns { get; }

    /// <summary>How it starts.</summary>
    public Initializer Initializer { get; }

    /// <summary>Where it lies in the packed block. For emitted code.</summary>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public PackedSegment Segment { get; }

    /// <summary>Whether it is a matrix and not a vector.</summary>
    public bool IsMatrix => Columns > 0;

    /// <summary>The number of elements.</summary>
    public int Length => IsMatrix ? checked(Rows * Columns) : Rows;

    /// <summary>[rows, columns] of a matrix, [rows] of a vector.</summary>
    public IReadOnlyList<int> Shape => IsMatrix ? [Rows, Columns] : [Rows];

    /// <summary>Floats from the start of the packed block to an element.</summary>
    /// <param name="row">The row of a matrix, the element of a vector.</param>
    /// <param name="column">The column of a matrix; 0 for a vector.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such element.</exception>
    public int IndexOf(int row, int column = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, Rows);
        ArgumentOutOfRangeException.ThrowIfNegative(column);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(column, Math.Max(Columns, 1));
        int first = FirstOf(row, out int columnStride);
        return first + column * columnStride;
    }

    /// <summary>Floats from the start of the packing to its end, padding included.</summary>
    internal Int128 PackedLength =>
        IsMatrix ? (Int128)Segment.Slots * Padding.Of(Rows) * Columns : Padding.Of(Rows);

    /// <summary>The index of column 0 of a row, and how far the next column is.</summary>
    internal int FirstOf(int row, out int columnStride)
    {
        if (!IsMatrix)
        {
            columnStride = 0;
            return Segment.Offset + row;
        }

        return Segment.FirstOf(row, Rows, Columns, out columnStride);
    }
}

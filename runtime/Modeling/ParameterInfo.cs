namespace Unrolled;

/// <summary>
/// Where a parameter lies in the packed block. A vector's element u lies at <c>Offset + u</c>. A matrix [rows, columns] is one of
/// <paramref name="Slots"/> equal matrices packed side by side, as the gates of a cell are: its rows are cut into vectors of 16, the
/// vectors of all slots are interleaved and cut into panels, and within a panel the columns follow one another.
/// </summary>
/// <param name="Offset">Floats from the start of the block to the start of the packing (the same for every slot of it).</param>
/// <param name="Slot">Which of the packing's matrices this one is.</param>
/// <param name="Slots">How many matrices the packing holds.</param>
/// <param name="PanelVectors">How many vectors of 16 rows a panel holds; the last panel may hold fewer.</param>
public readonly record struct PackedSegment(int Offset, int Slot = 0, int Slots = 1, int PanelVectors = 1)
{
    /// <summary>The index of column 0 of a row of a matrix, and how far the next column is.</summary>
    internal int FirstOf(int row, int rows, int columns, out int columnStride)
    {
        int totalVectors = Slots * (Padding.Of(rows) / Padding.Lanes);
        int vector = row / Padding.Lanes * Slots + Slot;
        int panel = vector / PanelVectors;
        int firstVector = panel * PanelVectors;
        int width = Math.Min(PanelVectors, totalVectors - firstVector);
        columnStride = width * Padding.Lanes;
        return Offset + firstVector * Padding.Lanes * columns + (vector - firstVector) * Padding.Lanes + row % Padding.Lanes;
    }
}

/// <summary>A parameter of a model: what it is called, its mathematical shape, how it starts and where it lies.</summary>
/// <param name="Name">The name, <c>{layer}.{symbol}</c>: <c>lstm_0.W_xi</c>.</param>
/// <param name="Rows">Rows of a matrix, elements of a vector.</param>
/// <param name="Columns">Columns of a matrix, 0 for a vector.</param>
/// <param name="Initializer">How it starts.</param>
/// <param name="Segment">Where it lies in the packed block.</param>
public sealed record ParameterInfo(string Name, int Rows, int Columns, Initializer Initializer, PackedSegment Segment)
{
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
    internal long PackedLength =>
        IsMatrix ? (long)Segment.Slots * Padding.Of(Rows) * Columns : Padding.Of(Rows);

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

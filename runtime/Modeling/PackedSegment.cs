using System.ComponentModel;

namespace Unrolled.CompilerServices;

/// <summary>
/// Where a parameter lies in the packed block. A vector's element u lies at <c>Offset + u</c>. A matrix [rows, columns] is one of
/// <paramref name="Slots"/> equal matrices packed side by side, as the gates of a cell are: its rows are cut into vectors of 16, the
/// vectors of all slots are interleaved and cut into panels, and within a panel the columns follow one another.
/// </summary>
/// <param name="Offset">Floats from the start of the block to the start of the packing (the same for every slot of it).</param>
/// <param name="Slot">Which of the packing's matrices this one is.</param>
/// <param name="Slots">How many matrices the packing holds.</param>
/// <param name="PanelVectors">How many vectors of 16 rows a panel holds; the last panel may hold fewer.</param>
[EditorBrowsable(EditorBrowsableState.Never)]
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

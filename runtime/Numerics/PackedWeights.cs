using System.Runtime.CompilerServices;

namespace Unrolled;

/// <summary>Copies matrices from the packed parameter block into derived packings, which products with a transposed matrix read.</summary>
public static class PackedWeights
{
    /// <summary>Writes a matrix's transpose into a packing of one slot: what was row r becomes column <paramref name="firstColumn"/> + r.</summary>
    /// <param name="parameters">The start of the parameter block.</param>
    /// <param name="matrix">The matrix, [rows, columns].</param>
    /// <param name="derived">The start of the derived packing, with panels of <paramref name="panelVectors"/> vectors.</param>
    /// <param name="panelVectors">Vectors of a panel of the derived packing.</param>
    /// <param name="firstColumn">The column that row 0 becomes.</param>
    /// <param name="totalColumns">Columns of the derived packing.</param>
    /// <param name="part">Which of the matrix's rows.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void CopyTransposed(
        ref float parameters, ParameterInfo matrix, ref float derived, int panelVectors, int firstColumn, int totalColumns, WorkPart part = default)
    {
        int totalVectors = Padding.Of(matrix.Columns) / Padding.Lanes;
        (int firstRow, int rows) = part.Of(matrix.Rows);
        for (int row = firstRow, count; row < firstRow + rows; row += count)
        {
            // Rows of one block of lanes lie side by side: a cache line of the source is read once for all of them.
            ref float source = ref Unsafe.Add(ref parameters, matrix.FirstOf(row, out int columnStride));
            count = Math.Min(Padding.Lanes - row % Padding.Lanes, firstRow + rows - row);
            for (int panel = 0; panel * panelVectors < totalVectors; panel++)
            {
                int firstUnit = panel * panelVectors * Padding.Lanes;
                int width = Math.Min(panelVectors, totalVectors - panel * panelVectors) * Padding.Lanes;
                int units = Math.Min(width, matrix.Columns - firstUnit);
                ref float target = ref Unsafe.Add(ref derived, (nint)firstUnit * totalColumns + (nint)(firstColumn + row) * width);
                for (int unit = 0; unit < units; unit++)
                {
                    ref float from = ref Unsafe.Add(ref source, (nint)(firstUnit + unit) * columnStride);
                    ref float to = ref Unsafe.Add(ref target, unit);
                    for (int i = 0; i < count; i++)
                    {
                        to = Unsafe.Add(ref from, i);
                        to = ref Unsafe.Add(ref to, width);
                    }
                }
            }
        }
    }

    /// <summary>Writes a matrix as it is into a packing of one slot.</summary>
    /// <param name="parameters">The start of the parameter block.</param>
    /// <param name="matrix">The matrix, [rows, columns].</param>
    /// <param name="derived">The start of the derived packing, with panels of <paramref name="panelVectors"/> vectors.</param>
    /// <param name="panelVectors">Vectors of a panel of the derived packing.</param>
    /// <param name="part">Which of the matrix's rows.</param>
    public static void Copy(ref float parameters, ParameterInfo matrix, ref float derived, int panelVectors, WorkPart part = default)
    {
        var segment = new PackedSegment(0, 0, 1, panelVectors);
        (int firstRow, int rows) = part.Of(matrix.Rows);
        for (int row = firstRow; row < firstRow + rows; row++)
        {
            int first = matrix.FirstOf(row, out int stride), targetFirst = segment.FirstOf(row, matrix.Rows, matrix.Columns, out int targetStride);
            for (int column = 0; column < matrix.Columns; column++)
            {
                Unsafe.Add(ref derived, targetFirst + column * targetStride) = Unsafe.Add(ref parameters, first + column * stride);
            }
        }
    }
}

using System.ComponentModel;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Unrolled.CompilerServices;

/// <summary>Copies matrices from the packed parameter block into derived packings, which products with a transposed matrix read.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class PackedWeights
{
    // Rows and columns that are transposed in registers at a time, and columns from what is read to what is fetched.
    private const int Block = 4;
    private const int Ahead = 24;

    /// <summary>Writes a matrix's transpose into a packing of one slot: what was row r becomes column <paramref name="firstColumn"/> + r.</summary>
    /// <param name="parameters">The parameter block.</param>
    /// <param name="parameter">The place of the matrix, [rows, columns], in the layout's parameters.</param>
    /// <param name="derived">The start of the derived packing, with panels of <paramref name="panelVectors"/> vectors.</param>
    /// <param name="panelVectors">Vectors of a panel of the derived packing.</param>
    /// <param name="firstColumn">The column that row 0 becomes.</param>
    /// <param name="totalColumns">Columns of the derived packing.</param>
    /// <param name="part">Which of the matrix's rows.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void CopyTransposed(
        PackedParameters parameters, int parameter, ref float derived, int panelVectors, int firstColumn, int totalColumns, WorkPart part = default)
    {
        ParameterInfo matrix = parameters.Layout.ParameterSpan[parameter];
        int totalVectors = Padding.Of(matrix.Columns) / Padding.Lanes;
        (int firstRow, int rows) = part.Of(matrix.Rows);
        for (int row = firstRow, count; row < firstRow + rows; row += count)
        {
            // Rows of one block of lanes lie side by side: a cache line of the source is read once for all of them.
            ref float source = ref parameters.At(matrix.FirstOf(row, out int columnStride));
            count = Math.Min(Padding.Lanes - row % Padding.Lanes, firstRow + rows - row);
            for (int panel = 0; panel * panelVectors < totalVectors; panel++)
            {
                int firstUnit = panel * panelVectors * Padding.Lanes;
                int width = Math.Min(panelVectors, totalVectors - panel * panelVectors) * Padding.Lanes;
                int units = Math.Min(width, matrix.Columns - firstUnit);
                ref float target = ref Unsafe.Add(ref derived, (nint)firstUnit * totalColumns + (nint)(firstColumn + row) * width);
                int blockRows = Sse.IsSupported ? count & -Block : 0, blockUnits = blockRows == 0 ? 0 : units & -Block;
                for (int unit = 0; unit < blockUnits; unit += Block)
                {
                    // Columns lie apart: the hardware does not see the next ones coming.
                    for (int i = 0; i < Block; i++)
                    {
                        VectorMath.Prefetch(ref Unsafe.Add(ref source, (nint)(firstUnit + unit + Ahead + i) * columnStride));
                    }

                    for (int i = 0; i < blockRows; i += Block)
                    {
                        TransposeBlock(
                            ref Unsafe.Add(ref source, ((nint)(firstUnit + unit) * columnStride) + i), columnStride,
                            ref Unsafe.Add(ref target, ((nint)i * width) + unit), width);
                    }
                }

                for (int unit = 0; unit < units; unit++)
                {
                    ref float from = ref Unsafe.Add(ref source, (nint)(firstUnit + unit) * columnStride);
                    for (int i = unit < blockUnits ? blockRows : 0; i < count; i++)
                    {
                        Unsafe.Add(ref target, ((nint)i * width) + unit) = Unsafe.Add(ref from, i);
                    }
                }
            }
        }
    }

    /// <summary>Four by four elements, in registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TransposeBlock(ref float from, nint fromStride, ref float to, nint toStride)
    {
        var a = Vector128.LoadUnsafe(ref from);
        var b = Vector128.LoadUnsafe(ref Unsafe.Add(ref from, fromStride));
        var c = Vector128.LoadUnsafe(ref Unsafe.Add(ref from, 2 * fromStride));
        var d = Vector128.LoadUnsafe(ref Unsafe.Add(ref from, 3 * fromStride));
        Vector128<float> lowAb = Sse.UnpackLow(a, b), highAb = Sse.UnpackHigh(a, b), lowCd = Sse.UnpackLow(c, d), highCd = Sse.UnpackHigh(c, d);
        Sse.MoveLowToHigh(lowAb, lowCd).StoreUnsafe(ref to);
        Sse.MoveHighToLow(lowCd, lowAb).StoreUnsafe(ref Unsafe.Add(ref to, toStride));
        Sse.MoveLowToHigh(highAb, highCd).StoreUnsafe(ref Unsafe.Add(ref to, 2 * toStride));
        Sse.MoveHighToLow(highCd, highAb).StoreUnsafe(ref Unsafe.Add(ref to, 3 * toStride));
    }

    /// <summary>Writes a matrix as it is into a packing of one slot.</summary>
    /// <param name="parameters">The parameter block.</param>
    /// <param name="parameter">The place of the matrix, [rows, columns], in the layout's parameters.</param>
    /// <param name="derived">The start of the derived packing, with panels of <paramref name="panelVectors"/> vectors.</param>
    /// <param name="panelVectors">Vectors of a panel of the derived packing.</param>
    /// <param name="part">Which of the matrix's rows.</param>
    public static void Copy(PackedParameters parameters, int parameter, ref float derived, int panelVectors, WorkPart part = default)
    {
        ParameterInfo matrix = parameters.Layout.ParameterSpan[parameter];
        var segment = new PackedSegment(0, 0, 1, panelVectors);
        (int firstRow, int rows) = part.Of(matrix.Rows);
        for (int row = firstRow; row < firstRow + rows; row++)
        {
            int first = matrix.FirstOf(row, out int stride), targetFirst = segment.FirstOf(row, matrix.Rows, matrix.Columns, out int targetStride);
            for (int column = 0; column < matrix.Columns; column++)
            {
                Unsafe.Add(ref derived, targetFirst + column * targetStride) = parameters.At(first + column * stride);
            }
        }
    }
}

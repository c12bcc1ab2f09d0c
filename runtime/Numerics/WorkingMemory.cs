using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Unrolled.CompilerServices;

/// <summary>
/// The one block of memory a session or trainer works in: first its buffers are reserved, then it is allocated, on the pinned heap
/// and from a 64-byte boundary. Emitted code addresses it by the offsets that <see cref="Reserve"/> gave.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class WorkingMemory
{
    private float[]? _block;
    private long _length;
    private nint _first;

    /// <summary>Reserves a buffer.</summary>
    /// <param name="rows">Rows of the buffer: batch × steps.</param>
    /// <param name="stride">Floats of a row, a multiple of 16.</param>
    /// <returns>Floats from the start of the memory to the start of the buffer.</returns>
    /// <exception cref="ArgumentOutOfRangeException">All buffers together would be larger than an array can be.</exception>
    /// <exception cref="InvalidOperationException">The memory is allocated already.</exception>
    public long Reserve(long rows, int stride)
    {
        if (_block is not null)
        {
            throw new InvalidOperationException("Buffers are reserved before the memory is allocated.");
        }

        long offset = _length;
        if (rows < 0 || rows > (Array.MaxLength - Padding.Lanes - offset) / Math.Max(stride, 1))
        {
            throw new ArgumentOutOfRangeException(
                nameof(rows), rows, "The batch size and the number of steps need more memory than an array can hold (use fewer of one of them).");
        }

        _length = offset + Padding.Of((int)(rows * stride));
        return offset;
    }

    /// <summary>Allocates all that was reserved, filled with zeros.</summary>
    public void Allocate()
    {
        _block = GC.AllocateArray<float>((int)_length + Padding.Lanes, pinned: true);
        nint address = Marshal.UnsafeAddrOfPinnedArrayElement(_block, 0);
        _first = (64 - (address & 63) & 63) / sizeof(float);
    }

    /// <summary>The float at an offset.</summary>
    /// <param name="offset">What <see cref="Reserve"/> gave, or behind it within the buffer.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref float At(long offset) => ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_block!), (nint)(_first + offset));

    /// <summary>A buffer as a span.</summary>
    /// <param name="offset">What <see cref="Reserve"/> gave.</param>
    /// <param name="length">Floats of the span.</param>
    public Span<float> Span(long offset, int length) => _block.AsSpan((int)(_first + offset), length);

    /// <summary>
    /// Copies a row out of its padding, eight floats at a time: this is what a small cell's step can hide. (512 bits at a time, of what a
    /// kernel has just stored, took 20 ns of a step of 50.)
    /// </summary>
    /// <param name="padded">The first float of the row, which is padded to whole vectors.</param>
    /// <param name="row">Where the row goes.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void ReadRow(ref float padded, Span<float> row)
    {
        ref float to = ref MemoryMarshal.GetReference(row);
        nuint at = 0, length = (nuint)row.Length;
        for (; at + 8 <= length; at += 8)
        {
            Vector256.LoadUnsafe(ref padded, at).StoreUnsafe(ref to, at);
        }

        for (; at < length; at++)
        {
            Unsafe.Add(ref to, at) = Unsafe.Add(ref padded, at);
        }
    }

    /// <summary>Copies rows between buffers of different strides.</summary>
    /// <param name="source">The first row to read.</param>
    /// <param name="sourceStride">Floats from one row to the next.</param>
    /// <param name="destination">The first row to write.</param>
    /// <param name="destinationStride">Floats from one row to the next.</param>
    /// <param name="length">Floats of a row.</param>
    /// <param name="rows">How many rows.</param>
    public static void CopyRows(ref float source, int sourceStride, ref float destination, int destinationStride, int length, int rows)
    {
        if (sourceStride == length && destinationStride == length)
        {
            length *= rows;
            rows = Math.Min(rows, 1);
        }

        for (int row = 0; row < rows; row++)
        {
            MemoryMarshal.CreateReadOnlySpan(ref source, length).CopyTo(MemoryMarshal.CreateSpan(ref destination, length));
            source = ref Unsafe.Add(ref source, sourceStride);
            destination = ref Unsafe.Add(ref destination, destinationStride);
        }
    }

    /// <summary>Fills rows of a buffer with zeros.</summary>
    /// <param name="destination">The first row to write.</param>
    /// <param name="stride">Floats from one row to the next.</param>
    /// <param name="length">Floats of a row.</param>
    /// <param name="rows">How many rows.</param>
    public static void ClearRows(ref float destination, int stride, int length, int rows)
    {
        if (stride == length)
        {
            length *= rows;
            rows = Math.Min(rows, 1);
        }

        for (int row = 0; row < rows; row++)
        {
            MemoryMarshal.CreateSpan(ref destination, length).Clear();
            destination = ref Unsafe.Add(ref destination, stride);
        }
    }
}

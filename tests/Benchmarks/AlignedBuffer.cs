namespace Unrolled.Benchmarks;

/// <summary>Floats that start on a cache line, as the buffers of generated models do.</summary>
internal sealed class AlignedBuffer
{
    private const int LineBytes = 64;

    private readonly float[] _array;
    private readonly int _start;

    public AlignedBuffer(int length)
    {
        _array = GC.AllocateArray<float>(length + (LineBytes / sizeof(float)), pinned: true);
        var address = System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(_array, 0);
        _start = (int)(-address & (LineBytes - 1)) / sizeof(float);
        Length = length;
    }

    public int Length { get; }

    public ref float Reference => ref _array[_start];

    public Span<float> Span => _array.AsSpan(_start, Length);

    /// <summary>Fills the buffer with numbers spread evenly from <paramref name="low"/> to <paramref name="high"/>.</summary>
    public AlignedBuffer Spread(float low, float high)
    {
        var span = Span;
        for (var i = 0; i < span.Length; i++)
        {
            span[i] = low + ((high - low) * i / span.Length);
        }

        return this;
    }
}

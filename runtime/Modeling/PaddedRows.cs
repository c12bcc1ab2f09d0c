namespace Unrolled;

/// <summary>Copies between the caller's dense rows and internal rows padded to <see cref="Padding.Of"/> floats.</summary>
internal static class PaddedRows
{
    /// <summary>Dense to padded; the padding is left as it is.</summary>
    public static void Write(ReadOnlySpan<float> dense, Span<float> padded, int rows, int length)
    {
        int stride = Padding.Of(length);
        if (stride == length || rows == 1)
        {
            dense.CopyTo(padded);
            return;
        }

        for (int row = 0; row < rows; row++)
        {
            dense.Slice(row * length, length).CopyTo(padded[(row * stride)..]);
        }
    }

    /// <summary>Dense to padded; the padding becomes zero.</summary>
    public static void WriteClearing(ReadOnlySpan<float> dense, Span<float> padded, int rows, int length)
    {
        int stride = Padding.Of(length);
        if (stride == length)
        {
            dense.CopyTo(padded);
            return;
        }

        for (int row = 0; row < rows; row++)
        {
            Span<float> target = padded.Slice(row * stride, stride);
            dense.Slice(row * length, length).CopyTo(target);
            target[length..].Clear();
        }
    }

    /// <summary>Padded to dense.</summary>
    public static void Read(ReadOnlySpan<float> padded, Span<float> dense, int rows, int length)
    {
        int stride = Padding.Of(length);
        if (stride == length || rows == 1)
        {
            padded[..(rows * length)].CopyTo(dense);
            return;
        }

        for (int row = 0; row < rows; row++)
        {
            padded.Slice(row * stride, length).CopyTo(dense[(row * length)..]);
        }
    }
}

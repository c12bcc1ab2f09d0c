namespace Unrolled.Tests;

/// <summary>Which of the 2^32 float32 inputs the default run looks at, as bit patterns.</summary>
internal static class Inputs
{
    // Odd, so that every low-order bit pattern occurs.
    private const uint Stride = 1999;

    /// <summary>Every <see cref="Stride"/>-th bit pattern, and the neighbourhoods of everything that could be a boundary.</summary>
    public static IEnumerable<uint> Sample()
    {
        for (ulong bits = 0; bits <= uint.MaxValue; bits += Stride)
        {
            yield return (uint)bits;
        }

        foreach (var bits in Neighbourhoods())
        {
            yield return bits;
        }
    }

    /// <summary>
    /// The inputs within 64 steps of zero, infinity, every power of two, every multiple of ln(2) / 4 up to 152 ln(2)
    /// (where argument reduction changes its integer), and the points of overflow, underflow and saturation; both signs.
    /// </summary>
    public static IEnumerable<uint> Neighbourhoods()
    {
        const uint sign = 0x80000000;
        const int reach = 64;
        foreach (var centre in Centres())
        {
            var bits = BitConverter.SingleToUInt32Bits(centre);
            for (var offset = -reach; offset <= reach; offset++)
            {
                var neighbour = unchecked(bits + (uint)offset);
                yield return neighbour & ~sign;
                yield return neighbour | sign;
            }
        }
    }

    private static IEnumerable<float> Centres()
    {
        yield return 0f;
        yield return float.PositiveInfinity;
        yield return float.MaxValue;
        for (var exponent = -149; exponent < 128; exponent++)
        {
            yield return (float)Math.ScaleB(1, exponent);
            yield return (float)(Math.Sqrt(2) * Math.ScaleB(1, exponent));
        }

        for (var quarter = 1; quarter <= 4 * 152; quarter++)
        {
            yield return (float)(quarter * Math.Log(2) / 4);
        }

        float[] turns = [3f, 6f, 9.010913f, 9.1f, 10f, 14.2f, 16.635532f, 20f, 87.33654f, 88.72284f, 89f, 103.97208f, 104f, 128f];
        foreach (var turn in turns)
        {
            yield return turn;
        }
    }
}

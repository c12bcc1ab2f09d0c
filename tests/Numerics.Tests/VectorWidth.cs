using System.Runtime.Intrinsics.X86;

namespace Unrolled.Tests;

/// <summary>The overloads of a function, in bits.</summary>
public enum VectorWidth
{
    Bits128 = 128,
    Bits256 = 256,
    Bits512 = 512,
}

internal static class VectorWidths
{
    /// <summary>How the reasons of <see cref="SkipUnlessSupported"/> begin.</summary>
    public const string NoVectors = "This process has no ";

    public static readonly VectorWidth[] All = [VectorWidth.Bits128, VectorWidth.Bits256, VectorWidth.Bits512];

    public static bool IsSupported(this VectorWidth width) => width switch
    {
        VectorWidth.Bits512 => Avx512F.IsSupported && Avx512DQ.IsSupported,
        VectorWidth.Bits256 => Avx2.IsSupported && Fma.IsSupported,
        _ => true,
    };

    public static void SkipUnlessSupported(this VectorWidth width)
    {
        if (!width.IsSupported())
        {
            Xunit.Assert.Skip($"{NoVectors}{(int)width}-bit vectors (it has {Describe()}).");
        }
    }

    /// <summary>The instruction sets this process has, as the tests and their child processes compare them.</summary>
    public static string Describe()
    {
        var sets = new List<string>();
        if (VectorWidth.Bits512.IsSupported())
        {
            sets.Add("avx512");
        }

        if (Avx2.IsSupported)
        {
            sets.Add("avx2");
        }

        if (Fma.IsSupported)
        {
            sets.Add("fma");
        }

        if (Sse2.IsSupported)
        {
            sets.Add("sse2");
        }

        if (System.Runtime.Intrinsics.Arm.AdvSimd.IsSupported)
        {
            sets.Add("advsimd");
        }

        return sets.Count == 0 ? "none" : string.Join('+', sets);
    }
}

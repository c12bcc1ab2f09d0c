using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Unrolled.CompilerServices;

public static partial class VectorMath
{
    // From 9.011 on the nearest float is 1.
    private const float TanhHighest = 9.1f;

    // 2 log2(e), and ln(2) / 2 whole and in two parts.
    private const float TwoLog2E = 2 * Log2E;
    private const float HalfLn2 = Ln2High / 2;
    private const float HalfLn2HighShort = Ln2HighShort / 2;
    private const float HalfLn2LowShort = Ln2LowShort / 2;

    // e^(2 z) - 1 = 2 z + z^2 (T2 + T3 z + ...): the coefficients of e^r, with the powers of two multiplied in.
    private const float T2 = 4 * E2;
    private const float T3 = 8 * E3;
    private const float T4 = 16 * E4;
    private const float T5 = 32 * E5;
    private const float T6 = 64 * E6;

    // Squares of what is below 2^-28 round away beside it. Their squares would be denormal, which is slow: they are left out.
    private const float Invisible = 1f / (1 << 28);

    private const int OneBits = ExponentBias << MantissaBits;

    /// <summary>Returns the hyperbolic tangent; error at most 4 ulp, and tanh(-x) is -tanh(x) to the bit.</summary>
    /// <remarks>
    /// Computed as y / (y + 2) with y = e^(2|x|) - 1, which is accurate near zero where 2 sigmoid(2x) - 1 is not. Numerator and
    /// denominator come side by side from the same parts: a small cell waits for each operation of the chain.
    /// </remarks>
    [MethodImpl(Inline)]
    public static Vector512<float> Tanh(Vector512<float> x)
    {
        var sign = x & Vector512.Create(-0f);
        var absolute = Avx512F.Min(Vector512.Create(TanhHighest), Vector512.AndNot(x, Vector512.Create(-0f)));
        var shifted = Avx512F.FusedMultiplyAdd(absolute, Vector512.Create(TwoLog2E), Vector512.Create(RoundingShift));
        var n = shifted - Vector512.Create(RoundingShift);
        var z = Avx512F.FusedMultiplyAddNegated(n, Vector512.Create(HalfLn2), absolute);

        var z2 = Vector512.ConditionalSelect(Avx512F.CompareGreaterThan(absolute, Vector512.Create(Invisible)), z * z, Vector512<float>.Zero);
        var low = Avx512F.FusedMultiplyAdd(Vector512.Create(T3), z, Vector512.Create(T2));
        var high = Avx512F.FusedMultiplyAdd(Vector512.Create(T5), z, Vector512.Create(T4));
        high = Avx512F.FusedMultiplyAdd(Vector512.Create(T6), z2, high);
        low = Avx512F.FusedMultiplyAdd(low, z2, z + z);
        var p = Avx512F.FusedMultiplyAdd(high, z2 * z2, low);

        var scale = ((shifted.AsInt32() << MantissaBits) + Vector512.Create(OneBits)).AsSingle();
        var y = Avx512F.FusedMultiplyAdd(p, scale, scale - Vector512.Create(1f));
        return (y / Avx512F.FusedMultiplyAdd(p, scale, scale + Vector512.Create(1f))) | sign;
    }

    /// <inheritdoc cref="Tanh(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector256<float> Tanh(Vector256<float> x)
    {
        var sign = x & Vector256.Create(-0f);
        var absolute = Avx.Min(Vector256.Create(TanhHighest), Vector256.AndNot(x, Vector256.Create(-0f)));
        var shifted = Fma.MultiplyAdd(absolute, Vector256.Create(TwoLog2E), Vector256.Create(RoundingShift));
        var n = shifted - Vector256.Create(RoundingShift);
        var z = Fma.MultiplyAddNegated(n, Vector256.Create(HalfLn2), absolute);

        var z2 = z * (z & Avx.CompareGreaterThan(absolute, Vector256.Create(Invisible)));
        var low = Fma.MultiplyAdd(Vector256.Create(T3), z, Vector256.Create(T2));
        var high = Fma.MultiplyAdd(Vector256.Create(T5), z, Vector256.Create(T4));
        high = Fma.MultiplyAdd(Vector256.Create(T6), z2, high);
        low = Fma.MultiplyAdd(low, z2, z + z);
        var p = Fma.MultiplyAdd(high, z2 * z2, low);

        var scale = ((shifted.AsInt32() << MantissaBits) + Vector256.Create(OneBits)).AsSingle();
        var y = Fma.MultiplyAdd(p, scale, scale - Vector256.Create(1f));
        return (y / Fma.MultiplyAdd(p, scale, scale + Vector256.Create(1f))) | sign;
    }

    /// <inheritdoc cref="Tanh(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector128<float> Tanh(Vector128<float> x)
    {
        var sign = x & Vector128.Create(-0f);
        var absolute = AtMost(Vector128.AndNot(x, Vector128.Create(-0f)), TanhHighest);
        var shifted = (absolute * Vector128.Create(TwoLog2E)) + Vector128.Create(RoundingShift);
        var n = shifted - Vector128.Create(RoundingShift);
        var z = absolute - (n * Vector128.Create(HalfLn2HighShort));
        z = MultiplyAdd(n, Vector128.Create(-HalfLn2LowShort), z);

        var z2 = z * (z & Vector128.GreaterThan(absolute, Vector128.Create(Invisible)));
        var low = MultiplyAdd(Vector128.Create(T3), z, Vector128.Create(T2));
        var high = MultiplyAdd(Vector128.Create(T5), z, Vector128.Create(T4));
        high = MultiplyAdd(Vector128.Create(T6), z2, high);
        low = MultiplyAdd(low, z2, z + z);
        var p = MultiplyAdd(high, z2 * z2, low);

        var scale = ((shifted.AsInt32() << MantissaBits) + Vector128.Create(OneBits)).AsSingle();
        var y = MultiplyAdd(p, scale, scale - Vector128.Create(1f));
        return (y / MultiplyAdd(p, scale, scale + Vector128.Create(1f))) | sign;
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Unrolled.CompilerServices;

public static partial class VectorMath
{
    // 2^64 lifts e^-|x| out of the denormals while its exponent is assembled; multiplying it away again rounds once.
    private const int LiftExponent = 64;
    private const float Unlift = 1f / (1L << 32) / (1L << 32);

    /// <summary>
    /// Returns the logistic function 1 / (1 + e^-x); error at most 4 ulp where the result is above 1e-6 and 8 ulp below,
    /// denormal results included.
    /// </summary>
    /// <remarks>
    /// Computed from e = e^-|x|, which cannot overflow, as 1 / (1 + e) or e / (1 + e): small results keep their relative accuracy. The
    /// denominator does not wait for e: a small cell waits for each operation of the chain.
    /// </remarks>
    [MethodImpl(Inline)]
    public static Vector512<float> Sigmoid(Vector512<float> x)
    {
        var negative = Avx512F.Max(Vector512.Create(ExpLowest), x | Vector512.Create(-0f));
        var n = Avx512F.FusedMultiplyAdd(negative, Vector512.Create(Log2E), Vector512.Create(RoundingShift))
            - Vector512.Create(RoundingShift);
        var r = Avx512F.FusedMultiplyAddNegated(n, Vector512.Create(Ln2High), negative);

        var r2 = Vector512.ConditionalSelect(Avx512F.CompareLessThan(negative, Vector512.Create(-Invisible)), r * r, Vector512<float>.Zero);
        var low = r + Vector512.Create(1f);
        var middle = Avx512F.FusedMultiplyAdd(Vector512.Create(E3), r, Vector512.Create(E2));
        var high = Avx512F.FusedMultiplyAdd(Vector512.Create(E5), r, Vector512.Create(E4));
        high = Avx512F.FusedMultiplyAdd(Vector512.Create(E6), r2, high);
        low = Avx512F.FusedMultiplyAdd(middle, r2, low);
        var p = Avx512F.FusedMultiplyAdd(high, r2 * r2, low);
        var e = Avx512F.Scale(p, n);

        var numerator = Avx512F.BlendVariable(Vector512.Create(1f), e, Avx512F.CompareLessThan(x, Vector512<float>.Zero));
        return numerator / Avx512F.FusedMultiplyAdd(p, Avx512F.Scale(Vector512.Create(1f), n), Vector512.Create(1f));
    }

    /// <inheritdoc cref="Sigmoid(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector256<float> Sigmoid(Vector256<float> x)
    {
        var negative = Avx.Max(Vector256.Create(ExpLowest), x | Vector256.Create(-0f));
        var shifted = Fma.MultiplyAdd(negative, Vector256.Create(Log2E), Vector256.Create(RoundingShift));
        var n = shifted - Vector256.Create(RoundingShift);
        var r = Fma.MultiplyAddNegated(n, Vector256.Create(Ln2High), negative);

        var r2 = r * (r & Avx.CompareLessThan(negative, Vector256.Create(-Invisible)));
        var low = r + Vector256.Create(1f);
        var middle = Fma.MultiplyAdd(Vector256.Create(E3), r, Vector256.Create(E2));
        var high = Fma.MultiplyAdd(Vector256.Create(E5), r, Vector256.Create(E4));
        high = Fma.MultiplyAdd(Vector256.Create(E6), r2, high);
        low = Fma.MultiplyAdd(middle, r2, low);
        var p = Fma.MultiplyAdd(high, r2 * r2, low);

        var scale = (shifted.AsInt32() + Vector256.Create(ExponentBias + LiftExponent)) << MantissaBits;
        var lifted = p * scale.AsSingle();
        var e = lifted * Vector256.Create(Unlift);

        // Blending by the sign bit: where x is -0 or a negative NaN, both choices give the same.
        var numerator = Avx.BlendVariable(Vector256.Create(1f), e, x);
        return numerator / Fma.MultiplyAdd(lifted, Vector256.Create(Unlift), Vector256.Create(1f));
    }

    /// <inheritdoc cref="Sigmoid(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector128<float> Sigmoid(Vector128<float> x)
    {
        var negative = AtLeast(x | Vector128.Create(-0f), ExpLowest);
        var shifted = (negative * Vector128.Create(Log2E)) + Vector128.Create(RoundingShift);
        var n = shifted - Vector128.Create(RoundingShift);
        var r = negative - (n * Vector128.Create(Ln2HighShort));
        r = MultiplyAdd(n, Vector128.Create(-Ln2LowShort), r);

        var r2 = r * (r & Vector128.LessThan(negative, Vector128.Create(-Invisible)));
        var low = r + Vector128.Create(1f);
        var middle = MultiplyAdd(Vector128.Create(E3), r, Vector128.Create(E2));
        var high = MultiplyAdd(Vector128.Create(E5), r, Vector128.Create(E4));
        high = MultiplyAdd(Vector128.Create(E6), r2, high);
        low = MultiplyAdd(middle, r2, low);
        var p = MultiplyAdd(high, r2 * r2, low);

        var scale = (shifted.AsInt32() + Vector128.Create(ExponentBias + LiftExponent)) << MantissaBits;
        var e = p * scale.AsSingle() * Vector128.Create(Unlift);

        var isNegative = Vector128.LessThan(x, Vector128<float>.Zero);
        var numerator = Vector128.ConditionalSelect(isNegative, e, Vector128.Create(1f));
        return numerator / (e + Vector128.Create(1f));
    }
}

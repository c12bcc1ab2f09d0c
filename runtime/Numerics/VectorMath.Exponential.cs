using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Unrolled.CompilerServices;

public static partial class VectorMath
{
    // Beyond these the result has rounded to zero (half of the smallest denormal is e^-103.97) or overflowed (e^88.72).
    private const float ExpLowest = -104f;
    private const float ExpHighest = 89f;

    private const float Log2E = 1.44269504f;

    // Adding 1.5 * 2^23 rounds to an integer, which then stands in the low bits.
    private const float RoundingShift = 12582912f;
    private const int RoundingShiftBits = 0x4B400000;
    private const int ExponentBias = 127;
    private const int MantissaBits = 23;

    // ln 2 = high + low. Nearest float for fused multiplication; nine bits, so that n * high is exact, without.
    private const float Ln2High = 0.693147182f;
    private const float Ln2Low = -1.90465421e-9f;
    private const float Ln2HighShort = 0.693359375f;
    private const float Ln2LowShort = -2.12194440e-4f;

    // e^r = 1 + r + r^2 (E2 + E3 r + E4 r^2 + E5 r^3 + E6 r^4) on |r| <= ln 2 / 2: weighted Remez, relative error 3.2e-9,
    // each coefficient rounded to float32 and the rest refitted.
    private const float E2 = 0.49999994f;
    private const float E3 = 0.16666517f;
    private const float E4 = 0.041668102f;
    private const float E5 = 0.0083691925f;
    private const float E6 = 0.0013838812f;

    /// <summary>Returns e raised to <paramref name="x"/>; error at most 2 ulp, denormal results included.</summary>
    [MethodImpl(Inline)]
    public static Vector512<float> Exp(Vector512<float> x)
    {
        // Min and Max return their second operand when either is NaN.
        x = Avx512F.Max(Vector512.Create(ExpLowest), Avx512F.Min(Vector512.Create(ExpHighest), x));
        var shifted = Avx512F.FusedMultiplyAdd(x, Vector512.Create(Log2E), Vector512.Create(RoundingShift));
        var n = shifted - Vector512.Create(RoundingShift);
        var r = Avx512F.FusedMultiplyAddNegated(n, Vector512.Create(Ln2High), x);
        r = Avx512F.FusedMultiplyAddNegated(n, Vector512.Create(Ln2Low), r);

        var r2 = r * r;
        var low = r + Vector512.Create(1f);
        var middle = Avx512F.FusedMultiplyAdd(Vector512.Create(E3), r, Vector512.Create(E2));
        var high = Avx512F.FusedMultiplyAdd(Vector512.Create(E5), r, Vector512.Create(E4));
        high = Avx512F.FusedMultiplyAdd(Vector512.Create(E6), r2, high);
        low = Avx512F.FusedMultiplyAdd(middle, r2, low);
        return Avx512F.Scale(Avx512F.FusedMultiplyAdd(high, r2 * r2, low), n);
    }

    /// <inheritdoc cref="Exp(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector256<float> Exp(Vector256<float> x)
    {
        x = Avx.Max(Vector256.Create(ExpLowest), Avx.Min(Vector256.Create(ExpHighest), x));
        var shifted = Fma.MultiplyAdd(x, Vector256.Create(Log2E), Vector256.Create(RoundingShift));
        var n = shifted - Vector256.Create(RoundingShift);
        var r = Fma.MultiplyAddNegated(n, Vector256.Create(Ln2High), x);
        r = Fma.MultiplyAddNegated(n, Vector256.Create(Ln2Low), r);

        var r2 = r * r;
        var low = r + Vector256.Create(1f);
        var middle = Fma.MultiplyAdd(Vector256.Create(E3), r, Vector256.Create(E2));
        var high = Fma.MultiplyAdd(Vector256.Create(E5), r, Vector256.Create(E4));
        high = Fma.MultiplyAdd(Vector256.Create(E6), r2, high);
        low = Fma.MultiplyAdd(middle, r2, low);
        var p = Fma.MultiplyAdd(high, r2 * r2, low);

        // 2^n in two factors: n runs from -150 to 128, and only the last product may round.
        var exponent = shifted.AsInt32() - Vector256.Create(RoundingShiftBits);
        var half = exponent >> 1;
        var first = (half + Vector256.Create(ExponentBias)) << MantissaBits;
        var second = (exponent - half + Vector256.Create(ExponentBias)) << MantissaBits;
        return p * first.AsSingle() * second.AsSingle();
    }

    /// <inheritdoc cref="Exp(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector128<float> Exp(Vector128<float> x)
    {
        x = AtLeast(AtMost(x, ExpHighest), ExpLowest);
        var shifted = (x * Vector128.Create(Log2E)) + Vector128.Create(RoundingShift);
        var n = shifted - Vector128.Create(RoundingShift);
        var r = x - (n * Vector128.Create(Ln2HighShort));
        r = MultiplyAdd(n, Vector128.Create(-Ln2LowShort), r);

        var r2 = r * r;
        var low = r + Vector128.Create(1f);
        var middle = MultiplyAdd(Vector128.Create(E3), r, Vector128.Create(E2));
        var high = MultiplyAdd(Vector128.Create(E5), r, Vector128.Create(E4));
        high = MultiplyAdd(Vector128.Create(E6), r2, high);
        low = MultiplyAdd(middle, r2, low);
        var p = MultiplyAdd(high, r2 * r2, low);

        var exponent = shifted.AsInt32() - Vector128.Create(RoundingShiftBits);
        var half = exponent >> 1;
        var first = (half + Vector128.Create(ExponentBias)) << MantissaBits;
        var second = (exponent - half + Vector128.Create(ExponentBias)) << MantissaBits;
        return p * first.AsSingle() * second.AsSingle();
    }
}

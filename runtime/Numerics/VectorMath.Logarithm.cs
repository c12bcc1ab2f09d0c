using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Unrolled.CompilerServices;

public static partial class VectorMath
{
    private const float SmallestNormal = 1.17549435e-38f;
    private const float LiftDenormal = 8388608f; // 2^23

    private const int SquareRootOfHalfBits = 0x3F3504F3;

    // ln(1 + f) = f - f^2 / 2 + f^3 (L3 + L4 f + ... + L10 f^7) on [sqrt(1/2) - 1, sqrt(2) - 1]: weighted Remez, relative error
    // 2.1e-8, each coefficient rounded to float32 and the rest refitted.
    private const float L3 = 0.33333331f;
    private const float L4 = -0.25000823f;
    private const float L5 = 0.20001261f;
    private const float L6 = -0.16623349f;
    private const float L7 = 0.14200908f;
    private const float L8 = -0.13156371f;
    private const float L9 = 0.12750393f;
    private const float L10 = -0.076200984f;

    /// <summary>
    /// Returns the natural logarithm; error at most 1 ulp. The logarithm of a zero is -∞, of a negative number NaN.
    /// </summary>
    [MethodImpl(Inline)]
    public static Vector512<float> Log(Vector512<float> x)
    {
        var isDenormal = Avx512F.CompareLessThan(x, Vector512.Create(SmallestNormal));
        var lifted = Avx512F.BlendVariable(x, x * Vector512.Create(LiftDenormal), isDenormal);

        // x = m 2^n with m between sqrt(1/2) and sqrt(2)
        var exponent = (lifted.AsInt32() - Vector512.Create(SquareRootOfHalfBits)) >> MantissaBits;
        var m = (lifted.AsInt32() - (exponent << MantissaBits)).AsSingle();
        var n = Avx512F.ConvertToVector512Single(exponent) - (isDenormal & Vector512.Create(23f));
        var f = m - Vector512.Create(1f);

        var f2 = f * f;
        var low = Avx512F.FusedMultiplyAdd(
            Avx512F.FusedMultiplyAdd(Vector512.Create(L6), f, Vector512.Create(L5)),
            f2,
            Avx512F.FusedMultiplyAdd(Vector512.Create(L4), f, Vector512.Create(L3)));
        var high = Avx512F.FusedMultiplyAdd(
            Avx512F.FusedMultiplyAdd(Vector512.Create(L10), f, Vector512.Create(L9)),
            f2,
            Avx512F.FusedMultiplyAdd(Vector512.Create(L8), f, Vector512.Create(L7)));
        var p = Avx512F.FusedMultiplyAdd(high, f2 * f2, low);
        var y = Avx512F.FusedMultiplyAdd(f * f2, p, n * Vector512.Create(Ln2Low));
        y = f + Avx512F.FusedMultiplyAdd(f2, Vector512.Create(-0.5f), y);
        y = Avx512F.FusedMultiplyAdd(n, Vector512.Create(Ln2High), y);

        // infinity and NaN stay what they are
        y = Avx512F.BlendVariable(x, y, Avx512F.CompareLessThan(x, Vector512.Create(float.PositiveInfinity)));
        y = Avx512F.BlendVariable(y, Vector512.Create(float.NaN), Avx512F.CompareLessThan(x, Vector512<float>.Zero));
        return Avx512F.BlendVariable(y, Vector512.Create(float.NegativeInfinity), Avx512F.CompareEqual(x, Vector512<float>.Zero));
    }

    /// <inheritdoc cref="Log(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector256<float> Log(Vector256<float> x)
    {
        var isDenormal = Avx.CompareLessThan(x, Vector256.Create(SmallestNormal));
        var lifted = Avx.BlendVariable(x, x * Vector256.Create(LiftDenormal), isDenormal);

        // x = m 2^n with m between sqrt(1/2) and sqrt(2)
        var exponent = (lifted.AsInt32() - Vector256.Create(SquareRootOfHalfBits)) >> MantissaBits;
        var m = (lifted.AsInt32() - (exponent << MantissaBits)).AsSingle();
        var n = Avx.ConvertToVector256Single(exponent) - (isDenormal & Vector256.Create(23f));
        var f = m - Vector256.Create(1f);

        var f2 = f * f;
        var low = Fma.MultiplyAdd(
            Fma.MultiplyAdd(Vector256.Create(L6), f, Vector256.Create(L5)),
            f2,
            Fma.MultiplyAdd(Vector256.Create(L4), f, Vector256.Create(L3)));
        var high = Fma.MultiplyAdd(
            Fma.MultiplyAdd(Vector256.Create(L10), f, Vector256.Create(L9)),
            f2,
            Fma.MultiplyAdd(Vector256.Create(L8), f, Vector256.Create(L7)));
        var p = Fma.MultiplyAdd(high, f2 * f2, low);
        var y = Fma.MultiplyAdd(f * f2, p, n * Vector256.Create(Ln2Low));
        y = f + Fma.MultiplyAdd(f2, Vector256.Create(-0.5f), y);
        y = Fma.MultiplyAdd(n, Vector256.Create(Ln2High), y);

        // infinity and NaN stay what they are
        y = Avx.BlendVariable(x, y, Avx.CompareLessThan(x, Vector256.Create(float.PositiveInfinity)));
        y = Avx.BlendVariable(y, Vector256.Create(float.NaN), Avx.CompareLessThan(x, Vector256<float>.Zero));
        return Avx.BlendVariable(y, Vector256.Create(float.NegativeInfinity), Avx.CompareEqual(x, Vector256<float>.Zero));
    }

    /// <inheritdoc cref="Log(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector128<float> Log(Vector128<float> x)
    {
        var isDenormal = Vector128.LessThan(x, Vector128.Create(SmallestNormal));
        var lifted = Vector128.ConditionalSelect(isDenormal, x * Vector128.Create(LiftDenormal), x);

        // x = m 2^n with m between sqrt(1/2) and sqrt(2)
        var exponent = (lifted.AsInt32() - Vector128.Create(SquareRootOfHalfBits)) >> MantissaBits;
        var m = (lifted.AsInt32() - (exponent << MantissaBits)).AsSingle();
        var n = Vector128.ConvertToSingle(exponent) - (isDenormal & Vector128.Create(23f));
        var f = m - Vector128.Create(1f);

        var f2 = f * f;
        var low = MultiplyAdd(
            MultiplyAdd(Vector128.Create(L6), f, Vector128.Create(L5)),
            f2,
            MultiplyAdd(Vector128.Create(L4), f, Vector128.Create(L3)));
        var high = MultiplyAdd(
            MultiplyAdd(Vector128.Create(L10), f, Vector128.Create(L9)),
            f2,
            MultiplyAdd(Vector128.Create(L8), f, Vector128.Create(L7)));
        var p = MultiplyAdd(high, f2 * f2, low);
        var y = MultiplyAdd(f * f2, p, n * Vector128.Create(Ln2LowShort));
        y = f + MultiplyAdd(f2, Vector128.Create(-0.5f), y);
        y = MultiplyAdd(n, Vector128.Create(Ln2HighShort), y);

        // infinity and NaN stay what they are
        y = Vector128.ConditionalSelect(Vector128.LessThan(x, Vector128.Create(float.PositiveInfinity)), y, x);
        y = Vector128.ConditionalSelect(Vector128.LessThan(x, Vector128<float>.Zero), Vector128.Create(float.NaN), y);
        return Vector128.ConditionalSelect(Vector128.Equals(x, Vector128<float>.Zero), Vector128.Create(float.NegativeInfinity), y);
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Unrolled.CompilerServices;

public static partial class VectorMath
{
    // Below this e^x - 1 rounds to -1.
    private const float EluLowest = -20f;

    // 2 artanh(s) = 2 s + s^3 (A3 + A5 s^2 + A7 s^4 + A9 s^6) on [0, 1/3]: weighted Remez, relative error 4.5e-9.
    private const float A3 = 0.66666418f;
    private const float A5 = 0.40021437f;
    private const float A7 = 0.28003025f;
    private const float A9 = 0.28006780f;

    /// <summary>Returns 0 where <paramref name="x"/> is negative, otherwise <paramref name="x"/>: -0 and NaN stay what they are.</summary>
    [MethodImpl(Inline)]
    public static Vector512<float> Relu(Vector512<float> x) => Avx512F.Max(Vector512<float>.Zero, x);

    /// <inheritdoc cref="Relu(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector256<float> Relu(Vector256<float> x) => Avx.Max(Vector256<float>.Zero, x);

    /// <inheritdoc cref="Relu(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector128<float> Relu(Vector128<float> x) =>
        Sse.IsSupported
            ? Sse.Max(Vector128<float>.Zero, x)
            : Vector128.ConditionalSelect(Vector128.LessThan(x, Vector128<float>.Zero), Vector128<float>.Zero, x);

    /// <summary>Returns <paramref name="x"/> where it is positive, otherwise <c>slope * x</c>.</summary>
    /// <param name="x">The vector.</param>
    /// <param name="slope">The slopes for negative elements; 0.01 in most frameworks.</param>
    [MethodImpl(Inline)]
    public static Vector512<float> LeakyRelu(Vector512<float> x, Vector512<float> slope) =>
        Avx512F.BlendVariable(x * slope, x, Avx512F.CompareGreaterThan(x, Vector512<float>.Zero));

    /// <inheritdoc cref="LeakyRelu(Vector512{float}, Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector256<float> LeakyRelu(Vector256<float> x, Vector256<float> slope) =>
        Avx.BlendVariable(x * slope, x, Avx.CompareGreaterThan(x, Vector256<float>.Zero));

    /// <inheritdoc cref="LeakyRelu(Vector512{float}, Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector128<float> LeakyRelu(Vector128<float> x, Vector128<float> slope) =>
        Vector128.ConditionalSelect(Vector128.GreaterThan(x, Vector128<float>.Zero), x, x * slope);

    /// <summary>
    /// Returns <paramref name="x"/> where it is positive, otherwise <c>alpha * (e^x - 1)</c>; error at most 3 ulp, near zero too.
    /// </summary>
    /// <param name="x">The vector.</param>
    /// <param name="alpha">What large negative elements approach, negated; 1 in most frameworks.</param>
    /// <remarks>Clevert, Unterthiner &amp; Hochreiter 2015.</remarks>
    [MethodImpl(Inline)]
    public static Vector512<float> Elu(Vector512<float> x, Vector512<float> alpha)
    {
        var negative = Avx512F.Max(Vector512.Create(EluLowest), Avx512F.Min(Vector512<float>.Zero, x));
        var shifted = Avx512F.FusedMultiplyAdd(negative, Vector512.Create(Log2E), Vector512.Create(RoundingShift));
        var n = shifted - Vector512.Create(RoundingShift);
        var r = Avx512F.FusedMultiplyAddNegated(n, Vector512.Create(Ln2High), negative);

        var r2 = r * r;
        var low = Avx512F.FusedMultiplyAdd(Vector512.Create(E3), r, Vector512.Create(E2));
        var high = Avx512F.FusedMultiplyAdd(Vector512.Create(E5), r, Vector512.Create(E4));
        high = Avx512F.FusedMultiplyAdd(Vector512.Create(E6), r2, high);
        var p = Avx512F.FusedMultiplyAdd(Avx512F.FusedMultiplyAdd(high, r2, low), r2, r);

        var scale = ((shifted.AsInt32() << MantissaBits) + Vector512.Create(OneBits)).AsSingle();
        var y = Avx512F.FusedMultiplyAdd(p, scale, scale - Vector512.Create(1f)) * alpha;
        return Avx512F.BlendVariable(x, y, Avx512F.CompareLessThan(x, Vector512<float>.Zero));
    }

    /// <inheritdoc cref="Elu(Vector512{float}, Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector256<float> Elu(Vector256<float> x, Vector256<float> alpha)
    {
        var negative = Avx.Max(Vector256.Create(EluLowest), Avx.Min(Vector256<float>.Zero, x));
        var shifted = Fma.MultiplyAdd(negative, Vector256.Create(Log2E), Vector256.Create(RoundingShift));
        var n = shifted - Vector256.Create(RoundingShift);
        var r = Fma.MultiplyAddNegated(n, Vector256.Create(Ln2High), negative);

        var r2 = r * r;
        var low = Fma.MultiplyAdd(Vector256.Create(E3), r, Vector256.Create(E2));
        var high = Fma.MultiplyAdd(Vector256.Create(E5), r, Vector256.Create(E4));
        high = Fma.MultiplyAdd(Vector256.Create(E6), r2, high);
        var p = Fma.MultiplyAdd(Fma.MultiplyAdd(high, r2, low), r2, r);

        var scale = ((shifted.AsInt32() << MantissaBits) + Vector256.Create(OneBits)).AsSingle();
        var y = Fma.MultiplyAdd(p, scale, scale - Vector256.Create(1f)) * alpha;
        return Avx.BlendVariable(x, y, Avx.CompareLessThan(x, Vector256<float>.Zero));
    }

    /// <inheritdoc cref="Elu(Vector512{float}, Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector128<float> Elu(Vector128<float> x, Vector128<float> alpha)
    {
        var negative = AtLeast(AtMost(x, 0f), EluLowest);
        var shifted = (negative * Vector128.Create(Log2E)) + Vector128.Create(RoundingShift);
        var n = shifted - Vector128.Create(RoundingShift);
        var r = negative - (n * Vector128.Create(Ln2HighShort));
        r = MultiplyAdd(n, Vector128.Create(-Ln2LowShort), r);

        var r2 = r * r;
        var low = MultiplyAdd(Vector128.Create(E3), r, Vector128.Create(E2));
        var high = MultiplyAdd(Vector128.Create(E5), r, Vector128.Create(E4));
        high = MultiplyAdd(Vector128.Create(E6), r2, high);
        var p = MultiplyAdd(MultiplyAdd(high, r2, low), r2, r);

        var scale = ((shifted.AsInt32() << MantissaBits) + Vector128.Create(OneBits)).AsSingle();
        var y = MultiplyAdd(p, scale, scale - Vector128.Create(1f)) * alpha;
        return Vector128.ConditionalSelect(Vector128.LessThan(x, Vector128<float>.Zero), y, x);
    }

    /// <summary>Returns ln(1 + e^x), without overflow and accurate where it is small; error at most 4 ulp.</summary>
    /// <remarks>max(x, 0) + ln(1 + e), e = e^-|x|, with ln(1 + e) = 2 artanh(e / (e + 2)).</remarks>
    [MethodImpl(Inline)]
    public static Vector512<float> Softplus(Vector512<float> x)
    {
        var e = Exp(x | Vector512.Create(-0f));
        var s = e / (e + Vector512.Create(2f));
        var s2 = s * s;
        var low = Avx512F.FusedMultiplyAdd(Vector512.Create(A5), s2, Vector512.Create(A3));
        var high = Avx512F.FusedMultiplyAdd(Vector512.Create(A9), s2, Vector512.Create(A7));
        var p = Avx512F.FusedMultiplyAdd(high, s2 * s2, low);
        return Avx512F.Max(Vector512<float>.Zero, x) + Avx512F.FusedMultiplyAdd(s * s2, p, s + s);
    }

    /// <inheritdoc cref="Softplus(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector256<float> Softplus(Vector256<float> x)
    {
        var e = Exp(x | Vector256.Create(-0f));
        var s = e / (e + Vector256.Create(2f));
        var s2 = s * s;
        var low = Fma.MultiplyAdd(Vector256.Create(A5), s2, Vector256.Create(A3));
        var high = Fma.MultiplyAdd(Vector256.Create(A9), s2, Vector256.Create(A7));
        var p = Fma.MultiplyAdd(high, s2 * s2, low);
        return Avx.Max(Vector256<float>.Zero, x) + Fma.MultiplyAdd(s * s2, p, s + s);
    }

    /// <inheritdoc cref="Softplus(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector128<float> Softplus(Vector128<float> x)
    {
        var e = Exp(x | Vector128.Create(-0f));
        var s = e / (e + Vector128.Create(2f));
        var s2 = s * s;
        var low = MultiplyAdd(Vector128.Create(A5), s2, Vector128.Create(A3));
        var high = MultiplyAdd(Vector128.Create(A9), s2, Vector128.Create(A7));
        var p = MultiplyAdd(high, s2 * s2, low);
        return Relu(x) + MultiplyAdd(s * s2, p, s + s);
    }
}

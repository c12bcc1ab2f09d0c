using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Unrolled.CompilerServices;

public static partial class VectorMath
{
    // There sigmoid and the normal distribution have long been zero, which infinity would turn into NaN.
    private const float SelfGatedLowest = -128f;

    // 1 / √(2π), the density's greatest value.
    private const float NormalPeak = 0.39894228f;

    // Beyond this the tail is smaller than half of the smallest denormal.
    private const float NormalHighest = 14.5f;

    // The upper tail of the normal distribution is t (N0 + N1 t + ... + N8 t^8) e^(-z^2 / 2), t = 1 / (1 + 0.28 z):
    // weighted Remez on 0 <= z <= 14.5, relative error 5.7e-8, each coefficient rounded to float32 and the rest refitted.
    private const float NormalScale = 0.28f;
    private const float N0 = 0.11168936f;
    private const float N1 = 0.11195967f;
    private const float N2 = 0.10117771f;
    private const float N3 = 0.09112507f;
    private const float N4 = 0.055467788f;
    private const float N5 = 0.017691098f;
    private const float N6 = 0.07249921f;
    private const float N7 = -0.08466572f;
    private const float N8 = 0.023055837f;

    /// <summary>
    /// Returns x sigmoid(x) (also called swish), -0 at -∞; error at most 9 ulp, and |x| times 3 denormal steps more where
    /// e^x is denormal.
    /// </summary>
    [MethodImpl(Inline)]
    public static Vector512<float> Silu(Vector512<float> x) =>
        Avx512F.Max(Vector512.Create(SelfGatedLowest), x) * Sigmoid(x);

    /// <summary>
    /// Returns the slope of <see cref="Silu(Vector512{float})"/>, s + x s (1 - s) with s = sigmoid(x): 1 at ∞, 0 at -∞; absolute error at most
    /// 1e-6.
    /// </summary>
    [MethodImpl(Inline)]
    public static Vector512<float> SiluSlope(Vector512<float> x)
    {
        var s = Sigmoid(x);
        var limited = Avx512F.Min(Vector512.Create(-SelfGatedLowest), Avx512F.Max(Vector512.Create(SelfGatedLowest), x));
        return Avx512F.FusedMultiplyAdd(limited * s, Vector512.Create(1f) - s, s);
    }

    /// <inheritdoc cref="Silu(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector256<float> Silu(Vector256<float> x) => Avx.Max(Vector256.Create(SelfGatedLowest), x) * Sigmoid(x);

    /// <inheritdoc cref="SiluSlope(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector256<float> SiluSlope(Vector256<float> x)
    {
        var s = Sigmoid(x);
        var limited = Avx.Min(Vector256.Create(-SelfGatedLowest), Avx.Max(Vector256.Create(SelfGatedLowest), x));
        return Fma.MultiplyAdd(limited * s, Vector256.Create(1f) - s, s);
    }

    /// <inheritdoc cref="Silu(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector128<float> Silu(Vector128<float> x) => AtLeast(x, SelfGatedLowest) * Sigmoid(x);

    /// <inheritdoc cref="SiluSlope(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector128<float> SiluSlope(Vector128<float> x)
    {
        var s = Sigmoid(x);
        var limited = AtMost(AtLeast(x, SelfGatedLowest), -SelfGatedLowest);
        return MultiplyAdd(limited * s, Vector128.Create(1f) - s, s);
    }

    /// <summary>
    /// Returns the cumulative distribution function of the standard normal distribution, (1 + erf(x / √2)) / 2.
    /// </summary>
    /// <remarks>
    /// Absolute error at most 4e-7; relative to the result at most 10 ulp, plus x²/2 ulp in the lower tail.
    /// </remarks>
    [MethodImpl(Inline)]
    public static Vector512<float> NormalCumulative(Vector512<float> x)
    {
        var z = Avx512F.Min(Vector512.Create(NormalHighest), Vector512.AndNot(x, Vector512.Create(-0f)));
        var e = Exp(z * z * Vector512.Create(-0.5f));
        var tail = NormalTail(z, e);
        return Avx512F.BlendVariable(tail, Vector512.Create(1f) - tail, Avx512F.CompareGreaterThan(x, Vector512<float>.Zero));
    }

    // The upper tail beyond z, of which e = exp(-z²/2).
    [MethodImpl(Inline)]
    private static Vector512<float> NormalTail(Vector512<float> z, Vector512<float> e)
    {
        var t = Vector512.Create(1f) / Avx512F.FusedMultiplyAdd(z, Vector512.Create(NormalScale), Vector512.Create(1f));

        var t2 = t * t;
        var t4 = t2 * t2;
        var low = Avx512F.FusedMultiplyAdd(
            Avx512F.FusedMultiplyAdd(Vector512.Create(N3), t, Vector512.Create(N2)),
            t2,
            Avx512F.FusedMultiplyAdd(Vector512.Create(N1), t, Vector512.Create(N0)));
        var high = Avx512F.FusedMultiplyAdd(
            Avx512F.FusedMultiplyAdd(Vector512.Create(N7), t, Vector512.Create(N6)),
            t2,
            Avx512F.FusedMultiplyAdd(Vector512.Create(N5), t, Vector512.Create(N4)));
        var p = Avx512F.FusedMultiplyAdd(Avx512F.FusedMultiplyAdd(Vector512.Create(N8), t4, high), t4, low);
        return p * t * e;
    }

    /// <inheritdoc cref="NormalCumulative(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector256<float> NormalCumulative(Vector256<float> x)
    {
        var z = Avx.Min(Vector256.Create(NormalHighest), Vector256.AndNot(x, Vector256.Create(-0f)));
        var e = Exp(z * z * Vector256.Create(-0.5f));
        var tail = NormalTail(z, e);
        return Avx.BlendVariable(tail, Vector256.Create(1f) - tail, Avx.CompareGreaterThan(x, Vector256<float>.Zero));
    }

    [MethodImpl(Inline)]
    private static Vector256<float> NormalTail(Vector256<float> z, Vector256<float> e)
    {
        var t = Vector256.Create(1f) / Fma.MultiplyAdd(z, Vector256.Create(NormalScale), Vector256.Create(1f));

        var t2 = t * t;
        var t4 = t2 * t2;
        var low = Fma.MultiplyAdd(
            Fma.MultiplyAdd(Vector256.Create(N3), t, Vector256.Create(N2)),
            t2,
            Fma.MultiplyAdd(Vector256.Create(N1), t, Vector256.Create(N0)));
        var high = Fma.MultiplyAdd(
            Fma.MultiplyAdd(Vector256.Create(N7), t, Vector256.Create(N6)),
            t2,
            Fma.MultiplyAdd(Vector256.Create(N5), t, Vector256.Create(N4)));
        var p = Fma.MultiplyAdd(Fma.MultiplyAdd(Vector256.Create(N8), t4, high), t4, low);
        return p * t * e;
    }

    /// <inheritdoc cref="NormalCumulative(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector128<float> NormalCumulative(Vector128<float> x)
    {
        var z = AtMost(Vector128.AndNot(x, Vector128.Create(-0f)), NormalHighest);
        var e = Exp(z * z * Vector128.Create(-0.5f));
        var tail = NormalTail(z, e);
        return Vector128.ConditionalSelect(Vector128.GreaterThan(x, Vector128<float>.Zero), Vector128.Create(1f) - tail, tail);
    }

    [MethodImpl(Inline)]
    private static Vector128<float> NormalTail(Vector128<float> z, Vector128<float> e)
    {
        var t = Vector128.Create(1f) / MultiplyAdd(z, Vector128.Create(NormalScale), Vector128.Create(1f));

        var t2 = t * t;
        var t4 = t2 * t2;
        var low = MultiplyAdd(
            MultiplyAdd(Vector128.Create(N3), t, Vector128.Create(N2)),
            t2,
            MultiplyAdd(Vector128.Create(N1), t, Vector128.Create(N0)));
        var high = MultiplyAdd(
            MultiplyAdd(Vector128.Create(N7), t, Vector128.Create(N6)),
            t2,
            MultiplyAdd(Vector128.Create(N5), t, Vector128.Create(N4)));
        var p = MultiplyAdd(MultiplyAdd(Vector128.Create(N8), t4, high), t4, low);
        return p * t * e;
    }

    /// <summary>
    /// Returns x Φ(x), the exact form (not the one with tanh) of the Gaussian error linear unit; -0 at -∞.
    /// </summary>
    /// <remarks>
    /// Error at most 11 ulp, plus x²/2 ulp for negative x, denormal results included.
    /// Hendrycks &amp; Gimpel 2016.
    /// </remarks>
    [MethodImpl(Inline)]
    public static Vector512<float> Gelu(Vector512<float> x) =>
        Avx512F.Max(Vector512.Create(SelfGatedLowest), x) * NormalCumulative(x);

    /// <summary>
    /// Returns the slope of <see cref="Gelu(Vector512{float})"/>, Φ(x) + x φ(x): 1 at ∞, 0 at -∞; absolute error at most 1e-6.
    /// </summary>
    [MethodImpl(Inline)]
    public static Vector512<float> GeluSlope(Vector512<float> x)
    {
        var z = Avx512F.Min(Vector512.Create(NormalHighest), Vector512.AndNot(x, Vector512.Create(-0f)));
        var e = Exp(z * z * Vector512.Create(-0.5f));
        var tail = NormalTail(z, e);
        var cumulative = Avx512F.BlendVariable(tail, Vector512.Create(1f) - tail, Avx512F.CompareGreaterThan(x, Vector512<float>.Zero));
        return Avx512F.FusedMultiplyAdd((z | (x & Vector512.Create(-0f))) * Vector512.Create(NormalPeak), e, cumulative);
    }

    /// <inheritdoc cref="Gelu(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector256<float> Gelu(Vector256<float> x) =>
        Avx.Max(Vector256.Create(SelfGatedLowest), x) * NormalCumulative(x);

    /// <inheritdoc cref="GeluSlope(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector256<float> GeluSlope(Vector256<float> x)
    {
        var z = Avx.Min(Vector256.Create(NormalHighest), Vector256.AndNot(x, Vector256.Create(-0f)));
        var e = Exp(z * z * Vector256.Create(-0.5f));
        var tail = NormalTail(z, e);
        var cumulative = Avx.BlendVariable(tail, Vector256.Create(1f) - tail, Avx.CompareGreaterThan(x, Vector256<float>.Zero));
        return Fma.MultiplyAdd((z | (x & Vector256.Create(-0f))) * Vector256.Create(NormalPeak), e, cumulative);
    }

    /// <inheritdoc cref="Gelu(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector128<float> Gelu(Vector128<float> x) => AtLeast(x, SelfGatedLowest) * NormalCumulative(x);

    /// <inheritdoc cref="GeluSlope(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector128<float> GeluSlope(Vector128<float> x)
    {
        var z = AtMost(Vector128.AndNot(x, Vector128.Create(-0f)), NormalHighest);
        var e = Exp(z * z * Vector128.Create(-0.5f));
        var tail = NormalTail(z, e);
        var cumulative = Vector128.ConditionalSelect(Vector128.GreaterThan(x, Vector128<float>.Zero), Vector128.Create(1f) - tail, tail);
        return MultiplyAdd((z | (x & Vector128.Create(-0f))) * Vector128.Create(NormalPeak), e, cumulative);
    }
}

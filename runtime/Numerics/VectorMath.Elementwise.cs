using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Unrolled.CompilerServices;

public static partial class VectorMath
{
    private const float SoftsignHighest = 33554432f; // 2^25

    // The upper bits of the exponent: all are zero from 0 to 2^-95, in nothing above.
    private const int ExponentBits = 0x70000000, AllExponentBits = 0x7F800000;

    /// <summary>Returns the absolute value.</summary>
    [MethodImpl(Inline)]
    public static Vector512<float> Abs(Vector512<float> x) => Vector512.AndNot(x, Vector512.Create(-0f));

    /// <inheritdoc cref="Abs(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector256<float> Abs(Vector256<float> x) => Vector256.AndNot(x, Vector256.Create(-0f));

    /// <inheritdoc cref="Abs(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector128<float> Abs(Vector128<float> x) => Vector128.AndNot(x, Vector128.Create(-0f));

    /// <summary>
    /// Returns <paramref name="x"/>, or 0 where its magnitude is below 2^-95 (2.5e-29); infinities and NaN pass.
    /// </summary>
    /// <remarks>
    /// Well above the smallest normal number, 2^-126: what is left can be multiplied by weights and gates, and sums of it begun, without a
    /// denormal result, on which many processors take 100 cycles and more.
    /// </remarks>
    [MethodImpl(Inline)]
    public static Vector512<float> Flush(Vector512<float> x) => Vector512.ConditionalSelect(
        Avx512F.CompareNotEqual(x.AsInt32() & Vector512.Create(ExponentBits), Vector512<int>.Zero).AsSingle(), x, Vector512<float>.Zero);

    /// <inheritdoc cref="Flush(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector256<float> Flush(Vector256<float> x) =>
        Avx2.AndNot(Avx2.CompareEqual(x.AsInt32() & Vector256.Create(ExponentBits), Vector256<int>.Zero), x.AsInt32()).AsSingle();

    /// <inheritdoc cref="Flush(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector128<float> Flush(Vector128<float> x) =>
        Vector128.AndNot(x.AsInt32(), Vector128.Equals(x.AsInt32() & Vector128.Create(ExponentBits), Vector128<int>.Zero)).AsSingle();

    /// <summary>Returns <paramref name="x"/>, or 0 where it is a denormal number: below 2^-126 (1.2e-38); infinities and NaN pass.</summary>
    [MethodImpl(Inline)]
    public static Vector512<float> FlushDenormal(Vector512<float> x) => Vector512.ConditionalSelect(
        Avx512F.CompareNotEqual(x.AsInt32() & Vector512.Create(AllExponentBits), Vector512<int>.Zero).AsSingle(), x, Vector512<float>.Zero);

    /// <inheritdoc cref="FlushDenormal(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector256<float> FlushDenormal(Vector256<float> x) =>
        Avx2.AndNot(Avx2.CompareEqual(x.AsInt32() & Vector256.Create(AllExponentBits), Vector256<int>.Zero), x.AsInt32()).AsSingle();

    /// <inheritdoc cref="FlushDenormal(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector128<float> FlushDenormal(Vector128<float> x) =>
        Vector128.AndNot(x.AsInt32(), Vector128.Equals(x.AsInt32() & Vector128.Create(AllExponentBits), Vector128<int>.Zero)).AsSingle();

    /// <summary>Returns <c>x * x</c>.</summary>
    [MethodImpl(Inline)]
    public static Vector512<float> Square(Vector512<float> x) => x * x;

    /// <inheritdoc cref="Square(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector256<float> Square(Vector256<float> x) => x * x;

    /// <inheritdoc cref="Square(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector128<float> Square(Vector128<float> x) => x * x;

    /// <summary>Returns the square root, correctly rounded; NaN below zero.</summary>
    [MethodImpl(Inline)]
    public static Vector512<float> Sqrt(Vector512<float> x) => Vector512.Sqrt(x);

    /// <inheritdoc cref="Sqrt(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector256<float> Sqrt(Vector256<float> x) => Vector256.Sqrt(x);

    /// <inheritdoc cref="Sqrt(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector128<float> Sqrt(Vector128<float> x) => Vector128.Sqrt(x);

    /// <summary>Returns the smaller of each pair; NaN where either is NaN; of two zeros, either.</summary>
    [MethodImpl(Inline)]
    public static Vector512<float> Min(Vector512<float> a, Vector512<float> b) =>
        Avx512F.BlendVariable(Avx512F.Min(a, b), a, Avx512F.CompareUnordered(a, a));

    /// <inheritdoc cref="Min(Vector512{float}, Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector256<float> Min(Vector256<float> a, Vector256<float> b) =>
        Avx.BlendVariable(Avx.Min(a, b), a, Avx.CompareUnordered(a, a));

    /// <inheritdoc cref="Min(Vector512{float}, Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector128<float> Min(Vector128<float> a, Vector128<float> b)
    {
        var result = Sse.IsSupported ? Sse.Min(a, b) : Vector128.Min(a, b);
        return Vector128.ConditionalSelect(Vector128.Equals(a, a), result, a);
    }

    /// <summary>Returns the larger of each pair; NaN where either is NaN; of two zeros, either.</summary>
    [MethodImpl(Inline)]
    public static Vector512<float> Max(Vector512<float> a, Vector512<float> b) =>
        Avx512F.BlendVariable(Avx512F.Max(a, b), a, Avx512F.CompareUnordered(a, a));

    /// <inheritdoc cref="Max(Vector512{float}, Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector256<float> Max(Vector256<float> a, Vector256<float> b) =>
        Avx.BlendVariable(Avx.Max(a, b), a, Avx.CompareUnordered(a, a));

    /// <inheritdoc cref="Max(Vector512{float}, Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector128<float> Max(Vector128<float> a, Vector128<float> b)
    {
        var result = Sse.IsSupported ? Sse.Max(a, b) : Vector128.Max(a, b);
        return Vector128.ConditionalSelect(Vector128.Equals(a, a), result, a);
    }

    /// <summary>
    /// Returns <paramref name="x"/> limited to [lo, hi]; NaN for NaN, <paramref name="hi"/> where lo is above hi.
    /// </summary>
    /// <param name="x">The vector.</param>
    /// <param name="lo">The smallest result.</param>
    /// <param name="hi">The largest result.</param>
    [MethodImpl(Inline)]
    public static Vector512<float> Clip(Vector512<float> x, float lo, float hi) =>
        Avx512F.Min(Vector512.Create(hi), Avx512F.Max(Vector512.Create(lo), x));

    /// <inheritdoc cref="Clip(Vector512{float}, float, float)"/>
    [MethodImpl(Inline)]
    public static Vector256<float> Clip(Vector256<float> x, float lo, float hi) =>
        Avx.Min(Vector256.Create(hi), Avx.Max(Vector256.Create(lo), x));

    /// <inheritdoc cref="Clip(Vector512{float}, float, float)"/>
    [MethodImpl(Inline)]
    public static Vector128<float> Clip(Vector128<float> x, float lo, float hi) => AtMost(AtLeast(x, lo), hi);

    /// <summary>Returns x / (1 + |x|), ±1 at ±∞; error at most 2 ulp.</summary>
    [MethodImpl(Inline)]
    public static Vector512<float> Softsign(Vector512<float> x)
    {
        // From 2^25 on the quotient is 1; infinity over infinity would be NaN.
        var absolute = Avx512F.Min(Vector512.Create(SoftsignHighest), Vector512.AndNot(x, Vector512.Create(-0f)));
        return (absolute / (absolute + Vector512.Create(1f))) | (x & Vector512.Create(-0f));
    }

    /// <inheritdoc cref="Softsign(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector256<float> Softsign(Vector256<float> x)
    {
        // From 2^25 on the quotient is 1; infinity over infinity would be NaN.
        var absolute = Avx.Min(Vector256.Create(SoftsignHighest), Vector256.AndNot(x, Vector256.Create(-0f)));
        return (absolute / (absolute + Vector256.Create(1f))) | (x & Vector256.Create(-0f));
    }

    /// <inheritdoc cref="Softsign(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector128<float> Softsign(Vector128<float> x)
    {
        // From 2^25 on the quotient is 1; infinity over infinity would be NaN.
        var absolute = AtMost(Vector128.AndNot(x, Vector128.Create(-0f)), SoftsignHighest);
        return (absolute / (absolute + Vector128.Create(1f))) | (x & Vector128.Create(-0f));
    }

    /// <summary>
    /// Returns min(max(x + 3, 0), 6) / 6, the definition of PyTorch and Keras 3; ONNX and Keras 2 have 0.2 x + 0.5 instead.
    /// Error at most 2 ulp.
    /// </summary>
    [MethodImpl(Inline)]
    public static Vector512<float> HardSigmoid(Vector512<float> x) =>
        Avx512F.Min(Vector512.Create(6f), Avx512F.Max(Vector512.Create(0f), x + Vector512.Create(3f)))
            * Vector512.Create(1f / 6f);

    /// <inheritdoc cref="HardSigmoid(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector256<float> HardSigmoid(Vector256<float> x) =>
        Avx.Min(Vector256.Create(6f), Avx.Max(Vector256.Create(0f), x + Vector256.Create(3f))) * Vector256.Create(1f / 6f);

    /// <inheritdoc cref="HardSigmoid(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector128<float> HardSigmoid(Vector128<float> x) =>
        AtMost(AtLeast(x + Vector128.Create(3f), 0f), 6f) * Vector128.Create(1f / 6f);

    /// <summary>Returns <paramref name="x"/> limited to [-1, 1].</summary>
    [MethodImpl(Inline)]
    public static Vector512<float> HardTanh(Vector512<float> x) =>
        Avx512F.Min(Vector512.Create(1f), Avx512F.Max(Vector512.Create(-1f), x));

    /// <inheritdoc cref="HardTanh(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector256<float> HardTanh(Vector256<float> x) =>
        Avx.Min(Vector256.Create(1f), Avx.Max(Vector256.Create(-1f), x));

    /// <inheritdoc cref="HardTanh(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector128<float> HardTanh(Vector128<float> x) => AtMost(AtLeast(x, -1f), 1f);
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Unrolled.CompilerServices;

// Sums and maxima over the elements of a row: 16 virtual lanes, then one tree (8 apart, 4, 2, 1), so that every width adds in one order.
public static partial class VectorMath
{
    /// <summary>Lanes from <paramref name="validLanes"/> on replaced by <paramref name="otherwise"/>.</summary>
    /// <param name="x">The vector.</param>
    /// <param name="validLanes">Lanes that keep their value; all from the vector's width on, none from 0 down.</param>
    /// <param name="otherwise">What the other lanes become.</param>
    [MethodImpl(Inline)]
    public static Vector512<float> MaskTail(Vector512<float> x, int validLanes, Vector512<float> otherwise) =>
        Vector512.ConditionalSelect(MaskTail(Vector512<uint>.AllBitsSet.AsSingle(), validLanes), x, otherwise);

    /// <inheritdoc cref="MaskTail(Vector512{float}, int, Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector256<float> MaskTail(Vector256<float> x, int validLanes, Vector256<float> otherwise) =>
        Vector256.ConditionalSelect(MaskTail(Vector256<uint>.AllBitsSet.AsSingle(), validLanes), x, otherwise);

    /// <inheritdoc cref="MaskTail(Vector512{float}, int, Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector128<float> MaskTail(Vector128<float> x, int validLanes, Vector128<float> otherwise) =>
        Vector128.ConditionalSelect(MaskTail(Vector128<uint>.AllBitsSet.AsSingle(), validLanes), x, otherwise);

    /// <summary>The sum of all lanes, in every lane.</summary>
    /// <param name="x">The vector.</param>
    [MethodImpl(Inline)]
    public static Vector512<float> SumLanes(Vector512<float> x) => Vector512.Create(SumOf(x.GetLower() + x.GetUpper()));

    /// <inheritdoc cref="SumLanes(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector256<float> SumLanes(Vector256<float> x) => Vector256.Create(SumOf(x));

    /// <inheritdoc cref="SumLanes(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector128<float> SumLanes(Vector128<float> x) => Vector128.Create(SumOf(x));

    /// <summary>The largest of all lanes, in every lane.</summary>
    /// <param name="x">The vector.</param>
    [MethodImpl(Inline)]
    public static Vector512<float> MaxLanes(Vector512<float> x) => Vector512.Create(MaxOf(Max(x.GetLower(), x.GetUpper())));

    /// <inheritdoc cref="MaxLanes(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector256<float> MaxLanes(Vector256<float> x) => Vector256.Create(MaxOf(x));

    /// <inheritdoc cref="MaxLanes(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector128<float> MaxLanes(Vector128<float> x) => Vector128.Create(MaxOf(x));

    [MethodImpl(Inline)]
    private static float SumOf(Vector256<float> x) => SumOf(x.GetLower() + x.GetUpper());

    [MethodImpl(Inline)]
    private static float SumOf(Vector128<float> x) => (x.GetElement(0) + x.GetElement(2)) + (x.GetElement(1) + x.GetElement(3));

    [MethodImpl(Inline)]
    private static float MaxOf(Vector256<float> x) => MaxOf(Max(x.GetLower(), x.GetUpper()));

    [MethodImpl(Inline)]
    private static float MaxOf(Vector128<float> x) =>
        MathF.Max(MathF.Max(x.GetElement(0), x.GetElement(2)), MathF.Max(x.GetElement(1), x.GetElement(3)));
}

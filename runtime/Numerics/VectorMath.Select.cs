using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Unrolled.CompilerServices;

public static partial class VectorMath
{
    /// <summary>
    /// Where <paramref name="left"/> is greater than <paramref name="right"/>, <paramref name="above"/>, elsewhere
    /// <paramref name="otherwise"/>; NaN where either of the two is NaN.
    /// </summary>
    /// <param name="left">What is compared.</param>
    /// <param name="right">What it is compared with.</param>
    /// <param name="above">Taken where left is greater.</param>
    /// <param name="otherwise">Taken where it is less or equal.</param>
    [MethodImpl(Inline)]
    public static Vector512<float> SelectGreater(Vector512<float> left, Vector512<float> right, Vector512<float> above, Vector512<float> otherwise) =>
        Avx512F.BlendVariable(
            Avx512F.BlendVariable(otherwise, above, Avx512F.CompareGreaterThan(left, right)),
            Vector512<float>.AllBitsSet,
            Avx512F.CompareUnordered(left, right));

    /// <inheritdoc cref="SelectGreater(Vector512{float}, Vector512{float}, Vector512{float}, Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector256<float> SelectGreater(Vector256<float> left, Vector256<float> right, Vector256<float> above, Vector256<float> otherwise) =>
        Avx.BlendVariable(otherwise, above, Avx.CompareGreaterThan(left, right)) | Avx.CompareUnordered(left, right);

    /// <inheritdoc cref="SelectGreater(Vector512{float}, Vector512{float}, Vector512{float}, Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector128<float> SelectGreater(Vector128<float> left, Vector128<float> right, Vector128<float> above, Vector128<float> otherwise)
    {
        var unordered = Sse.IsSupported ? Sse.CompareUnordered(left, right) : ~(Vector128.Equals(left, left) & Vector128.Equals(right, right));
        return Vector128.ConditionalSelect(Vector128.GreaterThan(left, right), above, otherwise) | unordered;
    }
}

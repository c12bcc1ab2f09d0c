using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Unrolled.CompilerServices;

public static partial class VectorMath
{
    /// <summary>Where <paramref name="condition"/> is above zero, <paramref name="positive"/>, elsewhere (and for NaN) <paramref name="otherwise"/>.</summary>
    /// <param name="condition">What is compared with zero.</param>
    /// <param name="positive">Taken where the condition is above zero.</param>
    /// <param name="otherwise">Taken elsewhere.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> SelectPositive(Vector512<float> condition, Vector512<float> positive, Vector512<float> otherwise) =>
        Vector512.ConditionalSelect(Vector512.GreaterThan(condition, Vector512<float>.Zero), positive, otherwise);

    /// <inheritdoc cref="SelectPositive(Vector512{float}, Vector512{float}, Vector512{float})"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> SelectPositive(Vector256<float> condition, Vector256<float> positive, Vector256<float> otherwise) =>
        Vector256.ConditionalSelect(Vector256.GreaterThan(condition, Vector256<float>.Zero), positive, otherwise);

    /// <inheritdoc cref="SelectPositive(Vector512{float}, Vector512{float}, Vector512{float})"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> SelectPositive(Vector128<float> condition, Vector128<float> positive, Vector128<float> otherwise) =>
        Vector128.ConditionalSelect(Vector128.GreaterThan(condition, Vector128<float>.Zero), positive, otherwise);
}

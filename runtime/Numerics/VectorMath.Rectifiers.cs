using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Unrolled;

public static partial class VectorMath
{
    /// <summary>Returns <paramref name="x"/> where it is positive, otherwise a zero (of either sign); NaN for NaN.</summary>
    [MethodImpl(Inline)]
    public static Vector512<float> Relu(Vector512<float> x) => Avx512F.Max(Vector512<float>.Zero, x);

    /// <inheritdoc cref="Relu(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector256<float> Relu(Vector256<float> x) => Avx.Max(Vector256<float>.Zero, x);

    /// <inheritdoc cref="Relu(Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector128<float> Relu(Vector128<float> x) => AtLeast(x, 0f);
}

using System.ComponentModel;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Unrolled.CompilerServices;

/// <summary>
/// Elementwise functions on vectors of float32, for the loops of compiled models.
/// </summary>
/// <remarks>
/// <para>
/// Every function has one overload a vector width, and the caller chooses the width by what the machine supports:
/// 512 bits need AVX-512 F and DQ, 256 bits need AVX2 and FMA, 128 bits work everywhere
/// (fused on Arm and on x86 with FMA, a multiplication and an addition elsewhere).
/// An overload whose instruction set is missing throws <see cref="PlatformNotSupportedException"/>.
/// </para>
/// <para>
/// NaN gives NaN. Zeros, infinities and denormals are handled as the functions' limits; only <see cref="Flush(Vector512{float})"/> flushes to zero.
/// The 512-bit and 256-bit overloads perform the same roundings and return the same bits.
/// Polynomials are evaluated in Estrin's form, the shortest chain of dependent operations: a small cell waits for latency,
/// and a single form keeps streaming and batches equal to the bit.
/// </para>
/// </remarks>
[EditorBrowsable(EditorBrowsableState.Never)]
public static partial class VectorMath
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>Returns <c>a * b + c</c>, rounded once.</summary>
    [MethodImpl(Inline)]
    public static Vector512<float> MultiplyAdd(Vector512<float> a, Vector512<float> b, Vector512<float> c) =>
        Avx512F.FusedMultiplyAdd(a, b, c);

    /// <inheritdoc cref="MultiplyAdd(Vector512{float}, Vector512{float}, Vector512{float})"/>
    [MethodImpl(Inline)]
    public static Vector256<float> MultiplyAdd(Vector256<float> a, Vector256<float> b, Vector256<float> c) =>
        Fma.MultiplyAdd(a, b, c);

    /// <summary>Returns <c>a * b + c</c>, rounded once where the machine has a fused instruction, otherwise twice.</summary>
    [MethodImpl(Inline)]
    public static Vector128<float> MultiplyAdd(Vector128<float> a, Vector128<float> b, Vector128<float> c)
    {
        if (Fma.IsSupported)
        {
            return Fma.MultiplyAdd(a, b, c);
        }

        if (AdvSimd.IsSupported)
        {
            return AdvSimd.FusedMultiplyAdd(c, a, b);
        }

        // Vector128.FusedMultiplyAdd would call the C library for every element here.
        return (a * b) + c;
    }

    /// <summary>Asks for the cache line of <paramref name="address"/>, which need not exist, before it is read.</summary>
    [MethodImpl(Inline)]
    public static unsafe void Prefetch(ref float address)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(Unsafe.AsPointer(ref address));
        }
    }

    /// <summary>
    /// Keeps the first <paramref name="validLanes"/> elements of <paramref name="x"/> and sets the others to zero, whatever
    /// they hold.
    /// </summary>
    /// <param name="x">The vector.</param>
    /// <param name="validLanes">How many elements to keep; none at zero or below, all at the vector's width or above.</param>
    [MethodImpl(Inline)]
    public static Vector512<float> MaskTail(Vector512<float> x, int validLanes) =>
        x & Vector512.LessThan(
            Vector512.Create(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
            Vector512.Create(validLanes)).AsSingle();

    /// <inheritdoc cref="MaskTail(Vector512{float}, int)"/>
    [MethodImpl(Inline)]
    public static Vector256<float> MaskTail(Vector256<float> x, int validLanes) =>
        x & Vector256.LessThan(Vector256.Create(0, 1, 2, 3, 4, 5, 6, 7), Vector256.Create(validLanes)).AsSingle();

    /// <inheritdoc cref="MaskTail(Vector512{float}, int)"/>
    [MethodImpl(Inline)]
    public static Vector128<float> MaskTail(Vector128<float> x, int validLanes) =>
        x & Vector128.LessThan(Vector128.Create(0, 1, 2, 3), Vector128.Create(validLanes)).AsSingle();

    // The smaller and larger of a number and x; x itself when it is NaN. The cross-platform Min and Max cost several
    // instructions on x86 since .NET 9; the x86 ones return their second operand when either is NaN.
    [MethodImpl(Inline)]
    private static Vector128<float> AtMost(Vector128<float> x, float limit) =>
        Sse.IsSupported ? Sse.Min(Vector128.Create(limit), x) : Vector128.Min(Vector128.Create(limit), x);

    [MethodImpl(Inline)]
    private static Vector128<float> AtLeast(Vector128<float> x, float limit) =>
        Sse.IsSupported ? Sse.Max(Vector128.Create(limit), x) : Vector128.Max(Vector128.Create(limit), x);
}

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Unrolled;

/// <summary>
/// Sixteen lanes of float, whatever the machine has: <see cref="Vector512{T}"/> splits into narrower vectors where need be. Sums over
/// them have one order on every machine: lane by lane, then the halves of what is left onto each other.
/// </summary>
internal static class VirtualLanes
{
    /// <summary>All bits set in the first lanes, none in the others.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> First(int count) =>
        Vector512.LessThan(
            Vector512.Create(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
            Vector512.Create(count)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(ref float source, int offset) => Vector512.LoadUnsafe(ref source, (nuint)offset);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> value, ref float destination, int offset) => value.StoreUnsafe(ref destination, (nuint)offset);

    /// <summary>Fewer than sixteen floats, of which nothing is read beyond; the other lanes are filled.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadTail(ReadOnlySpan<float> source, float fill)
    {
        Vector512<float> lanes = Vector512.Create(fill);
        source.CopyTo(MemoryMarshal.CreateSpan(ref Unsafe.As<Vector512<float>, float>(ref lanes), Padding.Lanes));
        return lanes;
    }

    /// <summary>The first lanes, as many as there is room for.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreTail(Vector512<float> lanes, Span<float> destination) =>
        MemoryMarshal.CreateReadOnlySpan(ref Unsafe.As<Vector512<float>, float>(ref lanes), destination.Length).CopyTo(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector512<float> lanes)
    {
        Vector256<float> eight = lanes.GetLower() + lanes.GetUpper();
        Vector128<float> four = eight.GetLower() + eight.GetUpper();
        return (four.GetElement(0) + four.GetElement(2)) + (four.GetElement(1) + four.GetElement(3));
    }

    /// <summary>The sum of sixteen lanes of double, the first eight and the last.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Sum(Vector512<double> first, Vector512<double> last)
    {
        Vector512<double> eight = first + last;
        Vector256<double> four = eight.GetLower() + eight.GetUpper();
        return (four.GetElement(0) + four.GetElement(2)) + (four.GetElement(1) + four.GetElement(3));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Maximum(Vector512<float> lanes)
    {
        Vector256<float> eight = Vector256.Max(lanes.GetLower(), lanes.GetUpper());
        Vector128<float> four = Vector128.Max(eight.GetLower(), eight.GetUpper());
        return Math.Max(Math.Max(four.GetElement(0), four.GetElement(2)), Math.Max(four.GetElement(1), four.GetElement(3)));
    }

    /// <summary>The exponential of every lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp(Vector512<float> x)
    {
        if (Avx512F.IsSupported && Avx512DQ.IsSupported && Vector512.IsHardwareAccelerated)
        {
            return VectorMath.Exp(x);
        }

        if (Avx2.IsSupported && Fma.IsSupported)
        {
            return Vector512.Create(VectorMath.Exp(x.GetLower()), VectorMath.Exp(x.GetUpper()));
        }

        return Vector512.Create(Exp128(x.GetLower()), Exp128(x.GetUpper()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Exp128(Vector256<float> x) =>
        Vector256.Create(VectorMath.Exp(x.GetLower()), VectorMath.Exp(x.GetUpper()));
}

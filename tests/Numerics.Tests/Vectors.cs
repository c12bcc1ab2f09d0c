using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Unrolled.Tests;

/// <summary>Runs a function's overload of one width over whole vectors.</summary>
internal static class Vectors
{
    public static void Apply<TFunction>(VectorWidth width, ReadOnlySpan<float> x, Span<float> y)
        where TFunction : struct, IVectorFunction
    {
        switch (width)
        {
            case VectorWidth.Bits512:
                Apply512<TFunction>(x, y);
                break;
            case VectorWidth.Bits256:
                Apply256<TFunction>(x, y);
                break;
            default:
                Apply128<TFunction>(x, y);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Apply512<TFunction>(ReadOnlySpan<float> x, Span<float> y)
        where TFunction : struct, IVectorFunction
    {
        var from = MemoryMarshal.Cast<float, Vector512<float>>(x);
        var to = MemoryMarshal.Cast<float, Vector512<float>>(y);
        for (var i = 0; i < from.Length; i++)
        {
            to[i] = TFunction.Evaluate(from[i]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Apply256<TFunction>(ReadOnlySpan<float> x, Span<float> y)
        where TFunction : struct, IVectorFunction
    {
        var from = MemoryMarshal.Cast<float, Vector256<float>>(x);
        var to = MemoryMarshal.Cast<float, Vector256<float>>(y);
        for (var i = 0; i < from.Length; i++)
        {
            to[i] = TFunction.Evaluate(from[i]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Apply128<TFunction>(ReadOnlySpan<float> x, Span<float> y)
        where TFunction : struct, IVectorFunction
    {
        var from = MemoryMarshal.Cast<float, Vector128<float>>(x);
        var to = MemoryMarshal.Cast<float, Vector128<float>>(y);
        for (var i = 0; i < from.Length; i++)
        {
            to[i] = TFunction.Evaluate(from[i]);
        }
    }
}

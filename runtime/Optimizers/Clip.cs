using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Unrolled;

/// <summary>Keeps gradients from exploding.</summary>
public static class Clip
{
    /// <summary>
    /// Scales all gradients together so that their norm is at most a threshold (Pascanu, Mikolov and Bengio 2013, algorithm 1): where
    /// the norm is at least the threshold, by threshold / norm; otherwise they stay as they are.
    /// </summary>
    /// <param name="gradients">The gradients.</param>
    /// <param name="threshold">The greatest norm, positive.</param>
    /// <returns>
    /// The norm before: the square root of the sum of squares over all parameters, summed in double precision in a fixed order. Where a
    /// gradient is infinite or NaN so is the norm, and the gradients stay as they are: no scale would make them useful, and the caller can
    /// tell by the norm and leave the step out.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException">The threshold is not positive.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float ByGlobalNorm(ParameterBlock gradients, float threshold)
    {
        ArgumentNullException.ThrowIfNull(gradients);
        RequirePositive(threshold, nameof(threshold));
        double norm = Math.Sqrt(SumOfSquares(gradients));
        if (norm >= threshold && double.IsFinite(norm))
        {
            ref float first = ref gradients.Reference;
            var scale = new Vector<float>((float)(threshold / norm));
            for (int i = 0; i < gradients.Layout.BlockLength; i += Vector<float>.Count)
            {
                (Vector.LoadUnsafe(ref first, (nuint)i) * scale).StoreUnsafe(ref first, (nuint)i);
            }
        }

        return (float)norm;
    }

    /// <summary>Brings every gradient to within ±limit. Infinities become the limit, NaN stays NaN.</summary>
    /// <param name="gradients">The gradients.</param>
    /// <param name="limit">The greatest absolute value, positive.</param>
    /// <exception cref="ArgumentOutOfRangeException">The limit is not positive.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ByValue(ParameterBlock gradients, float limit)
    {
        ArgumentNullException.ThrowIfNull(gradients);
        RequirePositive(limit, nameof(limit));
        ref float first = ref gradients.Reference;
        var high = new Vector<float>(limit);
        Vector<float> low = -high;
        for (int i = 0; i < gradients.Layout.BlockLength; i += Vector<float>.Count)
        {
            // By comparisons, which are false for NaN; what minimum and maximum make of it differs between machines.
            Vector<float> g = Vector.LoadUnsafe(ref first, (nuint)i);
            g = Vector.ConditionalSelect(Vector.GreaterThan(g, high), high, g);
            g = Vector.ConditionalSelect(Vector.LessThan(g, low), low, g);
            g.StoreUnsafe(ref first, (nuint)i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double SumOfSquares(ParameterBlock gradients)
    {
        // The square of a float is exact in double, and cannot overflow it.
        ref float first = ref gradients.Reference;
        Vector512<double> lower = Vector512<double>.Zero;
        Vector512<double> upper = Vector512<double>.Zero;
        for (int i = 0; i < gradients.Layout.BlockLength; i += Padding.Lanes)
        {
            (Vector512<double> a, Vector512<double> b) = Vector512.Widen(VirtualLanes.Load(ref first, i));
            lower += a * a;
            upper += b * b;
        }

        return VirtualLanes.Sum(lower, upper);
    }

    private static void RequirePositive(float value, string name)
    {
        if (!(value > 0))
        {
            throw new ArgumentOutOfRangeException(name, value, $"{name} must be positive.");
        }
    }
}

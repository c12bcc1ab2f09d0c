using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Unrolled;

/// <summary>Keeps gradients from exploding.</summary>
public static class Clip
{
    /// <summary>From here on (2⁻⁶³, 1.1e-19), gradients that are scaled to less than the smallest normal number count for nothing in the norm.</summary>
    private const float SmallThreshold = 1.0842022e-19f;

    /// <summary>
    /// Scales all gradients together so that their norm is at most a threshold (Pascanu, Mikolov and Bengio 2013, algorithm 1): where
    /// the norm is at least the threshold, by threshold / norm; otherwise they stay as they are.
    /// </summary>
    /// <param name="gradients">The gradients.</param>
    /// <param name="threshold">The greatest norm, positive.</param>
    /// <returns>
    /// The norm before: the square root of the sum of squares over all parameters, summed in double precision in a fixed order; ∞ where it is
    /// beyond float's range, and the gradients are brought down all the same. Where a gradient is infinite or NaN so is the norm (NaN
    /// where there is one), and the gradients stay as they are: no scale would make them useful, and the caller can tell by the norm and
    /// leave the step out.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException">The threshold is not positive.</exception>
    public static float ByGlobalNorm(ParameterBlock gradients, float threshold)
    {
        ArgumentNullException.ThrowIfNull(gradients);
        RequirePositive(threshold, nameof(threshold));
        double norm = Math.Sqrt(SumOfSquares(gradients));
        if (norm >= threshold && double.IsFinite(norm))
        {
            double scale = threshold / norm;
            if (scale >= NormalFactor.Smallest && threshold >= SmallThreshold)
            {
                Scale(gradients, (float)scale);
            }
            else
            {
                ScaleExactly(gradients, scale);
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
        for (int i = 0; i < gradients.Layout.BlockLength; i += Vector<float>.Count)
        {
            Within(Vector.LoadUnsafe(ref first, (nuint)i), high).StoreUnsafe(ref first, (nuint)i);
        }
    }

    /// <summary>The numbers, brought to within ±limit; NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector<float> Within(Vector<float> numbers, Vector<float> limit)
    {
        // Where one is NaN, x86 gives the second and Arm gives NaN.
#if NET9_0_OR_GREATER
        return Vector.MaxNative(-limit, Vector.MinNative(limit, numbers));
#else
        return Vector.Max(-limit, Vector.Min(limit, numbers));
#endif
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Scale(ParameterBlock gradients, float scale)
    {
        ref float first = ref gradients.Reference;
        var factor = new NormalFactor(scale);
        for (int i = 0; i < gradients.Layout.BlockLength; i += Vector<float>.Count)
        {
            (factor * Vector.LoadUnsafe(ref first, (nuint)i)).StoreUnsafe(ref first, (nuint)i);
        }
    }

    /// <summary>In double precision: for scales below float's normal numbers, and thresholds near them.</summary>
    private static void ScaleExactly(ParameterBlock gradients, double scale)
    {
        foreach (ref float gradient in gradients.Values)
        {
            gradient = (float)(gradient * scale);
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

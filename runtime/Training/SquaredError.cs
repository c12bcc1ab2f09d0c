using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Unrolled;

/// <summary>(output - target)², summed over elements.</summary>
internal static class SquaredError
{
    /// <summary>The sum of the squared errors of all rows and, where a buffer is given, the gradients.</summary>
    /// <param name="outputs">[rows, elements padded to a multiple of 16]; what the padding holds does not matter.</param>
    /// <param name="targets">[rows, elements], without padding.</param>
    /// <param name="rows">The number of rows.</param>
    /// <param name="elements">The elements of a row.</param>
    /// <param name="scale">What the gradients are multiplied by; the sum is not.</param>
    /// <param name="gradients">Takes scale * 2 (output - target), shaped as the outputs, zero in the padding; or empty.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double Forward(
        ReadOnlySpan<float> outputs, ReadOnlySpan<float> targets, int rows, int elements, float scale, Span<float> gradients)
    {
        int stride = Padding.Of(elements);
        int whole = elements & -Padding.Lanes;
        Vector512<float> tailLanes = VirtualLanes.First(elements - whole);
        Vector512<float> factor = Vector512.Create(2 * scale);
        Vector512<double> lower = Vector512<double>.Zero;
        Vector512<double> upper = Vector512<double>.Zero;

        // A row's last targets are followed by the next row's, or by nothing: they are copied before they are read as a vector.
        Span<float> tail = stackalloc float[Padding.Lanes];
        tail.Clear();
        bool wantsGradients = !gradients.IsEmpty;
        for (int row = 0; row < rows; row++)
        {
            ref float output = ref MemoryMarshal.GetReference(outputs.Slice(row * stride, stride));
            ReadOnlySpan<float> rowTargets = targets.Slice(row * elements, elements);
            ref float target = ref MemoryMarshal.GetReference(rowTargets);
            ref float gradient = ref MemoryMarshal.GetReference(wantsGradients ? gradients.Slice(row * stride, stride) : default);
            for (int i = 0; i < stride; i += Padding.Lanes)
            {
                Vector512<float> error;
                if (i < whole)
                {
                    error = VirtualLanes.Load(ref output, i) - VirtualLanes.Load(ref target, i);
                }
                else
                {
                    rowTargets[whole..].CopyTo(tail);
                    error = (VirtualLanes.Load(ref output, i) - VirtualLanes.Load(ref MemoryMarshal.GetReference(tail), 0)) & tailLanes;
                }

                // The square of a float is exact in double.
                (Vector512<double> first, Vector512<double> last) = Vector512.Widen(error);
                lower += first * first;
                upper += last * last;
                if (wantsGradients)
                {
                    VirtualLanes.Store(error * factor, ref gradient, i);
                }
            }
        }

        return VirtualLanes.Sum(lower, upper);
    }
}

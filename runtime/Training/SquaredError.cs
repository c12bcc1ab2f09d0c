using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Unrolled;

/// <summary>
/// (output - target)², over elements. A model declared with <see cref="Loss.MeanSquaredError"/> is trained by it; here it is for those who make
/// gradients of their own, of some steps alone or of losses that are added up, and give them to <see cref="ITrainer.Backward"/>. Nothing is
/// allocated.
/// </summary>
public static class SquaredError
{
    /// <summary>The loss.</summary>
    /// <param name="outputs">[rows, elements], of any shape: every element counts alike.</param>
    /// <param name="targets">Shaped as the outputs.</param>
    /// <param name="reduction">Whether it is the mean over all elements or their sum.</param>
    /// <returns>The loss, summed in double precision.</returns>
    /// <exception cref="ArgumentException">There are no elements, or as many targets as outputs are not given.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such reduction.</exception>
    public static float Evaluate(ReadOnlySpan<float> outputs, ReadOnlySpan<float> targets, LossReduction reduction = LossReduction.Mean) =>
        Measure(outputs, targets, reduction, []);

    /// <summary>The loss and its gradient by the outputs.</summary>
    /// <param name="outputs">[rows, elements], of any shape: every element counts alike.</param>
    /// <param name="targets">Shaped as the outputs.</param>
    /// <param name="gradients">
    /// Takes the derivative of the returned loss by each output, shaped as the outputs: 2 (output - target), for the mean divided by the number
    /// of elements. May be <paramref name="outputs"/> or <paramref name="targets"/> itself.
    /// </param>
    /// <param name="reduction">Whether the loss is the mean over all elements or their sum.</param>
    /// <returns>The loss, summed in double precision.</returns>
    /// <exception cref="ArgumentException">There are no elements, as many targets or gradients as outputs are not given, or spans overlap.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such reduction.</exception>
    public static float ForwardBackward(
        ReadOnlySpan<float> outputs, ReadOnlySpan<float> targets, Span<float> gradients, LossReduction reduction = LossReduction.Mean)
    {
        Check.SameLength(gradients.Length, outputs.Length, nameof(gradients));
        Check.Disjoint(outputs, gradients, mayReplace: true, nameof(gradients));
        Check.Disjoint(targets, gradients, mayReplace: true, nameof(gradients));
        return Measure(outputs, targets, reduction, gradients);
    }

    private static float Measure(ReadOnlySpan<float> outputs, ReadOnlySpan<float> targets, LossReduction reduction, Span<float> gradients)
    {
        if (outputs.IsEmpty)
        {
            throw new ArgumentException("There are no outputs.", nameof(outputs));
        }

        Check.SameLength(targets.Length, outputs.Length, nameof(targets));
        double scale = Check.ScaleOf(reduction, outputs.Length);
        return (float)(Sum(outputs, outputs.Length, targets, 1, outputs.Length, (float)scale, gradients) * scale);
    }

    /// <summary>The sum of the squared errors of all rows and, where a buffer is given, the gradients.</summary>
    /// <param name="outputs">[rows, elements padded to a multiple of 16]; what the padding holds does not matter.</param>
    /// <param name="targets">[rows, elements], without padding.</param>
    /// <param name="rows">The number of rows.</param>
    /// <param name="elements">The elements of a row.</param>
    /// <param name="scale">What the gradients are multiplied by; the sum is not.</param>
    /// <param name="gradients">Takes scale * 2 (output - target), shaped as the outputs, zero in the padding; or empty.</param>
    internal static double Forward(
        ReadOnlySpan<float> outputs, ReadOnlySpan<float> targets, int rows, int elements, float scale, Span<float> gradients) =>
        Sum(outputs, Padding.Of(elements), targets, rows, elements, scale, gradients);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double Sum(
        ReadOnlySpan<float> outputs, int stride, ReadOnlySpan<float> targets, int rows, int elements, float scale, Span<float> gradients)
    {
        int whole = elements & -Padding.Lanes;
        Vector512<float> factor = Vector512.Create(2 * scale);
        Vector512<double> lower = Vector512<double>.Zero;
        Vector512<double> upper = Vector512<double>.Zero;
        bool wantsGradients = !gradients.IsEmpty;
        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<float> rowOutputs = outputs.Slice(row * stride, elements);
            ReadOnlySpan<float> rowTargets = targets.Slice(row * elements, elements);
            Span<float> rowGradients = wantsGradients ? gradients.Slice(row * stride, elements) : default;
            ref float output = ref MemoryMarshal.GetReference(rowOutputs);
            ref float target = ref MemoryMarshal.GetReference(rowTargets);
            ref float gradient = ref MemoryMarshal.GetReference(rowGradients);
            for (int i = 0; i < elements; i += Padding.Lanes)
            {
                Vector512<float> error = i < whole
                    ? VirtualLanes.Load(ref output, i) - VirtualLanes.Load(ref target, i)
                    : VirtualLanes.LoadTail(rowOutputs[i..], 0) - VirtualLanes.LoadTail(rowTargets[i..], 0);

                // The square of a float is exact in double.
                (Vector512<double> first, Vector512<double> last) = Vector512.Widen(error);
                lower += first * first;
                upper += last * last;
                if (!wantsGradients)
                {
                    continue;
                }

                if (i < whole)
                {
                    VirtualLanes.Store(error * factor, ref gradient, i);
                }
                else
                {
                    VirtualLanes.StoreTail(error * factor, rowGradients[i..]);
                }
            }

            if (wantsGradients)
            {
                gradients.Slice(row * stride + elements, stride - elements).Clear();
            }
        }

        return VirtualLanes.Sum(lower, upper);
    }
}

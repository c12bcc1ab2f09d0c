using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Unrolled;

/// <summary>-log softmax(logits)[class], the greatest logit subtracted first, so that no finite logits overflow.</summary>
internal static class SoftmaxCrossEntropy
{
    /// <summary>The sum of the losses of all rows and, where a buffer is given, their gradients.</summary>
    /// <param name="logits">[rows, classes padded to a multiple of 16]; what the padding holds does not matter.</param>
    /// <param name="targets">[rows], each 0 to classes - 1.</param>
    /// <param name="classes">The number of classes.</param>
    /// <param name="scale">What the gradients are multiplied by; the sum is not.</param>
    /// <param name="gradients">Takes scale * (softmax - target), shaped as the logits, zero in the padding; or empty.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double Forward(ReadOnlySpan<float> logits, ReadOnlySpan<int> targets, int classes, float scale, Span<float> gradients)
    {
        int stride = Padding.Of(classes);
        bool wantsGradients = !gradients.IsEmpty;
        double sum = 0;
        for (int row = 0; row < targets.Length; row++)
        {
            ReadOnlySpan<float> rowLogits = logits.Slice(row * stride, stride);
            Span<float> rowGradients = wantsGradients ? gradients.Slice(row * stride, stride) : default;
            float greatest = Greatest(rowLogits, classes);
            float total = Exponentials(rowLogits, classes, greatest, rowGradients);
            int target = targets[row];

            // The greatest logit adds exp(0) = 1, so that the logarithm is of 1 or more.
            sum += Math.Log(total) + ((double)greatest - rowLogits[target]);
            if (wantsGradients)
            {
                Multiply(rowGradients, scale / total);
                rowGradients[target] -= scale;
            }
        }

        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Greatest(ReadOnlySpan<float> logits, int classes)
    {
        ref float first = ref MemoryMarshal.GetReference(logits);
        Vector512<float> least = Vector512.Create(float.NegativeInfinity);
        Vector512<float> greatest = least;
        int whole = classes & -Padding.Lanes;
        for (int i = 0; i < whole; i += Padding.Lanes)
        {
            greatest = Vector512.Max(greatest, VirtualLanes.Load(ref first, i));
        }

        if (whole < classes)
        {
            Vector512<float> tail = Vector512.ConditionalSelect(
                VirtualLanes.First(classes - whole), VirtualLanes.Load(ref first, whole), least);
            greatest = Vector512.Max(greatest, tail);
        }

        return VirtualLanes.Maximum(greatest);
    }

    /// <summary>The sum of exp(logit - greatest); the terms go to a buffer where one is given.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Exponentials(ReadOnlySpan<float> logits, int classes, float greatest, Span<float> terms)
    {
        ref float first = ref MemoryMarshal.GetReference(logits);
        ref float firstTerm = ref MemoryMarshal.GetReference(terms);
        bool store = !terms.IsEmpty;
        Vector512<float> offset = Vector512.Create(greatest);
        Vector512<float> sum = Vector512<float>.Zero;
        int whole = classes & -Padding.Lanes;
        for (int i = 0; i < whole; i += Padding.Lanes)
        {
            Vector512<float> term = VirtualLanes.Exp(VirtualLanes.Load(ref first, i) - offset);
            sum += term;
            if (store)
            {
                VirtualLanes.Store(term, ref firstTerm, i);
            }
        }

        if (whole < classes)
        {
            Vector512<float> term = VirtualLanes.Exp(VirtualLanes.Load(ref first, whole) - offset)
                & VirtualLanes.First(classes - whole);
            sum += term;
            if (store)
            {
                VirtualLanes.Store(term, ref firstTerm, whole);
            }
        }

        return VirtualLanes.Sum(sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply(Span<float> values, float factor)
    {
        ref float first = ref MemoryMarshal.GetReference(values);
        Vector512<float> factors = Vector512.Create(factor);
        for (int i = 0; i < values.Length; i += Padding.Lanes)
        {
            VirtualLanes.Store(VirtualLanes.Load(ref first, i) * factors, ref first, i);
        }
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Unrolled;

/// <summary>
/// The cross-entropy of a softmax: -log softmax(logits)[class], in nats, the greatest logit subtracted first, so that no finite logits
/// overflow. A model declared with <see cref="Loss.SoftmaxCrossEntropy"/> is trained by it; here it is for those who make gradients of their
/// own, of some steps alone or of losses that are added up, and give them to <see cref="ITrainer.Backward"/>. Nothing is allocated.
/// </summary>
public static class SoftmaxCrossEntropy
{
    /// <summary>The loss.</summary>
    /// <param name="logits">[rows, classes]: as many rows as there are targets.</param>
    /// <param name="targets">Class ids, [rows], each 0 to classes - 1.</param>
    /// <param name="reduction">Whether it is the mean over the rows or their sum.</param>
    /// <returns>The loss in nats; the same bits as a trainer's for the same logits.</returns>
    /// <exception cref="ArgumentException">There are no rows, or the logits are not a whole number of classes for each.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A class id is none, or there is no such reduction.</exception>
    public static float Evaluate(ReadOnlySpan<float> logits, ReadOnlySpan<int> targets, LossReduction reduction = LossReduction.Mean) =>
        Measure(logits, targets, reduction, []);

    /// <summary>The loss and its gradient by the logits.</summary>
    /// <param name="logits">[rows, classes]: as many rows as there are targets.</param>
    /// <param name="targets">Class ids, [rows], each 0 to classes - 1.</param>
    /// <param name="gradients">
    /// Takes the derivative of the returned loss by each logit, [rows, classes]: softmax - 1 at the target and softmax elsewhere, for the mean
    /// divided by the number of rows. May be <paramref name="logits"/> itself.
    /// </param>
    /// <param name="reduction">Whether the loss is the mean over the rows or their sum.</param>
    /// <returns>The loss in nats; the same bits as a trainer's for the same logits.</returns>
    /// <exception cref="ArgumentException">
    /// There are no rows, the logits are not a whole number of classes for each, the gradients are not as many, or spans overlap.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">A class id is none, or there is no such reduction.</exception>
    public static float ForwardBackward(
        ReadOnlySpan<float> logits, ReadOnlySpan<int> targets, Span<float> gradients, LossReduction reduction = LossReduction.Mean)
    {
        Check.SameLength(gradients.Length, logits.Length, nameof(gradients));
        Check.Disjoint(logits, gradients, mayReplace: true, nameof(gradients));
        Check.Disjoint(targets, gradients, nameof(gradients));
        return Measure(logits, targets, reduction, gradients);
    }

    private static float Measure(ReadOnlySpan<float> logits, ReadOnlySpan<int> targets, LossReduction reduction, Span<float> gradients)
    {
        int rows = targets.Length;
        if (rows == 0 || logits.Length == 0 || logits.Length % rows != 0)
        {
            throw new ArgumentException($"{logits.Length} logits are not a whole number of classes for each of {rows} targets.", nameof(logits));
        }

        int classes = logits.Length / rows;
        Check.ClassIds(targets, classes, nameof(targets));
        double scale = Check.ScaleOf(reduction, rows), sum = 0;
        for (int first = 0; first < rows; first += LossBlocks.Rows)
        {
            int count = Math.Min(LossBlocks.Rows, rows - first);
            sum += Sum(
                logits.Slice(first * classes, count * classes), classes, targets.Slice(first, count), classes, (float)scale,
                gradients.IsEmpty ? default : gradients.Slice(first * classes, count * classes));
        }

        return (float)(sum * scale);
    }

    /// <summary>The sum of the losses of all rows and, where a buffer is given, their gradients.</summary>
    /// <param name="logits">[rows, classes padded to a multiple of 16]; what the padding holds does not matter.</param>
    /// <param name="targets">[rows], each 0 to classes - 1.</param>
    /// <param name="classes">The number of classes.</param>
    /// <param name="scale">What the gradients are multiplied by; the sum is not.</param>
    /// <param name="gradients">Takes scale * (softmax - target), shaped as the logits, zero in the padding; or empty.</param>
    internal static double Forward(ReadOnlySpan<float> logits, ReadOnlySpan<int> targets, int classes, float scale, Span<float> gradients) =>
        Sum(logits, Padding.Of(classes), targets, classes, scale, gradients);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double Sum(ReadOnlySpan<float> logits, int stride, ReadOnlySpan<int> targets, int classes, float scale, Span<float> gradients)
    {
        bool wantsGradients = !gradients.IsEmpty;
        double sum = 0;
        for (int row = 0; row < targets.Length; row++)
        {
            ReadOnlySpan<float> rowLogits = logits.Slice(row * stride, classes);
            Span<float> rowGradients = wantsGradients ? gradients.Slice(row * stride, classes) : default;
            int target = targets[row];

            // Before its place may hold a gradient.
            float targetLogit = rowLogits[target];
            float greatest = Greatest(rowLogits);
            float total = Exponentials(rowLogits, greatest, rowGradients);

            // The greatest logit adds exp(0) = 1, so that the logarithm is of 1 or more.
            sum += Math.Log(total) + ((double)greatest - targetLogit);
            if (wantsGradients)
            {
                Multiply(rowGradients, scale / total);
                rowGradients[target] -= scale;
                gradients.Slice(row * stride + classes, stride - classes).Clear();
            }
        }

        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Greatest(ReadOnlySpan<float> logits)
    {
        ref float first = ref MemoryMarshal.GetReference(logits);
        Vector512<float> greatest = Vector512.Create(float.NegativeInfinity);
        int whole = logits.Length & -Padding.Lanes;
        for (int i = 0; i < whole; i += Padding.Lanes)
        {
            greatest = Vector512.Max(greatest, VirtualLanes.Load(ref first, i));
        }

        if (whole < logits.Length)
        {
            greatest = Vector512.Max(greatest, VirtualLanes.LoadTail(logits[whole..], float.NegativeInfinity));
        }

        return VirtualLanes.Maximum(greatest);
    }

    /// <summary>The sum of exp(logit - greatest); the terms go to a buffer where one is given.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Exponentials(ReadOnlySpan<float> logits, float greatest, Span<float> terms)
    {
        ref float first = ref MemoryMarshal.GetReference(logits);
        ref float firstTerm = ref MemoryMarshal.GetReference(terms);
        bool store = !terms.IsEmpty;
        Vector512<float> offset = Vector512.Create(greatest);
        Vector512<float> sum = Vector512<float>.Zero;
        int whole = logits.Length & -Padding.Lanes;
        for (int i = 0; i < whole; i += Padding.Lanes)
        {
            Vector512<float> term = VirtualLanes.Exp(VirtualLanes.Load(ref first, i) - offset);
            sum += term;
            if (store)
            {
                VirtualLanes.Store(term, ref firstTerm, i);
            }
        }

        if (whole < logits.Length)
        {
            Vector512<float> term = VirtualLanes.Exp(VirtualLanes.LoadTail(logits[whole..], 0) - offset)
                & VirtualLanes.First(logits.Length - whole);
            sum += term;
            if (store)
            {
                VirtualLanes.StoreTail(term, terms[whole..]);
            }
        }

        return VirtualLanes.Sum(sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply(Span<float> values, float factor)
    {
        ref float first = ref MemoryMarshal.GetReference(values);
        Vector512<float> factors = Vector512.Create(factor);
        int whole = values.Length & -Padding.Lanes;
        for (int i = 0; i < whole; i += Padding.Lanes)
        {
            VirtualLanes.Store(VirtualLanes.Load(ref first, i) * factors, ref first, i);
        }

        for (int i = whole; i < values.Length; i++)
        {
            values[i] *= factor;
        }
    }
}

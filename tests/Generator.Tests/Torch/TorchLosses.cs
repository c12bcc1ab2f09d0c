namespace Unrolled.Generator.Tests.Torch;

/// <summary>Gradients of the recorded losses by the logits, in double precision, from the recorded logits.</summary>
internal static class TorchLosses
{
    /// <summary>The gradient by the logits of all steps, <c>[steps, batch, classes]</c>; zero where a loss sees the last step only.</summary>
    public static float[] LogitGradients(TorchFile file)
    {
        int classes = file.Shape("head.weight")[0];
        float[] logits = file.Single("logits");
        double[] gradients = file.Loss switch
        {
            "ce_last" or "ce_all" => CrossEntropy(logits, file.Integers("target"), classes),
            "hinge_last" => MultiMargin(logits, file.Integers("target"), classes),
            "hinge_bin_all" => BinaryHinge(logits, file.Single("target")),
            "mse" => SquaredError(logits, file.Single("target")),
            _ => throw new ArgumentException($"No gradient for the loss '{file.Loss}'"),
        };
        var all = new float[file.Steps * file.Batch * classes];
        int start = all.Length - gradients.Length;
        for (int i = 0; i < gradients.Length; i++)
        {
            all[start + i] = (float)gradients[i];
        }

        return all;
    }

    private static double[] CrossEntropy(float[] logits, int[] targets, int classes)
    {
        var gradients = new double[logits.Length];
        for (int token = 0; token < targets.Length; token++)
        {
            double[] powers = logits.AsSpan(token * classes, classes).ToArray().Select(logit => Math.Exp(logit)).ToArray();
            for (int k = 0; k < classes; k++)
            {
                gradients[token * classes + k] = (powers[k] / powers.Sum() - (k == targets[token] ? 1 : 0)) / targets.Length;
            }
        }

        return gradients;
    }

    // torch multi_margin_loss: mean over the batch of the sum over the other classes of max(0, 1 - z_t + z_k) / K.
    private static double[] MultiMargin(float[] logits, int[] targets, int classes)
    {
        var gradients = new double[logits.Length];
        double share = 1.0 / classes / targets.Length;
        for (int row = 0; row < targets.Length; row++)
        {
            int target = row * classes + targets[row];
            for (int k = row * classes; k < (row + 1) * classes; k++)
            {
                if (k != target && 1.0 - logits[target] + logits[k] > 0)
                {
                    gradients[k] += share;
                    gradients[target] -= share;
                }
            }
        }

        return gradients;
    }

    // mean max(0, 1 - t z) with t = -1 or 1
    private static double[] BinaryHinge(float[] logits, float[] targets) =>
        logits.Zip(targets, (logit, target) => 1.0 - (double)target * logit > 0 ? -(double)target / targets.Length : 0).ToArray();

    private static double[] SquaredError(float[] logits, float[] targets) =>
        logits.Zip(targets, (logit, target) => 2 * ((double)logit - target) / targets.Length).ToArray();
}

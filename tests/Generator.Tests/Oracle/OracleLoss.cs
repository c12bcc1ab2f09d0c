namespace Unrolled.Generator.Tests.Oracle;

/// <summary>
/// A scalar of a run, as one term for every row of the batch. The terms keep rows apart, so that one pair of runs gives the
/// difference quotients of one coordinate in all rows at once.
/// </summary>
internal abstract class OracleLoss
{
    public abstract double[] RowTerms(OracleRun run, int rows);

    public double Value(OracleRun run, int rows) => RowTerms(run, rows).Sum();
}

/// <summary><c>sum(outputs * outputGradients) + sum(finals * finalGradients)</c>: any upstream gradient.</summary>
internal sealed class LinearLoss(double[] outputGradients, double[] finalGradients, int outputSize) : OracleLoss
{
    public override double[] RowTerms(OracleRun run, int rows)
    {
        var terms = new double[rows];
        for (int i = 0; i < outputGradients.Length; i++)
        {
            terms[i / outputSize % rows] += run.Outputs[i] * outputGradients[i];
        }

        int stateLength = finalGradients.Length / rows;
        for (int i = 0; i < finalGradients.Length; i++)
        {
            terms[i / stateLength] += run.FinalStates[i] * finalGradients[i];
        }

        return terms;
    }
}

/// <summary>Softmax cross-entropy against class ids <c>[steps, rows]</c>, the mean or the sum over tokens.</summary>
internal sealed class CrossEntropyLoss(int[] targets, int classes, bool mean) : OracleLoss
{
    public override double[] RowTerms(OracleRun run, int rows)
    {
        var terms = new double[rows];
        for (int token = 0; token < targets.Length; token++)
        {
            ReadOnlySpan<double> logits = run.Outputs.AsSpan(token * classes, classes);
            double largest = double.NegativeInfinity;
            foreach (double logit in logits)
            {
                largest = Math.Max(largest, logit);
            }

            double sum = 0;
            foreach (double logit in logits)
            {
                sum += Math.Exp(logit - largest);
            }

            terms[token % rows] += (largest + Math.Log(sum) - logits[targets[token]]) / (mean ? targets.Length : 1);
        }

        return terms;
    }
}

/// <summary>Squared error against <c>[steps, rows, outputs]</c>, the mean or the sum over elements.</summary>
internal sealed class SquaredErrorLoss(double[] targets, int outputSize, bool mean) : OracleLoss
{
    public override double[] RowTerms(OracleRun run, int rows)
    {
        var terms = new double[rows];
        for (int i = 0; i < targets.Length; i++)
        {
            double difference = run.Outputs[i] - targets[i];
            terms[i / outputSize % rows] += difference * difference / (mean ? targets.Length : 1);
        }

        return terms;
    }
}

using Unrolled;

namespace CharRnn;

/// <summary>The loss on the part of the text that is never trained on.</summary>
internal static class HeldOut
{
    /// <summary>How many characters a stream reads before its first counted prediction, to bring the state out of its start.</summary>
    public const int WarmUp = 5 * Training.Steps;

    /// <summary>A stream is worth its warm-up only when it counts a few times as many characters.</summary>
    private const int CharactersPerStream = 4 * WarmUp;

    /// <summary>
    /// Predicts every held-out character once and returns the mean loss in nats. The characters are cut into contiguous streams,
    /// read side by side; each first reads the text before it without counting.
    /// </summary>
    public static double Evaluate(ITrainer trainer, Corpus corpus)
    {
        var rows = Math.Clamp(corpus.HeldOutLength / CharactersPerStream, 1, trainer.BatchSize);
        var length = corpus.HeldOutLength / rows;
        var longer = corpus.HeldOutLength % rows;
        var warmUp = Math.Min(WarmUp, corpus.TrainingLength - 1);

        // Where each stream's first counted prediction lies: the first `longer` streams count one character more.
        var starts = new int[rows];
        for (var row = 0; row < rows; row++)
        {
            starts[row] = corpus.TrainingLength + row * length + Math.Min(row, longer);
        }

        trainer.ResetState();
        Read(trainer, corpus, starts, -warmUp, 0);
        var sum = Read(trainer, corpus, starts, 0, length);
        if (longer > 0)
        {
            sum += Read(trainer, corpus, starts.AsSpan(0, longer), length, length + 1);
        }

        return sum / corpus.HeldOutLength;
    }

    /// <summary>Predicts the characters from <paramref name="begin"/> to <paramref name="end"/> of each stream; returns the summed loss.</summary>
    private static double Read(ITrainer trainer, Corpus corpus, ReadOnlySpan<int> starts, int begin, int end)
    {
        var sum = 0.0;
        var rows = starts.Length;
        for (var first = begin; first < end; first += trainer.Steps)
        {
            var steps = Math.Min(trainer.Steps, end - first);
            var inputs = new int[steps * rows];
            var targets = new int[steps * rows];
            for (var step = 0; step < steps; step++)
            {
                for (var row = 0; row < rows; row++)
                {
                    var target = starts[row] + first + step;
                    inputs[step * rows + row] = corpus.Bytes[target - 1];
                    targets[step * rows + row] = corpus.Bytes[target];
                }
            }

            sum += (double)trainer.Evaluate(inputs, targets, rows) * targets.Length;
        }

        return sum;
    }
}

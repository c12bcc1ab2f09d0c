using System.Diagnostics;
using Unrolled;

namespace CharRnn;

/// <summary>How far a training has come.</summary>
/// <param name="Elapsed">Seconds since it began.</param>
/// <param name="Characters">Characters trained on, repeated passes counted again.</param>
/// <param name="Updates">Updates of the parameters.</param>
/// <param name="Loss">A running mean of the training loss in nats a character.</param>
internal readonly record struct TrainingState(double Elapsed, long Characters, int Updates, double Loss)
{
    public double CharactersPerSecond => Elapsed > 0 ? Characters / Elapsed : 0;
}

/// <summary>
/// Truncated backpropagation through time. The training text is cut into as many contiguous streams as the batch has rows, and the
/// state a chunk ends with is the state the next one begins with.
/// </summary>
internal sealed class Training
{
    public const int BatchSize = 50;
    public const int Steps = 50;

    private const float LearningRate = 2e-3f;
    private const float FinalShare = 0.05f;
    private const float GradientNorm = 5;

    /// <summary>The share of the newest chunk in the running mean of the loss: a memory of about a hundred chunks.</summary>
    private const double Smoothing = 0.01;

    private readonly Corpus _corpus;
    private readonly ITrainer _trainer;
    private readonly Adam _optimizer;
    private readonly RandomStream _random;
    private readonly int[] _inputs = new int[BatchSize * Steps];
    private readonly int[] _targets = new int[BatchSize * Steps];

    public Training(IModel model, ITrainer trainer, Corpus corpus, ulong seed)
    {
        _corpus = corpus;
        _trainer = trainer;
        _optimizer = new Adam(model, LearningRate);
        _random = new RandomStream(seed);
    }

    /// <summary>Trains for a time, or until told to stop.</summary>
    /// <param name="seconds">The time to train for; the learning rate falls along it.</param>
    /// <param name="report">Called after every update.</param>
    /// <param name="stop">Ends the training after the update under way.</param>
    /// <exception cref="NotFiniteNumberException">The training has diverged.</exception>
    public TrainingState Run(double seconds, Action<TrainingState> report, CancellationToken stop)
    {
        var state = default(TrainingState);
        var clock = Stopwatch.StartNew();
        var streamLength = (_corpus.TrainingLength - 1) / BatchSize;
        while (true)
        {
            // Every pass begins at another character, so that no tail is left out and chunks do not always break at the same place.
            var chunks = streamLength / Steps;
            var start = (int)(_random.NextDouble() * (streamLength - chunks * Steps + 1));
            _trainer.ResetState();
            for (var chunk = 0; chunk < chunks; chunk++)
            {
                var elapsed = clock.Elapsed.TotalSeconds;
                if (elapsed >= seconds || stop.IsCancellationRequested)
                {
                    return state with { Elapsed = elapsed };
                }

                Fill(streamLength, start + chunk * Steps);
                var loss = _trainer.ForwardBackward(_inputs, _targets);
                var norm = Clip.ByGlobalNorm(_trainer.Gradients, GradientNorm);
                if (!float.IsFinite(loss) || !float.IsFinite(norm))
                {
                    throw new NotFiniteNumberException($"The training diverged after {state.Updates:N0} updates: loss {loss}, gradient norm {norm}.");
                }

                _optimizer.LearningRate = LearningRateAt(elapsed / seconds);
                _optimizer.Step(_trainer.Gradients);

                var share = Math.Max(Smoothing, 1.0 / (state.Updates + 1));
                state = new TrainingState(
                    clock.Elapsed.TotalSeconds,
                    state.Characters + _inputs.Length,
                    state.Updates + 1,
                    state.Loss + share * (loss - state.Loss));
                report(state);
            }
        }
    }

    /// <summary>Half a cosine from the full learning rate to a small share of it.</summary>
    internal static float LearningRateAt(double progress) =>
        LearningRate * (float)(FinalShare + (1 - FinalShare) * (1 + Math.Cos(Math.PI * Math.Clamp(progress, 0, 1))) / 2);

    /// <summary>Row r reads the r-th stream: sequences are time-major, [step, row].</summary>
    private void Fill(int streamLength, int start)
    {
        var text = _corpus.Bytes[.._corpus.TrainingLength];
        for (var row = 0; row < BatchSize; row++)
        {
            var stream = text.Slice(row * streamLength + start, Steps + 1);
            for (var step = 0; step < Steps; step++)
            {
                _inputs[step * BatchSize + row] = stream[step];
                _targets[step * BatchSize + row] = stream[step + 1];
            }
        }
    }
}

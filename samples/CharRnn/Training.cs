using System.Diagnostics;
using Unrolled;

namespace CharRnn;

/// <summary>How far a training has come.</summary>
/// <param name="Elapsed">Seconds since it began.</param>
/// <param name="Characters">Characters trained on, repeated passes counted again.</param>
/// <param name="Updates">Updates of the parameters.</param>
/// <param name="Loss">A running mean of the training loss in nats a character.</param>
/// <param name="Progress">The part of the whole that is done, from 0 to 1.</param>
internal readonly record struct TrainingState(double Elapsed, long Characters, int Updates, double Loss, double Progress)
{
    public double CharactersPerSecond => Elapsed > 0 ? Characters / Elapsed : 0;

    /// <summary>Seconds to go, if the rest goes on as the part before.</summary>
    public double Left => Progress > 0 ? Elapsed * (1 - Progress) / Progress : 0;
}

/// <summary>Truncated backpropagation through time with Adam, for a given time or a given number of updates.</summary>
internal sealed class Training
{
    public const int BatchSize = 50;
    public const int Steps = 50;

    private const float LearningRate = 6e-3f;
    private const float FinalShare = 0.05f;
    private const float GradientNorm = 5;

    /// <summary>The share of the newest chunk in the running mean of the loss: a memory of about a hundred chunks.</summary>
    private const double Smoothing = 0.01;

    private readonly ITrainer _trainer;
    private readonly Adam _optimizer;
    private readonly Streams _streams;

    public Training(IModel model, ITrainer trainer, Corpus corpus, ulong seed)
    {
        _trainer = trainer;
        _optimizer = new Adam(model, LearningRate);
        _streams = new Streams(corpus, BatchSize, Steps, new RandomStream(seed));
    }

    /// <summary>Trains for a time or a number of updates, or until told to stop. The learning rate falls along the way.</summary>
    /// <param name="seconds">The time to train for, where <paramref name="updates"/> is null.</param>
    /// <param name="updates">How many updates to train.</param>
    /// <param name="report">Called after every update.</param>
    /// <param name="stop">Ends the training after the update under way.</param>
    /// <exception cref="NotFiniteNumberException">The training has diverged.</exception>
    public TrainingState Run(double seconds, int? updates, Action<TrainingState> report, CancellationToken stop)
    {
        var state = default(TrainingState);
        var clock = Stopwatch.StartNew();
        double Progress(int done) => updates is { } all ? (double)done / all : clock.Elapsed.TotalSeconds / seconds;

        while (Progress(state.Updates) < 1 && !stop.IsCancellationRequested)
        {
            if (_streams.Advance())
            {
                _trainer.ResetState();
            }

            var loss = _trainer.ForwardBackward(_streams.Inputs, _streams.Targets);
            var norm = Clip.ByGlobalNorm(_trainer.Gradients, GradientNorm);
            if (!float.IsFinite(loss) || !float.IsFinite(norm))
            {
                throw new NotFiniteNumberException($"The training diverged after {state.Updates:N0} updates: loss {loss}, gradient norm {norm}.");
            }

            _optimizer.LearningRate = LearningRateAt(Progress(state.Updates));
            _optimizer.Step(_trainer.Gradients);

            var share = Math.Max(Smoothing, 1.0 / (state.Updates + 1));
            state = new TrainingState(
                clock.Elapsed.TotalSeconds,
                state.Characters + _streams.Inputs.Length,
                state.Updates + 1,
                state.Loss + share * (loss - state.Loss),
                Math.Min(Progress(state.Updates + 1), 1));
            report(state);
        }

        return state;
    }

    /// <summary>Half a cosine from the full learning rate to a small share of it.</summary>
    internal static float LearningRateAt(double progress) =>
        LearningRate * (float)(FinalShare + (1 - FinalShare) * (1 + Math.Cos(Math.PI * Math.Clamp(progress, 0, 1))) / 2);
}

using System.ComponentModel;

namespace Unrolled.CompilerServices;

/// <summary>
/// The part of a trainer that is the same for every model: checks, losses, and copies between the caller's spans and the padded buffers.
/// The emitted class provides the buffers and the arithmetic. Buffers are dense in the rows a call really has:
/// [step][row][padded elements].
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public abstract class Trainer : Stateful, ITrainer
{
    private readonly ThreadTeam? _team;
    private readonly Action<WorkPart>? _work;
    private readonly double[] _losses;

    // Class ids are copied before they are checked: they say where to read. The threads of a team cannot reach any of the caller's spans.
    private readonly int[] _classTargets;
    private readonly float[] _valueTargets = [];

    // The shape of the last call, and what of it can be asked for.
    private int _rows;
    private int _steps;
    private bool _hasOutputs;
    private bool _hasGradients;
    private bool _awaitsBackward;

    // What the present call does, and what its loss's gradients are multiplied by.
    private Stages _stages;
    private float _scale;

    /// <summary>Checks the numbers and allocates the gradients.</summary>
    /// <param name="layout">The model's shape.</param>
    /// <param name="batchSize">The greatest number of rows.</param>
    /// <param name="steps">The greatest number of steps.</param>
    /// <param name="options">What else is asked for.</param>
    /// <param name="threads">Threads that share a call's work, the caller's among them.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive, or batch size and steps together are too large.</exception>
    protected Trainer(ModelLayout layout, int batchSize, int steps, TrainerOptions? options, int threads = 1)
        : base(layout, batchSize)
    {
        Check.Capacity(layout, batchSize, steps);
        Steps = steps;
        Options = options ?? new TrainerOptions();
        if (Options.Reduction is not (LossReduction.Mean or LossReduction.Sum))
        {
            throw new ArgumentOutOfRangeException(nameof(options), Options.Reduction, "There is no such reduction.");
        }

        Gradients = new ParameterBlock(layout);
        _losses = new double[layout.Loss == Loss.None ? 0 : LossBlocks.Of(batchSize * steps)];
        _classTargets = new int[layout.Loss == Loss.SoftmaxCrossEntropy ? batchSize * steps : 0];
        _team = ThreadTeam.Of(threads);
        if (_team is not null)
        {
            _work = part => Do(part, _valueTargets);
            _valueTargets = new float[layout.Loss == Loss.MeanSquaredError ? batchSize * steps * layout.OutputSize : 0];
        }
    }

    [Flags]
    private enum Stages
    {
        Forward = 1,
        Loss = 2,
        Backward = 4,
    }

    /// <inheritdoc/>
    public int Steps { get; }

    /// <inheritdoc/>
    public TrainerOptions Options { get; }

    /// <inheritdoc/>
    public ParameterBlock Gradients { get; }

    /// <summary>Vectors: [steps, batch size, features padded to a multiple of 16], the padding untouched. Tokens: empty.</summary>
    protected abstract Span<float> InputBuffer { get; }

    /// <summary>Tokens: [steps, batch size]. Vectors: empty.</summary>
    protected abstract Span<int> TokenBuffer { get; }

    /// <summary>What <see cref="ForwardCore"/> wrote: [steps, rows, outputs padded to a multiple of 16]; what the padding holds does not matter.</summary>
    /// <param name="rows">As in the last <see cref="ForwardCore"/>.</param>
    protected abstract ReadOnlySpan<float> OutputBuffer(int rows);

    /// <summary>[steps, batch size, outputs padded to a multiple of 16], written before <see cref="BackwardCore"/>, zero in the padding.</summary>
    protected abstract Span<float> OutputGradientBuffer { get; }

    /// <summary>
    /// [steps, batch size, features padded to a multiple of 16], read after <see cref="BackwardCore"/>; may be empty where
    /// <see cref="TrainerOptions.InputGradients"/> is not set or the model reads tokens.
    /// </summary>
    protected abstract ReadOnlySpan<float> InputGradientBuffer { get; }

    /// <summary>
    /// The gradient by a state after the last step, [batch size, units padded to a multiple of 16], written before
    /// <see cref="BackwardCore"/>: zeros where none is given.
    /// </summary>
    /// <param name="state">The state's place in <see cref="ModelLayout.States"/>.</param>
    protected abstract Span<float> FinalStateGradientBuffer(int state);

    /// <summary>
    /// The gradient by a state before the first step, [batch size, units padded to a multiple of 16], read after <see cref="BackwardCore"/>.
    /// </summary>
    /// <param name="state">The state's place in <see cref="ModelLayout.States"/>.</param>
    protected abstract ReadOnlySpan<float> InitialStateGradientBuffer(int state);

    /// <summary>
    /// Consumes steps of the input buffer, leaves as many outputs and as much of the tape, and moves the first rows' states on.
    /// </summary>
    /// <param name="rows">1 to the batch size.</param>
    /// <param name="steps">1 to <see cref="Steps"/>.</param>
    /// <param name="part">Which of the work is this thread's: each thread of the trainer calls this once.</param>
    protected abstract void ForwardCore(int rows, int steps, WorkPart part);

    /// <summary>
    /// Goes back over the tape of the last <see cref="ForwardCore"/>: adds into <see cref="Gradients"/>, writes the gradients of initial
    /// states and, where asked for, of inputs. Leaves the states alone and does not read them: they may have been reset or set since.
    /// </summary>
    /// <param name="rows">As in the last <see cref="ForwardCore"/>.</param>
    /// <param name="steps">As in the last <see cref="ForwardCore"/>.</param>
    /// <param name="part">Which of the work is this thread's: each thread of the trainer calls this once.</param>
    protected abstract void BackwardCore(int rows, int steps, WorkPart part);

    /// <inheritdoc/>
    public float ForwardBackward(ReadOnlySpan<float> inputs, ReadOnlySpan<float> targets, int rows = 0)
    {
        using Call call = Begin();
        int steps = CheckVectors(inputs, ref rows, Loss.MeanSquaredError);
        CheckTargets(targets, rows, steps);
        Take(inputs, rows, steps);
        return Measure(default, targets, backward: true);
    }

    /// <inheritdoc/>
    public float ForwardBackward(ReadOnlySpan<float> inputs, ReadOnlySpan<int> targets, int rows = 0)
    {
        using Call call = Begin();
        int steps = CheckVectors(inputs, ref rows, Loss.SoftmaxCrossEntropy);
        CheckTargets(targets, rows, steps);
        Take(inputs, rows, steps);
        return Measure(targets, default, backward: true);
    }

    /// <inheritdoc/>
    public float ForwardBackward(ReadOnlySpan<int> inputs, ReadOnlySpan<float> targets, int rows = 0)
    {
        using Call call = Begin();
        int steps = CheckTokens(inputs, ref rows, Loss.MeanSquaredError);
        CheckTargets(targets, rows, steps);
        Take(inputs, rows, steps);
        return Measure(default, targets, backward: true);
    }

    /// <inheritdoc/>
    public float ForwardBackward(ReadOnlySpan<int> inputs, ReadOnlySpan<int> targets, int rows = 0)
    {
        using Call call = Begin();
        int steps = CheckTokens(inputs, ref rows, Loss.SoftmaxCrossEntropy);
        CheckTargets(targets, rows, steps);
        Take(inputs, rows, steps);
        return Measure(targets, default, backward: true);
    }

    /// <inheritdoc/>
    public float Evaluate(ReadOnlySpan<float> inputs, ReadOnlySpan<float> targets, int rows = 0)
    {
        using Call call = Begin();
        int steps = CheckVectors(inputs, ref rows, Loss.MeanSquaredError);
        CheckTargets(targets, rows, steps);
        Take(inputs, rows, steps);
        return Measure(default, targets, backward: false);
    }

    /// <inheritdoc/>
    public float Evaluate(ReadOnlySpan<float> inputs, ReadOnlySpan<int> targets, int rows = 0)
    {
        using Call call = Begin();
        int steps = CheckVectors(inputs, ref rows, Loss.SoftmaxCrossEntropy);
        CheckTargets(targets, rows, steps);
        Take(inputs, rows, steps);
        return Measure(targets, default, backward: false);
    }

    /// <inheritdoc/>
    public float Evaluate(ReadOnlySpan<int> inputs, ReadOnlySpan<float> targets, int rows = 0)
    {
        using Call call = Begin();
        int steps = CheckTokens(inputs, ref rows, Loss.MeanSquaredError);
        CheckTargets(targets, rows, steps);
        Take(inputs, rows, steps);
        return Measure(default, targets, backward: false);
    }

    /// <inheritdoc/>
    public float Evaluate(ReadOnlySpan<int> inputs, ReadOnlySpan<int> targets, int rows = 0)
    {
        using Call call = Begin();
        int steps = CheckTokens(inputs, ref rows, Loss.SoftmaxCrossEntropy);
        CheckTargets(targets, rows, steps);
        Take(inputs, rows, steps);
        return Measure(targets, default, backward: false);
    }

    /// <inheritdoc/>
    public void Forward(ReadOnlySpan<float> inputs, int rows = 0)
    {
        using Call call = Begin();
        int steps = CheckVectors(inputs, ref rows, loss: null);
        Take(inputs, rows, steps);
        Perform(Stages.Forward);
        _hasOutputs = true;
        _awaitsBackward = true;
    }

    /// <inheritdoc/>
    public void Forward(ReadOnlySpan<int> inputs, int rows = 0)
    {
        using Call call = Begin();
        int steps = CheckTokens(inputs, ref rows, loss: null);
        Take(inputs, rows, steps);
        Perform(Stages.Forward);
        _hasOutputs = true;
        _awaitsBackward = true;
    }

    /// <inheritdoc/>
    public void Backward(ReadOnlySpan<float> outputGradients, ReadOnlySpan<float> finalStateGradients = default)
    {
        using Call call = Begin();
        if (!_awaitsBackward)
        {
            throw new InvalidOperationException("Backward goes back over one Forward (call Forward first; each Forward can be followed by one Backward).");
        }

        Check.Length(outputGradients.Length, _steps, _rows, Layout.OutputSize, nameof(outputGradients));
        if (!finalStateGradients.IsEmpty)
        {
            Check.Length(finalStateGradients.Length, 1, _rows, Layout.StateLength, nameof(finalStateGradients));
        }

        _team?.Wake();
        PaddedRows.WriteClearing(outputGradients, OutputGradientBuffer, _steps * _rows, Layout.OutputSize);
        TakeFinalStateGradients(finalStateGradients);
        _awaitsBackward = false;
        Perform(Stages.Backward);
        _hasGradients = true;
    }

    /// <inheritdoc/>
    public void GetOutputs(Span<float> destination)
    {
        using Call call = Begin();
        if (!_hasOutputs)
        {
            throw new InvalidOperationException("There are no outputs yet (call Forward, ForwardBackward or Evaluate first).");
        }

        Check.Length(destination.Length, _steps, _rows, Layout.OutputSize, nameof(destination));
        PaddedRows.Read(OutputBuffer(_rows), destination, _steps * _rows, Layout.OutputSize);
    }

    /// <inheritdoc/>
    public void GetInputGradients(Span<float> destination)
    {
        using Call call = Begin();
        if (Layout.TakesTokens)
        {
            throw new InvalidOperationException($"{Layout} reads tokens, which have no gradients (the gradients of the rows they choose are in Gradients).");
        }

        if (!Options.InputGradients)
        {
            throw new InvalidOperationException("Input gradients were not asked for (create the trainer with new TrainerOptions { InputGradients = true }).");
        }

        RequireGradients();
        Check.Length(destination.Length, _steps, _rows, Layout.InputSize, nameof(destination));
        PaddedRows.Read(InputGradientBuffer, destination, _steps * _rows, Layout.InputSize);
    }

    /// <inheritdoc/>
    public void GetInitialStateGradients(Span<float> destination)
    {
        using Call call = Begin();
        RequireGradients();
        Check.Length(destination.Length, 1, _rows, Layout.StateLength, nameof(destination));
        int first = 0;
        ReadOnlySpan<StateInfo> states = Layout.StateSpan;
        for (int state = 0; state < states.Length; state++)
        {
            int units = states[state].Units;
            ReadOnlySpan<float> gradients = InitialStateGradientBuffer(state);
            for (int row = 0; row < _rows; row++)
            {
                gradients.Slice(row * Padding.Of(units), units).CopyTo(destination[(row * Layout.StateLength + first)..]);
            }

            first += units;
        }
    }

    /// <summary>
    /// Ends the trainer and its threads; every later call throws <see cref="ObjectDisposedException"/>. A call that another thread is in goes
    /// on to its end and ends them then.
    /// </summary>
    public void Dispose()
    {
        EndUse();
        GC.SuppressFinalize(this);
    }

    private protected sealed override void Release()
    {
        _team?.Dispose();
        Dispose(disposing: true);
    }

    /// <summary>Releases what the emitted trainer holds besides memory: nothing, unless it overrides this.</summary>
    /// <param name="disposing">Whether it is <see cref="Dispose()"/> that calls and not a finalizer.</param>
    protected virtual void Dispose(bool disposing)
    {
    }

    private int CheckVectors(ReadOnlySpan<float> inputs, ref int rows, Loss? loss)
    {
        Check.TakesVectors(Layout);
        return CheckShape(inputs.Length, Layout.InputSize, ref rows, loss);
    }

    private int CheckTokens(ReadOnlySpan<int> inputs, ref int rows, Loss? loss)
    {
        Check.TakesTokens(Layout);
        int steps = CheckShape(inputs.Length, 1, ref rows, loss);
        Check.Tokens(inputs, Layout.Tokens, nameof(inputs));
        return steps;
    }

    private int CheckShape(int length, int elements, ref int rows, Loss? loss)
    {
        if (loss is { } wanted && wanted != Layout.Loss)
        {
            throw new InvalidOperationException(Layout.Loss switch
            {
                Loss.SoftmaxCrossEntropy => $"{Layout} is trained with softmax cross-entropy (pass class ids, a span of int, as targets).",
                Loss.MeanSquaredError => $"{Layout} is trained with squared error (pass vectors, a span of float, as targets).",
                _ => $"{Layout} has no loss (declare one with [Loss(…)], or call Forward and Backward with gradients of your own).",
            });
        }

        rows = Check.Rows(rows, BatchSize);
        int steps = Check.Steps(length, rows, elements, "inputs");
        if (steps == 0 || steps > Steps)
        {
            throw new ArgumentException($"A call takes 1 to {Steps} steps, not {steps}.", "inputs");
        }

        return steps;
    }

    private void CheckTargets(ReadOnlySpan<float> targets, int rows, int steps) =>
        Check.Length(targets.Length, steps, rows, Layout.OutputSize, nameof(targets));

    private void CheckTargets(ReadOnlySpan<int> targets, int rows, int steps)
    {
        Check.Length(targets.Length, steps, rows, 1, nameof(targets));
        Check.ClassIds(targets, Layout.OutputSize, nameof(targets));
    }

    private void Take(ReadOnlySpan<float> inputs, int rows, int steps)
    {
        Begin(rows, steps);
        PaddedRows.Write(inputs, InputBuffer, rows * steps, Layout.InputSize);
    }

    private void Take(ReadOnlySpan<int> inputs, int rows, int steps)
    {
        Begin(rows, steps);
        Check.TakeTokens(inputs, TokenBuffer, Layout.Tokens, nameof(inputs));
    }

    private void Begin(int rows, int steps)
    {
        _team?.Wake();
        _rows = rows;
        _steps = steps;
        _hasOutputs = false;
        _hasGradients = false;
        _awaitsBackward = false;
    }

    private void TakeFinalStateGradients(ReadOnlySpan<float> finalStateGradients)
    {
        int first = 0;
        ReadOnlySpan<StateInfo> states = Layout.StateSpan;
        for (int state = 0; state < states.Length; state++)
        {
            int units = states[state].Units;
            Span<float> gradients = FinalStateGradientBuffer(state);
            gradients.Clear();
            for (int row = 0; row < _rows && !finalStateGradients.IsEmpty; row++)
            {
                finalStateGradients.Slice(row * Layout.StateLength + first, units).CopyTo(gradients[(row * Padding.Of(units))..]);
            }

            first += units;
        }
    }

    private float Measure(ReadOnlySpan<int> classTargets, ReadOnlySpan<float> valueTargets, bool backward)
    {
        double scale = Check.ScaleOf(Options.Reduction, classTargets.Length + valueTargets.Length);
        _scale = (float)scale;
        if (backward)
        {
            TakeFinalStateGradients(default);
        }

        Check.TakeClassIds(classTargets, _classTargets, Layout.OutputSize, "targets");
        Perform(Stages.Forward | Stages.Loss | (backward ? Stages.Backward : 0), valueTargets);
        _hasOutputs = true;
        _hasGradients = backward;
        double sum = 0;
        for (int block = 0; block < LossBlocks.Of(_rows * _steps); block++)
        {
            sum += _losses[block];
        }

        return (float)(sum * scale);
    }

    private void Perform(Stages stages, ReadOnlySpan<float> valueTargets = default)
    {
        _stages = stages;
        if (_team is null)
        {
            Do(default, valueTargets);
            return;
        }

        valueTargets.CopyTo(_valueTargets);
        _team.Run(_work!);
    }

    /// <summary>One thread's part of the present call.</summary>
    private void Do(WorkPart part, ReadOnlySpan<float> valueTargets)
    {
        if ((_stages & Stages.Forward) != 0)
        {
            ForwardCore(_rows, _steps, part);
        }

        if ((_stages & Stages.Loss) != 0)
        {
            part.Meet();
            MeasureLosses(part, valueTargets);
        }

        if ((_stages & Stages.Backward) != 0)
        {
            if (!Options.AccumulateGradients)
            {
                Span<float> gradients = Gradients.Values;
                (int first, int count) = part.Of(gradients.Length / Padding.Lanes);
                gradients.Slice(first * Padding.Lanes, count * Padding.Lanes).Clear();
            }

            part.Meet();
            BackwardCore(_rows, _steps, part);
        }
    }

    private void MeasureLosses(WorkPart part, ReadOnlySpan<float> valueTargets)
    {
        bool backward = (_stages & Stages.Backward) != 0;
        int outputs = Layout.OutputSize, stride = Padding.Of(outputs), all = _rows * _steps;
        ReadOnlySpan<float> outputBuffer = OutputBuffer(_rows);
        (int firstBlock, int blocks) = part.Of(LossBlocks.Of(all));
        for (int block = firstBlock; block < firstBlock + blocks; block++)
        {
            int first = block * LossBlocks.Rows, rows = Math.Min(LossBlocks.Rows, all - first);
            ReadOnlySpan<float> values = outputBuffer.Slice(first * stride, rows * stride);
            Span<float> gradients = backward ? OutputGradientBuffer.Slice(first * stride, rows * stride) : default;
            _losses[block] = Layout.Loss == Loss.SoftmaxCrossEntropy
                ? SoftmaxCrossEntropy.Forward(values, _classTargets.AsSpan(first, rows), outputs, _scale, gradients)
                : SquaredError.Forward(values, valueTargets.Slice(first * outputs, rows * outputs), rows, outputs, _scale, gradients);
        }
    }

    private void RequireGradients()
    {
        if (!_hasGradients)
        {
            throw new InvalidOperationException("The last call had no backward pass (call ForwardBackward, or Forward and then Backward).");
        }
    }
}

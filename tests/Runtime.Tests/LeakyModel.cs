namespace Unrolled.Tests;

/// <summary>
/// A network written by hand, small enough to check by eye:
/// s[t] = a * s[t-1] + W x[t], y[t] = s[t], and a second state that counts steps. W is the second of two matrices packed together; the
/// first, V, does nothing.
/// </summary>
internal sealed class LeakyModel : IModel
{
    public const string Weights = "leaky_0.W";
    public const string Unused = "leaky_0.V";
    public const string Decay = "leaky_0.a";
    public const string Memory = "leaky_0.s";
    public const string Counter = "leaky_0.n";
    public const string Start = "leaky_0.s_start";

    /// <param name="learned">Whether s starts from a parameter, and n from 3.</param>
    public LeakyModel(int tokens, int features, int outputs, Loss loss, bool learned = false)
    {
        int inputs = tokens + features;
        int matrices = 2 * Padding.Of(outputs) * inputs;
        var initializer = new Initializer(InitializerKind.Glorot);
        Layout = new ModelLayout(
            "LeakyModel",
            tokens,
            features,
            outputs,
            loss,
            matrices + (learned ? 2 : 1) * Padding.Of(outputs),
            [
                new ParameterInfo(Unused, outputs, inputs, initializer, new PackedSegment(0, 0, 2, 3)),
                new ParameterInfo(Weights, outputs, inputs, initializer, new PackedSegment(0, 1, 2, 3)),
                new ParameterInfo(Decay, outputs, 0, new Initializer(InitializerKind.Uniform, 0.1f, 0.9f), new PackedSegment(matrices)),
                .. learned
                    ? [new ParameterInfo(Start, outputs, 0, new Initializer(InitializerKind.Normal, 0, 1), new PackedSegment(matrices + Padding.Of(outputs)))]
                    : Array.Empty<ParameterInfo>(),
            ],
            [new StateInfo(Memory, outputs) { LearnedStart = learned ? Start : null }, new StateInfo(Counter, 1) { Start = learned ? 3 : 0 }]);
        Parameters = new ParameterBlock(Layout);
        Initialization.Initialize(Parameters, 1);
    }

    private LeakyModel(ModelLayout layout)
    {
        Layout = layout;
        Parameters = new ParameterBlock(layout);
    }

    public ModelLayout Layout { get; }

    public ParameterBlock Parameters { get; }

    /// <summary>Another model of the same class, with parameters of its own.</summary>
    public LeakyModel Twin(ulong seed)
    {
        var twin = new LeakyModel(Layout);
        Initialization.Initialize(twin.Parameters, seed);
        return twin;
    }

    public ISession CreateSession(int batchSize = 1, int steps = 0, int threads = 1) => new LeakySession(this, batchSize, steps == 0 ? 64 : steps, threads);

    public ITrainer CreateTrainer(int batchSize, int steps, TrainerOptions? options = null, int threads = 1) =>
        new LeakyTrainer(this, batchSize, steps, options, threads);

    public LeakyTrainer CreateLeakyTrainer(int batchSize, int steps, TrainerOptions? options = null, int threads = 1) =>
        new(this, batchSize, steps, options, threads);

    /// <summary>The threads that worked last, each at its part's index.</summary>
    public Thread?[] Workers { get; } = new Thread?[16];

    /// <summary>The part that throws instead of working.</summary>
    public int FailingPart { get; set; } = -1;

    /// <summary>What each part does before its work.</summary>
    public Action<WorkPart>? OnPart { get; set; }

    private ParameterInfo W => Layout.Parameters[1];

    private ParameterInfo A => Layout.Parameters[2];

    private bool IsLearned => Layout.States[0].LearnedStart is not null;

    private ReadOnlySpan<float> LearnedStart(int state) => IsLearned && state == 0 ? Parameters.Values.Slice(Layout.Parameters[3].IndexOf(0), Layout.OutputSize) : default;

    /// <summary>Fresh rows get what was learned, and are fresh no more.</summary>
    private void Begin(float[] fresh, float[] memory, int rows)
    {
        for (int row = 0; row < rows && IsLearned; row++)
        {
            if (fresh[row * Padding.Lanes] != 0)
            {
                LearnedStart(0).CopyTo(memory.AsSpan(row * Padding.Of(Layout.OutputSize)));
                fresh[row * Padding.Lanes] = 0;
            }
        }
    }

    /// <summary>One step of one row.</summary>
    private void Advance(ReadOnlySpan<float> input, int token, Span<float> memory, Span<float> counter, Span<float> output)
    {
        Span<float> values = Parameters.Values;
        for (int u = 0; u < Layout.OutputSize; u++)
        {
            float sum = values[A.IndexOf(u)] * memory[u];
            if (Layout.TakesTokens)
            {
                sum += values[W.IndexOf(u, token)];
            }
            else
            {
                for (int k = 0; k < Layout.InputSize; k++)
                {
                    sum += values[W.IndexOf(u, k)] * input[k];
                }
            }

            output[u] = sum;
        }

        output[..Layout.OutputSize].CopyTo(memory);
        counter[0]++;

        // What lies in the padding of the outputs must not matter.
        output[Layout.OutputSize..].Fill(float.NaN);
    }

    private void BeginPart(WorkPart part)
    {
        Workers[part.Index] = Thread.CurrentThread;
        OnPart?.Invoke(part);
        if (part.Index == FailingPart)
        {
            throw new InvalidDataException($"Part {part.Index} fails.");
        }
    }

    private static void Require(bool condition)
    {
        if (!condition)
        {
            throw new InvalidOperationException("The base class broke its promise.");
        }
    }

    private sealed class LeakySession : Session
    {
        private readonly LeakyModel _model;
        private readonly float[] _inputs;
        private readonly int[] _tokens;
        private readonly float[] _outputs;
        private readonly float[][] _states;
        private readonly float[] _fresh;

        public LeakySession(LeakyModel model, int batchSize, int steps, int threads)
            : base(model.Layout, batchSize, steps, threads)
        {
            _model = model;
            _inputs = new float[Layout.TakesTokens ? 0 : steps * batchSize * Padding.Of(Layout.InputSize)];
            _tokens = new int[Layout.TakesTokens ? steps * batchSize : 0];
            _outputs = new float[steps * batchSize * Padding.Of(Layout.OutputSize)];
            _states = [.. Layout.States.Select(state => new float[batchSize * Padding.Of(state.Units)])];
            _fresh = new float[batchSize * Padding.Lanes];
            ResetState();
        }

        protected override Span<float> FreshBuffer(int state) => _model.IsLearned && state == 0 ? _fresh : default;

        protected override ReadOnlySpan<float> LearnedStartOf(int state) => _model.LearnedStart(state);

        protected override Span<float> InputBuffer => _inputs;

        protected override Span<int> TokenBuffer => _tokens;

        protected override ReadOnlySpan<float> OutputBuffer => _outputs;

        protected override ReadOnlySpan<float> RunOutputBuffer(int rows) => _outputs;

        protected override Span<float> StateBuffer(int state) => _states[state];

        protected override void StepCore(int rows) => RunCore(rows, 1, default);

        protected override void RunCore(int rows, int steps, WorkPart part)
        {
            // Not with Assert, which allocates.
            Require(rows >= 1 && rows <= BatchSize && steps >= 1 && steps <= Capacity);
            _model.BeginPart(part);
            if (part.Index == 0)
            {
                _model.Begin(_fresh, _states[0], rows);
            }

            part.Meet();
            int inputStride = Padding.Of(Layout.InputSize);
            int outputStride = Padding.Of(Layout.OutputSize);
            (int firstRow, int ownRows) = part.Of(rows);
            for (int own = 0; own < steps * ownRows; own++)
            {
                int row = firstRow + own % ownRows, i = own / ownRows * rows + row;
                _model.Advance(
                    Layout.TakesTokens ? default : _inputs.AsSpan(i * inputStride, inputStride),
                    Layout.TakesTokens ? _tokens[i] : -1,
                    _states[0].AsSpan(row * outputStride, outputStride),
                    _states[1].AsSpan(row * Padding.Lanes, 1),
                    _outputs.AsSpan(i * outputStride, outputStride));
            }
        }
    }

    internal sealed class LeakyTrainer : Trainer
    {
        private readonly LeakyModel _model;
        private readonly float[] _inputs;
        private readonly int[] _tokens;
        private readonly float[] _outputs;
        private readonly float[] _outputGradients;
        private readonly float[] _inputGradients;
        private readonly float[][] _states;
        private readonly float[][] _initialStates;
        private readonly float[][] _finalStateGradients;
        private readonly float[][] _initialStateGradients;
        private readonly float[] _fresh;

        public LeakyTrainer(LeakyModel model, int batchSize, int steps, TrainerOptions? options, int threads)
            : base(model.Layout, batchSize, steps, options, threads)
        {
            _model = model;
            _inputs = new float[Layout.TakesTokens ? 0 : steps * batchSize * Padding.Of(Layout.InputSize)];
            _inputGradients = new float[_inputs.Length];
            _tokens = new int[Layout.TakesTokens ? steps * batchSize : 0];
            _outputs = new float[steps * batchSize * Padding.Of(Layout.OutputSize)];
            _outputGradients = new float[_outputs.Length];
            float[][] States() => [.. Layout.States.Select(state => new float[batchSize * Padding.Of(state.Units)])];
            _states = States();
            _initialStates = States();
            _finalStateGradients = States();
            _initialStateGradients = States();
            _fresh = new float[batchSize * Padding.Lanes];
            ResetState();
        }

        protected override Span<float> FreshBuffer(int state) => _model.IsLearned && state == 0 ? _fresh : default;

        protected override ReadOnlySpan<float> LearnedStartOf(int state) => _model.LearnedStart(state);

        public int ForwardCalls { get; private set; }

        public int BackwardCalls { get; private set; }

        public int DisposeCalls { get; private set; }

        protected override Span<float> InputBuffer => _inputs;

        protected override Span<int> TokenBuffer => _tokens;

        protected override ReadOnlySpan<float> OutputBuffer(int rows) => _outputs;

        protected override Span<float> OutputGradientBuffer => _outputGradients;

        protected override ReadOnlySpan<float> InputGradientBuffer => _inputGradients;

        protected override Span<float> StateBuffer(int state) => _states[state];

        protected override Span<float> FinalStateGradientBuffer(int state) => _finalStateGradients[state];

        protected override ReadOnlySpan<float> InitialStateGradientBuffer(int state) => _initialStateGradients[state];

        protected override void Dispose(bool disposing) => DisposeCalls++;

        protected override void ForwardCore(int rows, int steps, WorkPart part)
        {
            Require(rows >= 1 && rows <= BatchSize && steps >= 1 && steps <= Steps);
            _model.BeginPart(part);
            if (part.Index == 0)
            {
                ForwardCalls++;
                _model.Begin(_fresh, _states[0], rows);
                for (int state = 0; state < _states.Length; state++)
                {
                    _states[state].CopyTo(_initialStates[state], 0);
                }
            }

            part.Meet();
            int inputStride = Padding.Of(Layout.InputSize);
            int outputStride = Padding.Of(Layout.OutputSize);
            (int firstRow, int ownRows) = part.Of(rows);
            for (int own = 0; own < steps * ownRows; own++)
            {
                int row = firstRow + own % ownRows, i = own / ownRows * rows + row;
                _model.Advance(
                    Layout.TakesTokens ? default : _inputs.AsSpan(i * inputStride, inputStride),
                    Layout.TakesTokens ? _tokens[i] : -1,
                    _states[0].AsSpan(row * outputStride, outputStride),
                    _states[1].AsSpan(row * Padding.Lanes, 1),
                    _outputs.AsSpan(i * outputStride, outputStride));
            }
        }

        protected override void BackwardCore(int rows, int steps, WorkPart part)
        {
            if (part.Index != 0)
            {
                return;
            }

            BackwardCalls++;
            int inputStride = Padding.Of(Layout.InputSize);
            int outputStride = Padding.Of(Layout.OutputSize);
            Span<float> parameters = _model.Parameters.Values;
            Span<float> gradients = Gradients.Values;
            _inputGradients.AsSpan().Clear();
            for (int row = 0; row < rows; row++)
            {
                _initialStateGradients[1][row * Padding.Lanes] = _finalStateGradients[1][row * Padding.Lanes];
                for (int lane = Layout.OutputSize; lane < outputStride; lane++)
                {
                    for (int step = 0; step < steps; step++)
                    {
                        Require(_outputGradients[(step * rows + row) * outputStride + lane] == 0);
                    }
                }

                for (int u = 0; u < Layout.OutputSize; u++)
                {
                    float decay = parameters[_model.A.IndexOf(u)];
                    float adjoint = _finalStateGradients[0][row * outputStride + u];
                    for (int step = steps - 1; step >= 0; step--)
                    {
                        int i = step * rows + row;
                        adjoint += _outputGradients[i * outputStride + u];
                        float before = step > 0 ? _outputs[(i - rows) * outputStride + u] : _initialStates[0][row * outputStride + u];
                        gradients[_model.A.IndexOf(u)] += adjoint * before;
                        if (Layout.TakesTokens)
                        {
                            gradients[_model.W.IndexOf(u, _tokens[i])] += adjoint;
                        }
                        else
                        {
                            for (int k = 0; k < Layout.InputSize; k++)
                            {
                                gradients[_model.W.IndexOf(u, k)] += adjoint * _inputs[i * inputStride + k];
                                _inputGradients[i * inputStride + k] += adjoint * parameters[_model.W.IndexOf(u, k)];
                            }
                        }

                        adjoint *= decay;
                    }

                    _initialStateGradients[0][row * outputStride + u] = adjoint;
                }
            }
        }
    }
}

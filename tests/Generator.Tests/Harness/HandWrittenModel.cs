namespace Unrolled.Generator.Tests.Harness;

/// <summary>A mistake to plant in <see cref="HandWrittenModel"/>.</summary>
public enum Defect
{
    None,

    /// <summary>The bias's gradient forgets the last row.</summary>
    BiasGradient,

    /// <summary>One element of the recurrent matrix's gradient is a thousandth too large.</summary>
    OneWeightGradient,

    /// <summary>The state's adjoint comes back with the wrong sign of its small part.</summary>
    Recurrence,

    /// <summary>The gradient by the final state is ignored.</summary>
    FinalStateGradient,

    /// <summary>The gradient by the inputs is that of the next step.</summary>
    InputGradient,

    /// <summary>A run adds one unit of the bias twice.</summary>
    Streaming,

    /// <summary>The outputs are a ten-thousandth off.</summary>
    Outputs,
}

/// <summary>An Elman network written by hand on the runtime's base classes: what the harness is tried on, whole and with mistakes.</summary>
internal sealed class HandWrittenModel : IModel
{
    private readonly Defect _defect;

    public HandWrittenModel(int features, int units, Defect defect)
    {
        _defect = defect;
        int rows = Padding.Of(units);
        Layout = new ModelLayout(
            "HandWritten", 0, features, units, Loss.None, rows * (features + units + 1),
            [
                new ParameterInfo("rnn.W_x", units, features, new Initializer(InitializerKind.Glorot), new PackedSegment(0)),
                new ParameterInfo("rnn.W_h", units, units, new Initializer(InitializerKind.Orthogonal), new PackedSegment(rows * features)),
                new ParameterInfo("rnn.b", units, 0, new Initializer(InitializerKind.Zero), new PackedSegment(rows * (features + units))),
            ],
            [new StateInfo("rnn.h", units)]);
        Parameters = new ParameterBlock(Layout);
    }

    public ModelLayout Layout { get; }

    public ParameterBlock Parameters { get; }

    public ISession CreateSession(int batchSize = 1, int steps = 0, int threads = 1) => new HandWrittenSession(this, batchSize, steps == 0 ? 64 : steps);

    public ITrainer CreateTrainer(int batchSize, int steps, TrainerOptions? options = null, int threads = 1) => new HandWrittenTrainer(this, batchSize, steps, options);

    private void Step(ReadOnlySpan<float> inputs, ReadOnlySpan<float> before, Span<float> after, int rows, float biasFactor)
    {
        int features = Layout.InputSize;
        int units = Layout.OutputSize;
        float[] wx = Parameters.ToArray("rnn.W_x");
        float[] wh = Parameters.ToArray("rnn.W_h");
        float[] b = Parameters.ToArray("rnn.b");
        for (int row = 0; row < rows; row++)
        {
            for (int u = 0; u < units; u++)
            {
                float sum = u == 0 ? biasFactor * b[u] : b[u];
                for (int k = 0; k < features; k++)
                {
                    sum += wx[u * features + k] * inputs[row * Padding.Of(features) + k];
                }

                for (int k = 0; k < units; k++)
                {
                    sum += wh[u * units + k] * before[row * Padding.Of(units) + k];
                }

                after[row * Padding.Of(units) + u] = MathF.Tanh(sum) * (_defect == Defect.Outputs ? 1.0001f : 1);
            }
        }
    }

    private sealed class HandWrittenSession(HandWrittenModel model, int batchSize, int steps) : Session(model.Layout, batchSize, steps)
    {
        private readonly float[] _inputs = new float[steps * batchSize * Padding.Of(model.Layout.InputSize)];
        private readonly float[] _outputs = new float[steps * batchSize * Padding.Of(model.Layout.OutputSize)];
        private readonly float[] _state = new float[batchSize * Padding.Of(model.Layout.OutputSize)];

        protected override Span<float> InputBuffer => _inputs;

        protected override Span<int> TokenBuffer => [];

        protected override ReadOnlySpan<float> OutputBuffer => _outputs;

        protected override ReadOnlySpan<float> RunOutputBuffer(int rows) => _outputs;

        protected override Span<float> StateBuffer(int state) => _state;

        protected override void StepCore(int rows) => RunCore(rows, 1, default);

        protected override void RunCore(int rows, int steps, WorkPart part)
        {
            int width = rows * Padding.Of(Layout.OutputSize);
            for (int step = 0; step < steps; step++)
            {
                Span<float> output = _outputs.AsSpan(step * width, width);
                model.Step(_inputs.AsSpan(step * rows * Padding.Of(Layout.InputSize)), _state, output, rows, model._defect == Defect.Streaming ? 2 : 1);
                output.CopyTo(_state);
            }
        }
    }

    private sealed class HandWrittenTrainer(HandWrittenModel model, int batchSize, int steps, TrainerOptions? options)
        : Trainer(model.Layout, batchSize, steps, options)
    {
        private readonly float[] _inputs = new float[steps * batchSize * Padding.Of(model.Layout.InputSize)];
        private readonly float[] _inputGradients = new float[steps * batchSize * Padding.Of(model.Layout.InputSize)];
        private readonly float[] _outputs = new float[steps * batchSize * Padding.Of(model.Layout.OutputSize)];
        private readonly float[] _outputGradients = new float[steps * batchSize * Padding.Of(model.Layout.OutputSize)];
        private readonly float[] _state = new float[batchSize * Padding.Of(model.Layout.OutputSize)];
        private readonly float[] _initial = new float[batchSize * Padding.Of(model.Layout.OutputSize)];
        private readonly float[] _finalGradients = new float[batchSize * Padding.Of(model.Layout.OutputSize)];
        private readonly float[] _initialGradients = new float[batchSize * Padding.Of(model.Layout.OutputSize)];

        protected override Span<float> InputBuffer => _inputs;

        protected override Span<int> TokenBuffer => [];

        protected override ReadOnlySpan<float> OutputBuffer(int rows) => _outputs;

        protected override Span<float> OutputGradientBuffer => _outputGradients;

        protected override ReadOnlySpan<float> InputGradientBuffer => _inputGradients;

        protected override Span<float> StateBuffer(int state) => _state;

        protected override Span<float> FinalStateGradientBuffer(int state) => _finalGradients;

        protected override ReadOnlySpan<float> InitialStateGradientBuffer(int state) => _initialGradients;

        protected override void ForwardCore(int rows, int steps, WorkPart part)
        {
            int width = rows * Padding.Of(Layout.OutputSize);
            _state.CopyTo(_initial, 0);
            for (int step = 0; step < steps; step++)
            {
                Span<float> output = _outputs.AsSpan(step * width, width);
                model.Step(_inputs.AsSpan(step * rows * Padding.Of(Layout.InputSize)), _state, output, rows, 1);
                output.CopyTo(_state);
            }
        }

        protected override void BackwardCore(int rows, int steps, WorkPart part)
        {
            (int features, int units) = (Layout.InputSize, Layout.OutputSize);
            (int x, int h) = (Padding.Of(features), Padding.Of(units));
            float[] wx = model.Parameters.ToArray("rnn.W_x");
            float[] wh = model.Parameters.ToArray("rnn.W_h");
            var dwx = new float[wx.Length];
            var dwh = new float[wh.Length];
            var db = new float[units];
            var dh = new float[rows * h];
            if (model._defect != Defect.FinalStateGradient)
            {
                _finalGradients.AsSpan(0, rows * h).CopyTo(dh);
            }

            Array.Clear(_inputGradients);
            for (int step = steps - 1; step >= 0; step--)
            {
                var previous = new float[rows * h];
                for (int row = 0; row < rows; row++)
                {
                    for (int u = 0; u < units; u++)
                    {
                        int at = (step * rows + row) * h + u;
                        float y = _outputs[at];
                        float d = (dh[row * h + u] + _outputGradients[at]) * (1 - y * y);
                        db[u] += model._defect == Defect.BiasGradient && row == rows - 1 ? 0 : d;
                        for (int k = 0; k < features; k++)
                        {
                            dwx[u * features + k] += d * _inputs[(step * rows + row) * x + k];
                            int target = model._defect == Defect.InputGradient ? Math.Max(0, step - 1) : step;
                            _inputGradients[(target * rows + row) * x + k] += d * wx[u * features + k];
                        }

                        for (int k = 0; k < units; k++)
                        {
                            float before = step > 0 ? _outputs[((step - 1) * rows + row) * h + k] : _initial[row * h + k];
                            dwh[u * units + k] += d * before;
                            previous[row * h + k] += d * wh[u * units + k] * (model._defect == Defect.Recurrence && u == 0 ? -1 : 1);
                        }
                    }
                }

                dh = previous;
            }

            if (model._defect == Defect.OneWeightGradient)
            {
                int largest = Array.IndexOf(dwh, dwh.MaxBy(Math.Abs));
                dwh[largest] *= 1.001f;
            }

            dh.CopyTo(_initialGradients, 0);
            Gradients.Set("rnn.W_x", dwx);
            Gradients.Set("rnn.W_h", dwh);
            Gradients.Set("rnn.b", db);
        }
    }
}

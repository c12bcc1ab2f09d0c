using Unrolled.Generator.Tests.Harness;

namespace Unrolled.Generator.Tests;

/// <summary>Networks for the tests of what the emitted code promises: every input, every loss, stacks, sizes beside a vector's.</summary>
internal static class PromiseNetworks
{
    public static ModelSet Models { get; } = new(
    [
        new TestNetwork("Characters", 17, 0, [TestLayer.Lstm("lstm", 31, peepholes: true), TestLayer.Lstm("upper", 16), TestLayer.Dense("head", 17)], Loss.SoftmaxCrossEntropy),
        new TestNetwork("Signals", 0, 5, [TestLayer.Gru("gru", 33), TestLayer.Gru("upper", 17, resetAfter: false), TestLayer.Dense("head", 3, "tanh")], Loss.MeanSquaredError),
        new TestNetwork("Plain", 0, 17, [TestLayer.Rnn("rnn", 100)]),
        new TestNetwork("Wide", 0, 64, [TestLayer.Lstm("lstm", 128)]),

        // More weights than stay in a cache from step to step, so that every second step goes through them backward; the upper layer's last
        // panel is narrower than the others.
        new TestNetwork("Far", 0, 3, [TestLayer.Lstm("lstm", 250), TestLayer.Rnn("upper", 460)]),

        // Products in one stage whose last panels begin at different units, and sums that start from one value: a product, a carried one.
        new TestNetwork("Uneven", 0, 5,
        [
            TestLayer.Own(
                "own",
                """
                p[t] = tanh(U @ x[t] + W @ h[t-1])
                q[t] = sigmoid(U @ x[t] + V @ h[t-1] + b)
                h[t] = p[t] * q[t] + 0.5 * tanh(h[t-4] + R @ h[t-4]) + 0.3 * tanh(h[t-4] + S @ h[t-3])
                """,
                33),
            TestLayer.Own(
                "tied",
                """
                a[t] = V @ x[t]
                r[t] = sigmoid(V @ x[t] + transpose(T) @ x[t] + transpose(R) @ h[t-1])
                h[t] = r[t] * tanh(a[t] + W @ h[t-1]) * a[t] + 0.1 * R @ h[t-2] + 0.1 * T @ h[t-1]
                """,
                33),
        ]),

        // Starts that are learned, and what parameters alone decide.
        new TestNetwork("Learned", 7, 0,
        [
            TestLayer.Own(
                "own",
                """
                start h = learned
                init h_start = normal(0, 1)
                h[t] = tanh(W @ x[t] + U @ h[t-1] + sigmoid(a) * h[t-2] + V @ softmax(v))
                """,
                33),
            TestLayer.Dense("head", 7),
        ], Loss.SoftmaxCrossEntropy),
    ]);
}

/// <summary>Inputs, targets and upstream gradients for a network, one row at a time or many.</summary>
internal sealed class PromiseData
{
    private readonly ModelLayout _layout;
    private readonly int _steps;

    public PromiseData(ModelLayout layout, int rows, int steps, int seed = 3)
    {
        _layout = layout;
        _steps = steps;
        var random = new Random(seed);
        Inputs = layout.TakesTokens ? [] : Floats(random, steps * rows * layout.InputSize);
        Tokens = layout.TakesTokens ? Integers(random, steps * rows, layout.Tokens) : [];
        InitialStates = Floats(random, rows * layout.StateLength);
        OutputGradients = Floats(random, steps * rows * layout.OutputSize);
        FinalGradients = Floats(random, rows * layout.StateLength);
        ValueTargets = Floats(random, steps * rows * layout.OutputSize);
        ClassTargets = Integers(random, steps * rows, layout.OutputSize);
    }

    public int Steps => _steps;

    public float[] Inputs { get; private set; }

    public int[] Tokens { get; private set; }

    public float[] InitialStates { get; private set; }

    public float[] OutputGradients { get; private set; }

    public float[] FinalGradients { get; private set; }

    public float[] ValueTargets { get; private set; }

    public int[] ClassTargets { get; private set; }

    /// <summary>Elements of <c>[steps, rows, width]</c> that belong to some of the rows.</summary>
    public static T[] Rows<T>(T[] values, int steps, int rows, int first, int count)
    {
        int width = values.Length / steps / rows;
        return Enumerable.Range(0, steps).SelectMany(step => values.AsSpan((step * rows + first) * width, count * width).ToArray()).ToArray();
    }

    /// <summary>The same for some of the rows.</summary>
    public PromiseData Select(int rows, int first, int count)
    {
        var part = (PromiseData)MemberwiseClone();
        part.Inputs = Rows(Inputs, _steps, rows, first, count);
        part.Tokens = Rows(Tokens, _steps, rows, first, count);
        part.InitialStates = Rows(InitialStates, 1, rows, first, count);
        part.OutputGradients = Rows(OutputGradients, _steps, rows, first, count);
        part.FinalGradients = Rows(FinalGradients, 1, rows, first, count);
        part.ValueTargets = Rows(ValueTargets, _steps, rows, first, count);
        part.ClassTargets = Rows(ClassTargets, _steps, rows, first, count);
        return part;
    }

    /// <summary>The inputs of some of the steps.</summary>
    public PromiseData Between(int first, int end)
    {
        int input = Inputs.Length / _steps, token = Tokens.Length / _steps;
        var part = (PromiseData)MemberwiseClone();
        part.Inputs = Inputs[(first * input)..(end * input)];
        part.Tokens = Tokens[(first * token)..(end * token)];
        return part;
    }

    public void Forward(ITrainer trainer, int rows = 0)
    {
        if (_layout.TakesTokens)
        {
            trainer.Forward(Tokens, rows);
        }
        else
        {
            trainer.Forward(Inputs, rows);
        }
    }

    public void Run(ISession session, Span<float> outputs, int rows = 0)
    {
        if (_layout.TakesTokens)
        {
            session.Run(Tokens, outputs, rows);
        }
        else
        {
            session.Run(Inputs, outputs, rows);
        }
    }

    public void Step(ISession session, int step, int rows, Span<float> output)
    {
        if (_layout.TakesTokens)
        {
            session.Step(Tokens.AsSpan(step * rows, rows), output);
        }
        else
        {
            session.Step(Inputs.AsSpan(step * rows * _layout.InputSize, rows * _layout.InputSize), output);
        }
    }

    /// <summary>One call with the network's own loss; nothing where it has none.</summary>
    public float ForwardBackward(ITrainer trainer, int rows = 0) => (_layout.TakesTokens, _layout.Loss) switch
    {
        (true, Loss.SoftmaxCrossEntropy) => trainer.ForwardBackward(Tokens, ClassTargets, rows),
        (false, Loss.SoftmaxCrossEntropy) => trainer.ForwardBackward(Inputs, ClassTargets, rows),
        (true, Loss.MeanSquaredError) => trainer.ForwardBackward(Tokens, ValueTargets, rows),
        (false, Loss.MeanSquaredError) => trainer.ForwardBackward(Inputs, ValueTargets, rows),
        _ => 0,
    };

    public float Evaluate(ITrainer trainer, int rows = 0) => (_layout.TakesTokens, _layout.Loss) switch
    {
        (true, Loss.SoftmaxCrossEntropy) => trainer.Evaluate(Tokens, ClassTargets, rows),
        (false, Loss.SoftmaxCrossEntropy) => trainer.Evaluate(Inputs, ClassTargets, rows),
        (true, Loss.MeanSquaredError) => trainer.Evaluate(Tokens, ValueTargets, rows),
        (false, Loss.MeanSquaredError) => trainer.Evaluate(Inputs, ValueTargets, rows),
        _ => 0,
    };

    private static float[] Floats(Random random, int length) =>
        Enumerable.Range(0, length).Select(_ => (float)(2 * random.NextDouble() - 1)).ToArray();

    private static int[] Integers(Random random, int length, int bound) => Enumerable.Range(0, length).Select(_ => random.Next(bound)).ToArray();
}

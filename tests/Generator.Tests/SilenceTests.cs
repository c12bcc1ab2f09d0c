using Unrolled.Generator.Tests.Harness;
using Xunit;

namespace Unrolled.Generator.Tests;

/// <summary>States and adjoints that decay become zero: none stays among the denormal numbers, on which processors are slow.</summary>
public sealed class SilenceTests
{
    // A decay by a tenth a step passes all numbers of float32 in 1,000 steps, and would then stay at a few times the smallest for good.
    private const int Steps = 1200;

    private const int Features = 2;

    internal static readonly ModelSet Models = new(
    [
        Own("Lstm", """
            init W_g = uniform(0.5, 1)
            i[t] = sigmoid(W_i @ x[t] + U_i @ h[t-1])
            f[t] = sigmoid(U_f @ h[t-1] + 2)
            c[t] = f[t] * c[t-1] + i[t] * tanh(W_g @ x[t] + 0.01 * (U_g @ h[t-1]))
            o[t] = sigmoid(W_o @ x[t] + U_o @ h[t-1] + w_o * c[t])
            h[t] = o[t] * tanh(c[t])
            """),
        Own("MinimalGated", """
            f[t] = sigmoid(W_f @ x[t] + U_f @ h[t-1] - 2)
            h[t] = (1 - f[t]) * h[t-1] + f[t] * tanh(W_h @ x[t] + U_h @ (f[t] * h[t-1]))
            """),
        Own("Leaky", "h[t] = 0.9 * h[t-1] + 0.02 * tanh(W @ x[t] + U @ h[t-1])"),
        Own("Delayed", "h[t] = 0.7 * h[t-2] + 0.1 * h[t-1] + 0.05 * tanh(W @ x[t])"),

        // What is carried is a sum of products and nothing else.
        Own("Linear", """
            init U = orthogonal(0.9)
            h[t] = W @ x[t] + U @ h[t-1]
            """),

        // What is carried is read by a product in the same step, and only one part of it is an output.
        Own("Readout", """
            output y
            s[t] = 0.9 * s[t-1] + 0.1 * tanh(W @ x[t])
            y[t] = V @ s[t] + 0.5 * s[t]
            """),
    ]);

    public static TheoryData<string> Names => [.. Models.Names];

    public static TheoryData<int> Numbers => RandomCellTests.Numbers;

    [Theory]
    [MemberData(nameof(Names))]
    [Trait("Category", "Emitted")]
    public void States_decay_to_zero_in_every_way_of_running(string name)
    {
        IModel model = Models.Create(name, seed: 1);
        int width = model.Layout.OutputSize;
        float[] inputs = Impulse(1), outputs = new float[Steps * width];
        ISession single = model.CreateSession();
        for (int step = 0; step < Steps; step++)
        {
            single.Step(inputs.AsSpan(step * Features, Features), outputs.AsSpan(step * width, width));
            AssertFlushed(State(single), $"after step {step}");
            Assert.True(step > 0 || State(single).Any(value => value != 0), "the impulse must reach a state");
        }

        Assert.All(State(single), value => Assert.Equal(0, BitConverter.SingleToInt32Bits(value)));

        foreach (int rows in new[] { 1, 5 })
        {
            float[] all = Impulse(rows), batch = new float[Steps * rows * width];
            ISession stepped = model.CreateSession(rows);
            for (int step = 0; step < Steps; step++)
            {
                stepped.Step(all.AsSpan(step * rows * Features, rows * Features), batch.AsSpan(step * rows * width, rows * width));
                AssertFlushed(State(stepped), $"of {rows} rows after step {step}");
            }

            Hold(batch, State(stepped), $"{rows} rows a step at a time");
            foreach ((int capacity, int threads) in new[] { (7, 1), (64, 2), (Steps, 1) })
            {
                ISession session = model.CreateSession(rows, capacity, threads);
                session.Run(all, batch);
                Hold(batch, State(session), $"{rows} rows in pieces of {capacity} on {threads} threads");
                using ITrainer trainer = model.CreateTrainer(rows, Steps, threads: threads);
                trainer.Forward(all);
                trainer.GetOutputs(batch);
                Hold(batch, State(trainer), $"{rows} rows in a trainer of {threads} threads");
            }

            void Hold(float[] actual, float[] states, string where)
            {
                Assert.All(states, value => Assert.Equal(0, BitConverter.SingleToInt32Bits(value)));
                for (int i = 0; i < actual.Length; i++)
                {
                    int step = i / width / rows, unit = i % width;
                    if (BitConverter.SingleToInt32Bits(actual[i]) != BitConverter.SingleToInt32Bits(outputs[step * width + unit]))
                    {
                        Assert.Fail($"{where}: output {unit} of step {step} is {actual[i]:G9}, not {outputs[step * width + unit]:G9}");
                    }
                }
            }
        }
    }

    /// <summary>What only the last step gives a gradient vanishes on the way back, and then is nothing.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    [Trait("Category", "Emitted")]
    public void Adjoints_decay_to_zero(string name)
    {
        IModel model = Models.Create(name, seed: 1);
        int width = model.Layout.OutputSize;
        float[]? alone = null;
        foreach ((int rows, int threads) in new[] { (1, 1), (3, 1), (3, 2) })
        {
            using ITrainer trainer = model.CreateTrainer(rows, Steps, new TrainerOptions { InputGradients = true }, threads);
            trainer.Forward(Impulse(rows));
            var upstream = new float[Steps * rows * width];
            upstream.AsSpan(^(rows * width)..).Fill(1);
            trainer.Backward(upstream);
            var gradients = new float[Steps * rows * Features];
            trainer.GetInputGradients(gradients);
            float[] row = PromiseData.Rows(gradients, Steps, rows, rows - 1, 1);
            alone ??= row;
            Assert.Equal(alone.Select(BitConverter.SingleToInt32Bits), row.Select(BitConverter.SingleToInt32Bits));
            Assert.All(row[^(2 * Features)..^Features], value => Assert.NotEqual(0, value));

            // 0 without a sign: weights of both signs times zeros.
            Assert.All(row[..(50 * Features)], value => Assert.Equal(0, value));
            var initial = new float[rows * model.Layout.StateLength];
            trainer.GetInitialStateGradients(initial);
            Assert.All(initial, value => Assert.Equal(0, value));
        }
    }

    [Fact]
    [Trait("Category", "Emitted")]
    public void Everything_else_passes()
    {
        // 0.9 times the smallest number that a state has is below it.
        float smallest = MathF.ScaleB(1, -95);
        float[] states = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, smallest, -smallest, 2 * smallest, float.Epsilon, 0, 1];
        float[] expected = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, 0, 0, 0.9f * 2 * smallest, 0, 0, 0.9f];
        IModel model = Exact.Create("Passing", seed: 1);
        ISession single = model.CreateSession(), batch = model.CreateSession(2);
        single.SetState(states);
        batch.SetState([.. states, .. states]);
        single.Step(new float[1], new float[states.Length]);
        batch.Step(new float[2], new float[2 * states.Length]);
        Assert.Equal(expected, State(single));
        Assert.Equal([.. expected, .. expected], State(batch));
    }

    [Theory]
    [MemberData(nameof(Numbers))]
    [Trait("Category", "Emitted")]
    public void No_state_of_a_random_cell_is_close_to_denormal(int number)
    {
        IModel model = RandomCellTests.Models.Create("Random_" + number, seed: 1);
        const int rows = 3, steps = 6;
        int features = model.Layout.InputSize, width = model.Layout.OutputSize;

        // Biases start at zero: what is this small stays small where functions pass through zero.
        float[] states = [.. Enumerable.Range(0, rows * model.Layout.StateLength).Select(i => (i % 7 - 3) * 2.5e-29f)];
        ISession single = model.CreateSession(), batch = model.CreateSession(rows), run = model.CreateSession(rows, steps);
        using ITrainer trainer = model.CreateTrainer(rows, steps);
        single.SetState(states.AsSpan(0, model.Layout.StateLength));
        batch.SetState(states);
        run.SetState(states);
        trainer.SetState(states);
        for (int step = 0; step < steps; step++)
        {
            single.Step(new float[features], new float[width]);
            batch.Step(new float[rows * features], new float[rows * width]);
            Assert.All(model.Layout.States, state =>
            {
                var value = new float[rows * state.Units];
                batch.GetState(state.Name, value);
                Assert.True(step < 4 || !value.Any(IsTooSmall), $"{state.Name} after step {step}: {string.Join(", ", value)}");
            });
            AssertFlushed(step < 4 ? [] : State(single), $"after step {step}");
        }

        run.Run(new float[steps * rows * features], new float[steps * rows * width]);
        trainer.Forward(new float[steps * rows * features]);
        AssertFlushed(State(run), "after a run");
        AssertFlushed(State(trainer), "after a trainer's forward pass");
        Assert.Equal(State(batch).Select(BitConverter.SingleToInt32Bits), State(run).Select(BitConverter.SingleToInt32Bits));
        Assert.Equal(State(batch).Select(BitConverter.SingleToInt32Bits), State(trainer).Select(BitConverter.SingleToInt32Bits));
    }

    internal static readonly ModelSet Exact = new([new TestNetwork("Passing", 0, 1, [TestLayer.Own("cell", "h[t] = 0.9 * h[t-1] + w * (W @ x[t])", 9)])]);

    private static TestNetwork Own(string name, string text) => new("Silent" + name, 0, Features, [TestLayer.Own("cell", text, 5)]);

    private static float[] Impulse(int rows)
    {
        var inputs = new float[Steps * rows * Features];
        inputs.AsSpan(0, rows * Features).Fill(1);
        return inputs;
    }

    private static float[] State(IStateful stateful)
    {
        var state = new float[stateful.BatchSize * stateful.Layout.StateLength];
        stateful.GetState(state);
        return state;
    }

    private static void AssertFlushed(float[] values, string when) =>
        Assert.True(!values.Any(IsTooSmall), $"{when}: {string.Join(", ", values.Where(IsTooSmall))}");

    private static bool IsTooSmall(float value) => value != 0 && MathF.Abs(value) < MathF.ScaleB(1, -95);
}

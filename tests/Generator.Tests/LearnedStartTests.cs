using Unrolled.Generator.Tests.Harness;
using Xunit;

namespace Unrolled.Generator.Tests;

/// <summary>Sequences that start from what was learned: which rows do, what they compute, and where their gradients go.</summary>
public sealed class LearnedStartTests
{
    private const int Rows = 3;
    private const int Steps = 4;
    private const int Features = 5;
    private const int Units = 17;
    private const int Length = 3 * Units;

    // Two states, one of them read at two ages.
    private const string Text = """
        start h = learned
        start c = learned
        init c_start = uniform(-1, 1)
        c[t] = tanh(W @ x[t] + U @ h[t-1] + w * c[t-1] + b)
        h[t] = c[t] * sigmoid(V @ h[t-2])
        """;

    private static readonly TestNetwork s_network = new("LearnedStart", 0, Features, [TestLayer.Own("own", Text, Units)]);

    private static readonly ModelSet s_models = new([s_network]);

    private readonly IModel _model = s_models.Create(s_network.Class, seed: 1);
    private readonly float[] _inputs = Floats(Steps * Rows * Features, 1);
    private readonly float[] _outputGradients = Floats(Steps * Rows * Units, 2);
    private readonly float[] _finalGradients = Floats(Rows * Length, 3);

    public LearnedStartTests() => _model.Parameters.Set("own.h_start", Floats(Units, 4));

    [Fact]
    public void Are_parameters_of_their_states()
    {
        Assert.Equal(
            [("own.h", "own.h_start"), ("own.h[t-2]", "own.h_start"), ("own.c", "own.c_start")],
            _model.Layout.States.Select(state => (state.Name, state.LearnedStart)).OrderByDescending(pair => pair.Name[..5]).ThenBy(pair => pair.Name));
        IModel untouched = s_models.Create(s_network.Class, seed: 1);
        Assert.All(untouched.Parameters.ToArray("own.h_start"), value => Assert.Equal(0f, value));
        Assert.DoesNotContain(0f, untouched.Parameters.ToArray("own.c_start"));
    }

    [Fact]
    public void A_fresh_row_computes_what_one_does_whose_state_is_set_to_the_start()
    {
        ISession fresh = _model.CreateSession(Rows);
        ISession set = _model.CreateSession(Rows);
        set.SetState(State(fresh));
        Assert.Equal(Run(set), Run(fresh));
        Assert.Equal(State(set), State(fresh));

        // The state is carried from here on, whatever the parameters become.
        _model.Parameters.Set("own.h_start", Floats(Units, 5));
        Assert.Equal(State(set), State(fresh));
        Assert.Equal(Run(set), Run(fresh));

        // One row begins again, with the parameters of now.
        fresh.ResetState(1);
        set.SetState(1, State(_model.CreateSession()));
        Assert.Equal(State(set), State(fresh));
        Assert.Equal(Run(set), Run(fresh));
    }

    [Fact]
    public void A_row_that_was_reset_starts_from_the_parameters_at_its_first_step()
    {
        using ITrainer trainer = _model.CreateTrainer(Rows, Steps);
        trainer.Forward(_inputs);
        trainer.ResetState();
        _model.Parameters.Set("own.h_start", Floats(Units, 5));
        trainer.Forward(_inputs);
        float[] outputs = new float[Steps * Rows * Units];
        trainer.GetOutputs(outputs);
        Assert.Equal(Run(_model.CreateSession(Rows)), outputs);
    }

    [Fact]
    public void The_gradient_is_the_sum_over_the_rows_that_began()
    {
        using ITrainer trainer = _model.CreateTrainer(Rows, Steps);

        // Of row 0 both states begin, of row 1 neither; of row 2 c was set by name, with all others', and h began.
        trainer.SetState("own.c", Floats(Rows * Units, 6));
        trainer.ResetState(0);
        trainer.SetState(1, Floats(Length, 7));
        float[] initial = Backward(trainer);
        AssertGradients(trainer, initial, hRows: [0, 2], cRows: [0]);

        // What is carried did not begin here.
        Assert.NotEqual(initial, Backward(trainer));
        AssertGradients(trainer, initial, hRows: [], cRows: []);

        // A row begins in the midst of others.
        trainer.ResetState(1);
        AssertGradients(trainer, Backward(trainer), hRows: [1], cRows: [1]);
    }

    [Fact]
    public void The_way_back_remembers_which_rows_began()
    {
        using ITrainer trainer = _model.CreateTrainer(Rows, Steps);
        trainer.SetState(1, Floats(Length, 7));
        trainer.Forward(_inputs);
        trainer.ResetState();
        AssertGradients(trainer, BackwardOnly(trainer), hRows: [0, 2], cRows: [0, 2]);
        trainer.SetState(Floats(Rows * Length, 8));
        trainer.ResetState(2);
        trainer.Forward(_inputs);
        trainer.SetState(Floats(Rows * Length, 9));
        AssertGradients(trainer, BackwardOnly(trainer), hRows: [2], cRows: [2]);
    }

    [Fact]
    public void Rows_that_are_not_given_stay_fresh()
    {
        using ITrainer trainer = _model.CreateTrainer(Rows, Steps);
        trainer.Forward(_inputs.AsSpan(0, 2 * Features), rows: 1);
        AssertGradients(trainer, Backward(trainer), hRows: [1, 2], cRows: [1, 2]);
    }

    [Fact]
    public void A_use_site_says_where_training_begins()
    {
        IModel model = ModelHarness.Compile(["""
            using Unrolled;
            /// <summary>A model.</summary>
            [Model(Features = 3)]
            [Cell("own", "start h = learned\nh[t] = tanh(W @ x[t] + U @ h[t-1] + V @ tanh(v))")]
            [Layer("own", 4, Set = "init h_start = 0.5")]
            public sealed partial class M;
            """]).Create("M");
        Assert.Equal([0.5f, 0.5f, 0.5f, 0.5f], State(model.CreateSession()));
        model.Parameters.Set("own_0.h_start", [1, 2, 3, 4]);
        model.Parameters.Set("own_0.v", [1, 2, 3, 4]);
        using ITrainer trainer = model.CreateTrainer(1, 1);
        Assert.Equal([1f, 2f, 3f, 4f], State(trainer));
        trainer.Forward([1f, 2f, 3f]);
        trainer.Backward([1, 2, 3, 4]);
        float[] initial = new float[4];
        trainer.GetInitialStateGradients(initial);
        Assert.Equal(initial, trainer.Gradients.ToArray("own_0.h_start"));
        Assert.DoesNotContain(0f, initial);
        Assert.DoesNotContain(0f, trainer.Gradients.ToArray("own_0.V"));
    }

    /// <summary>Holds the starts' gradients to the sums of what the trainer says of the given rows' states.</summary>
    private static void AssertGradients(ITrainer trainer, float[] initial, int[] hRows, int[] cRows)
    {
        IReadOnlyList<StateInfo> states = trainer.Layout.States;
        foreach ((string parameter, int[] rows) in new[] { ("own.h_start", hRows), ("own.c_start", cRows) })
        {
            double[] expected = new double[Units];
            for (int state = 0; state < states.Count; state++)
            {
                foreach (int row in states[state].LearnedStart == parameter ? rows : [])
                {
                    for (int unit = 0; unit < Units; unit++)
                    {
                        expected[unit] += initial[row * Length + state * Units + unit];
                    }
                }
            }

            // Up to six numbers of about 1 added in single precision.
            float[] actual = trainer.Gradients.ToArray(parameter);
            Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
        }
    }

    private float[] Backward(ITrainer trainer)
    {
        trainer.Forward(_inputs);
        return BackwardOnly(trainer);
    }

    private float[] BackwardOnly(ITrainer trainer)
    {
        trainer.Backward(_outputGradients, _finalGradients);
        float[] initial = new float[Rows * Length];
        trainer.GetInitialStateGradients(initial);
        return initial;
    }

    private float[] Run(ISession session)
    {
        float[] outputs = new float[Steps * Rows * Units];
        session.Step(_inputs.AsSpan(0, Rows * Features), outputs.AsSpan(0, Rows * Units));
        session.Run(_inputs.AsSpan(Rows * Features), outputs.AsSpan(Rows * Units));
        return outputs;
    }

    private static float[] State(IStateful stateful)
    {
        float[] state = new float[stateful.BatchSize * stateful.Layout.StateLength];
        stateful.GetState(state);
        return state;
    }

    private static float[] Floats(int length, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, length).Select(_ => (float)(2 * random.NextDouble() - 1))];
    }
}

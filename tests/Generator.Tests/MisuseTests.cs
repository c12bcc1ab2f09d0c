using Unrolled.Generator.Tests.Harness;
using Xunit;

namespace Unrolled.Generator.Tests;

/// <summary>Calls that must be refused: the documented exception, and everything as it was.</summary>
public sealed class MisuseTests
{
    private const int Rows = 3;
    private const int Steps = 4;

    private static IModel Characters => PromiseNetworks.Models.Create("Characters", seed: 1);

    private static IModel Signals => PromiseNetworks.Models.Create("Signals", seed: 1);

    private static IModel Plain => PromiseNetworks.Models.Create("Plain", seed: 1);

    [Fact]
    [Trait("Category", "Emitted")]
    public void SessionsRefuseLengthsThatDoNotFit()
    {
        (ISession session, int features, int outputs) = Vectors();
        Refuses<ArgumentException>(session, () => session.Step(new float[features + 1], new float[outputs]));
        Refuses<ArgumentException>(session, () => session.Step(Array.Empty<float>(), []));
        Refuses<ArgumentException>(session, () => session.Step(new float[(Rows + 1) * features], new float[(Rows + 1) * outputs]));
        Refuses<ArgumentException>(session, () => session.Step(new float[features], new float[outputs + 1]));
        Refuses<ArgumentException>(session, () => session.Step(new float[features], new float[outputs - 1]));
        Refuses<ArgumentException>(session, () => session.Run(new float[Rows * features + 1], new float[Rows * outputs]));
        Refuses<ArgumentException>(session, () => session.Run(new float[2 * Rows * features], new float[Rows * outputs]));
        Refuses<ArgumentOutOfRangeException>(session, () => session.Run(new float[4 * features], new float[4 * outputs], Rows + 1));
        Refuses<ArgumentOutOfRangeException>(session, () => session.Run(new float[features], new float[outputs], -1));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(17)]
    [InlineData(int.MinValue)]
    [InlineData(int.MaxValue)]
    [Trait("Category", "Emitted")]
    public void TokensOutOfRangeAreRefused(int token)
    {
        IModel model = Characters;
        int outputs = model.Layout.OutputSize;
        ISession session = model.CreateSession(Rows);
        FillState(session);
        Refuses<ArgumentOutOfRangeException>(session, () => session.Step(token, new float[outputs]));
        Refuses<ArgumentOutOfRangeException>(session, () => session.Step([0, token], new float[2 * outputs]));

        // The mistake stands in the last step: the steps before it must not have run.
        Refuses<ArgumentOutOfRangeException>(session, () => session.Run([1, 2, 3, 4, 5, token], new float[6 * outputs]));
        using ITrainer trainer = model.CreateTrainer(Rows, Steps);
        FillState(trainer);
        Refuses<ArgumentOutOfRangeException>(trainer, () => trainer.Forward([1, 2, 3, 4, 5, token]));
        Refuses<ArgumentOutOfRangeException>(trainer, () => trainer.ForwardBackward([1, 2, token], [1, 2, 3]));
        Refuses<ArgumentOutOfRangeException>(trainer, () => trainer.ForwardBackward([1, 2, 3], [1, 2, token]));
        Refuses<ArgumentOutOfRangeException>(trainer, () => trainer.Evaluate([1, 2, 3], [1, 2, token]));
    }

    [Fact]
    [Trait("Category", "Emitted")]
    public void TheOtherKindOfInputIsRefused()
    {
        ISession vectors = Signals.CreateSession(Rows);
        FillState(vectors);
        Refuses<InvalidOperationException>(vectors, () => vectors.Step(1, new float[3]));
        Refuses<InvalidOperationException>(vectors, () => vectors.Step([1], new float[3]));
        Refuses<InvalidOperationException>(vectors, () => vectors.Run([1, 2, 3], new float[9]));
        ISession tokens = Characters.CreateSession(Rows);
        FillState(tokens);
        Refuses<InvalidOperationException>(tokens, () => tokens.Step(new float[17], new float[17]));
        Refuses<InvalidOperationException>(tokens, () => tokens.Run(new float[3], new float[17]));
    }

    [Fact]
    [Trait("Category", "Emitted")]
    public void TrainersRefuseLengthsThatDoNotFit()
    {
        IModel model = Signals;
        (int features, int outputs, int state) = (model.Layout.InputSize, model.Layout.OutputSize, model.Layout.StateLength);
        using ITrainer trainer = model.CreateTrainer(Rows, Steps, new TrainerOptions { InputGradients = true });
        FillState(trainer);
        Refuses<ArgumentException>(trainer, () => trainer.Forward(new float[Rows * features + 1]));
        Refuses<ArgumentException>(trainer, () => trainer.Forward(new float[(Steps + 1) * Rows * features]));
        Refuses<ArgumentException>(trainer, () => trainer.Forward(new float[0]));
        Refuses<ArgumentOutOfRangeException>(trainer, () => trainer.Forward(new float[features], Rows + 1));
        Refuses<ArgumentException>(trainer, () => trainer.ForwardBackward(new float[Rows * features], new float[Rows * outputs + 1]));
        Refuses<ArgumentException>(trainer, () => trainer.ForwardBackward(new float[Rows * features], Array.Empty<float>()));
        Refuses<ArgumentException>(trainer, () => trainer.Evaluate(new float[2 * Rows * features], new float[Rows * outputs]));

        trainer.Forward(new float[2 * Rows * features]);
        float[] gradients = Fill(trainer.Gradients);
        Refuses<ArgumentException>(trainer, () => trainer.Backward(new float[Rows * outputs]));
        Refuses<ArgumentException>(trainer, () => trainer.Backward(new float[2 * Rows * outputs], new float[state]));
        Refuses<ArgumentException>(trainer, () => trainer.GetOutputs(new float[Rows * outputs]));
        Refuses<InvalidOperationException>(trainer, () => trainer.GetInputGradients(new float[2 * Rows * features]));
        Assert.Equal(gradients, trainer.Gradients.Values.ToArray());
        trainer.Backward(new float[2 * Rows * outputs]);
        Refuses<ArgumentException>(trainer, () => trainer.GetInputGradients(new float[Rows * features]));
        Refuses<ArgumentException>(trainer, () => trainer.GetInitialStateGradients(new float[state]));
    }

    [Fact]
    [Trait("Category", "Emitted")]
    public void CallsOutOfTurnAreRefused()
    {
        using ITrainer trainer = Plain.CreateTrainer(Rows, Steps);
        FillState(trainer);
        Refuses<InvalidOperationException>(trainer, () => trainer.Backward(new float[Rows * 100]));
        Refuses<InvalidOperationException>(trainer, () => trainer.GetOutputs(new float[Rows * 100]));
        Refuses<InvalidOperationException>(trainer, () => trainer.GetInitialStateGradients(new float[Rows * 100]));
        trainer.Forward(new float[Rows * 17]);
        trainer.Backward(new float[Rows * 100]);
        Refuses<InvalidOperationException>(trainer, () => trainer.Backward(new float[Rows * 100]));
        Refuses<InvalidOperationException>(trainer, () => trainer.GetInputGradients(new float[Rows * 17]));
    }

    [Fact]
    [Trait("Category", "Emitted")]
    public void LossesThatWereNotDeclaredAreRefused()
    {
        using ITrainer none = Plain.CreateTrainer(Rows, Steps);
        FillState(none);
        Refuses<InvalidOperationException>(none, () => none.ForwardBackward(new float[Rows * 17], new float[Rows * 100]));
        Refuses<InvalidOperationException>(none, () => none.Evaluate(new float[Rows * 17], new int[Rows]));
        using ITrainer squared = Signals.CreateTrainer(Rows, Steps);
        FillState(squared);
        Refuses<InvalidOperationException>(squared, () => squared.ForwardBackward(new float[Rows * 5], new int[Rows]));
        using ITrainer classes = Characters.CreateTrainer(Rows, Steps);
        FillState(classes);
        Refuses<InvalidOperationException>(classes, () => classes.ForwardBackward(new int[Rows], new float[Rows * 17]));
    }

    [Fact]
    [Trait("Category", "Emitted")]
    public void DisposedTrainersRefuseEverything()
    {
        ITrainer trainer = Signals.CreateTrainer(Rows, Steps, new TrainerOptions { InputGradients = true });
        trainer.Forward(new float[Rows * 5]);
        trainer.Dispose();
        trainer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => trainer.Forward(new float[Rows * 5]));
        Assert.Throws<ObjectDisposedException>(() => trainer.ForwardBackward(new float[Rows * 5], new float[Rows * 3]));
        Assert.Throws<ObjectDisposedException>(() => trainer.Evaluate(new float[Rows * 5], new float[Rows * 3]));
        Assert.Throws<ObjectDisposedException>(() => trainer.Backward(new float[Rows * 3]));
        Assert.Throws<ObjectDisposedException>(() => trainer.GetOutputs(new float[Rows * 3]));
        Assert.Throws<ObjectDisposedException>(() => trainer.GetInputGradients(new float[Rows * 5]));
        Assert.Throws<ObjectDisposedException>(() => trainer.GetInitialStateGradients(new float[Rows * 50]));
        Assert.Throws<ObjectDisposedException>(trainer.ResetState);
    }

    [Fact]
    [Trait("Category", "Emitted")]
    public void NamesNobodyKnowsAreRefusedWithThoseThereAre()
    {
        IModel model = Signals;
        float[] before = model.Parameters.Values.ToArray();
        var unknown = Assert.Throws<KeyNotFoundException>(() => model.Parameters.Set("gru.W_hx", new float[1]));
        Assert.Contains("gru.W_h", unknown.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => model.Parameters.Set("gru.b_r", new float[32]));
        Assert.Throws<KeyNotFoundException>(() => model.Parameters.ToArray("b_r"));
        Assert.Equal(before, model.Parameters.Values.ToArray());
        ISession session = model.CreateSession(Rows);
        FillState(session);
        Refuses<KeyNotFoundException>(session, () => session.SetState("gru.c", new float[Rows * 33]));
        Refuses<ArgumentException>(session, () => session.SetState("gru.h", new float[33]));
        Refuses<ArgumentException>(session, () => session.SetState(new float[1]));
        Refuses<ArgumentOutOfRangeException>(session, () => session.ResetState(Rows));
        Refuses<ArgumentException>(session, () => session.CopyStateFrom(model.CreateSession(Rows + 1)));
        Refuses<ArgumentException>(session, () => session.CopyStateFrom(Plain.CreateSession(Rows)));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(-1, 1)]
    [InlineData(1 << 28, 1 << 20)]
    [Trait("Category", "Emitted")]
    public void SizesThatMakeNoSenseAreRefused(int batchSize, int steps)
    {
        IModel model = Signals;
        Assert.Throws<ArgumentOutOfRangeException>(() => model.CreateSession(batchSize, steps));
        Assert.Throws<ArgumentOutOfRangeException>(() => model.CreateTrainer(batchSize, steps));
        Assert.Throws<ArgumentOutOfRangeException>(() => model.CreateSession(1, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => model.CreateTrainer(1, 0));
    }

    private static (ISession Session, int Features, int Outputs) Vectors()
    {
        IModel model = Signals;
        ISession session = model.CreateSession(Rows);
        FillState(session);
        return (session, model.Layout.InputSize, model.Layout.OutputSize);
    }

    private static void FillState(IStateful stateful)
    {
        var state = new float[stateful.BatchSize * stateful.Layout.StateLength];
        for (int i = 0; i < state.Length; i++)
        {
            state[i] = 0.01f * (i % 97 - 48);
        }

        stateful.SetState(state);
    }

    private static float[] Fill(ParameterBlock block)
    {
        foreach (ParameterInfo parameter in block.Layout.Parameters)
        {
            block.Set(parameter.Name, Enumerable.Range(1, parameter.Length).Select(i => 1f / i).ToArray());
        }

        return block.Values.ToArray();
    }

    private static void Refuses<T>(IStateful stateful, Action call)
        where T : Exception
    {
        float[] before = State(stateful);
        Exception? thrown = Record.Exception(call);
        Assert.True(thrown is T, $"expected {typeof(T).Name}, got {thrown?.GetType().Name ?? "nothing"}");
        Assert.Equal(before, State(stateful));
    }

    private static float[] State(IStateful stateful)
    {
        var state = new float[stateful.BatchSize * stateful.Layout.StateLength];
        stateful.GetState(state);
        return state;
    }
}

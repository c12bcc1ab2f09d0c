namespace Unrolled.Tests;

/// <summary>Nothing that runs once a step allocates.</summary>
public class AllocationTests
{
    private readonly LeakyModel _model = new(0, 5, 37, Loss.MeanSquaredError);

    [Fact]
    public void Optimizers_and_clipping()
    {
        ParameterBlock gradients = new(_model.Layout);
        Numbers.FillNormal(gradients, 1);
        Optimizer[] optimizers = [new Sgd(_model, 1e-3f), new Sgd(_model, 1e-3f, 0.9f, nesterov: true, weightDecay: 0.1f), new Adam(_model)];
        AssertNothing(() =>
        {
            foreach (Optimizer optimizer in optimizers)
            {
                optimizer.Step(gradients);
            }

            Clip.ByGlobalNorm(gradients, 1);
            Clip.ByValue(gradients, 0.1f);
        });
    }

    [Fact]
    public void Losses()
    {
        float[] outputs = new float[4 * Padding.Of(37)];
        float[] gradients = new float[outputs.Length];
        int[] classes = [1, 2, 3, 4];
        float[] targets = new float[4 * 37];
        AssertNothing(() =>
        {
            SoftmaxCrossEntropy.Forward(outputs, classes, 37, 1, gradients);
            SquaredError.Forward(outputs, targets, 4, 37, 1, gradients);
        });
    }

    [Fact]
    public void Sessions()
    {
        ISession session = _model.CreateSession(2, 3);
        float[] inputs = new float[4 * 2 * 5];
        float[] outputs = new float[4 * 2 * 37];
        float[] state = new float[2 * 38];
        ISession tokens = new LeakyModel(5, 0, 37, Loss.None).CreateSession(2);
        int[] ids = [0, 1];
        AssertNothing(() =>
        {
            session.Run(inputs, outputs);
            session.Step(inputs.AsSpan(0, 10), outputs.AsSpan(0, 74));
            session.ResetState(1);
            session.GetState(state);
            session.SetState(state);
            session.SetState(1, state.AsSpan(0, 38));
            session.GetState(LeakyModel.Memory, outputs.AsSpan(0, 74));
            session.ResetState();
            tokens.Step(ids, outputs.AsSpan(0, 74));
            tokens.Step(2, outputs.AsSpan(0, 37));
            tokens.Run(ids, outputs.AsSpan(0, 74));
        });
    }

    [Fact]
    public void Trainers()
    {
        using ITrainer trainer = _model.CreateTrainer(2, 4, new TrainerOptions { InputGradients = true });
        float[] inputs = new float[4 * 2 * 5];
        float[] outputs = new float[4 * 2 * 37];
        float[] state = new float[2 * 38];
        AssertNothing(() =>
        {
            trainer.ForwardBackward(inputs, outputs);
            trainer.Evaluate(inputs, outputs);
            trainer.Forward(inputs);
            trainer.GetOutputs(outputs);
            trainer.Backward(outputs, state);
            trainer.GetInputGradients(inputs);
            trainer.GetInitialStateGradients(state);
            trainer.ResetState();
        });
    }

    [Fact]
    public void Samplers()
    {
        float[] logits = Numbers.Normal(200, 1);
        Sampler[] samplers =
            [new(0, new RandomStream(1)), new(1, new RandomStream(1)), new(0.5f, new RandomStream(1), topK: 10, topP: 0.9f)];
        AssertNothing(() =>
        {
            foreach (Sampler sampler in samplers)
            {
                sampler.Sample(logits);
            }
        });
    }

    private static void AssertNothing(Action action)
    {
        for (int i = 0; i < 3; i++)
        {
            action();
        }

        // A collection that another test's thread starts adds what is left of this thread's allocation buffer, up to 8 KiB, without
        // an allocation. What the action really allocates it allocates in every round.
        long allocated = long.MaxValue;
        for (int round = 0; round < 5 && allocated != 0; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 100; i++)
            {
                action();
            }

            allocated = Math.Min(allocated, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, allocated);
    }
}

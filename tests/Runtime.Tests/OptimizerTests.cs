namespace Unrolled.Tests;

/// <summary>PyTorch's definitions, in double precision, an element at a time (torch.optim.SGD, torch.optim.Adam).</summary>
[Trait("Category", "InstructionSet")]
public class OptimizerTests
{
    private const int Steps = 25;

    [Theory]
    [InlineData(0f, false, 0f, 0f)]
    [InlineData(0f, false, 0f, 0.01f)]
    [InlineData(0.9f, false, 0f, 0f)]
    [InlineData(0.9f, false, 0.25f, 0.01f)]
    [InlineData(0.9f, true, 0f, 0f)]
    [InlineData(0.5f, true, 0f, 0.1f)]
    public void Gradient_descent_is_PyTorch_s(float momentum, bool nesterov, float dampening, float weightDecay)
    {
        const float Rate = 0.05f;
        var model = Model();
        var optimizer = new Sgd(model, Rate, momentum, nesterov, dampening, weightDecay);
        double[]? buffer = null;
        Compare(model, optimizer, (parameters, gradients) =>
        {
            double[] g = [.. gradients.Select((gradient, i) => gradient + weightDecay * parameters[i])];
            if (momentum != 0)
            {
                buffer = buffer is null ? [.. g] : [.. buffer.Select((b, i) => momentum * b + (1 - dampening) * g[i])];
                g = nesterov ? [.. g.Select((value, i) => value + momentum * buffer[i])] : buffer;
            }

            for (int i = 0; i < parameters.Length; i++)
            {
                parameters[i] -= Rate * g[i];
            }
        });
    }

    [Theory]
    [InlineData(0.9f, 0.9, 0.999f, 0.999, 1e-8f, 0f)]
    [InlineData(0.9f, 0.9, 0.999f, 0.999, 1e-3f, 0.05f)]
    [InlineData(0f, 0.0, 0.9f, 0.9, 1e-8f, 0f)]
    [InlineData(0.99f, 0.99, 0.99999f, 0.99999, 1e-6f, 0f)]
    public void Adam_is_PyTorch_s(float beta1, double exactBeta1, float beta2, double exactBeta2, float epsilon, float weightDecay)
    {
        const float Rate = 0.01f;
        var model = Model();
        var optimizer = new Adam(model, Rate, beta1, beta2, epsilon, weightDecay);
        double[] mean = new double[model.Layout.ParameterCount];
        double[] square = new double[model.Layout.ParameterCount];
        int step = 0;
        Compare(model, optimizer, (parameters, gradients) =>
        {
            step++;
            double correction1 = 1 - Math.Pow(exactBeta1, step);
            double correction2 = 1 - Math.Pow(exactBeta2, step);
            for (int i = 0; i < parameters.Length; i++)
            {
                double g = gradients[i] + weightDecay * parameters[i];
                mean[i] += (1 - exactBeta1) * (g - mean[i]);
                square[i] = exactBeta2 * square[i] + (1 - exactBeta2) * g * g;
                double denominator = Math.Sqrt(square[i]) / Math.Sqrt(correction2) + epsilon;
                parameters[i] -= Rate / correction1 * mean[i] / denominator;
            }
        });
    }

    [Fact]
    public void The_first_steps_are_those_worked_out_by_hand()
    {
        var model = new LeakyModel(0, 1, 1, Loss.None);
        ParameterBlock gradients = new(model.Layout);
        gradients.Set(LeakyModel.Decay, [4]);

        model.Parameters.Set(LeakyModel.Decay, [1]);
        var momentum = new Sgd(model, 0.125f, momentum: 0.5f);
        momentum.Step(gradients);
        Assert.Equal([0.5f], model.Parameters.ToArray(LeakyModel.Decay));
        momentum.Step(gradients);
        Assert.Equal([-0.25f], model.Parameters.ToArray(LeakyModel.Decay));

        // Adam's first step is the learning rate, whatever the gradient.
        model.Parameters.Set(LeakyModel.Decay, [1]);
        new Adam(model, 0.25f).Step(gradients);
        Numbers.AssertClose(0.75, model.Parameters.ToArray(LeakyModel.Decay)[0], 1e-7);
    }

    [Fact]
    public void The_learning_rate_can_change_between_steps()
    {
        var model = new LeakyModel(0, 1, 1, Loss.None);
        model.Parameters.Set(LeakyModel.Decay, [1]);
        ParameterBlock gradients = new(model.Layout);
        gradients.Set(LeakyModel.Decay, [1]);
        var optimizer = new Sgd(model, 0.5f);
        optimizer.Step(gradients);
        optimizer.LearningRate = 0.25f;
        optimizer.Step(gradients);
        Assert.Equal([0.25f], model.Parameters.ToArray(LeakyModel.Decay));
        Assert.Throws<ArgumentOutOfRangeException>(() => optimizer.LearningRate = -1);
        Assert.Throws<ArgumentOutOfRangeException>(() => optimizer.LearningRate = float.NaN);
        Assert.Equal(0.25f, optimizer.LearningRate);
    }

    [Fact]
    public void Numbers_outside_their_range_are_refused()
    {
        LeakyModel model = Model();
        Assert.Throws<ArgumentOutOfRangeException>(() => new Sgd(model, -0.1f));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Sgd(model, 0.1f, momentum: -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Sgd(model, 0.1f, dampening: float.NaN));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Sgd(model, 0.1f, weightDecay: -1));
        Assert.Throws<ArgumentException>(() => new Sgd(model, 0.1f, nesterov: true));
        Assert.Throws<ArgumentException>(() => new Sgd(model, 0.1f, 0.9f, nesterov: true, dampening: 0.1f));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Adam(model, float.PositiveInfinity));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Adam(model, beta1: 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Adam(model, beta2: -0.1f));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Adam(model, epsilon: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Adam(model, weightDecay: -1));
    }

    [Fact]
    public void Gradients_of_another_model_class_are_refused_and_change_nothing()
    {
        LeakyModel model = Model();
        float[] before = model.Parameters.Values.ToArray();
        ParameterBlock other = new(Model().Layout);
        Numbers.FillNormal(other, 1);
        foreach (Optimizer optimizer in (Optimizer[])[new Sgd(model, 1), new Adam(model, 1)])
        {
            Assert.Throws<ArgumentException>(() => optimizer.Step(other));
            Assert.Throws<ArgumentNullException>(() => optimizer.Step(null!));
            Assert.Equal(before, model.Parameters.Values.ToArray());
        }
    }

    private static LeakyModel Model() => new(0, 5, 37, Loss.None);

    private static void Compare(LeakyModel model, Optimizer optimizer, Action<double[], float[]> reference)
    {
        double[] expected = [.. Flat(model.Parameters).Select(value => (double)value)];
        ParameterBlock gradients = new(model.Layout);
        for (int step = 0; step < Steps; step++)
        {
            // From tiny to large, with elements that are always zero
            Numbers.FillNormal(gradients, (ulong)(100 * step), step % 3 == 0 ? 1e-4f : 1);
            float[] decay = gradients.ToArray(LeakyModel.Decay);
            decay[3] = 0;
            gradients.Set(LeakyModel.Decay, decay);
            float[] flat = Flat(gradients);
            optimizer.Step(gradients);
            reference(expected, flat);
            float[] actual = Flat(model.Parameters);
            for (int i = 0; i < expected.Length; i++)
            {
                Numbers.AssertClose(expected[i], actual[i], 2e-6, 2e-6);
            }

            Assert.Equal(flat, Flat(gradients));
        }

        Numbers.AssertPaddingIsZero(model.Parameters);
    }

    private static float[] Flat(ParameterBlock block) => [.. block.Layout.Parameters.SelectMany(parameter => block.ToArray(parameter.Name))];
}

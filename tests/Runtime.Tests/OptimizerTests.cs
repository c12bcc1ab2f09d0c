using System.Numerics;

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

    [Theory]
    [InlineData(1e20f)]
    [InlineData(-1e20f)]
    [InlineData(1e15f)]
    [InlineData(6e20f)]
    [InlineData(float.MaxValue)]
    [InlineData(float.PositiveInfinity)]
    public void Adam_moves_again_after_a_gradient_that_is_far_too_large(float gradient)
    {
        const float Rate = 1e-3f;
        var model = new LeakyModel(0, 1, 3, Loss.None);
        model.Parameters.Clear();
        ParameterBlock gradients = new(model.Layout);
        var optimizer = new Adam(model, Rate);
        gradients.Set(LeakyModel.Decay, [gradient, 1, 0]);
        optimizer.Step(gradients);

        // The first step is the learning rate, whatever the gradient.
        float[] parameters = model.Parameters.ToArray(LeakyModel.Decay);
        Numbers.AssertClose(-Math.Sign(gradient) * Rate, parameters[0], 1e-6);
        Numbers.AssertClose(-Rate, parameters[1], 1e-6);

        // As many steps as the documentation says, and a tenth more; from then on it goes down by about the learning rate a step.
        double ratio = Math.Min(Math.Abs(gradient), 9.2e18);
        gradients.Set(LeakyModel.Decay, [1, 1, 0]);
        for (int step = 0; step < 2 * Math.Log(ratio) / 0.001 * 1.1; step++)
        {
            optimizer.Step(gradients);
        }

        float before = model.Parameters.ToArray(LeakyModel.Decay)[0];
        for (int step = 0; step < 100; step++)
        {
            optimizer.Step(gradients);
        }

        parameters = model.Parameters.ToArray(LeakyModel.Decay);
        Assert.InRange(before - parameters[0], 0.9 * 100 * Rate, 1.01 * 100 * Rate);
        Assert.Equal(0, parameters[2]);
        Numbers.AssertPaddingIsZero(model.Parameters);
    }

    [Fact]
    public void Adam_does_not_leap_where_the_squares_of_gradients_are_too_small_for_float()
    {
        var model = new LeakyModel(0, 1, 3, Loss.None);
        model.Parameters.Clear();
        ParameterBlock gradients = new(model.Layout);
        var optimizer = new Adam(model, 1e-3f, epsilon: 1e-36f);
        gradients.Set(LeakyModel.Decay, [1e-20f, 3e-18f, 1e-17f]);
        for (int step = 0; step < 100; step++)
        {
            optimizer.Step(gradients);
        }

        Assert.All(model.Parameters.ToArray(LeakyModel.Decay), parameter => Assert.InRange(parameter, -0.1001f, -1e-5f));
    }

    [Fact]
    public void A_gradient_that_is_not_a_number_reaches_its_own_parameter_alone()
    {
        Func<IModel, Optimizer>[] optimizers =
            [model => new Adam(model), model => new Adam(model, weightDecay: 0.1f), model => new Sgd(model, 0.1f), model => new Sgd(model, 0.1f, 0.9f)];
        foreach (Func<IModel, Optimizer> create in optimizers)
        {
            for (int bad = 0; bad < 17; bad++)
            {
                var model = new LeakyModel(0, 1, 17, Loss.None);
                Optimizer optimizer = create(model);
                ParameterBlock gradients = new(model.Layout);
                float[] values = [.. Enumerable.Repeat(1f, 17)];
                values[bad] = float.NaN;
                gradients.Set(LeakyModel.Decay, values);
                optimizer.Step(gradients);
                float[] parameters = model.Parameters.ToArray(LeakyModel.Decay);
                Assert.Equal([bad], Enumerable.Range(0, 17).Where(i => float.IsNaN(parameters[i])));
            }
        }
    }

    /// <summary>
    /// Silence: nothing a step stores is denormal, however small the gradients are or for how long there have been none. (A step whose
    /// numbers are denormal takes up to a hundred times longer.)
    /// </summary>
    [Theory]
    [InlineData("adam")]
    [InlineData("adam with decay")]
    [InlineData("descent with decay")]
    [InlineData("momentum with decay")]
    [InlineData("nesterov")]
    public void No_moment_is_ever_denormal(string name)
    {
        foreach (float size in (float[])[0, 1e-18f, 1e-20f, 1e-30f, 1e-36f, 1e-38f, 1e-41f])
        {
            var model = new LeakyModel(0, 1, 7, Loss.None);
            Optimizer optimizer = name switch
            {
                "adam" => new Adam(model, 1e-3f, 0.9f, 0.97f),
                "adam with decay" => new Adam(model, 1e-3f, 0.9f, 0.97f, weightDecay: 1e-6f),
                "descent with decay" => new Sgd(model, 0.5f, weightDecay: 0.1f),
                "momentum with decay" => new Sgd(model, 0.1f, 0.9f, weightDecay: 0.1f),
                _ => new Sgd(model, 0.1f, 0.9f, nesterov: true),
            };
            ParameterBlock gradients = new(model.Layout);
            Numbers.FillNormal(gradients, 5);
            for (int step = 0; step < 6000; step++)
            {
                optimizer.Step(gradients);
                if (step == 3)
                {
                    gradients.Clear();
                    gradients.Set(LeakyModel.Decay, Numbers.Normal(7, 3, size));
                }

                foreach ((_, ParameterBlock state) in optimizer.States)
                {
                    AssertNormal(state, step);
                }
            }

            if (size == 0)
            {
                AssertNormal(model.Parameters, 6000);
                Assert.All(optimizer.States, state => Assert.True(name.Contains("decay") || !state.Block.Values.ContainsAnyExcept(0f)));
            }
        }
    }

    [Fact]
    public void Products_are_normal_or_zero_and_otherwise_what_they_are()
    {
        var random = new RandomStream(11);
        foreach (float factor in (float[])[1, -1, 0.5f, 1e-3f, -1e-8f, 1e-30f, 3, 1e5f, 0])
        {
            var normal = new NormalFactor(factor);
            Vector<float> lanes = Vector<float>.Zero;
            for (int i = 0; i < 20_000; i++)
            {
                float number = BitConverter.Int32BitsToSingle((int)(uint)(random.NextDouble() * uint.MaxValue));
                number = i switch { 0 => float.NaN, 1 => float.PositiveInfinity, 2 => float.Epsilon, 3 => NormalFactor.Smallest, _ => number };
                lanes = new Vector<float>(number);
                float product = (normal * lanes)[0], plain = factor * number;
                Assert.False(float.IsSubnormal(product));
                if (!(Math.Abs(plain) <= 1.0001f * NormalFactor.Smallest) && !float.IsSubnormal(number))
                {
                    Assert.Equal(BitConverter.SingleToInt32Bits(plain), BitConverter.SingleToInt32Bits(product));
                }
            }
        }
    }

    private static void AssertNormal(ParameterBlock block, int step)
    {
        foreach (float value in block.Values)
        {
            if (float.IsSubnormal(value))
            {
                Assert.Fail($"{value} at step {step}");
            }
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

using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Unrolled.Tests;

/// <summary>Optimizers tell and take their state.</summary>
[Trait("Category", "InstructionSet")]
public sealed class OptimizerFilesTests : IDisposable
{
    private const int Features = 5;
    private const int Outputs = 17;
    private const int Batch = 3;
    private const int Steps = 4;

    private static readonly Dictionary<string, Func<IModel, Optimizer>> s_optimizers = new()
    {
        ["adam"] = model => new Adam(model, 0.01f),
        ["adam with decay"] = model => new Adam(model, 0.01f, 0.8f, 0.99f, 1e-6f, 0.1f),
        ["descent"] = model => new Sgd(model, 0.05f),
        ["momentum"] = model => new Sgd(model, 0.05f, 0.9f),
        ["dampened"] = model => new Sgd(model, 0.05f, 0.9f, dampening: 0.3f, weightDecay: 0.01f),
        ["nesterov"] = model => new Sgd(model, 0.05f, 0.9f, nesterov: true),
        ["own"] = model => new SignDescent(model),
    };

    private readonly string _folder = Directory.CreateTempSubdirectory("unrolled-").FullName;

    public static TheoryData<string, int> Interruptions =>
        [.. s_optimizers.Keys.SelectMany(name => new[] { 0, 1, 6 }.Select(step => (name, step)))];

    private string ModelPath => Path.Combine(_folder, "model.safetensors");

    private string StatePath => Path.Combine(_folder, "optimizer.safetensors");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Interruptions))]
    public void Resumed_training_has_the_bits_of_one_never_interrupted(string name, int interruption)
    {
        const int Last = 12;
        LeakyModel whole = Model();
        Optimizer optimizer = s_optimizers[name](whole);
        Train(whole, optimizer, 0, Last, []);

        LeakyModel first = Model();
        Optimizer before = s_optimizers[name](first);
        float[] state = Train(first, before, 0, interruption, []);
        first.Save(ModelPath);
        before.Save(StatePath);

        // Another process: another model, other numbers in it, and an optimizer at its first learning rate.
        LeakyModel second = Model();
        Initialization.Initialize(second.Parameters, 77);
        Optimizer after = s_optimizers[name](second);
        second.Load(ModelPath);
        after.Load(StatePath);
        Assert.Equal(interruption, after.StepCount);
        Assert.Equal(before.LearningRate, after.LearningRate);
        Train(second, after, interruption, Last, state);

        Assert.Equal(Bits(whole.Parameters), Bits(second.Parameters));
        Assert.Equal(Last, after.StepCount);
        foreach (((string Name, ParameterBlock Block) expected, (string Name, ParameterBlock Block) actual) in optimizer.States.Zip(after.States))
        {
            Assert.Equal(Bits(expected.Block), Bits(actual.Block));
        }
    }

    [Fact]
    public void The_file_holds_every_moment_by_its_parameter_in_mathematical_shape_and_the_numbers()
    {
        LeakyModel model = Model();
        var adam = new Adam(model, 0.01f, 0.8f, 0.99f, 1e-6f, 0.25f);
        ParameterBlock gradients = new(model.Layout);
        Numbers.FillNormal(gradients, 3);
        model.Parameters.Clear();
        adam.Step(gradients);
        adam.Save(StatePath);
        SafetensorsFile file = SafetensorsFile.Open(StatePath);
        Assert.Equal(
            model.Layout.Parameters.Select(parameter => parameter.Name + ".first_moment")
                .Concat(model.Layout.Parameters.Select(parameter => parameter.Name + ".second_moment")),
            file.Names);
        foreach (ParameterInfo parameter in model.Layout.Parameters)
        {
            Assert.Equal(parameter.Shape.Select(extent => (long)extent), file.Shape(parameter.Name + ".first_moment"));
            float[] g = gradients.ToArray(parameter.Name);
            float[] m = file.ReadSingle(parameter.Name + ".first_moment");
            float[] v = file.ReadSingle(parameter.Name + ".second_moment");
            for (int i = 0; i < g.Length; i++)
            {
                Numbers.AssertClose(0.2 * g[i], m[i], 1e-6);
                Numbers.AssertClose(0.01 * g[i] * g[i], v[i], 1e-6);
            }
        }

        Assert.Equal(
            new Dictionary<string, string>
            {
                ["format"] = "unrolled",
                ["model"] = "LeakyModel",
                ["optimizer"] = "Adam",
                ["step_count"] = "1",
                ["learning_rate"] = "0.01",
                ["beta1"] = "0.8",
                ["beta2"] = "0.99",
                ["epsilon"] = "1E-06",
                ["weight_decay"] = "0.25",
            },
            file.Metadata);

        var stream = new MemoryStream();
        adam.Save(stream);
        Assert.Equal(File.ReadAllBytes(StatePath), stream.ToArray());
        stream.Position = 0;
        new Adam(model, 0.5f, 0.8f, 0.99f, 1e-6f, 0.25f).Load(stream);
    }

    [Fact]
    public void What_does_not_fit_is_refused_as_a_whole()
    {
        LeakyModel model = Model();
        var adam = new Adam(model, 0.01f, 0.8f);
        Train(model, adam, 0, 3, []);
        adam.Save(StatePath);
        byte[] good = File.ReadAllBytes(StatePath);
        AssertRefused(new Sgd(model, 0.1f, 0.9f), good, "does not fit Sgd of LeakyModel: it holds the state of Adam.");
        AssertRefused(new SignDescent(model), good, "does not fit SignDescent of LeakyModel: it holds the state of Adam.");
        AssertRefused(new Adam(model, 0.01f, 0.9f, 0.5f), good, "beta1 is 0.8 and not 0.9; beta2 is 0.999 and not 0.5.");
        AssertRefused(
            new Adam(new LeakyModel(0, Features, Outputs + 1, Loss.MeanSquaredError), 0.01f, 0.8f),
            good,
            "'leaky_0.W.first_moment' has the shape [17, 5] and not [18, 5]");
        AssertRefused(
            new Adam(new LeakyModel(0, Features, Outputs, Loss.MeanSquaredError, learned: true), 0.01f, 0.8f),
            good,
            "missing: 'leaky_0.s_start.first_moment', 'leaky_0.s_start.second_moment'");

        model.Save(ModelPath);
        AssertRefused(adam, File.ReadAllBytes(ModelPath), "holds no optimizer's state (are these a model's weights?).");
        Assert.Contains("unexpected", Assert.Throws<SafetensorsException>(() => model.Load(StatePath)).Message);
        AssertRefused(adam, good[..^3], "ends after");
        AssertRefused(adam, [.. good, 0], "goes on");
        AssertRefused(adam, Changed("\"step_count\":\"3\"", "\"step_count\":\"-\""), "step_count is -, which counts nothing");
        AssertRefused(adam, Changed("\"step_count\":\"3\"", "\"step_kount\":\"3\""), "step_count is missing");
        AssertRefused(adam, Changed("0.005", "-0.05"), "learning_rate is -0.05, which is none");
        AssertRefused(adam, Changed("0.005", "  NaN"), "learning_rate is   NaN, which is none");
        AssertRefused(adam, Changed("0.005", "\\n\\n1"), "learning_rate is \\u000a\\u000a1, which is none");
        AssertRefused(adam, Changed("\"beta1\"", "\"beta3\""), "beta1 is missing and not 0.8");
        Assert.Throws<ArgumentException>(() => adam.Save(""));
        Assert.Throws<FileNotFoundException>(() => adam.Load(Path.Combine(_folder, "none")));

        byte[] Changed(string from, string to)
        {
            Assert.Equal(from.Length, to.Length);
            string text = Encoding.Latin1.GetString(good);
            Assert.Contains(from, text);
            return Encoding.Latin1.GetBytes(text.Replace(from, to));
        }
    }

    [Fact]
    public void NaN_is_taken_over_unless_it_is_to_be_refused()
    {
        LeakyModel model = Model();
        var adam = new Adam(model);
        ParameterBlock gradients = new(model.Layout);
        float[] decay = new float[Outputs];
        decay[4] = float.NaN;
        gradients.Set(LeakyModel.Decay, decay);
        adam.Step(gradients);
        adam.Save(StatePath);
        var other = new Adam(model);
        string message = Assert.Throws<SafetensorsException>(() => other.Load(StatePath, requireFinite: true)).Message;
        Assert.Equal(
            $"{StatePath} holds numbers that are not finite: 'leaky_0.a.first_moment' is NaN at [4]; 'leaky_0.a.second_moment' is NaN at [4].",
            message);
        Assert.Equal(0, other.StepCount);
        other.Load(StatePath);
        Assert.Equal(Bits(adam.States[1].Block), Bits(other.States[1].Block));
    }

    [Fact]
    public void The_numbers_are_written_and_read_the_same_in_any_culture()
    {
        CultureInfo culture = CultureInfo.CurrentCulture;
        try
        {
            LeakyModel model = Model();
            CultureInfo.CurrentCulture = new CultureInfo("de-DE");
            new Adam(model, 0.125f).Save(StatePath);
            CultureInfo.CurrentCulture = new CultureInfo("fa-IR");
            var adam = new Adam(model, 1);
            adam.Load(StatePath);
            Assert.Equal(0.125f, adam.LearningRate);
        }
        finally
        {
            CultureInfo.CurrentCulture = culture;
        }
    }

    private void AssertRefused(Optimizer optimizer, byte[] bytes, string reason)
    {
        File.WriteAllBytes(Path.Combine(_folder, "bad"), bytes);
        (int[][] states, long steps, float rate) = State();
        string message = Assert.Throws<SafetensorsException>(() => optimizer.Load(Path.Combine(_folder, "bad"))).Message;
        Assert.Contains(reason, message);
        Assert.DoesNotContain('\n', message);
        Assert.Throws<SafetensorsException>(() => optimizer.Load(new MemoryStream(bytes)));
        (int[][] statesNow, long stepsNow, float rateNow) = State();
        Assert.Equal(states, statesNow);
        Assert.Equal(steps, stepsNow);
        Assert.Equal(rate, rateNow);

        (int[][], long, float) State() =>
            ([.. optimizer.States.Select(state => Bits(state.Block))], optimizer.StepCount, optimizer.LearningRate);
    }

    private static LeakyModel Model() => new(0, Features, Outputs, Loss.MeanSquaredError);

    /// <summary>Truncated backpropagation: the state goes from call to call. The learning rate falls on the way.</summary>
    private static float[] Train(LeakyModel model, Optimizer optimizer, int from, int to, float[] state)
    {
        using ITrainer trainer = model.CreateTrainer(Batch, Steps);
        if (state.Length > 0)
        {
            trainer.SetState(state);
        }

        for (int step = from; step < to; step++)
        {
            trainer.ForwardBackward(
                Numbers.Normal(Steps * Batch * Features, (ulong)(2 * step)),
                Numbers.Normal(Steps * Batch * Outputs, (ulong)(2 * step + 1)));
            Clip.ByGlobalNorm(trainer.Gradients, 0.5f);
            if (step is 2 or 4 or 8)
            {
                optimizer.LearningRate *= 0.5f;
            }

            optimizer.Step(trainer.Gradients);
        }

        float[] last = new float[Batch * model.Layout.StateLength];
        trainer.GetState(last);
        return last;
    }

    private static int[] Bits(ParameterBlock block) => MemoryMarshal.Cast<float, int>(block.Values).ToArray();

    /// <summary>An optimizer that a user might write: steps of one length along the sign of what remains of all gradients.</summary>
    private sealed class SignDescent : Optimizer
    {
        private readonly ParameterBlock _sum;

        public SignDescent(IModel model)
            : base(model, 0.01f) => _sum = AddState("sum");

        protected override void Update(ParameterBlock gradients)
        {
            Span<float> parameters = Parameters.Values, sum = _sum.Values;
            for (int i = 0; i < parameters.Length; i++)
            {
                sum[i] = 0.5f * sum[i] + gradients.Values[i];
                parameters[i] -= LearningRate / StepCount * Math.Sign(sum[i]);
            }
        }
    }
}

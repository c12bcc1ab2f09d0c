using Unrolled.Generator.Frontend;
using Unrolled.Generator.Frontend.Equations;
using Unrolled.Generator.Tests.Harness;
using Unrolled.Generator.Tests.Oracle;
using Xunit;

namespace Unrolled.Generator.Tests;

/// <summary>
/// Every cell of the library as it stands in its file, compiled, against its own equations in double precision: outputs, states and all
/// gradients. What its params and sizes change is compiled too.
/// </summary>
public sealed class CellLibraryTests(ITestOutputHelper output)
{
    private const int Seed = 19971115;

    // Every function that the parameters of ONNX's RNN, LSTM and GRU name, with its numbers, and PyTorch's others. The numbers leave some of
    // the values on either side of every corner.
    private static readonly FunctionValue[] Activations =
    [
        "identity", "relu", "sigmoid", "tanh", Of("affine", 0.8, 0.1), "leaky_relu", Of("leaky_relu", 0.3), Of("thresholded_relu", 0.2), Of("scaled_tanh", 1.7159, 0.6667),
        "hard_sigmoid", Of("hard_sigmoid", 0.2, 0.5), Of("hard_sigmoid", 1.5, 0.4), "elu", Of("elu", 0.6), "softsign", "softplus", "hard_tanh", "gelu", "silu",
    ];

    private static readonly Dictionary<string, Case> Cases = List();

    internal static readonly ModelSet Models = new(Cases.Values.Select(test => test.Network));

    private sealed record Case(TestNetwork Network, int Rows, int Steps, double Conditioning);

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    [Trait("Category", "Emitted")]
    public void CellsAgreeWithTheirEquations(string name)
    {
        Case test = Cases[name];
        GradientCheck.Run(test.Network, Models.Create(test.Network.Class), test.Rows, test.Steps, Seed, test.Conditioning, output);
    }

    [Theory]
    [MemberData(nameof(Names))]
    [Trait("Category", "Emitted")]
    public void EveryWayOfRunningACellHasTheSameBits(string name) => EveryWay.Check(Models.Create(Cases[name].Network.Class, seed: 1));

    [Fact]
    public void EveryFileIsTestedAtTwoSizesAndHeadedByItsSource()
    {
        const string Extension = ".cell";
        string[] files = typeof(ModelSpec).Assembly.GetManifestResourceNames().Where(name => name.EndsWith(Extension, StringComparison.Ordinal)).ToArray();
        Assert.NotEmpty(files);
        foreach (string file in files)
        {
            string cell = file[..^Extension.Length];
            int sizes = Cases.Values.SelectMany(test => test.Network.Specs.Where(layer => layer.Name == "cell" && layer.Cell == cell))
                .Select(layer => layer.Units).Distinct().Count();
            Assert.True(sizes >= 2, $"{cell} is tested at {sizes} sizes");

            string text = ParsedCells.BuiltIn(cell);
            Assert.StartsWith("# ", text, StringComparison.Ordinal);
            Assert.All(text.Split('\n').Where(line => line.StartsWith("param ", StringComparison.Ordinal)), line =>
                Assert.Contains(line.Split(' ')[1], text[text.IndexOf("# Params:", StringComparison.Ordinal)..text.IndexOf("param ", StringComparison.Ordinal)], StringComparison.Ordinal));
        }
    }

    /// <summary>Where a paper gives a value, the cell's own text gives it, not the test's.</summary>
    [Theory]
    [InlineData("irnn", "W_h", InitializerKind.Identity, 0)]
    [InlineData("lstm_projected", "b_f", InitializerKind.Constant, 1)]
    [InlineData("lstm_layer_norm", "a_hc", InitializerKind.Constant, 1)]
    [InlineData("highway", "b_g", InitializerKind.Constant, -1)]
    [InlineData("recurrent_highway", "b_t_1", InitializerKind.Constant, -2)]
    [InlineData("leaky_integrator", "W", InitializerKind.Orthogonal, 0.9)]
    public void ParametersStartAsThePaperSays(string cell, string parameter, InitializerKind kind, double first)
    {
        TestNetwork network = Cases.Values.First(test => test.Network.Specs[0].Cell == cell).Network;
        ParameterInfo info = Models.Create(network.Class).Layout.Parameters.Single(candidate => candidate.Name == "cell." + parameter);
        Assert.Equal(kind, info.Initializer.Kind);
        Assert.Equal((float)first, info.Initializer.First);
    }

    [Fact]
    public void CellsTakeTokens()
    {
        // A highway layer carries its input, which a token is not.
        foreach (string cell in CellFiles.Names.Except(["highway"]))
        {
            TestNetwork network = new("Tokens_" + cell, 7, 0, [TestLayer.Own("cell", ParsedCells.BuiltIn(cell), 4)]);
            Assert.NotNull(ModelHarness.CompileSpec(network.Spec));
        }
    }

    /// <summary>From a state of zeros, the first step is step 0; a module keeps its state to the bit where its period does not divide the step.</summary>
    [Fact]
    public void AModuleOfAClockworkMovesAtItsPeriod()
    {
        const int Steps = 20, Modules = 4;
        IModel model = Models.Create(Cases["clockwork_3"].Network.Class, seed: 3);
        ISession session = model.CreateSession();
        for (int step = 0; step < Steps; step++)
        {
            float[][] states = [.. Enumerable.Range(0, Modules).Select(State)];
            session.Step([0.3f, -0.7f, 0.1f * step, 0.5f, 1], new float[model.Layout.OutputSize]);
            for (int module = 0; module < Modules; module++)
            {
                Assert.Equal(step % (1 << module) == 0, !states[module].SequenceEqual(State(module)));
            }
        }

        float[] State(int module)
        {
            var values = new float[3];
            session.GetState($"cell.h_{module}", values);
            return values;
        }
    }

    private static Dictionary<string, Case> List()
    {
        var cases = new Dictionary<string, Case>();
        Two("dense");
        Two("rnn");
        Two("irnn");
        Two("indrnn");
        Two("lstm");
        Two("lstm_1997");
        Two("lstm_coupled");
        Two("lstm_projected");
        Two("gru");
        Two("gru_reset_after");
        Two("gru_reverse_update");
        Two("gru_reverse_update_reset_after");
        Two("minimal_gated");
        Two("leaky_integrator");
        Two("dilated", steps: 7);
        Two("recurrent_highway");
        Two("gated_feedback", steps: 4);
        Add("gated_feedback_lstm", 5, 3, steps: 3);
        Add("gated_feedback_lstm", 5, 8, steps: 3);
        Add("gated_feedback_gru", 5, 3, steps: 3);
        Add("gated_feedback_gru", 5, 8, steps: 3);

        // The variance of very few elements can be close to nothing, which magnifies rounding.
        Add("lstm_layer_norm", 5, 9, conditioning: 4);
        Add("lstm_layer_norm", 8, 17, conditioning: 4);

        // States are random here, the clocks too: a module then multiplies its state by more than one from step to step.
        Add("clockwork", 5, 3, steps: 9, conditioning: 8);
        Add("clockwork", 8, 17, steps: 9, conditioning: 8);

        // As many units as inputs.
        Add("highway", features: 5, units: 5);
        Add("highway", features: 17, units: 17);

        // Sizes.
        Add("lstm_projected", 5, 8, suffix: "cells_3", settings: [Size("cells", 3)]);
        Add("recurrent_highway", 3, 16, suffix: "depth_3", settings: [Size("depth", 3)]);
        Add("clockwork", 3, 9, steps: 9, suffix: "module_5", settings: [Size("modules", 2), Size("module", 5)]);
        Add("dilated", 3, 5, steps: 6, suffix: "base_3", settings: [Size("layers", 2), Size("base", 3)]);
        Add("dilated", 3, 2, steps: 6, suffix: "layers_5", settings: [Size("layers", 5)]);
        Add("gated_feedback_lstm", 3, 4, steps: 3, suffix: "layers_1", settings: [Size("layers", 1)]);
        Add("gated_feedback_gru", 3, 2, steps: 3, suffix: "layers_3", settings: [Size("layers", 3)]);

        // Every activation in a plain cell, and in the places that the gated families have for them.
        string[] lstms = ["lstm", "lstm_coupled", "lstm_projected", "lstm_layer_norm"];
        string[] grus = ["gru", "gru_reset_after", "gru_reverse_update", "gru_reverse_update_reset_after"];
        for (int index = 0; index < Activations.Length; index++)
        {
            FunctionValue first = Activations[index], second = Activations[(index + 1) % Activations.Length], third = Activations[(index + 2) % Activations.Length];
            string suffix = $"activations_{index}";
            Add("rnn", 5, 9, steps: 3, conditioning: 4, suffix: suffix, settings: [Function("activation", first)]);
            if (index % 3 == 0)
            {
                Add(lstms[index / 3 % 3], 3, 5, steps: 2, conditioning: 4, suffix: suffix, settings: [Function("gate_activation", first), Function("cell_activation", second), Function("output_activation", third)]);
            }

            if (index % 2 == 0)
            {
                Add(grus[index / 2 % 4], 3, 5, steps: 2, conditioning: 4, suffix: suffix, settings: [Function("gate_activation", first), Function("candidate_activation", second)]);
            }
        }

        Add("lstm_1997", 5, 9, suffix: "of_today", settings: [Number("slope", 1), Number("input_scale", 1)]);
        Add("leaky_integrator", 5, 9, suffix: "rate_1", settings: [Number("rate", 1)]);

        // ONNX's clip, with limits that some of the sums pass and others do not.
        FunctionValue tanh = new("tanh", Of("clip", -0.4, 0.4), EquatableArray<double>.Empty), sigmoid = tanh with { Name = "sigmoid" };
        Add("rnn", 3, 5, suffix: "clipped", settings: [Function("activation", tanh)]);
        foreach (string lstm in lstms)
        {
            Add(lstm, 3, 5, suffix: "clipped", conditioning: 4, settings: [Function("gate_activation", sigmoid), Function("cell_activation", tanh)]);
        }

        foreach (string gru in grus)
        {
            Add(gru, 3, 5, suffix: "clipped", settings: [Function("gate_activation", sigmoid), Function("candidate_activation", tanh)]);
        }

        // Parameters bound to numbers.
        Add("irnn", 3, 5, suffix: "no_bias", settings: [Number("b", 0)]);
        Add("lstm_projected", 3, 5, suffix: "no_peepholes", settings: [Number("w_ci", 0), Number("w_cf", 0), Number("w_co", 0)]);
        Add("lstm_coupled", 3, 5, suffix: "no_peepholes", settings: [Number("w_ci", 0), Number("w_co", 0)]);

        return cases;

        void Two(string cell, int steps = 5, double conditioning = 1)
        {
            Add(cell, 5, 3, steps, conditioning);
            Add(cell, 8, 17, steps, conditioning);
        }

        void Add(string cell, int features, int units, int steps = 5, double conditioning = 1, string suffix = "", CellSetting[]? settings = null)
        {
            string name = $"{cell}_{units}{(suffix.Length == 0 ? "" : "_" + suffix)}";
            LayerSpec layer = new("cell", cell, ParsedCells.BuiltIn(cell), units, new EquatableArray<CellSetting>(settings ?? []));
            cases.Add(name, new Case(new TestNetwork("Library_" + name, 0, features, [new TestLayer(null, layer), TestLayer.Dense("head", 3)]), 3, steps, conditioning));
        }

        static CellSetting Size(string name, int value) => new(name, CellSettingKind.Size, value, null);

        static CellSetting Number(string name, double value) => new(name, CellSettingKind.Number, value, null);

        static CellSetting Function(string name, FunctionValue function) => new(name, CellSettingKind.Function, 0, function);
    }

    private static FunctionValue Of(string name, params double[] numbers) => new(name, null, new EquatableArray<double>(numbers));
}

using Unrolled.Generator.Tests.Harness;
using Xunit;

namespace Unrolled.Generator.Tests.Onnx;

/// <summary>
/// The library's layers against what ONNX's own reference gave for its test nodes and ONNX Runtime for random ones: the third oracle. The files
/// hold no gradients.
/// </summary>
public sealed class OnnxOracleTests(ITestOutputHelper output)
{
    // Both sides round in single precision: the recorded side by no more than this or what it says of itself, ours alike; their sum, doubled.
    private const double LeastDeviation = 5e-7;

    private static readonly Dictionary<string, OnnxFile> Files = Directory.EnumerateFiles(Path.Combine(Repository.TestProject, "Data", "Onnx"), "*.json")
        .Order(StringComparer.Ordinal)
        .Select(path => new OnnxFile(path))
        .ToDictionary(file => file.Name);

    private static readonly Dictionary<string, OnnxNetwork> Networks = Files
        .Where(pair => OnnxNetwork.WhyLeftOut(pair.Value) is null)
        .ToDictionary(pair => pair.Key, pair => new OnnxNetwork(pair.Value));

    internal static readonly ModelSet Models = new(Networks.Values.Select(onnx => onnx.Network));

    /// <summary>The recorded files, but for those that <see cref="WhatIsLeftOutIsWhatNeedsLengthsOrASecondDirection"/> lists.</summary>
    public static TheoryData<string> Names => [.. Networks.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    [Trait("Category", "Emitted")]
    public void AgreesWithWhatWasRecorded(string name) => Check(Networks[name]);

    [Fact]
    public void WhatIsLeftOutIsWhatNeedsLengthsOrASecondDirection()
    {
        string[] expected =
        [
            "gru_forward_init_seqlens: lengths",
            "lstm_reverse: direction",
            "rnn_bidirectional: direction",
            "test_gru_bidirectional: direction",
            "test_gru_reverse: direction",
            "test_lstm_bidirectional: direction",
            "test_lstm_reverse: direction",
            "test_simple_rnn_bidirectional: direction",
            "test_simple_rnn_reverse: direction",
        ];
        Assert.Equal(expected, Files.Values.Where(file => OnnxNetwork.WhyLeftOut(file) is not null).Select(file => $"{file.Name}: {OnnxNetwork.WhyLeftOut(file)}").Order(StringComparer.Ordinal));
        Assert.Equal(36, Files.Count);
    }

    /// <summary>
    /// What ONNX Runtime 1.31.1 gives for one unit whose sums are 40 (-40 of the update gate), whose c was 50, with weights of 0: it clips the
    /// sums under gates and candidates, and not the cell under its output's tanh. The specification reads as if it did.
    /// </summary>
    [Theory]
    [InlineData("Lstm", "", 1f, 51f)]
    [InlineData("Lstm", "gate_activation = sigmoid(clip(-3, 3)), cell_activation = tanh(clip(-3, 3))", 0.95257413f, 48.576572f)]
    [InlineData("Lstm", "gate_activation = sigmoid(clip(-3, 3)), cell_activation = tanh(clip(-3, 3)), output_activation = tanh(clip(-3, 3))", 0.95257413f * 0.99505475f, 48.576572f)]
    [InlineData("Gru", "", 1f, null)]
    [InlineData("Gru", "gate_activation = sigmoid(clip(-3, 3)), candidate_activation = tanh(clip(-3, 3))", 0.9478634f, null)]
    [InlineData("Rnn", "", 1f, null)]
    [InlineData("Rnn", "activation = tanh(clip(-3, 3))", 0.99505484f, null)]
    [Trait("Category", "Emitted")]
    public void ClipIsUnderGatesAndCandidatesAlone(string layer, string set, float y, float? c)
    {
        string source = $"using Unrolled;\n/// <summary>A model.</summary>\n[Model(Features = 1), {layer}(1, Name = \"layer\", Set = \"{set}\")] public sealed partial class Clipped;";
        IModel model = ModelHarness.Compile([source]).Create("Clipped");
        foreach (ParameterInfo parameter in model.Layout.Parameters)
        {
            model.Parameters.Set(parameter.Name, [parameter.IsMatrix || parameter.Name == "layer.b_hn" ? 0 : parameter.Name == "layer.b_z" ? -40 : 40]);
        }

        ISession session = model.CreateSession();
        if (c is not null)
        {
            session.SetState("layer.c", [50]);
        }

        var output = new float[1];
        session.Step([1f], output);
        Assert.Equal(y, output[0], 4 * LeastDeviation);
        if (c is not null)
        {
            session.GetState("layer.c", output);
            Assert.Equal(c.Value, output[0], 50 * 4 * LeastDeviation);
        }
    }

    private void Check(OnnxNetwork onnx)
    {
        OnnxFile file = onnx.File;
        IModel model = Models.Create(onnx.Network.Class);
        RecordedParameter.SetAll(model, onnx.Parameters, file.Tensor);
        float[] inputs = file.Sequence("X");
        var outputs = new float[file.Steps * file.Batch * file.HiddenSize];
        int compared = 0;

        // The three ways there are through a sequence.
        ISession session = Started(model.CreateSession(file.Batch));
        session.Run(inputs, outputs);
        Compare("run", session);

        session = Started(model.CreateSession(file.Batch));
        Array.Clear(outputs);
        for (int step = 0; step < file.Steps; step++)
        {
            session.Step(
                inputs.AsSpan(step * file.Batch * file.InputSize, file.Batch * file.InputSize),
                outputs.AsSpan(step * file.Batch * file.HiddenSize, file.Batch * file.HiddenSize));
        }

        Compare("streamed", session);

        using ITrainer trainer = Started(model.CreateTrainer(file.Batch, file.Steps));
        trainer.Forward(inputs);
        trainer.GetOutputs(outputs);
        Compare("trained", trainer);
        Assert.True(compared >= 3, "The file has no outputs");

        T Started<T>(T stateful)
            where T : IStateful
        {
            foreach (string state in (string[])["h", "c"])
            {
                if (file.Has("initial_" + state))
                {
                    stateful.SetState(OnnxNetwork.State(state), file.Tensor("initial_" + state));
                }
            }

            return stateful;
        }

        void Compare(string way, IStateful stateful)
        {
            if (file.Has("Y"))
            {
                Near($"{way}, Y", outputs, file.Sequence("Y"));
            }

            foreach (string state in (string[])["h", "c"])
            {
                if (file.Has("Y_" + state))
                {
                    var final = new float[file.Batch * file.HiddenSize];
                    stateful.GetState(OnnxNetwork.State(state), final);
                    Near($"{way}, Y_{state}", final, file.Tensor("Y_" + state));
                }
            }
        }

        void Near(string what, float[] actual, float[] expected)
        {
            compared++;
            double tolerance = 4 * Math.Max(file.Deviation / expected.Max(Math.Abs), LeastDeviation);
            double deviation = Deviation.Of(actual, expected);
            output.WriteLine($"{what}: {deviation:E2} of {tolerance:E2}");
            Assert.True(deviation <= tolerance, $"{what}: off by {deviation:E2}, allowed {tolerance:E2}");
        }
    }
}

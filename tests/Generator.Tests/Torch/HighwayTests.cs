using System.Text.Json;
using Unrolled.Generator.Frontend;
using Unrolled.Generator.Tests.Harness;
using Unrolled.Generator.Tests.Oracle;
using Xunit;

namespace Unrolled.Generator.Tests.Torch;

/// <summary>The feed-forward highway layer against what PyTorch recorded.</summary>
public sealed class HighwayTests
{
    private const string Absent = "";

    // As the recurrent oracles: four times PyTorch's own error in single precision, and no less than rounding.
    private const double LeastDeviation = 5e-7;

    public static TheoryData<string> Files
    {
        get
        {
            string[] files = Repository.Oracle is { } folder ? Directory.GetFiles(Path.Combine(folder, "torch"), "highway_ff_*.safetensors") : [];
            return files.Length == 0 ? [Absent] : [.. files.Order(StringComparer.Ordinal)];
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void AgreesWithTheWholeOracle(string path)
    {
        Assert.SkipWhen(path == Absent, "The whole oracle is not here");
        SafetensorsFile file = SafetensorsFile.Open(path);
        using JsonDocument config = JsonDocument.Parse(file.Metadata["config"]);
        int units = config.RootElement.GetProperty("size").GetInt32();
        int rows = config.RootElement.GetProperty("batch").GetInt32();
        JsonElement recorded = config.RootElement.GetProperty("torch_float32_vs_float64");
        double outputTolerance = 4 * Math.Max(LeastDeviation, recorded.GetProperty("outputs").GetDouble());
        double gradientTolerance = 4 * Math.Max(LeastDeviation, recorded.GetProperty("grads").GetDouble());
        var activation = new CellSetting("activation", CellSettingKind.Function, 0, config.RootElement.GetProperty("act").GetString()!);
        var network = new TestNetwork("Highway", 0, units, [TestLayer.Own("highway", ParsedCells.BuiltIn("highway"), units, activation)]);
        IModel model = ModelHarness.Compile([network]).Create(network.FullName);
        (string Ours, string Theirs)[] parameters = [("W_h", "weight_h"), ("b_h", "bias_h"), ("W_g", "weight_t"), ("b_g", "bias_t")];
        foreach ((string ours, string theirs) in parameters)
        {
            model.Parameters.Set("highway." + ours, file.ReadSingle(theirs));
        }

        using ITrainer trainer = model.CreateTrainer(rows, 1, new TrainerOptions { InputGradients = true });
        trainer.Forward(file.ReadSingle("x"));
        trainer.Backward(file.ReadSingle("dy"));
        var values = new float[rows * units];
        trainer.GetOutputs(values);
        Near(values, "y", outputTolerance);
        trainer.GetInputGradients(values);
        Near(values, "grad.x", gradientTolerance);
        foreach ((string ours, string theirs) in parameters)
        {
            Near(trainer.Gradients.ToArray("highway." + ours), "grad." + theirs, gradientTolerance);
        }

        void Near(float[] actual, string tensor, double tolerance)
        {
            double deviation = Deviation.Of(actual, file.ReadSingle(tensor));
            Assert.True(deviation <= tolerance, $"{tensor}: off by {deviation:E2}, allowed {tolerance:E2}");
        }
    }
}

using System.Text.Json;
using Unrolled.Generator.Frontend;
using Unrolled.Generator.Tests.Harness;
using Unrolled.Generator.Tests.Oracle;
using Xunit;

namespace Unrolled.Generator.Tests.Torch;

/// <summary>The feed-forward highway layer against what PyTorch recorded.</summary>
public sealed class HighwayTests
{
    // As the recurrent oracles: four times PyTorch's own error in single precision, and no less than rounding.
    private const double LeastDeviation = 5e-7;

    // The compact selection kept with the tests, and the rest where the whole oracle is.
    private static readonly Dictionary<string, string> Paths = new[] { Path.Combine(Repository.TestProject, "Data", "Torch") }
        .Concat(Repository.Oracle is { } oracle ? [Path.Combine(oracle, "torch")] : [])
        .SelectMany(folder => Directory.GetFiles(folder, "highway_ff_*.safetensors"))
        .DistinctBy(Path.GetFileName)
        .ToDictionary(path => Path.GetFileNameWithoutExtension(path)!);

    internal static readonly ModelSet Models = new(Paths.Keys.Order(StringComparer.Ordinal).Select(Network));

    public static TheoryData<string> Files => [.. Paths.Keys.Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Files))]
    [Trait("Category", "Emitted")]
    public void AgreesWithPyTorch(string name)
    {
        SafetensorsFile file = SafetensorsFile.Open(Paths[name]);
        using JsonDocument config = JsonDocument.Parse(file.Metadata["config"]);
        int units = config.RootElement.GetProperty("size").GetInt32();
        int rows = config.RootElement.GetProperty("batch").GetInt32();
        JsonElement recorded = config.RootElement.GetProperty("torch_float32_vs_float64");
        double outputTolerance = 4 * Math.Max(LeastDeviation, recorded.GetProperty("outputs").GetDouble());
        double gradientTolerance = 4 * Math.Max(LeastDeviation, recorded.GetProperty("grads").GetDouble());
        IModel model = Models.Create(Network(name).Class);
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

    private static TestNetwork Network(string name)
    {
        using JsonDocument config = JsonDocument.Parse(SafetensorsFile.Open(Paths[name]).Metadata["config"]);
        int units = config.RootElement.GetProperty("size").GetInt32();
        var activation = new CellSetting("activation", CellSettingKind.Function, 0, config.RootElement.GetProperty("act").GetString()!);
        return new TestNetwork(name, 0, units, [TestLayer.Own("highway", ParsedCells.BuiltIn("highway"), units, activation)]);
    }
}

using Unrolled.Generator.Tests.Harness;
using Unrolled.Generator.Tests.Oracle;
using Xunit;

namespace Unrolled.Generator.Tests.Torch;

/// <summary>The two oracles against each other, no compiler between them: an error in the interpreter or in the mapping to PyTorch shows here.</summary>
public sealed class OraclesAgreeTests
{
    private static readonly string Folder = Path.Combine(Repository.TestProject, "Data", "Torch");

    public static TheoryData<string> Files => [.. Directory.EnumerateFiles(Folder, "*.safetensors").Where(TorchOracleTests.MayFit).Select(path => Path.GetFileNameWithoutExtension(path)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Files))]
    public void EquationsGiveWhatPyTorchRecorded(string name)
    {
        var file = new TorchFile(Path.Combine(Folder, name + ".safetensors"));
        Assert.True(TorchNetwork.Fits(file));
        var torch = new TorchNetwork(file);
        ModelLayout layout = Layout(torch);
        var oracle = new EquationOracle(torch.Network.Specs, layout);
        foreach (RecordedParameter parameter in torch.Parameters)
        {
            double[] values = oracle.Parameters[parameter.Name];
            foreach (RecordedSlice slice in parameter.Sources)
            {
                float[] terms = slice.Of(file.Single(slice.Tensor));
                for (int i = 0; i < values.Length; i++)
                {
                    values[i] += terms[i];
                }
            }
        }

        double[] inputs = Wide(file.Single("x"));
        double[] states = States(torch, oracle, "0");
        OracleRun run = oracle.Run(inputs, states, file.Batch);
        float[] recorded = file.Single(file.Has("logits") ? "logits" : "y");
        Close(recorded, run.Outputs[^recorded.Length..]);
        double[] finals = States(torch, oracle, "n");
        Assert.All(run.FinalStates.Zip(finals), pair => Assert.Equal(pair.Second, pair.First, 1e-6));

        double[] outputGradients = Wide(file.Loss == "lin" ? file.Single("dy") : TorchLosses.LogitGradients(file));
        double[] finalGradients = file.Loss == "lin" ? States(torch, oracle, "gradient") : new double[states.Length];
        var differences = new CentralDifferences(oracle, new LinearLoss(outputGradients, finalGradients, oracle.OutputSize), inputs, states, file.Batch);
        var random = new Random(1);
        foreach (RecordedParameter parameter in torch.Parameters)
        {
            float[] gradient = parameter.Sources[0].Of(file.Single("grad." + parameter.Sources[0].Tensor));
            int index = random.Next(gradient.Length);
            Quotient quotient = differences.Parameter(parameter.Name, index);
            Assert.True(quotient.CrossesKink || Math.Abs(quotient.Values[0] - gradient[index]) <= 1e-6 * Math.Max(1e-2, gradient.Max(Math.Abs)), $"{parameter.Name} at {index}: {quotient.Values.FirstOrDefault()} against {gradient[index]}");
        }

        int step = random.Next(file.Steps);
        int element = random.Next(file.InputSize);
        Quotient byInput = differences.Input(step, element);
        float[] inputGradients = file.Single("grad.x");
        for (int row = 0; row < file.Batch && !byInput.CrossesKink; row++)
        {
            Assert.Equal(inputGradients[(step * file.Batch + row) * file.InputSize + element], byInput.Values[row], 1e-6);
        }
    }

    private static void Close(float[] recorded, double[] computed)
    {
        double deviation = Deviation.Of(recorded, computed);
        Assert.True(deviation < 3e-7, $"off by {deviation:E2}");
    }

    // States in the oracle's order; what is not recorded is zero.
    private static double[] States(TorchNetwork torch, EquationOracle oracle, string which)
    {
        TorchFile file = torch.File;
        var states = new double[file.Batch * oracle.StateLength];
        int offset = 0;
        foreach (OracleState state in oracle.States)
        {
            string full = torch.Network.Layers[state.Layer].Spec.Name + "." + state.Symbol;
            string letter = torch.States(state.Layer).Single(pair => pair.State == full).Torch;
            string tensor = which == "gradient" ? $"d{letter}n" : letter + which;
            if (file.Has(tensor))
            {
                float[] values = new RecordedSlice(tensor, state.Layer, file.Layers).Of(file.Single(tensor));
                for (int i = 0; i < values.Length; i++)
                {
                    states[i / state.Units * oracle.StateLength + offset + i % state.Units] = values[i];
                }
            }

            offset += state.Units;
        }

        return states;
    }

    private static ModelLayout Layout(TorchNetwork torch)
    {
        var parameters = new List<ParameterInfo>();
        int offset = 0;
        foreach (RecordedParameter parameter in torch.Parameters)
        {
            IReadOnlyList<int> shape = torch.File.Shape(parameter.Sources[0].Tensor);
            int length = shape.Aggregate(1, (product, extent) => product * extent) / parameter.Sources[0].Blocks;
            int columns = char.IsUpper(parameter.Name[parameter.Name.IndexOf('.', StringComparison.Ordinal) + 1]) ? shape[^1] : 0;
            int rows = length / Math.Max(1, columns);
            parameters.Add(new ParameterInfo(parameter.Name, rows, columns, new Initializer(InitializerKind.Zero), new PackedSegment(offset)));
            offset += Padding.Of(rows) * Math.Max(1, columns);
        }

        StateInfo[] states = Enumerable.Range(0, torch.File.Layers).SelectMany(torch.States).Select(pair => new StateInfo(pair.State, torch.File.HiddenSize)).ToArray();
        int outputs = torch.File.Has("head.weight") ? torch.File.Shape("head.weight")[0] : torch.File.HiddenSize;
        return new ModelLayout("Torch", 0, torch.File.InputSize, outputs, Loss.None, offset, [.. parameters], states);
    }

    private static double[] Wide(float[] values) => Array.ConvertAll(values, value => (double)value);
}

using Unrolled.Generator.Frontend.Equations;
using Unrolled.Generator.Tests.Harness;

namespace Unrolled.Generator.Tests.Onnx;

/// <summary>A recorded node as one of our networks: a layer of the library, its weights in ONNX's order of gates.</summary>
internal sealed class OnnxNetwork
{
    private const string Layer = "layer";

    private readonly List<RecordedParameter> _parameters = [];

    public OnnxNetwork(OnnxFile file)
    {
        File = file;
        bool bias = file.Has("B");
        TestLayer layer;
        switch (file.Operator)
        {
            case "RNN":
                AddGates("");
                layer = TestLayer.Rnn(Layer, file.HiddenSize, bias: bias).With(Functions("activation"));
                break;
            case "LSTM":
                AddGates("i", "o", "f", "c");
                if (file.Has("P"))
                {
                    AddBlocks("P", "i", "o", "f");
                }

                layer = TestLayer.Lstm(Layer, file.HiddenSize, peepholes: file.Has("P"), bias).With(Functions("gate_activation", "cell_activation", "output_activation"));
                break;
            case "GRU":
                AddGates("z", "r", "n");
                layer = TestLayer.Gru(Layer, file.HiddenSize, file.ResetsAfter, bias).With(Functions("gate_activation", "candidate_activation"));
                break;
            default:
                throw new NotSupportedException($"{file.Name} is a {file.Operator}");
        }

        Network = new TestNetwork("Onnx_" + file.Name, 0, file.InputSize, [layer]);
    }

    public OnnxFile File { get; }

    public TestNetwork Network { get; }

    public IReadOnlyList<RecordedParameter> Parameters => _parameters;

    /// <summary>ONNX's state h or c as ours.</summary>
    public static string State(string state) => $"{Layer}.{state}";

    /// <summary>Why our layers cannot be this node, or null where they can.</summary>
    public static string? WhyLeftOut(OnnxFile file) =>
        file.Direction != "forward" ? "direction"
        : file.Has("sequence_lens") && file.Tensor("sequence_lens").Any(length => length != file.Steps) ? "lengths"
        : null;

    // The rows of W and R are one gate's after the other's; those of B are all of W's biases, then all of R's.
    private void AddGates(params string[] gates)
    {
        for (int gate = 0; gate < gates.Length; gate++)
        {
            bool isPlain = gates[gate].Length == 0;
            string name = gates[gate];
            Add(isPlain ? "W_x" : "W_x" + name, new RecordedSlice("W", gate, gates.Length));
            Add(isPlain ? "W_h" : "W_h" + name, new RecordedSlice("R", gate, gates.Length));
            var input = new RecordedSlice("B", gate, 2 * gates.Length);
            var recurrent = new RecordedSlice("B", gates.Length + gate, 2 * gates.Length);
            if (!File.Has("B"))
            {
                continue;
            }

            if (name == "n" && File.ResetsAfter)
            {
                // The reset gate acts on the recurrent bias too, so that the two do not add up.
                Add("b_xn", input);
                Add("b_hn", recurrent);
            }
            else
            {
                Add(isPlain ? "b" : "b_" + name, input, recurrent);
            }
        }
    }

    private void AddBlocks(string tensor, params string[] gates)
    {
        for (int gate = 0; gate < gates.Length; gate++)
        {
            Add("w_c" + gates[gate], new RecordedSlice(tensor, gate, gates.Length));
        }
    }

    private void Add(string name, params RecordedSlice[] sources) => _parameters.Add(new RecordedParameter($"{Layer}.{name}", sources));

    private (string Param, FunctionValue Function)[] Functions(params string[] parameters) =>
        [.. File.Activations.Select((name, index) => (parameters[index], (FunctionValue)name.ToLowerInvariant()))];
}

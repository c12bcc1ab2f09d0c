using Unrolled.Generator.Frontend;
using Unrolled.Generator.Tests.Harness;
using Unrolled.Generator.Tests.Oracle;

namespace Unrolled.Generator.Tests.Torch;

/// <summary>A recorded network as one of ours.</summary>
internal sealed class TorchNetwork
{
    private readonly List<RecordedParameter> _parameters = [];

    public TorchNetwork(TorchFile file)
    {
        File = file;
        var layers = new List<TestLayer>();
        for (int layer = 0; layer < file.Layers; layer++)
        {
            layers.Add(AddLayer(layer));
        }

        if (file.Has("head.weight"))
        {
            layers.Add(TestLayer.Dense("head", file.Shape("head.weight")[0]));
            Add("head.W", new RecordedSlice("head.weight", 0, 1));
            Add("head.b", new RecordedSlice("head.bias", 0, 1));
        }

        Loss loss = file.Loss switch { "ce_all" => Loss.SoftmaxCrossEntropy, "mse" => Loss.MeanSquaredError, _ => Loss.None };
        Network = new TestNetwork("Torch_" + file.Name, 0, file.InputSize, layers, loss);
    }

    public TorchFile File { get; }

    public TestNetwork Network { get; }

    public IReadOnlyList<RecordedParameter> Parameters => _parameters;

    /// <summary>The state that is a layer's output.</summary>
    public string OutputState(int layer) => File.Kind == "rhn" ? $"layer{layer}.s_{File.Depth}" : $"layer{layer}.h";

    /// <summary>The states of a layer as PyTorch numbers them: h, and c for an LSTM.</summary>
    public IEnumerable<(string Torch, string State)> States(int layer)
    {
        yield return ("h", OutputState(layer));
        if (File.Kind is "lstm" or "lstm_peephole")
        {
            yield return ("c", $"layer{layer}.c");
        }
    }

    /// <summary>Whether our cells can be this network: one direction, equal lengths, no connections around layers.</summary>
    public static bool Fits(TorchFile file) =>
        file is { Kind: "rnn_tanh" or "rnn_relu" or "lstm" or "gru" or "lstm_peephole" or "rhn", Directions: 1, HasLengths: false, HasHighway: false };

    private TestLayer AddLayer(int index)
    {
        string name = $"layer{index}";
        int units = File.HiddenSize;
        string input = $"weight_ih_l{index}";
        string hidden = $"weight_hh_l{index}";
        switch (File.Kind)
        {
            case "rnn_tanh" or "rnn_relu":
                Add(name + ".W_x", new RecordedSlice(input, 0, 1));
                Add(name + ".W_h", new RecordedSlice(hidden, 0, 1));
                AddBias(name + ".b", index, 0, 1);
                return TestLayer.Rnn(name, units, File.Kind["rnn_".Length..], File.HasBias);
            case "lstm" or "lstm_peephole":
                string[] gates = ["i", "f", "c", "o"];
                for (int gate = 0; gate < 4; gate++)
                {
                    Add($"{name}.W_x{gates[gate]}", new RecordedSlice(input, gate, 4));
                    Add($"{name}.W_h{gates[gate]}", new RecordedSlice(hidden, gate, 4));
                    AddBias($"{name}.b_{gates[gate]}", index, gate, 4);
                    if (File.Kind == "lstm_peephole" && gates[gate] != "c")
                    {
                        Add($"{name}.w_c{gates[gate]}", new RecordedSlice($"peephole_{gates[gate]}_l{index}", 0, 1));
                    }
                }

                return TestLayer.Lstm(name, units, File.Kind == "lstm_peephole", File.HasBias);
            case "gru":
                return AddGru(name, index, units, input, hidden);
            case "rhn":
                Add(name + ".W_h", new RecordedSlice($"weight_ih_h_l{index}", 0, 1));
                Add(name + ".W_t", new RecordedSlice($"weight_ih_t_l{index}", 0, 1));
                for (int k = 0; k < File.Depth; k++)
                {
                    Add($"{name}.R_h_{k + 1}", new RecordedSlice($"weight_hh_h_l{index}", k, File.Depth));
                    Add($"{name}.R_t_{k + 1}", new RecordedSlice($"weight_hh_t_l{index}", k, File.Depth));
                    Add($"{name}.b_h_{k + 1}", new RecordedSlice($"bias_h_l{index}", k, File.Depth));
                    Add($"{name}.b_t_{k + 1}", new RecordedSlice($"bias_t_l{index}", k, File.Depth));
                }

                return TestLayer.Own(name, ParsedCells.BuiltIn("recurrent_highway"), units, new CellSetting("depth", CellSettingKind.Size, File.Depth, null));
            default:
                throw new ArgumentException($"No cell for '{File.Kind}'");
        }
    }

    private TestLayer AddGru(string name, int index, int units, string input, string hidden)
    {
        bool resetAfter = File.Reset != "before_product";
        string[] gates = ["r", "z", "n"];
        for (int gate = 0; gate < 3; gate++)
        {
            Add($"{name}.W_x{gates[gate]}", new RecordedSlice(input, gate, 3));
            Add($"{name}.W_h{gates[gate]}", new RecordedSlice(hidden, gate, 3));
            if (gates[gate] == "n" && resetAfter)
            {
                if (File.HasBias)
                {
                    Add(name + ".b_xn", new RecordedSlice($"bias_ih_l{index}", gate, 3));
                    Add(name + ".b_hn", new RecordedSlice($"bias_hh_l{index}", gate, 3));
                }
            }
            else
            {
                AddBias($"{name}.b_{gates[gate]}", index, gate, 3);
            }
        }

        TestLayer layer = TestLayer.Gru(name, units, resetAfter, File.HasBias);
        if (File.Update != "h=z*n+(1-z)*h")
        {
            return layer;
        }

        // Chung et al. 2014: z takes the new value instead of keeping the old.
        string reverse = resetAfter ? "gru_reverse_update_reset_after" : "gru_reverse_update";
        return TestLayer.Own(name, ParsedCells.BuiltIn(reverse), units);
    }

    private void AddBias(string name, int layer, int block, int blocks)
    {
        if (!File.HasBias)
        {
            return;
        }

        if (File.Has($"bias_l{layer}"))
        {
            Add(name, new RecordedSlice($"bias_l{layer}", block, blocks));
        }
        else
        {
            Add(name, new RecordedSlice($"bias_ih_l{layer}", block, blocks), new RecordedSlice($"bias_hh_l{layer}", block, blocks));
        }
    }

    private void Add(string name, params RecordedSlice[] sources) => _parameters.Add(new RecordedParameter(name, sources));
}

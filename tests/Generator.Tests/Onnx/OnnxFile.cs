using System.Text.Json;

namespace Unrolled.Generator.Tests.Onnx;

/// <summary>One ONNX node with its inputs and the outputs another runtime gave, as JSON.</summary>
internal sealed class OnnxFile
{
    private readonly Dictionary<string, float[]> _tensors = [];
    private readonly Dictionary<string, int[]> _shapes = [];

    public OnnxFile(string path)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
        JsonElement root = document.RootElement;
        Name = root.GetProperty("name").GetString()!;
        Operator = root.GetProperty("op_type").GetString()!;
        Deviation = root.TryGetProperty("ort_vs_float64_spec_maxabs", out JsonElement deviation) ? deviation.GetDouble() : 0;
        foreach (JsonElement tensor in root.GetProperty("inputs").EnumerateArray().Concat(root.GetProperty("outputs").EnumerateArray()))
        {
            string name = tensor.GetProperty("name").GetString()!;
            _shapes.Add(name, [.. tensor.GetProperty("shape").EnumerateArray().Select(extent => extent.GetInt32())]);
            _tensors.Add(name, [.. tensor.GetProperty("data").EnumerateArray().Select(element => element.GetSingle())]);
        }

        foreach (JsonProperty attribute in root.GetProperty("attributes").EnumerateObject())
        {
            switch (attribute.Name)
            {
                case "hidden_size":
                    HiddenSize = attribute.Value.GetInt32();
                    break;
                case "direction":
                    Direction = attribute.Value.GetString()!;
                    break;
                case "layout":
                    IsBatchFirst = attribute.Value.GetInt32() == 1;
                    break;
                case "linear_before_reset":
                    ResetsAfter = attribute.Value.GetInt32() == 1;
                    break;
                case "activations":
                    Activations = [.. attribute.Value.EnumerateArray().Select(name => name.GetString()!)];
                    break;
                default:
                    throw new NotSupportedException($"{path}: the attribute {attribute.Name} is not read here");
            }
        }
    }

    public string Name { get; }

    /// <summary>RNN, LSTM or GRU.</summary>
    public string Operator { get; }

    /// <summary>The largest difference of the recorded outputs from ONNX's equations in double precision, where it is known.</summary>
    public double Deviation { get; }

    public int HiddenSize { get; }

    public string Direction { get; } = "forward";

    /// <summary>layout = 1: the batch stands before the steps, and the directions after the batch.</summary>
    public bool IsBatchFirst { get; }

    public bool ResetsAfter { get; }

    /// <summary>The activations f, g, h, or none for ONNX's own.</summary>
    public IReadOnlyList<string> Activations { get; } = [];

    public int Steps => _shapes["X"][IsBatchFirst ? 1 : 0];

    public int Batch => _shapes["X"][IsBatchFirst ? 0 : 1];

    public int InputSize => _shapes["X"][2];

    public bool Has(string tensor) => _tensors.ContainsKey(tensor);

    /// <summary>A tensor as it is recorded.</summary>
    public float[] Tensor(string name) => _tensors[name];

    /// <summary>X or Y, time-major: <c>[step, batch, size]</c>.</summary>
    public float[] Sequence(string name)
    {
        float[] recorded = _tensors[name];
        int size = recorded.Length / (Steps * Batch);
        return !IsBatchFirst ? recorded
            : [.. Enumerable.Range(0, Steps).SelectMany(step => Enumerable.Range(0, Batch).SelectMany(row => recorded.AsSpan((row * Steps + step) * size, size).ToArray()))];
    }
}

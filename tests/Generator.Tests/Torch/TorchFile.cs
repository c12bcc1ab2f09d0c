using System.Text.Json;

namespace Unrolled.Generator.Tests.Torch;

/// <summary>A recorded network of the second oracle: its config and its tensors.</summary>
internal sealed class TorchFile
{
    private readonly SafetensorsFile _tensors;
    private readonly HashSet<string> _names;

    public TorchFile(string path)
    {
        Name = Path.GetFileNameWithoutExtension(path);
        _tensors = SafetensorsFile.Open(path);
        _names = [.. _tensors.Names];
        using JsonDocument config = JsonDocument.Parse(_tensors.Metadata["config"]);
        JsonElement root = config.RootElement;
        Kind = root.GetProperty("kind").GetString()!;
        Loss = Text(root, "loss") ?? "";
        Reset = Text(root, "reset");
        Update = Text(root, "update");
        Directions = Number(root, "directions", 1);
        Layers = Number(root, "layers", 1);
        Steps = Number(root, "T", 1);
        Batch = Number(root, "batch", 1);
        InputSize = Number(root, "input_size", 1);
        HiddenSize = Number(root, "hidden_size", 1);
        Depth = Number(root, "depth", 1);
        HasBias = !root.TryGetProperty("bias", out JsonElement bias) || bias.ValueKind != JsonValueKind.False;
        HasLengths = root.TryGetProperty("lengths", out JsonElement lengths) && lengths.ValueKind == JsonValueKind.Array;
        HasHighway = _names.Any(name => name.StartsWith("hw_", StringComparison.Ordinal));
        JsonElement deviation = root.GetProperty("torch_float32_vs_float64");
        OutputDeviation = deviation.GetProperty("outputs").GetDouble();
        GradientDeviation = deviation.GetProperty("grads").GetDouble();
    }

    public string Name { get; }

    public string Kind { get; }

    public string Loss { get; }

    /// <summary>after_product or before_product, for a GRU that says.</summary>
    public string? Reset { get; }

    /// <summary>The GRU's update as a formula, for one that says.</summary>
    public string? Update { get; }

    public int Directions { get; }

    public int Layers { get; }

    public int Steps { get; }

    public int Batch { get; }

    public int InputSize { get; }

    public int HiddenSize { get; }

    /// <summary>Micro-steps of a recurrent highway network.</summary>
    public int Depth { get; }

    public bool HasBias { get; }

    public bool HasLengths { get; }

    public bool HasHighway { get; }

    /// <summary>How far PyTorch's own single precision is from its double precision.</summary>
    public double OutputDeviation { get; }

    public double GradientDeviation { get; }

    public bool Has(string name) => _names.Contains(name);

    public IReadOnlyList<int> Shape(string name) => [.. _tensors.Shape(name).Select(extent => checked((int)extent))];

    public float[] Single(string name) => _tensors.ReadSingle(name);

    public int[] Integers(string name) => _tensors.ReadInt32(name);

    /// <summary>Names of all recorded gradients, without their prefix.</summary>
    public IEnumerable<string> Gradients => _names.Where(name => name.StartsWith("grad.", StringComparison.Ordinal)).Select(name => name["grad.".Length..]);

    private static string? Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static int Number(JsonElement root, string name, int absent) =>
        root.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number ? value.GetInt32() : absent;
}

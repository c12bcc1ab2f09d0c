using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Unrolled;

/// <summary>A parameter's values in a block, and what they are called in a file.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="Parameter">The parameter: its shape, and where it lies in the block.</param>
/// <param name="Block">The block.</param>
internal readonly record struct BlockTensor(string Name, ParameterInfo Parameter, ParameterBlock Block);

/// <summary>Parameter blocks as safetensors files: F32 tensors in mathematical shape.</summary>
internal static class BlockFile
{
    /// <summary>Every parameter of a block.</summary>
    /// <param name="block">The block.</param>
    /// <param name="suffix">What follows the parameters' names in the file.</param>
    public static IEnumerable<BlockTensor> TensorsOf(ParameterBlock block, string suffix = "") =>
        block.Layout.Parameters.Select(parameter => new BlockTensor(parameter.Name + suffix, parameter, block));

    /// <summary>
    /// Takes over the values of a file, which must hold exactly these tensors. Everything is checked before any value is written.
    /// </summary>
    /// <param name="tensors">The tensors.</param>
    /// <param name="file">The file.</param>
    /// <param name="source">What the file is called in messages.</param>
    /// <param name="owner">What the tensors belong to, in messages.</param>
    /// <param name="requireFinite">Whether NaN and infinities are refused.</param>
    /// <param name="otherDifferences">What else keeps the file from fitting.</param>
    /// <exception cref="SafetensorsException">The file holds something else.</exception>
    public static void Load(
        IReadOnlyList<BlockTensor> tensors,
        SafetensorsFile file,
        string source,
        string owner,
        bool requireFinite,
        params string[] otherDifferences)
    {
        string[] differences = [.. otherDifferences, .. Differences(tensors, file)];
        if (differences.Length > 0)
        {
            throw new SafetensorsException($"{source} does not fit {owner}: {Excerpt.List(differences, "; ")}.");
        }

        if (requireFinite)
        {
            string[] faults = [.. tensors.Select(tensor => NotFinite(tensor, file)).OfType<string>()];
            if (faults.Length > 0)
            {
                throw new SafetensorsException($"{source} holds numbers that are not finite: {Excerpt.List(faults, "; ")}.");
            }
        }

        foreach (BlockTensor tensor in tensors)
        {
            tensor.Block.Set(tensor.Parameter, file.ReadSingle(tensor.Name));
        }
    }

    /// <summary>The values as a file holds them, in the order of the file's bytes.</summary>
    public static void Write(Stream stream, BlockTensor tensor)
    {
        float[] values = new float[tensor.Parameter.Length];
        tensor.Block.Get(tensor.Parameter, values);
        if (!BitConverter.IsLittleEndian)
        {
            Span<int> words = MemoryMarshal.Cast<float, int>(values.AsSpan());
            BinaryPrimitives.ReverseEndianness(words, words);
        }

        stream.Write(MemoryMarshal.AsBytes(values.AsSpan()));
    }

    private static List<string> Differences(IReadOnlyList<BlockTensor> tensors, SafetensorsFile file)
    {
        var differences = new List<string>();
        var missing = new List<string>();
        var expected = new HashSet<string>(StringComparer.Ordinal);
        foreach ((string name, ParameterInfo parameter, _) in tensors)
        {
            expected.Add(name);
            if (!file.Contains(name))
            {
                missing.Add(name);
                continue;
            }

            IReadOnlyList<long> shape = file.Shape(name);
            if (!shape.SequenceEqual(parameter.Shape.Select(extent => (long)extent)))
            {
                differences.Add($"'{name}' has the shape [{Excerpt.List(shape, ", ")}] and not [{string.Join(", ", parameter.Shape)}]");
            }

            if (file.ElementType(name) is var type and not "F32")
            {
                differences.Add($"'{name}' is {type} and not F32");
            }
        }

        Add("missing", missing);
        Add("unexpected", file.Names.Where(name => !expected.Contains(name)));
        return differences;

        void Add(string what, IEnumerable<string> names)
        {
            List<string> quoted = [.. names.Select(name => $"'{Excerpt.Text(name)}'")];
            if (quoted.Count > 0)
            {
                // First: where whole layers differ, this says it best.
                differences.Insert(0, $"{what}: {Excerpt.List(quoted, ", ")}");
            }
        }
    }

    /// <summary>Where a tensor of the file has its first NaN or infinity; null where it has none.</summary>
    private static string? NotFinite(BlockTensor tensor, SafetensorsFile file)
    {
        float[] values = file.ReadSingle(tensor.Name);
        int first = Array.FindIndex(values, value => !float.IsFinite(value));
        if (first < 0)
        {
            return null;
        }

        string place = tensor.Parameter.IsMatrix ? $"{first / tensor.Parameter.Columns}, {first % tensor.Parameter.Columns}" : $"{first}";
        string value = float.IsNaN(values[first]) ? "NaN" : values[first] > 0 ? "∞" : "-∞";
        return $"'{tensor.Name}' is {value} at [{place}]";
    }
}

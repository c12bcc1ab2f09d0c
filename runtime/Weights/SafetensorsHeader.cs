using System.Text.Json;

namespace Unrolled;

/// <summary>A tensor's entry in the header.</summary>
/// <param name="Name">The name.</param>
/// <param name="Type">The element type as the file names it: F32, I32.</param>
/// <param name="Shape">The shape; empty for a scalar.</param>
/// <param name="Begin">Bytes from the start of the data to the tensor's first.</param>
/// <param name="End">Bytes from the start of the data to after the tensor's last.</param>
internal sealed record SafetensorsEntry(string Name, string Type, long[] Shape, long Begin, long End);

/// <summary>
/// The header of a safetensors file (github.com/huggingface/safetensors): JSON that names every tensor, its type, shape and bytes. Read
/// as strictly as the format is defined: no duplicates, no holes, no overlaps, no bytes that belong to nothing.
/// </summary>
internal sealed class SafetensorsHeader
{
    /// <summary>The format's limit on the header's bytes.</summary>
    public const long MaximumLength = 100_000_000;

    /// <summary>The entry that is no tensor but the free texts.</summary>
    public const string MetadataName = "__metadata__";

    private SafetensorsHeader(List<SafetensorsEntry> entries, Dictionary<string, string> metadata)
    {
        Entries = entries;
        Metadata = metadata;
    }

    /// <summary>The tensors, in the order of the header.</summary>
    public List<SafetensorsEntry> Entries { get; }

    /// <summary>The free texts of the header.</summary>
    public Dictionary<string, string> Metadata { get; }

    /// <summary>Bytes of data the tensors cover.</summary>
    public long DataLength { get; private set; }

    /// <summary>Reads and checks a header.</summary>
    /// <exception cref="SafetensorsException">It is malformed.</exception>
    public static SafetensorsHeader Parse(ReadOnlySpan<byte> json)
    {
        if (json.IsEmpty || json[0] != (byte)'{')
        {
            throw new SafetensorsException("The header does not begin with '{': this is not a safetensors file.");
        }

        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 8 });
            SafetensorsHeader header = Read(ref reader);
            header.VerifyPlaces();
            return header;
        }
        catch (JsonException exception)
        {
            throw new SafetensorsException($"The header is not JSON: {Excerpt.Message(exception)}", exception);
        }
        catch (InvalidOperationException exception)
        {
            // Utf8JsonReader's way of refusing text that is not valid UTF-8 or half a surrogate pair.
            throw new SafetensorsException($"The header holds text that is not valid Unicode: {Excerpt.Message(exception)}", exception);
        }
    }

    /// <summary>Bytes of an element of a type, 0 where the type is not known or its elements are no whole bytes.</summary>
    public static int ElementLength(string type) => type switch
    {
        "F64" or "I64" or "U64" or "C64" => 8,
        "F32" or "I32" or "U32" => 4,
        "F16" or "BF16" or "I16" or "U16" => 2,
        "I8" or "U8" or "BOOL" or "F8_E4M3" or "F8_E5M2" or "F8_E8M0" => 1,
        _ => 0,
    };

    private static SafetensorsHeader Read(ref Utf8JsonReader reader)
    {
        var entries = new List<SafetensorsEntry>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        Dictionary<string, string>? metadata = null;
        reader.Read();
        while (NextProperty(ref reader, out string name))
        {
            if (!names.Add(name))
            {
                throw new SafetensorsException($"The header names '{Excerpt.Text(name)}' twice.");
            }

            if (name == MetadataName)
            {
                metadata = ReadMetadata(ref reader);
            }
            else
            {
                entries.Add(ReadEntry(ref reader, name));
            }
        }

        // Only white space may follow; anything else is an error of the reader's own.
        while (reader.Read())
        {
        }

        return new SafetensorsHeader(entries, metadata ?? []);
    }

    private static Dictionary<string, string> ReadMetadata(ref Utf8JsonReader reader)
    {
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        Expect(ref reader, JsonTokenType.StartObject, MetadataName);
        while (NextProperty(ref reader, out string key))
        {
            Expect(ref reader, JsonTokenType.String, $"{MetadataName}.{Excerpt.Text(key)}");
            if (!metadata.TryAdd(key, reader.GetString()!))
            {
                throw new SafetensorsException($"The header's metadata names '{Excerpt.Text(key)}' twice.");
            }
        }

        return metadata;
    }

    private static SafetensorsEntry ReadEntry(ref Utf8JsonReader reader, string name)
    {
        string place = Excerpt.Text(name);
        string? type = null;
        List<long>? shape = null;
        List<long>? offsets = null;
        Expect(ref reader, JsonTokenType.StartObject, place);
        while (NextProperty(ref reader, out string field))
        {
            bool repeated;
            switch (field)
            {
                case "dtype":
                    Expect(ref reader, JsonTokenType.String, $"{place}.dtype");
                    repeated = type is not null;
                    type = reader.GetString()!;
                    break;
                case "shape":
                    repeated = shape is not null;
                    shape = ReadNumbers(ref reader, $"{place}.shape");
                    break;
                case "data_offsets":
                    repeated = offsets is not null;
                    offsets = ReadNumbers(ref reader, $"{place}.data_offsets");
                    break;
                default:
                    throw new SafetensorsException($"Tensor '{place}' has an unknown field '{Excerpt.Text(field)}'.");
            }

            if (repeated)
            {
                throw new SafetensorsException($"Tensor '{place}' has the field '{Excerpt.Text(field)}' twice.");
            }
        }

        if (type is null || shape is null || offsets is null)
        {
            throw new SafetensorsException($"Tensor '{place}' lacks one of dtype, shape and data_offsets.");
        }

        if (offsets.Count != 2 || offsets[0] > offsets[1])
        {
            throw new SafetensorsException($"Tensor '{place}' has impossible data_offsets: [{Excerpt.List(offsets, ", ")}].");
        }

        var entry = new SafetensorsEntry(name, type, [.. shape], offsets[0], offsets[1]);
        VerifyLength(entry);
        return entry;
    }

    private static void VerifyLength(SafetensorsEntry entry)
    {
        int elementLength = ElementLength(entry.Type);
        if (elementLength == 0)
        {
            throw new SafetensorsException($"Tensor '{Excerpt.Text(entry.Name)}' has the unknown type '{Excerpt.Text(entry.Type)}'.");
        }

        long length = elementLength;
        try
        {
            foreach (long extent in entry.Shape)
            {
                length = checked(length * extent);
            }
        }
        catch (OverflowException exception)
        {
            throw new SafetensorsException($"Tensor '{Excerpt.Text(entry.Name)}' has an impossible shape: [{Excerpt.List(entry.Shape, ", ")}].", exception);
        }

        if (length != entry.End - entry.Begin)
        {
            throw new SafetensorsException(
                $"Tensor '{Excerpt.Text(entry.Name)}', {entry.Type} [{Excerpt.List(entry.Shape, ", ")}], needs {length} bytes and has {entry.End - entry.Begin}.");
        }
    }

    private void VerifyPlaces()
    {
        long end = 0;
        foreach (SafetensorsEntry entry in Entries.OrderBy(entry => entry.Begin).ThenBy(entry => entry.End))
        {
            if (entry.Begin != end)
            {
                throw new SafetensorsException(entry.Begin > end
                    ? $"There is a hole of {entry.Begin - end} bytes before tensor '{Excerpt.Text(entry.Name)}'."
                    : $"Tensor '{Excerpt.Text(entry.Name)}' overlaps another: it begins at {entry.Begin}, the other ends at {end}.");
            }

            end = entry.End;
        }

        DataLength = end;
    }

    private static List<long> ReadNumbers(ref Utf8JsonReader reader, string place)
    {
        var numbers = new List<long>();
        Expect(ref reader, JsonTokenType.StartArray, place);
        while (true)
        {
            reader.Read();
            if (reader.TokenType == JsonTokenType.EndArray)
            {
                return numbers;
            }

            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long number) || number < 0)
            {
                throw new SafetensorsException($"The header's {place} holds something else than whole numbers.");
            }

            numbers.Add(number);
        }
    }

    private static bool NextProperty(ref Utf8JsonReader reader, out string name)
    {
        reader.Read();
        bool found = reader.TokenType == JsonTokenType.PropertyName;
        name = found ? reader.GetString()! : "";
        return found;
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType type, string place)
    {
        reader.Read();
        if (reader.TokenType != type)
        {
            throw new SafetensorsException($"The header's {place} is {reader.TokenType} and not {type}.");
        }
    }
}

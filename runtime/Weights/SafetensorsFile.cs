using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Unrolled;

/// <summary>
/// The contents of a safetensors file, wholly in memory: tensors by name, in row-major order. Files of more than 2 GB of data are not
/// read.
/// </summary>
public sealed class SafetensorsFile
{
    private const int LengthBytes = 8;

    private readonly SafetensorsHeader _header;
    private readonly byte[] _data;
    private readonly Dictionary<string, SafetensorsEntry> _entries;

    private SafetensorsFile(SafetensorsHeader header, byte[] data)
    {
        _header = header;
        _data = data;
        _entries = header.Entries.ToDictionary(entry => entry.Name, StringComparer.Ordinal);
        Names = [.. header.Entries.Select(entry => entry.Name)];
    }

    /// <summary>The tensors' names, in the order of the file's header.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The texts the file carries besides.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _header.Metadata;

    /// <summary>Reads a file.</summary>
    /// <exception cref="SafetensorsException">The file is malformed.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static SafetensorsFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        try
        {
            return Read(stream);
        }
        catch (SafetensorsException exception)
        {
            throw new SafetensorsException($"{path}: {exception.Message}", exception);
        }
    }

    /// <summary>Reads a file from a stream, to the stream's end.</summary>
    /// <exception cref="SafetensorsException">The file is malformed.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    public static SafetensorsFile Read(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        Span<byte> prefix = stackalloc byte[LengthBytes];
        int read = stream.ReadAtLeast(prefix, LengthBytes, throwOnEndOfStream: false);
        if (read < LengthBytes)
        {
            throw new SafetensorsException($"The file has {read} bytes, too few for a safetensors file.");
        }

        ulong headerLength = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (headerLength > SafetensorsHeader.MaximumLength)
        {
            throw new SafetensorsException($"The header claims {headerLength} bytes; the format allows {SafetensorsHeader.MaximumLength} (is this a safetensors file?).");
        }

        byte[] json = ReadUpTo(stream, (long)headerLength);
        if (json.Length < (long)headerLength)
        {
            throw new SafetensorsException($"The header claims {headerLength} bytes, but the file ends after {json.Length} of them.");
        }

        SafetensorsHeader header = SafetensorsHeader.Parse(json);
        if (header.DataLength > Array.MaxLength)
        {
            throw new SafetensorsException($"The tensors have {header.DataLength} bytes; at most {Array.MaxLength} can be read.");
        }

        byte[] data = ReadUpTo(stream, header.DataLength);
        if (data.Length < header.DataLength)
        {
            throw new SafetensorsException($"The tensors need {header.DataLength} bytes of data, but the file ends after {data.Length} of them.");
        }

        if (stream.ReadByte() >= 0)
        {
            throw new SafetensorsException($"The tensors cover {header.DataLength} bytes of data, but the file goes on.");
        }

        return new SafetensorsFile(header, data);
    }

    /// <summary>Whether there is a tensor of a name.</summary>
    public bool Contains(string name) => _entries.ContainsKey(name);

    /// <summary>A tensor's shape; empty for a scalar.</summary>
    /// <exception cref="KeyNotFoundException">There is no such tensor.</exception>
    public IReadOnlyList<long> Shape(string name) => Array.AsReadOnly(Find(name).Shape);

    /// <summary>A tensor's element type as the file names it: F32, I32.</summary>
    /// <exception cref="KeyNotFoundException">There is no such tensor.</exception>
    public string ElementType(string name) => Find(name).Type;

    /// <summary>A tensor's elements, of type F32.</summary>
    /// <exception cref="KeyNotFoundException">There is no such tensor.</exception>
    /// <exception cref="SafetensorsException">Its elements are of another type.</exception>
    public float[] ReadSingle(string name)
    {
        ReadOnlySpan<byte> bytes = Bytes(name, "F32");
        float[] values = new float[bytes.Length / sizeof(float)];
        bytes.CopyTo(MemoryMarshal.AsBytes(values.AsSpan()));
        if (!BitConverter.IsLittleEndian)
        {
            Span<int> words = MemoryMarshal.Cast<float, int>(values.AsSpan());
            BinaryPrimitives.ReverseEndianness(words, words);
        }

        return values;
    }

    /// <summary>A tensor's elements, of type I32.</summary>
    /// <exception cref="KeyNotFoundException">There is no such tensor.</exception>
    /// <exception cref="SafetensorsException">Its elements are of another type.</exception>
    public int[] ReadInt32(string name)
    {
        ReadOnlySpan<byte> bytes = Bytes(name, "I32");
        int[] values = new int[bytes.Length / sizeof(int)];
        bytes.CopyTo(MemoryMarshal.AsBytes(values.AsSpan()));
        if (!BitConverter.IsLittleEndian)
        {
            BinaryPrimitives.ReverseEndianness(values, values);
        }

        return values;
    }

    private ReadOnlySpan<byte> Bytes(string name, string type)
    {
        SafetensorsEntry entry = Find(name);
        return entry.Type == type
            ? _data.AsSpan((int)entry.Begin, (int)(entry.End - entry.Begin))
            : throw new SafetensorsException($"Tensor '{Excerpt.Text(name)}' is {entry.Type} and not {type}.");
    }

    private SafetensorsEntry Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return _entries.TryGetValue(name, out SafetensorsEntry? entry)
            ? entry
            : throw UnknownName.Exception("The file", "tensor", name, _entries.Keys);
    }

    /// <summary>
    /// Bytes of a stream, fewer where it ends before. What a header claims is not believed: memory grows with what really comes.
    /// </summary>
    private static byte[] ReadUpTo(Stream stream, long length)
    {
        const int Piece = 1 << 20;
        bool certain = stream.CanSeek && stream.Length - stream.Position >= length;
        byte[] bytes = new byte[certain ? length : Math.Min(length, Piece)];
        int read = 0;
        while (true)
        {
            int count = stream.ReadAtLeast(bytes.AsSpan(read), bytes.Length - read, throwOnEndOfStream: false);
            read += count;
            if (read < bytes.Length)
            {
                return bytes[..read];
            }

            if (read == length)
            {
                return bytes;
            }

            Array.Resize(ref bytes, (int)Math.Min(length, 2L * bytes.Length));
        }
    }
}

using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;

namespace Unrolled;

/// <summary>Writes a safetensors file.</summary>
internal static class SafetensorsWriter
{
    /// <summary>Writes tensors, in their order.</summary>
    /// <param name="stream">Takes the file.</param>
    /// <param name="tensors">The tensors.</param>
    /// <param name="metadata">The texts the file carries besides.</param>
    public static void Write(Stream stream, IReadOnlyList<BlockTensor> tensors, IEnumerable<(string Key, string Text)> metadata)
    {
        byte[] header = Header(tensors, metadata);
        Span<byte> prefix = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(prefix, (ulong)header.Length);
        stream.Write(prefix);
        stream.Write(header);
        foreach (BlockTensor tensor in tensors)
        {
            BlockFile.Write(stream, tensor);
        }
    }

    private static byte[] Header(IReadOnlyList<BlockTensor> tensors, IEnumerable<(string Key, string Text)> metadata)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteStartObject(SafetensorsHeader.MetadataName);
            writer.WriteString("format", "unrolled");
            foreach ((string key, string text) in metadata)
            {
                writer.WriteString(key, text);
            }

            writer.WriteEndObject();
            long offset = 0;
            foreach ((string name, ParameterInfo parameter, _) in tensors)
            {
                writer.WriteStartObject(name);
                writer.WriteString("dtype", "F32");
                writer.WriteStartArray("shape");
                foreach (int extent in parameter.Shape)
                {
                    writer.WriteNumberValue(extent);
                }

                writer.WriteEndArray();
                writer.WriteStartArray("data_offsets");
                writer.WriteNumberValue(offset);
                offset += (long)parameter.Length * sizeof(float);
                writer.WriteNumberValue(offset);
                writer.WriteEndArray();
                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        }

        // Spaces up to a multiple of 8, as the format's own writer does, so that the data is aligned in a mapped file.
        byte[] header = new byte[(buffer.WrittenCount + 7) & ~7];
        buffer.WrittenSpan.CopyTo(header);
        header.AsSpan(buffer.WrittenCount).Fill((byte)' ');
        return header;
    }
}

using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Unrolled;

/// <summary>Writes a parameter block as a safetensors file: F32, in mathematical shape, in the layout's order.</summary>
internal static class SafetensorsWriter
{
    public static void Write(Stream stream, ParameterBlock parameters)
    {
        byte[] header = Header(parameters.Layout);
        Span<byte> prefix = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(prefix, (ulong)header.Length);
        stream.Write(prefix);
        stream.Write(header);
        foreach (ParameterInfo parameter in parameters.Layout.Parameters)
        {
            float[] values = new float[parameter.Length];
            parameters.Get(parameter, values);
            if (!BitConverter.IsLittleEndian)
            {
                Span<int> words = MemoryMarshal.Cast<float, int>(values.AsSpan());
                BinaryPrimitives.ReverseEndianness(words, words);
            }

            stream.Write(MemoryMarshal.AsBytes(values.AsSpan()));
        }
    }

    private static byte[] Header(ModelLayout layout)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("__metadata__");
            writer.WriteString("format", "unrolled");
            writer.WriteString("model", layout.Name);
            writer.WriteEndObject();
            long offset = 0;
            foreach (ParameterInfo parameter in layout.Parameters)
            {
                writer.WriteStartObject(parameter.Name);
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

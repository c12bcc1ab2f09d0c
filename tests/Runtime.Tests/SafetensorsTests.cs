using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Unrolled.Tests;

public class SafetensorsTests
{
    private const string Valid = """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"I32","shape":[1],"data_offsets":[8,12]}}""";

    [Fact]
    public void Tensors_are_read_by_name()
    {
        byte[] data = [.. MemoryMarshal.AsBytes<float>([1.5f, -2]), .. MemoryMarshal.AsBytes<int>([-7])];
        SafetensorsFile file = Read(Valid, data);
        Assert.Equal(["a", "b"], file.Names);
        Assert.Equal([2L], file.Shape("a"));
        Assert.Equal("I32", file.ElementType("b"));
        Assert.Equal([1.5f, -2], file.ReadSingle("a"));
        Assert.Equal([-7], file.ReadInt32("b"));
        Assert.Empty(file.Metadata);
        Assert.Throws<SafetensorsException>(() => file.ReadInt32("a"));
        Assert.Throws<SafetensorsException>(() => file.ReadSingle("b"));
        Assert.Contains("'b'", Assert.Throws<KeyNotFoundException>(() => file.ReadSingle("c")).Message);
    }

    [Fact]
    public void Scalars_empty_tensors_metadata_escapes_order_and_spaces_are_read()
    {
        string json = """
            {"z":{"shape":[],"data_offsets":[4,8],"dtype":"F32"}, "__metadata__" : {"note":"b\u00e9\n","":""},
             "empty":{"dtype":"F32","shape":[3,0],"data_offsets":[4,4]}, "W_\u03c9":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},
             "later":{"dtype":"F16","shape":[2],"data_offsets":[8,12]}}      
            """;
        SafetensorsFile file = Read(json, [.. MemoryMarshal.AsBytes<float>([1, 2, 0])]);
        Assert.Equal(["z", "empty", "W_ω", "later"], file.Names);
        Assert.Empty(file.Shape("z"));
        Assert.Equal([2f], file.ReadSingle("z"));
        Assert.Equal([1f], file.ReadSingle("W_ω"));
        Assert.Empty(file.ReadSingle("empty"));
        Assert.Equal("bé\n", file.Metadata["note"]);
        Assert.Equal(2, file.Metadata.Count);
    }

    [Fact]
    public void A_file_without_tensors_is_a_file() => Assert.Empty(Read("{}", []).Names);

    [Theory]
    [InlineData("hole", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8)]
    [InlineData("hole", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}""", 12)]
    [InlineData("overlaps", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8)]
    [InlineData("overlaps", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4)]
    [InlineData("goes on", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 5)]
    [InlineData("goes on", "{}", 1)]
    [InlineData("ends after", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 3)]
    [InlineData("ends after", """{"a":{"dtype":"F32","shape":[500000000],"data_offsets":[0,2000000000]}}""", 4)]
    [InlineData("at most", """{"a":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4000000000000]}}""", 4)]
    [InlineData("twice", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8)]
    [InlineData("twice", """{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4)]
    [InlineData("twice", """{"a":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}}""", 4)]
    [InlineData("twice", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"data_offsets":[0,4]}}""", 4)]
    [InlineData("twice", """{"__metadata__":{"k":"1","k":"1"}}""", 0)]
    [InlineData("twice", """{"__metadata__":{},"__metadata__":{}}""", 0)]
    [InlineData("unknown type", """{"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}""", 4)]
    [InlineData("needs", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 4)]
    [InlineData("needs", """{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,4]}}""", 4)]
    [InlineData("impossible shape", """{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,4]}}""", 4)]
    [InlineData("impossible data_offsets", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""", 4)]
    [InlineData("impossible data_offsets", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}""", 4)]
    [InlineData("impossible data_offsets", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}""", 4)]
    [InlineData("whole numbers", """{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", 4)]
    [InlineData("whole numbers", """{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}""", 4)]
    [InlineData("whole numbers", """{"a":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}}""", 4)]
    [InlineData("whole numbers", """{"a":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}}""", 4)]
    [InlineData("whole numbers", """{"a":{"dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,4]}}""", 4)]
    [InlineData("lacks", """{"a":{"shape":[1],"data_offsets":[0,4]}}""", 4)]
    [InlineData("lacks", """{"a":{"dtype":"F32","data_offsets":[0,4]}}""", 4)]
    [InlineData("lacks", """{"a":{"dtype":"F32","shape":[1]}}""", 4)]
    [InlineData("unknown field", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"stride":[1]}}""", 4)]
    [InlineData("a is Number", """{"a":1}""", 0)]
    [InlineData("a is Null", """{"a":null}""", 0)]
    [InlineData("a.dtype is Number", """{"a":{"dtype":32,"shape":[1],"data_offsets":[0,4]}}""", 4)]
    [InlineData("a.shape is Number", """{"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}}""", 4)]
    [InlineData("__metadata__ is StartArray", """{"__metadata__":[]}""", 0)]
    [InlineData("__metadata__.k is Number", """{"__metadata__":{"k":1}}""", 0)]
    [InlineData("begin with '{'", "[]", 0)]
    [InlineData("begin with '{'", " {}", 0)]
    [InlineData("begin with '{'", "", 0)]
    [InlineData("not JSON", "{", 0)]
    [InlineData("not JSON", "{} {}", 0)]
    [InlineData("not JSON", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},}""", 4)]
    [InlineData("not JSON", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}""", 4)]
    [InlineData("not JSON", """{/**/}""", 0)]
    [InlineData("not JSON", """{a:1}""", 0)]
    [InlineData("Unicode", """{"\ud800":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}""", 0)]
    public void Malformed_files_are_refused_with_the_reason(string reason, string json, int dataLength)
    {
        var exception = Assert.Throws<SafetensorsException>(() => Read(json, new byte[dataLength]));
        Assert.Contains(reason, exception.Message);
    }

    [Theory]
    [InlineData("unknown type", """{"@":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}""")]
    [InlineData("unknown type", """{"a":{"dtype":"@","shape":[1],"data_offsets":[0,4]}}""")]
    [InlineData("twice", """{"@":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"@":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""")]
    [InlineData("twice", """{"@":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}""")]
    [InlineData("twice", """{"__metadata__":{"@":"1","@":"1"}}""")]
    [InlineData("is Number", """{"__metadata__":{"@":1}}""")]
    [InlineData("is Number", """{"@":1}""")]
    [InlineData("is Number", """{"@":{"dtype":32}}""")]
    [InlineData("whole numbers", """{"@":{"shape":[-1]}}""")]
    [InlineData("whole numbers", """{"@":{"data_offsets":[0.5]}}""")]
    [InlineData("unknown field", """{"a":{"@":1}}""")]
    [InlineData("unknown field", """{"@":{"@":1}}""")]
    [InlineData("lacks", """{"@":{}}""")]
    [InlineData("impossible data_offsets", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[#]}}""")]
    [InlineData("impossible data_offsets", """{"@":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""")]
    [InlineData("impossible shape", """{"@":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,4]}}""")]
    [InlineData("needs", """{"@":{"dtype":"F32","shape":[#],"data_offsets":[0,8]}}""")]
    [InlineData("hole", """{"@":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""")]
    [InlineData("overlaps", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"@":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""")]
    [InlineData("not JSON", """{"a":tru@}""")]
    [InlineData("not JSON", """{"@":}""")]
    public void A_message_is_a_line_however_long_what_the_file_says(string reason, string json)
    {
        // A million of a letter, of a line break and of a line separator, and a hundred thousand numbers.
        string numbers = string.Join(",", Enumerable.Repeat("1", 100_000));
        foreach (string text in (string[])["n", "\\n", "\u2028", "\u202e"])
        {
            string repeated = string.Concat(Enumerable.Repeat(text, 1_000_000));
            string message = Assert.Throws<SafetensorsException>(() => Read(json.Replace("@", repeated).Replace("#", numbers), new byte[8])).Message;
            Assert.Contains(reason, message);
            Assert.InRange(message.Length, 20, 2000);
            Assert.DoesNotContain(message, character => char.IsControl(character) || character is '\u2028' or '\u202e');
        }
    }

    [Fact]
    public void A_long_name_that_is_asked_for_is_told_in_a_line()
    {
        string name = new('n', 1_000_000);
        SafetensorsFile file = Read($$"""{"{{name}}":{"dtype":"F32","shape":[1],"data_offsets":[0,4]} }""", new byte[4]);
        string message = Assert.Throws<KeyNotFoundException>(() => file.Shape("m")).Message;
        Assert.InRange(message.Length, 20, 500);
        Assert.Contains("… (1000000 characters)", message);
        Assert.InRange(Assert.Throws<SafetensorsException>(() => file.ReadInt32(name)).Message.Length, 20, 500);
    }

    [Fact]
    public void Text_that_is_not_UTF8_is_refused()
    {
        byte[] json = Encoding.Latin1.GetBytes("""{"é":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}""");
        Assert.Throws<SafetensorsException>(() => SafetensorsFile.Read(new MemoryStream(Bytes(json, []))));
    }

    [Fact]
    public void A_file_cut_off_anywhere_is_refused()
    {
        byte[] whole = Bytes(Encoding.UTF8.GetBytes(Valid), new byte[12]);
        SafetensorsFile.Read(new MemoryStream(whole));
        for (int length = 0; length < whole.Length; length++)
        {
            Assert.Throws<SafetensorsException>(() => SafetensorsFile.Read(new MemoryStream(whole[..length])));
        }
    }

    [Theory]
    [InlineData(100_000_001)]
    [InlineData(ulong.MaxValue)]
    [InlineData(1UL << 63)]
    public void A_header_beyond_the_format_s_limit_is_refused_before_it_is_read(ulong length)
    {
        byte[] bytes = Bytes(Encoding.UTF8.GetBytes(Valid), new byte[12]);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, length);
        Assert.Contains("format allows", Assert.Throws<SafetensorsException>(() => SafetensorsFile.Read(new MemoryStream(bytes))).Message);
    }

    [Fact]
    public void What_a_header_claims_is_not_allocated_before_it_comes()
    {
        byte[] header = new byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(header, 99_000_000);
        byte[] data = Bytes("""{"a":{"dtype":"F32","shape":[500000000],"data_offsets":[0,2000000000]}}"""u8.ToArray(), []);
        foreach (byte[] bytes in (byte[][])[header, data])
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            Assert.Throws<SafetensorsException>(() => SafetensorsFile.Read(new MemoryStream(bytes)));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8_000_000);
        }
    }

    [Fact]
    public void Streams_that_give_a_few_bytes_at_a_time_are_read()
    {
        byte[] values = [.. MemoryMarshal.AsBytes<float>(Numbers.Normal(700_000, 1))];
        const string Json = """{"a":{"dtype":"F32","shape":[700000],"data_offsets":[0,2800000]}}""";
        using var stream = new TricklingStream(Bytes(Encoding.UTF8.GetBytes(Json), values));
        Assert.Equal(Numbers.Normal(700_000, 1), SafetensorsFile.Read(stream).ReadSingle("a"));
    }

    [Fact]
    public void The_error_of_a_file_names_it()
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "not at all");
            Assert.Contains(path, Assert.Throws<SafetensorsException>(() => SafetensorsFile.Open(path)).Message);
        }
        finally
        {
            File.Delete(path);
        }

        Assert.Throws<FileNotFoundException>(() => SafetensorsFile.Open(path));
    }

    internal static byte[] Bytes(byte[] json, byte[] data)
    {
        byte[] prefix = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(prefix, (ulong)json.Length);
        return [.. prefix, .. json, .. data];
    }

    private static SafetensorsFile Read(string json, byte[] data) =>
        SafetensorsFile.Read(new MemoryStream(Bytes(Encoding.UTF8.GetBytes(json), data)));

    /// <summary>A stream that cannot seek and gives at most 1,001 bytes a call, as a network may.</summary>
    private sealed class TricklingStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;

        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, 1001)]);
    }
}

using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Unrolled.Tests;

public sealed class ModelFilesTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("unrolled-").FullName;
    private readonly LeakyModel _model = new(0, 3, 17, Loss.None);

    private string FilePath => Path.Combine(_directory, "model.safetensors");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_model_loaded_is_the_model_saved_to_the_bit()
    {
        float[] weights = Numbers.Normal(17 * 3, 1);
        (weights[0], weights[1], weights[2], weights[3]) = (float.NaN, float.NegativeInfinity, -0f, float.Epsilon);
        _model.Parameters.Set(LeakyModel.Weights, weights);
        _model.Save(FilePath);
        LeakyModel other = _model.Twin(99);
        Assert.False(Bits(other).SequenceEqual(Bits(_model)));
        other.Load(FilePath);
        Assert.Equal(Bits(_model), Bits(other));
        Numbers.AssertPaddingIsZero(other.Parameters);
        Assert.Equal([FilePath], Directory.GetFiles(_directory));

        var stream = new MemoryStream();
        _model.Save(stream);
        Assert.Equal(File.ReadAllBytes(FilePath), stream.ToArray());
        stream.Position = 0;
        other = _model.Twin(99);
        other.Load(stream);
        Assert.Equal(Bits(_model), Bits(other));
    }

    [Fact]
    public void The_file_is_what_the_format_says()
    {
        _model.Save(FilePath);
        byte[] bytes = File.ReadAllBytes(FilePath);
        int length = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        Assert.Equal(0, length % 8);
        using JsonDocument header = JsonDocument.Parse(bytes.AsMemory(8, length));
        Assert.Equal("unrolled", header.RootElement.GetProperty("__metadata__").GetProperty("format").GetString());
        Assert.Equal("LeakyModel", header.RootElement.GetProperty("__metadata__").GetProperty("model").GetString());
        Assert.Equal(4, header.RootElement.EnumerateObject().Count());
        foreach (ParameterInfo parameter in _model.Layout.Parameters)
        {
            JsonElement entry = header.RootElement.GetProperty(parameter.Name);
            Assert.Equal("F32", entry.GetProperty("dtype").GetString());
            Assert.Equal(parameter.Shape, entry.GetProperty("shape").EnumerateArray().Select(extent => extent.GetInt32()));
            int[] offsets = [.. entry.GetProperty("data_offsets").EnumerateArray().Select(offset => offset.GetInt32())];
            ReadOnlySpan<byte> data = bytes.AsSpan(8 + length)[offsets[0]..offsets[1]];
            Assert.Equal(_model.Parameters.ToArray(parameter.Name), MemoryMarshal.Cast<byte, float>(data).ToArray());
        }
    }

    [Fact]
    public void Files_of_other_models_are_refused_with_every_difference()
    {
        const string Json = """
            {"leaky_0.W":{"dtype":"F32","shape":[3,17],"data_offsets":[0,204]},
             "leaky_0.a":{"dtype":"I32","shape":[17],"data_offsets":[204,272]},
             "leaky_0.b":{"dtype":"F32","shape":[],"data_offsets":[272,276]}}
            """;
        string message = AssertRefused(SafetensorsTests.Bytes(Encoding.UTF8.GetBytes(Json), new byte[276]));
        Assert.Contains("'leaky_0.W' has the shape [3, 17] and not [17, 3]", message);
        Assert.Contains("'leaky_0.a' is I32 and not F32", message);
        Assert.Contains("missing: 'leaky_0.V'", message);
        Assert.Contains("unexpected: 'leaky_0.b'", message);
    }

    [Fact]
    public void One_difference_is_enough()
    {
        foreach ((string name, Func<string, string> change) in ((string, Func<string, string>)[])
            [
                ("missing: 'leaky_0.V'", json => json.Replace("leaky_0.V", "leaky_1.V")),
                ("unexpected: 'leaky_1.V'", json => json.Replace("leaky_0.V", "leaky_1.V")),
                ("shape", json => json.Replace("[17,3]", "[51]")),
                ("shape", json => json.Replace("\"shape\":[17]", "\"shape\":[17,1]")),
                ("I32", json => json.Replace("F32", "I32")),
            ])
        {
            _model.Save(FilePath);
            byte[] bytes = File.ReadAllBytes(FilePath);
            int length = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            string json = Encoding.UTF8.GetString(bytes, 8, length);
            Assert.NotEqual(json, change(json));
            Assert.Contains(name, AssertRefused(SafetensorsTests.Bytes(Encoding.UTF8.GetBytes(change(json)), bytes[(8 + length)..])));
        }
    }

    [Fact]
    public void A_file_cut_off_leaves_the_model_as_it_was()
    {
        _model.Twin(7).Save(FilePath);
        byte[] bytes = File.ReadAllBytes(FilePath);
        for (int length = 0; length < bytes.Length; length += 7)
        {
            AssertRefused(bytes[..length]);
        }

        AssertRefused([.. bytes, 0]);
    }

    [Fact]
    public void A_stream_that_breaks_leaves_the_model_as_it_was()
    {
        _model.Twin(7).Save(FilePath);
        float[] before = _model.Parameters.Values.ToArray();
        using var stream = new BreakingStream(File.ReadAllBytes(FilePath));
        Assert.Throws<IOException>(() => _model.Load(stream));
        Assert.Equal(before, _model.Parameters.Values.ToArray());
    }

    [Fact]
    public void A_save_that_fails_leaves_the_old_file_and_nothing_else()
    {
        _model.Save(FilePath);
        byte[] before = File.ReadAllBytes(FilePath);
        var exception = Assert.Throws<IOException>(() => AtomicFile.Write(FilePath, stream =>
        {
            stream.Write(new byte[100_000]);
            stream.Flush();
            throw new IOException("The disk is full.");
        }));
        Assert.Equal("The disk is full.", exception.Message);
        Assert.Equal(before, File.ReadAllBytes(FilePath));
        Assert.Equal([FilePath], Directory.GetFiles(_directory));

        // A folder cannot be replaced by a file.
        string folder = Directory.CreateDirectory(Path.Combine(_directory, "folder")).FullName;
        Assert.ThrowsAny<Exception>(() => _model.Save(folder));
        Assert.Equal([FilePath], Directory.GetFiles(_directory));
        string message = Assert.ThrowsAny<IOException>(() => _model.Save(Path.Combine(_directory, "none", "model.safetensors"))).Message;
        Assert.Equal($"There is no folder '{Path.Combine(_directory, "none")}' for 'model.safetensors' (create it first).", message);
    }

    [Fact]
    public void A_save_replaces_the_old_file()
    {
        _model.Save(FilePath);
        LeakyModel other = _model.Twin(5);
        other.Save(FilePath);
        _model.Load(FilePath);
        Assert.Equal(Bits(other), Bits(_model));
        Assert.Equal([FilePath], Directory.GetFiles(_directory));
    }

    [Fact]
    public void Another_models_weights_are_told_in_a_few_words()
    {
        string header = "{" + string.Join(",", Enumerable.Range(0, 30).Select(i => $"\"layer_{i}.W\":{{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[{4 * i},{4 * i + 4}]}}")) + "}";
        string message = AssertRefused([.. BitConverter.GetBytes((long)header.Length), .. Encoding.ASCII.GetBytes(header), .. new byte[120]]);
        Assert.Contains("unexpected: 'layer_0.W', ", message);
        Assert.Contains("'layer_7.W', and 22 more", message);
        Assert.DoesNotContain("layer_8.W", message);
        Assert.InRange(message.Length, 100, 600);
    }

    [Fact]
    public void A_giant_name_is_told_in_a_line()
    {
        string json = $$"""{"{{new string('n', 10_000_000)}}":{"dtype":"F32","shape":[{{string.Join(",", Enumerable.Repeat("1", 100_000))}}],"data_offsets":[0,4]} }""";
        string message = AssertRefused(SafetensorsTests.Bytes(Encoding.ASCII.GetBytes(json), new byte[4]));
        Assert.InRange(message.Length, 100, 1000);
        Assert.Contains("nnn… (10000000 characters)'", message);
        json = json.Replace(new string('n', 10_000_000), "leaky_0.W").Replace("\"F32\"", "\"I32\"");
        Assert.InRange(AssertRefused(SafetensorsTests.Bytes(Encoding.ASCII.GetBytes(json), new byte[4])).Length, 100, 1000);
    }

    [Theory]
    [InlineData(float.NaN, "NaN")]
    [InlineData(float.PositiveInfinity, "∞")]
    [InlineData(float.NegativeInfinity, "-∞")]
    public void What_is_not_finite_is_loaded_unless_it_is_to_be_refused(float bad, string told)
    {
        LeakyModel other = _model.Twin(3);
        float[] weights = other.Parameters.ToArray(LeakyModel.Weights);
        weights[2 * 3 + 1] = bad;
        weights[9 * 3 + 2] = float.NaN;
        other.Parameters.Set(LeakyModel.Weights, weights);
        other.Save(FilePath);
        int[] before = Bits(_model);
        string expected = $" holds numbers that are not finite: 'leaky_0.W' is {told} at [2, 1].";
        Assert.Equal(FilePath + expected, Assert.Throws<SafetensorsException>(() => _model.Load(FilePath, requireFinite: true)).Message);
        using (FileStream stream = File.OpenRead(FilePath))
        {
            Assert.Equal("The stream" + expected, Assert.Throws<SafetensorsException>(() => _model.Load(stream, requireFinite: true)).Message);
        }

        Assert.Equal(before, Bits(_model));
        _model.Load(FilePath);
        Assert.Equal(Bits(other), Bits(_model));

        _model.Twin(5).Save(FilePath);
        _model.Load(FilePath, requireFinite: true);
        Assert.Equal(Bits(_model.Twin(5)), Bits(_model));
    }

    private string AssertRefused(byte[] bytes)
    {
        File.WriteAllBytes(FilePath, bytes);
        int[] before = Bits(_model);
        string message = Assert.Throws<SafetensorsException>(() => _model.Load(FilePath)).Message;
        Assert.Contains(FilePath, message);
        Assert.Throws<SafetensorsException>(() => _model.Load(new MemoryStream(bytes)));
        Assert.Equal(before, Bits(_model));
        return message;
    }

    private static int[] Bits(LeakyModel model) => MemoryMarshal.Cast<float, int>(model.Parameters.Values).ToArray();

    /// <summary>A stream whose last bytes cannot be read.</summary>
    private sealed class BreakingStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override int Read(Span<byte> buffer) =>
            Position + buffer.Length < Length - 10 || Position == 0 ? base.Read(buffer) : throw new IOException("The line broke.");
    }
}

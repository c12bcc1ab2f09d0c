using System.Text;
using CharRnn;

namespace Samples.Tests;

/// <summary>Whatever a user gets wrong is one line on standard error and exit code 2, before any work is done.</summary>
public sealed class MistakeTests
{
    [Theory]
    [InlineData("--bogus", "--bogus")]
    [InlineData("extra", "extra")]
    [InlineData("--seconds", "--seconds")]
    [InlineData("--seconds -1", "--seconds")]
    [InlineData("--seconds soon", "soon")]
    [InlineData("--seconds nan", "nan")]
    [InlineData("--seconds 1,5", "1,5")]
    [InlineData("--updates -1", "--updates")]
    [InlineData("--updates 1.5", "1.5")]
    [InlineData("--updates 1 --seconds 1", "--seconds and --updates")]
    [InlineData("--cell transformer", "rnn, lstm, peephole-lstm, gru")]
    [InlineData("--temperature 0.001", "--temperature")]
    [InlineData("--temperature -1", "--temperature")]
    [InlineData("--temperature infinity", "--temperature")]
    [InlineData("--length -1", "--length")]
    [InlineData("--length 99999999999", "--length")]
    [InlineData("--seed -1", "--seed")]
    [InlineData("--seed 1 --seed 2", "--seed")]
    [InlineData("--threads 0", "--threads")]
    [InlineData("--threads 1025", "--threads")]
    public Task A_wrong_option_is_refused(string arguments, string named) => IsRefused(named, arguments.Split(' '));

    [Fact]
    public async Task A_file_that_is_no_text_is_refused()
    {
        using var folder = new TemporaryFolder();
        await IsRefused("no file", "--text", folder["missing.txt"]);
        await IsRefused("folder", "--text", folder[""]);
        await IsRefused("is empty", "--text", folder.Write("empty.txt", []));
        await IsRefused("too short", "--text", folder.Write("short.txt", Encoding.ASCII.GetBytes(new string('a', Corpus.MinimumLength - 1))));
        await IsRefused("zero byte at offset 2,000", "--text", folder.Write("zero.txt", [.. Enumerable.Repeat((byte)'a', 2000), 0, .. Enumerable.Repeat((byte)'a', 2000)]));
        await IsRefused("control characters", "--text", folder.Write("binary.txt", [.. Enumerable.Range(0, 4000).Select(index => (byte)(index % 255 + 1))]));
    }

    [Fact]
    public async Task A_file_that_is_no_weights_of_this_model_is_refused()
    {
        using var folder = new TemporaryFolder();
        await IsRefused("no file", "--load", folder["missing.safetensors"]);
        await IsRefused("folder", "--load", folder[""]);
        await IsRefused("cannot take these weights", "--load", folder.Write("empty.safetensors", []));
        await IsRefused("cannot take these weights", "--load", folder.Write("text.safetensors", Encoding.ASCII.GetBytes(new string('a', 1000))));

        var saved = await SampleProcess.Run("--cell", "gru", "--seconds", "0", "--length", "0", "--save", folder["gru.safetensors"]);
        Assert.Equal(0, saved.ExitCode);
        foreach (var cell in Cells.Names.Where(name => name != "gru"))
        {
            await IsRefused($"--cell {cell} cannot take these weights", "--cell", cell, "--load", folder["gru.safetensors"]);
        }

        var whole = await File.ReadAllBytesAsync(folder["gru.safetensors"], TestContext.Current.CancellationToken);
        await IsRefused("cannot take these weights", "--cell", "gru", "--load", folder.Write("cut.safetensors", whole[..^4]));
        await IsRefused("NaN", "--cell", "gru", "--load", folder.Write("nan.safetensors", [.. whole[..^4], .. BitConverter.GetBytes(float.NaN)]));
    }

    [Fact]
    public async Task A_place_that_cannot_be_written_is_refused_before_the_training()
    {
        using var folder = new TemporaryFolder();
        await IsRefused("There is no folder", "--save", folder[Path.Combine("missing", "a.safetensors")]);
        await IsRefused("is a folder", "--save", folder[""]);
    }

    [Fact]
    public async Task The_check_for_writing_leaves_what_is_there_alone()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("kept.safetensors", [1, 2, 3]);
        await IsRefused("no file", "--save", path, "--text", folder["missing.txt"]);
        WeightFiles.CheckWritable(path);
        Assert.Equal([1, 2, 3], await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken));
        Assert.Equal(["kept.safetensors"], folder.Files);
    }

    [Fact]
    public async Task Help_is_no_mistake()
    {
        var outcome = await SampleProcess.Run("--help");
        Assert.Equal(0, outcome.ExitCode);
        Assert.Equal("", outcome.Error);
        foreach (var option in new[] { "--text", "--cell", "--seconds", "--updates", "--temperature", "--length", "--seed", "--threads", "--save", "--load", "--prompt" })
        {
            Assert.Contains(option, outcome.Output, StringComparison.Ordinal);
        }
    }

    private static async Task IsRefused(string named, params string[] arguments)
    {
        var outcome = await SampleProcess.Run(arguments);
        Assert.Contains(named, outcome.Error, StringComparison.Ordinal);
        Assert.Equal(outcome.Error.Length - 1, outcome.Error.IndexOf('\n'));
        Assert.Equal("", outcome.Output);
        Assert.Equal(2, outcome.ExitCode);
    }
}

using System.Text;
using CharRnn;

namespace Samples.Tests;

/// <summary>Bytes as a model may draw them, written so that no terminal obeys them.</summary>
public sealed class SamplingTests
{
    [Theory]
    [InlineData("plain text\n\twith a tab", "plain text\n\twith a tab")]
    [InlineData("Größe, 語, 𝄞", "Größe, 語, 𝄞")]
    [InlineData("\u001b[2J\a\r\0\u007f", "\u241b[2J\u2407\u240d\u2400\u2421")]
    [InlineData("\u0085\u009b1m", "\ufffd\ufffd1m")]
    [InlineData("\u202eevil\u2028", "\ufffdevil\ufffd")]
    public void Text_is_kept_and_control_characters_are_made_visible(string text, string written) =>
        Assert.Equal(written, Write(Encoding.UTF8.GetBytes(text)));

    [Theory]
    [InlineData(new byte[] { 0xff, (byte)'a' }, "\ufffda")]
    [InlineData(new byte[] { 0xc3, (byte)'a' }, "\ufffda")]
    [InlineData(new byte[] { 0xe8, 0xaa, 0xc3, 0xa4 }, "\ufffdä")]
    [InlineData(new byte[] { (byte)'a', 0xf0, 0x9d, 0x84 }, "a\ufffd")]
    [InlineData(new byte[] { 0xc0, 0x80 }, "\ufffd\ufffd")]
    public void What_is_no_UTF_8_becomes_the_replacement_character(byte[] bytes, string written) =>
        Assert.Equal(written, Write(bytes));

    [Fact]
    public void Random_bytes_are_read_as_the_framework_reads_them()
    {
        var bytes = new byte[100_000];
        new Random(1).NextBytes(bytes);
        for (var index = 0; index < bytes.Length; index++)
        {
            // Without the characters that are made visible: those of the first 32 and 127, and the second block of controls.
            if (bytes[index] is < 32 or 127 or 0xc2 or 0xd8 or 0xdb or 0xdc or 0xe1 or 0xe2 or 0xef or 0xf0 or 0xf3)
            {
                bytes[index] = (byte)'x';
            }
        }

        Assert.Equal(Encoding.UTF8.GetString(bytes), Write(bytes));
    }

    private static string Write(byte[] bytes)
    {
        var writer = new StringWriter();
        Sampling.Write(writer, bytes);
        return writer.ToString();
    }
}

using System.Buffers;
using System.Globalization;
using System.Text;
using Unrolled;

namespace CharRnn;

/// <summary>Text written by a model, one byte after the other.</summary>
internal static class Sampling
{
    /// <summary>Reads the prompt, then draws bytes without end, each fed back as the next input.</summary>
    /// <param name="model">A model over the 256 byte values.</param>
    /// <param name="prompt">What the model reads first; a line feed where it is empty.</param>
    /// <param name="sampler">Draws a byte from logits.</param>
    public static IEnumerable<byte> Draw(IModel model, byte[] prompt, Sampler sampler)
    {
        var session = model.CreateSession();
        var logits = new float[model.Layout.OutputSize];
        foreach (var value in prompt.Length > 0 ? prompt : "\n"u8.ToArray())
        {
            session.Step(value, logits);
        }

        while (true)
        {
            var token = sampler.Sample(logits);
            yield return (byte)token;
            session.Step(token, logits);
        }
    }

    /// <summary>
    /// Writes bytes as UTF-8 text. What is not UTF-8, and every control or formatting character but line feed and tab, is written
    /// as a visible sign: a model may well draw an escape sequence, and a terminal would obey it.
    /// </summary>
    public static void Write(TextWriter writer, IEnumerable<byte> bytes)
    {
        // At most four bytes make a character; the rest of an unfinished one waits here for its next byte.
        var pending = new byte[4];
        var count = 0;
        foreach (var value in bytes)
        {
            pending[count++] = value;
            while (count > 0)
            {
                var status = Rune.DecodeFromUtf8(pending.AsSpan(0, count), out var rune, out var used);
                if (status == OperationStatus.NeedMoreData)
                {
                    break;
                }

                Write(writer, rune);
                pending.AsSpan(used, count - used).CopyTo(pending);
                count -= used;
            }
        }

        if (count > 0)
        {
            Write(writer, Rune.ReplacementChar);
        }
    }

    private static void Write(TextWriter writer, Rune rune)
    {
        if (rune.Value is not ('\n' or '\t'))
        {
            if (rune.Value < 32)
            {
                rune = new Rune(0x2400 + rune.Value); // the control pictures: U+241B shows an escape
            }
            else if (rune.Value == 127)
            {
                rune = new Rune(0x2421);
            }
            else if (Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)
            {
                rune = Rune.ReplacementChar;
            }
        }

        Span<char> characters = stackalloc char[2];
        writer.Write(characters[..rune.EncodeToUtf16(characters)]);
    }
}

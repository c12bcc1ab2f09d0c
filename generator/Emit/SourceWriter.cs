using System;
using System.Globalization;
using System.Text;

namespace Unrolled.Generator.Emit;

/// <summary>Writes indented lines with '\n' ends; numbers are written in the invariant culture.</summary>
internal sealed class SourceWriter
{
    private readonly StringBuilder _text = new();
    private int _depth;
    private bool _begins;
    private bool _separates;

    public void Line(string line = "")
    {
        if (line.Length > 0)
        {
            EndSeparation();
            _text.Append(' ', 4 * _depth).Append(line);
        }

        _text.Append('\n');
        _begins = _separates = false;
    }

    /// <summary>Leaves an empty line before what follows, unless a block begins or ends here.</summary>
    public void Separate() => _separates = !_begins;

    private void EndSeparation()
    {
        if (_separates)
        {
            _text.Append('\n');
        }

        _begins = _separates = false;
    }

    /// <summary>Opens a brace under a header of one or more lines, or of none; the returned scope closes it.</summary>
    public Scope Block(string header, string end = "}")
    {
        if (header.Length > 0)
        {
            Lines(header);
        }

        Line("{");
        _begins = true;
        _depth++;
        return new Scope(this, end);
    }

    /// <summary>Lines written elsewhere, at this depth.</summary>
    public void Lines(string text)
    {
        EndSeparation();

        // Kernels pass through here several times on their way into the file: no string a line.
        int end = text.Length;
        while (end > 0 && text[end - 1] == '\n')
        {
            end--;
        }

        for (int start = 0; start <= end;)
        {
            int lineEnd = text.IndexOf('\n', start, end - start);
            lineEnd = lineEnd < 0 ? end : lineEnd;
            if (lineEnd > start)
            {
                _text.Append(' ', 4 * _depth).Append(text, start, lineEnd - start);
            }

            _text.Append('\n');
            start = lineEnd + 1;
        }
    }

    public override string ToString() => _text.ToString();

    /// <summary>A float literal that reads back to the same value.</summary>
    public static string Number(double value)
    {
        float single = (float)value;
        return float.IsNaN(single) ? "float.NaN"
            : float.IsInfinity(single) ? (single > 0 ? "float.PositiveInfinity" : "float.NegativeInfinity")
            : Shortest(single) + "f";
    }

    /// <summary>The fewest digits that read back; "R" gives more of them on some runtimes that host compilers.</summary>
    private static string Shortest(float value)
    {
        for (int digits = 1; digits < 9; digits++)
        {
            string text = value.ToString("G" + digits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
            if (float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out float read) && read.Equals(value))
            {
                return text;
            }
        }

        return value.ToString("G9", CultureInfo.InvariantCulture);
    }

    public readonly struct Scope : IDisposable
    {
        private readonly SourceWriter? _writer;
        private readonly string _end;

        public Scope(SourceWriter writer, string end)
        {
            _writer = writer;
            _end = end;
        }

        public void Dispose()
        {
            if (_writer is not null)
            {
                _writer._depth--;
                _writer._separates = false;
                _writer.Line(_end);
            }
        }
    }
}

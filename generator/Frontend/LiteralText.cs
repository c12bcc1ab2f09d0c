using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Globalization;
using System.Linq;
using System.Text;
using System.Threading;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;
using Unrolled.Generator.Diagnostics;
using Unrolled.Generator.Frontend.Equations;
using ExpressionSyntax = Microsoft.CodeAnalysis.CSharp.Syntax.ExpressionSyntax;

namespace Unrolled.Generator.Frontend;

/// <summary>
/// Where the characters of a constant string stand in its source file, as a value of the pipeline. Literals of every kind and
/// their concatenations are known to the character; of any other constant expression only the whole is.
/// </summary>
/// <param name="Whole">The expression.</param>
/// <param name="Runs">The string from its first character to its last; empty where only the whole is known.</param>
internal sealed record LiteralText(LocationInfo Whole, EquatableArray<TextRun> Runs)
{
    /// <summary>The place of some of the string's characters.</summary>
    public LocationInfo At(TextSpan span)
    {
        if (Runs.Count == 0)
        {
            return Whole;
        }

        TextRun last = Runs[Runs.Count - 1];
        int length = last.Start + last.Length;
        int from = Math.Min(span.Start, length), to = Math.Min(span.End, length);

        // Nothing between two characters stands before the second of them, and at the string's end after its last.
        (int start, LinePosition startLine) = from < length ? Find(from).Begin(from) : last.End(length - 1);
        (int end, LinePosition endLine) = to > from ? Find(to - 1).End(to - 1) : (start, startLine);
        return new LocationInfo(Whole.Path, TextSpan.FromBounds(start, end), new LinePositionSpan(startLine, endLine));
    }

    private TextRun Find(int character)
    {
        int low = 0, high = Runs.Count - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            (low, high) = Runs[middle].Start <= character ? (middle, high) : (low, middle - 1);
        }

        return Runs[low];
    }

    /// <summary>Finds the characters of <paramref name="value"/>, which is what the expression gives.</summary>
    public static LiteralText From(ExpressionSyntax expression, string value, CancellationToken cancellation)
    {
        // A text too long to be read has one diagnostic, about all of it.
        var reader = new Reader(expression.SyntaxTree.GetText(cancellation));
        bool isExact = value.Length <= Limits.TextBytes && reader.TryRead(expression) && reader.Value == value;
        return new LiteralText(LocationInfo.From(expression), isExact ? reader.Runs : EquatableArray<TextRun>.Empty);
    }

    /// <summary>Reads literals as the C# compiler does; <see cref="From"/> compares what comes out with what the compiler made of them.</summary>
    private sealed class Reader
    {
        // A chain of concatenations is a deep tree; the depth that is followed keeps the walk far inside the stack.
        private const int MostParts = 500;

        private readonly SourceText _source;
        private readonly StringBuilder _value = new();
        private readonly ImmutableArray<TextRun>.Builder _runs = ImmutableArray.CreateBuilder<TextRun>();

        public Reader(SourceText source) => _source = source;

        public string Value => _value.ToString();

        public EquatableArray<TextRun> Runs => _runs.ToImmutable();

        public bool TryRead(ExpressionSyntax expression, int depth = 0)
        {
            switch (expression)
            {
                case ParenthesizedExpressionSyntax inner:
                    return depth < MostParts && TryRead(inner.Expression, depth + 1);
                case PostfixUnaryExpressionSyntax suppressed when suppressed.IsKind(SyntaxKind.SuppressNullableWarningExpression):
                    return depth < MostParts && TryRead(suppressed.Operand, depth + 1);
                case BinaryExpressionSyntax sum when sum.IsKind(SyntaxKind.AddExpression):
                    return depth < MostParts && TryRead(sum.Left, depth + 1) && TryRead(sum.Right, depth + 1);
                case LiteralExpressionSyntax literal:
                    return TryRead(literal.Token);
                default:
                    return false;
            }
        }

        private bool TryRead(SyntaxToken token)
        {
            string text = token.Text;
            switch (token.Kind())
            {
                case SyntaxKind.StringLiteralToken when text.StartsWith("@\"", StringComparison.Ordinal):
                    return TryReadVerbatim(text, token.SpanStart);
                case SyntaxKind.StringLiteralToken:
                    return TryReadRegular(text, token.SpanStart);
                case SyntaxKind.SingleLineRawStringLiteralToken:
                    int quotes = Quotes(text);
                    return text.Length >= 2 * quotes && AddPlain(text, quotes, text.Length - quotes, token.SpanStart);
                case SyntaxKind.MultiLineRawStringLiteralToken:
                    return TryReadMultiLine(text, token.SpanStart);
                default:
                    return false;
            }
        }

        private bool TryReadVerbatim(string text, int start)
        {
            int plain = 2;
            for (int index = plain; index < text.Length - 1; index++)
            {
                if (text[index] == '"')
                {
                    AddPlain(text, plain, index, start);
                    Add("\"", start + index, 2);
                    plain = ++index + 1;
                }
            }

            return plain < text.Length && AddPlain(text, plain, text.Length - 1, start);
        }

        private bool TryReadRegular(string text, int start)
        {
            int plain = 1;
            for (int index = plain; index < text.Length - 1; index++)
            {
                if (text[index] == '\\')
                {
                    AddPlain(text, plain, index, start);
                    int length = Escape(text, index, out string value);
                    if (length == 0)
                    {
                        return false;
                    }

                    Add(value, start + index, length);
                    index += length - 1;
                    plain = index + 1;
                }
            }

            return plain < text.Length && AddPlain(text, plain, text.Length - 1, start);
        }

        private bool TryReadMultiLine(string text, int start)
        {
            int quotes = Quotes(text);
            int close = text.Length - quotes;
            int lastLine = close;
            while (lastLine > 0 && !IsLineEnd(text[lastLine - 1]))
            {
                lastLine--;
            }

            string indentation = text.Substring(lastLine, Math.Max(close - lastLine, 0));
            int line = LineEnd(text, quotes, text.Length);
            line += LineEndLength(text, line);
            while (line < lastLine)
            {
                int end = LineEnd(text, line, lastLine);
                int next = end + LineEndLength(text, end);
                bool isIndented = string.CompareOrdinal(text, line, indentation, 0, indentation.Length) == 0;

                // A line shorter than the indentation holds white space only, and is empty.
                AddPlain(text, isIndented ? Math.Min(line + indentation.Length, end) : end, next < lastLine ? next : end, start);
                line = next;
            }

            return true;
        }

        // Text that stands in the file as it is, cut at its line ends.
        private bool AddPlain(string text, int from, int to, int start)
        {
            while (from < to)
            {
                int end = LineEnd(text, from, to);
                if (end > from)
                {
                    Add(text.Substring(from, end - from), start + from, end - from);
                }

                int lineEnd = end < to ? Math.Min(LineEndLength(text, end), to - end) : 0;
                if (lineEnd > 0)
                {
                    // What is said of a line's end is shown where the line ends.
                    Add(text.Substring(end, lineEnd), start + end, 0);
                }

                from = end + lineEnd;
            }

            return true;
        }

        private void Add(string value, int source, int sourceLength)
        {
            _runs.Add(new TextRun(_value.Length, value.Length, source, sourceLength, _source.Lines.GetLinePosition(source)));
            _value.Append(value);
        }

        private static int Quotes(string text) => text.Length - text.TrimStart('"').Length;

        private static bool IsLineEnd(char character) => character is '\r' or '\n' or '\u0085' or '\u2028' or '\u2029';

        private static int LineEnd(string text, int from, int to)
        {
            while (from < to && !IsLineEnd(text[from]))
            {
                from++;
            }

            return from;
        }

        private static int LineEndLength(string text, int at) =>
            at >= text.Length ? 0 : text[at] == '\r' && at + 1 < text.Length && text[at + 1] == '\n' ? 2 : 1;

        // The length of the escape sequence at a place, 0 for none, and what it means.
        private static int Escape(string text, int at, out string value)
        {
            char kind = at + 1 < text.Length ? text[at + 1] : '\0';
            int simple = "'\"\\0abefnrtv".IndexOf(kind);
            if (simple >= 0 && kind != '\0')
            {
                value = "'\"\\\0\a\b\u001b\f\n\r\t\v"[simple].ToString();
                return 2;
            }

            (int fewest, int most) = kind switch { 'u' => (4, 4), 'U' => (8, 8), 'x' => (1, 4), _ => (0, 0) };
            int digits = 0;
            while (digits < most && at + 2 + digits < text.Length && Uri.IsHexDigit(text[at + 2 + digits]))
            {
                digits++;
            }

            value = "";
            if (most == 0 || digits < fewest)
            {
                return 0;
            }

            uint code = uint.Parse(text.Substring(at + 2, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            if (code > 0x10FFFF)
            {
                return 0;
            }

            value = code <= 0xFFFF ? ((char)code).ToString() : char.ConvertFromUtf32((int)code);
            return 2 + digits;
        }
    }
}

/// <summary>Characters of a string that stand together in one line of its source: as they are, or as one escape sequence.</summary>
/// <param name="Start">The first character in the string.</param>
/// <param name="Length">How many there are.</param>
/// <param name="Source">The first character in the file.</param>
/// <param name="SourceLength">How many there are in the file; as many as in the string where they are the same.</param>
/// <param name="Line">The line and column of <paramref name="Source"/>.</param>
internal readonly record struct TextRun(int Start, int Length, int Source, int SourceLength, LinePosition Line)
{
    /// <summary>Where a character of the string begins.</summary>
    public (int Source, LinePosition Line) Begin(int character) => At(Length == SourceLength ? character - Start : 0);

    /// <summary>Where a character of the string ends.</summary>
    public (int Source, LinePosition Line) End(int character) => At(Length == SourceLength ? character - Start + 1 : SourceLength);

    private (int Source, LinePosition Line) At(int offset) => (Source + offset, new LinePosition(Line.Line, Line.Character + offset));
}

using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using Microsoft.CodeAnalysis.Text;
using Unrolled.Generator.Diagnostics;

namespace Unrolled.Generator.Frontend.Equations;

internal enum TokenKind
{
    /// <summary>A name or keyword; <see cref="Token.Text"/> is in NFC.</summary>
    Name,

    /// <summary>A number written with digits only.</summary>
    Integer,

    /// <summary>A number with a fraction or an exponent.</summary>
    Real,

    /// <summary>An operator, bracket or separator; <see cref="Token.Text"/> says which.</summary>
    Symbol,

    EndOfLine,

    EndOfText,

    /// <summary>Characters that are no token; <see cref="Token.Text"/> is the message that says so.</summary>
    Invalid,
}

/// <summary>A word of the text. <see cref="Value"/> is a number's value.</summary>
internal readonly record struct Token(TokenKind Kind, string Text, TextSpan Span, double Value = 0)
{
    public bool Is(string symbol) => Kind == TokenKind.Symbol && Text == symbol;
}

/// <summary>Splits a cell's text into tokens. Never fails: what cannot be read becomes a token the parser reports.</summary>
internal static class Lexer
{
    // A letter for Unicode, and the mark of a transposed matrix in print.
    private const char SuperscriptT = '\u1D40';

    /// <summary>How a transposed matrix is written.</summary>
    public static string Transposed(string matrix) => $"transpose({matrix}) @ v";

    public static List<Token> Tokenize(string text)
    {
        var tokens = new List<Token>();
        int position = 0;
        while (position < text.Length)
        {
            char character = text[position];
            if (IsLineEnd(character))
            {
                int length = character == '\r' && position + 1 < text.Length && text[position + 1] == '\n' ? 2 : 1;
                tokens.Add(new Token(TokenKind.EndOfLine, "", new TextSpan(position, length)));
                position += length;
            }
            else if (char.IsWhiteSpace(character) || (character == '\uFEFF' && position == 0))
            {
                position++;
            }
            else if (character == '#')
            {
                while (position < text.Length && !IsLineEnd(text[position]))
                {
                    position++;
                }
            }
            else
            {
                Token token = IsDigit(character) ? Number(text, position)
                    : character == '_' || IsLetter(text, position) ? Name(text, position)
                    : Symbol(text, position);
                tokens.Add(token);
                position = token.Span.End;
            }
        }

        tokens.Add(new Token(TokenKind.EndOfText, "", new TextSpan(text.Length, 0)));
        return tokens;
    }

    /// <summary>Whether the whole text is one name as the language writes it.</summary>
    public static bool IsName(string text)
    {
        if (text.Length == 0 || !(text[0] == '_' || IsLetter(text, 0)))
        {
            return false;
        }

        Token token = Name(text, 0);
        return token.Kind == TokenKind.Name && token.Span.Length == text.Length;
    }

    private static Token Name(string text, int start)
    {
        int end = start;
        while (end < text.Length && (text[end] == '_' || IsLetter(text, end) || IsNameDigit(text, end) || IsMark(text, end)))
        {
            end += char.IsSurrogatePair(text, end) ? 2 : 1;
        }

        TextSpan span = TextSpan.FromBounds(start, end);
        string name = text.Substring(start, end - start).Normalize(NormalizationForm.FormC);
        if (name.IndexOf(SuperscriptT) is int transposition and > 0)
        {
            return new Token(TokenKind.Invalid, $"'{name}' is no name (write {Transposed(name.Substring(0, transposition))})", span);
        }

        for (int index = 0; index < name.Length; index += char.IsSurrogatePair(name, index) ? 2 : 1)
        {
            // A mark that composes with its letter is gone by now; one that stays has no letter to belong to.
            if (IsMark(name, index))
            {
                return new Token(TokenKind.Invalid, $"'{name}' has a mark that forms no letter (write it out, as in x_hat)", span);
            }
        }

        return name.Length <= Limits.NameCharacters
            ? new Token(TokenKind.Name, name, span)
            : new Token(TokenKind.Invalid, $"The name '{name.Substring(0, 20)}…' has more than {Limits.NameCharacters} characters (choose a shorter one)", span);
    }

    private static Token Number(string text, int start)
    {
        int end = Digits(text, start);
        bool isInteger = true;
        // `1..L` is a range: a fraction needs a digit after its point.
        if (end + 1 < text.Length && text[end] == '.' && IsDigit(text[end + 1]))
        {
            isInteger = false;
            end = Digits(text, end + 1);
        }

        if (end < text.Length && (text[end] == 'e' || text[end] == 'E'))
        {
            int digits = end + 1;
            if (digits < text.Length && (text[digits] == '+' || text[digits] == '-'))
            {
                digits++;
            }

            if (digits < text.Length && IsDigit(text[digits]))
            {
                isInteger = false;
                end = Digits(text, digits);
            }
        }

        string written = text.Substring(start, end - start);
        TextSpan span = TextSpan.FromBounds(start, end);
        if (end < text.Length && (text[end] == '_' || IsLetter(text, end)))
        {
            Token name = Name(text, end);
            string rest = text.Substring(end, name.Span.Length);
            return new Token(
                TokenKind.Invalid,
                $"A number runs into '{rest}' (write {written} * {rest} for a product; a name starts with a letter)",
                TextSpan.FromBounds(start, name.Span.End));
        }

        // Beyond the largest float some frameworks give infinity and others refuse: both are too large.
        return double.TryParse(written, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value <= float.MaxValue
            ? new Token(isInteger ? TokenKind.Integer : TokenKind.Real, written, span, value)
            : new Token(TokenKind.Invalid, "The number is too large for a 32-bit float (the largest is 3.4e38)", span);
    }

    private static Token Symbol(string text, int start)
    {
        char character = text[start];
        switch (character)
        {
            case '+' or '-' or '*' or '/' or '^' or '@' or '=' or '(' or ')' or '[' or ']' or '{' or '}' or ',' or ':':
                return new Token(TokenKind.Symbol, character.ToString(), new TextSpan(start, 1));
            case '\u2299' or '\u2218': // ⊙ and ∘, the products papers print
                return new Token(TokenKind.Symbol, "*", new TextSpan(start, 1));
            case '.' when start + 1 < text.Length && text[start + 1] == '.':
                return new Token(TokenKind.Symbol, "..", new TextSpan(start, 2));
        }

        int length = char.IsSurrogatePair(text, start) ? 2 : 1;
        string shown = char.IsSurrogate(character) && length == 1 || char.IsControl(character)
            ? "U+" + ((int)character).ToString("X4", CultureInfo.InvariantCulture)
            : text.Substring(start, length);
        string remedy = character switch
        {
            '\u2212' or '\u2013' or '\u2014' => "write - for a minus",
            '\u00D7' or '\u00B7' or '\u22C5' or '\u2217' => "write * for an elementwise product, @ for a matrix product",
            '\u2297' => "write * for an elementwise product",
            '\u00F7' or '\u2044' or '\u2215' => "write / for a quotient",
            '\u2211' => "write sum{k in 1..n}(…)",
            '.' when start + 1 < text.Length && text[start + 1] is 'T' or 't' && !(start + 2 < text.Length && IsLetter(text, start + 2)) => $"write {Transposed(Before(text, start))}",
            '.' when start + 1 < text.Length && IsLetter(text, start + 1) => "functions stand by themselves, as in tanh(a)",
            '.' => "a number starts with a digit, as in 0.5; a range is 1..n",
            ';' => "end an equation with the end of its line, and write concat(a, b) for vectors one above another",
            '\'' or '\u2032' => $"a name holds letters, digits and _ only; a transposed matrix is written {Transposed(Before(text, start))}",
            '"' => "a name holds letters, digits and _ only",
            '\u22A4' or '\u2020' or '\u22BA' => $"write {Transposed(Before(text, start))}",
            '\u00B2' => "write square(a) for a power",
            '\u00B3' => "write a * a * a for a power",
            '\u221A' => "write sqrt(a)",
            '|' => "write abs(a)",
            >= '\u2080' and <= '\u208E' => "write h[t-1] for a value of the step before, and h_1 in a name",
            '\\' or '$' or '&' => "write the equations plainly: h[t] = tanh(W @ x[t] + b)",
            '<' or '>' or '?' or '!' => "there are no conditions; max(a, b), min(a, b), relu(a) and clip(a, low, high) choose",
            '\u2A00' => "write * for an elementwise product",
            '\u2295' => "write + for a sum, concat(a, b) for vectors one after another",
            _ => "a cell holds names, numbers, + - * / ^ @ = ( ) [ ] { } , : and ..",
        };
        return new Token(TokenKind.Invalid, $"'{shown}' is not part of the equation language ({remedy})", new TextSpan(start, length));
    }

    // The name that ends where a character stands, for a remedy.
    private static string Before(string text, int end)
    {
        int start = end;
        while (start > 0 && (text[start - 1] == '_' || char.IsLetterOrDigit(text[start - 1])))
        {
            start--;
        }

        return start < end ? text.Substring(start, end - start) : "W";
    }

    private static int Digits(string text, int position)
    {
        while (position < text.Length && IsDigit(text[position]))
        {
            position++;
        }

        return position;
    }

    // Numbers are written in ASCII digits; a name may hold any script's.
    private static bool IsDigit(char character) => character is >= '0' and <= '9';

    private static bool IsLineEnd(char character) => character is '\n' or '\r' or '\u0085' or '\u2028' or '\u2029';

    private static bool IsLetter(string text, int index) => CharUnicodeInfo.GetUnicodeCategory(text, index)
        is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
        or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter;

    private static bool IsNameDigit(string text, int index) =>
        CharUnicodeInfo.GetUnicodeCategory(text, index) is UnicodeCategory.DecimalDigitNumber;

    private static bool IsMark(string text, int index) => CharUnicodeInfo.GetUnicodeCategory(text, index)
        is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark;
}

using System.Globalization;
using System.Text.RegularExpressions;
using Unrolled.Generator.Frontend.Equations;

namespace Unrolled.Generator.Tests.Mutations;

/// <summary>Changes a text as typing errors, half-finished edits and malice would. The same for the same random numbers.</summary>
internal sealed partial class Mutator(Random random)
{
    private const int Longest = 200_000;

    private static readonly string[] Functions = [.. Vocabulary.Functions];

    private static readonly string[] Operators = ["+", "-", "*", "/", "@", "⊙", "∘"];

    private static readonly string[] Numbers =
    [
        "0", "-1", "1", "2", "3", "8", "9", "255", "256", "257", "1000", "65536", "1000000", "1000001", "2147483647", "2147483648", "-2147483648", "99999999999999999999",
        "0.0", "-0.0", "0.5", "1e-45", "1e-46", "3.4e38", "3.5e38", "1e400", "-1e400", "NaN", "Infinity", "1.", ".5", "1e", "0x10", "1_000", "1f", "1..2", "٣", "1e-400",
    ];

    // What the languages are made of, and what emitted code could take for something of its own.
    private static readonly string[] Words =
    [
        .. Functions, .. Operators,
        "(", ")", "[", "]", "{", "}", ",", ":", "..", "=", "#", "\n", "t", "x", "h", "c", "W", "b", "input", "units", "size", "shape", "param", "init", "start", "output", "for", "in",
        "[t]", "[t-1]", "[t-8]", "[t-9]", "[t+1]", "{k}", "{k-1}", "{0}", "zero", "learned", "identity", "orthogonal", "glorot", "he", "uniform(0, 1)", "normal(0, 1)",
        "size n = 3", "shape W : 3, 3", "shape h : 1", "shape c : units", "param p = tanh", "param p = 0.5", "init W = zero", "init b = 1", "start h = learned", "start h = zero", "output c",
        "for k in 1..3 {", "sum{k in 1..3}(", "concat{k in 1..2}(", "transpose(W)", "x[t]", "h[t-1]", "W @ x[t]", "+ b", "\"", "\\", "'", "/*", "*/", "//", ";", "null", "true", "false", "\"lstm\"",
        "\"set\"", "\"init\"", "\"name\"", "\"cells\"", "[Model(Tokens = 3)]", "[Dense(2)]", "[Lstm(3)]", "[Loss(Loss.None)]", "static", "abstract", "record", "struct", "partial", "<T>", "namespace N;",
    ];

    private static readonly string[] Names =
    [
        "h", "c", "rows", "row", "unit", "chunk", "steps", "hRow", "hPreviousRow", "hRow2", "parameters", "gradients", "derived", "gathered", "zeros", "tokens", "total", "total0_0", "constant1", "v1", "V", "VectorMath",
        "Unsafe", "Vector512", "Vector256", "Vector128", "Avx512F", "Fma", "float", "int", "ref", "class", "nint", "var", "_", "__", "_1", "__arglist", "__makeref", "await", "field", "value", "state", "finalGradient",
        "initialGradient", "inputGradient", "outputGradient", "input_", "output_", "memory", "model", "batchSize", "options", "shape1", "turn", "sums", "panel", "column", "global", "System", "Unrolled", "Math", "Session", "Trainer",
        "Layout", "Parameters", "CreateSession", "Kernels", "Avx512Kernels", "Object", "Equals", "GetHashCode", "ToString", "Finalize", "Dispose", "Step", "Run", "straße", "ｗｉｄｅ", "é", "ı", "İ", "Σ", "ς", "ﬁ", "𝐖", "你好", "ñ", "a_b", "aB", "A_b", "x_1",
        "n\u0303", "zero_width\u200Djoiner", "d_h", "d_h_upstream", "h_previous", "h_previous_2", "h_products", "h_preactivation", "saved_0", "hoisted_7", "inputs", "d_output", "lstm_0", "dense_1",
    ];

    private static readonly string[] Oddities =
    [
        "\0", "\u0001", "\u00A0", "\u200B", "\u200E", "\u202E", "\u2028", "\u2029", "\u0085", "\uFEFF", "\uFFFE", "\uFFFF", "\uD800", "\uDC00", "\uD835\uDC16", "\u0301", "\u20D7", "−", "×", "·", "π", "∞", "Ω", "‘", "“", "\t", "\r", "\r\n", "\v", "\f", "😀",
        "\\u0041", "\\uD800", "\\uDC00\\uD800", "\\n", "\\x", "&lt;", "<", "&", "]]>", "--",
    ];

    private enum Kind
    {
        Space,
        Word,
        Number,
        Operator,
        Other,
    }

    /// <summary>A few changes, one after another.</summary>
    /// <param name="text">What is changed.</param>
    /// <param name="other">A text of the same kind, to take parts of.</param>
    public string Mutate(string text, string other)
    {
        do
        {
            text = Change(text, other);
        }
        while (random.Next(3) == 0 && text.Length > 0);

        return text.Length <= Longest ? text : text[..Longest];
    }

    private string Change(string text, string other)
    {
        List<string> tokens = Split(text);
        switch (random.Next(26))
        {
            // Characters.
            case 0:
                return At(text, (before, after) => before + (after.Length > 0 ? after[1..] : ""));
            case 1:
                return At(text, (before, after) => before + Pick(Oddities) + after);
            case 2:
                return At(text, (before, after) => before + (char)random.Next(32, 127) + after);

            // Tokens.
            case 3:
                return With(tokens, at => tokens.RemoveAt(at));
            case 4:
                return With(tokens, at => tokens.Insert(at, tokens[at]));
            case 5:
                return With(tokens, at =>
                {
                    int with = random.Next(tokens.Count);
                    (tokens[at], tokens[with]) = (tokens[with], tokens[at]);
                });
            case 6:
                return With(tokens, at => tokens.Insert(at, Pick(Words)));
            case 7:
                return With(tokens, at => tokens[at] = Pick(Words));

            // What keeps the text's form more often than not, so that what comes behind the parser is reached.
            case 8 or 9 or 10 or 11:
                return With(tokens, at => tokens[at] = Like(tokens, tokens[at]));
            case 12 or 13:
                return Numbered(tokens, _ => random.Next(3) == 0 ? Pick(Numbers) : random.Next(1, 20).ToString(CultureInfo.InvariantCulture));
            case 14 or 15:
                return Renamed(tokens);
            case 16:
                return With(tokens, at => tokens[at] = KindOf(tokens[at]) == Kind.Word ? $"{Pick(Functions)}({tokens[at]})" : tokens[at]);
            case 17:
                return With(tokens, at => tokens.Insert(at, Pick(tokens)));

            // Lines.
            case 18:
                return Lines(text, lines => lines.RemoveAt(random.Next(lines.Count)));
            case 19:
                return Lines(text, lines => lines.Insert(random.Next(lines.Count), Pick(lines)));
            case 20:
                return Lines(text, lines =>
                {
                    string line = Pick(lines);
                    lines.Remove(line);
                    lines.Insert(random.Next(lines.Count + 1), line);
                });

            // Parts of another text.
            case 21:
                return At(text, (before, _) => before + At(other, (_, after) => after));
            case 22:
                return Lines(text, lines => lines.Insert(random.Next(lines.Count + 1), Pick(other.Split('\n'))));

            // Much of something.
            case 23:
                return Nested(text, tokens);
            case 24:
                return Long(text, tokens);
            default:
                return random.Next(4) switch
                {
                    0 => text.Replace("\n", "\r\n", StringComparison.Ordinal),
                    1 => text.Replace("\n", "\r", StringComparison.Ordinal),
                    2 => text.ToUpperInvariant(),
                    _ => text.Replace(" ", "", StringComparison.Ordinal),
                };
        }
    }

    private string Nested(string text, List<string> tokens)
    {
        int depth = Pick([2, 20, 63, 64, 65, 254, 255, 256, 257, 600, 3000]);
        (string open, string close) = Pick<(string, string)>(
        [
            ("(", ")"), ("tanh(", ")"), ("softmax(", ")"), ("layer_norm(", ")"), ("-", ""), ("[", "]"), ("{", "}"), ("{\"a\":", "}"), ("U @ ", ""), ("1 + (", ")"), ("2 * ", ""), ("elu(", ", 0.5)"),
            ("max(b, ", ")"), ("transpose(", ")"), ("sum{k in 1..2}(", ")"), ("concat(x[t], ", ")"), ("\"a\" + ", ""), ("(1 - ", ")"),
        ]);
        if (random.Next(5) == 0)
        {
            string head = Pick(["for k in 1..1 {\n", "for k in 1..2 {\n", "for i in 0..units {\n"]);
            return string.Concat(Enumerable.Range(0, depth).Select(level => random.Next(2) == 0 ? head : head.Replace(" k ", $" k{level} ", StringComparison.Ordinal))) + text + string.Concat(Enumerable.Repeat("\n}", depth));
        }

        return With(tokens, at => tokens[at] = string.Concat(Enumerable.Repeat(open, depth)) + tokens[at] + string.Concat(Enumerable.Repeat(close, depth)));
    }

    private string Long(string text, List<string> tokens)
    {
        int count = Pick([30, 300, 1001, 5000]);
        return random.Next(8) switch
        {
            0 => text + new string(' ', 70_000),
            1 => text + "\n# " + new string('é', 33_000),
            2 => With(tokens, at => tokens[at] = new string('a', count)),
            3 => With(tokens, at => tokens[at] += string.Concat(Enumerable.Repeat(Pick([" + b", " * x[t]", " + h[t-1]", " - 1", " + U @ h[t-1]", ", x[t]"]), count))),
            4 => string.Join("\n", Enumerable.Repeat(text, Math.Min(count, 50))),
            5 => text + string.Concat(Enumerable.Range(0, count).Select(k => $"\nz_{k}[t] = tanh(z_{k + 1}[t])")),
            6 => text + $"\nfor k in 1..{count} {{\nz{{k}}[t] = {Pick(["z{k-1}[t]", "tanh(z{k-1}[t])", "U{k} @ z{k-1}[t]", "z{k-1}[t] * z{k-1}[t]", "mean(z{k-1}[t])", "z{k-1}[t-8]", "softmax(z{k-1}[t])"])}\n}}\nz{{0}}[t] = x[t]\noutput z{{{count}}}",
            _ => Numbered(tokens, _ => count.ToString(CultureInfo.InvariantCulture)),
        };
    }

    // A token of the same kind: a function for a function, an operator for an operator, a name of the text for a name.
    private string Like(List<string> tokens, string token)
    {
        if (Functions.Contains(token))
        {
            return Pick(Functions);
        }

        if (KindOf(token) == Kind.Operator)
        {
            return Pick(Operators);
        }

        string[] alike = [.. tokens.Where(candidate => KindOf(candidate) == KindOf(token))];
        return Pick(alike);
    }

    // One name is another, everywhere or in one place.
    private string Renamed(List<string> tokens)
    {
        string[] words = [.. tokens.Where(token => KindOf(token) == Kind.Word).Distinct()];
        if (words.Length == 0)
        {
            return string.Concat(tokens);
        }

        string from = Pick(words), to = random.Next(2) == 0 ? Pick(Names) : Pick(words);
        return random.Next(4) == 0
            ? With(tokens, at => tokens[at] = KindOf(tokens[at]) == Kind.Word ? to : tokens[at])
            : string.Concat(tokens.Select(token => token == from ? to : token));
    }

    private string Numbered(List<string> tokens, Func<string, string> change)
    {
        int[] places = [.. Enumerable.Range(0, tokens.Count).Where(index => KindOf(tokens[index]) == Kind.Number)];
        if (places.Length > 0)
        {
            int place = Pick(places);
            tokens[place] = change(tokens[place]);
        }

        return string.Concat(tokens);
    }

    private string At(string text, Func<string, string, string> change)
    {
        int at = random.Next(text.Length + 1);
        return change(text[..at], text[at..]);
    }

    private string With(List<string> tokens, Action<int> change)
    {
        if (tokens.Count > 0)
        {
            change(random.Next(tokens.Count));
        }

        return string.Concat(tokens);
    }

    private static string Lines(string text, Action<List<string>> change)
    {
        List<string> lines = [.. text.Split('\n')];
        change(lines);
        return string.Join("\n", lines);
    }

    private T Pick<T>(IReadOnlyList<T> values) => values[random.Next(values.Count)];

    private static List<string> Split(string text) => [.. Token().Matches(text).Select(match => match.Value)];

    private static Kind KindOf(string token) =>
        char.IsWhiteSpace(token[0]) ? Kind.Space
        : char.IsDigit(token[0]) ? Kind.Number
        : char.IsLetter(token[0]) || token[0] == '_' ? Kind.Word
        : Operators.Contains(token) ? Kind.Operator
        : Kind.Other;

    [GeneratedRegex(@"[\p{L}_][\p{L}\p{Nd}_]*|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\s+|.", RegexOptions.Singleline | RegexOptions.CultureInvariant)]
    private static partial Regex Token();
}

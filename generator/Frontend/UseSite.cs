using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;
using Microsoft.CodeAnalysis.Text;
using Unrolled.Generator.Diagnostics;
using Unrolled.Generator.Frontend.Equations;
using Unrolled.Generator.Graph;

namespace Unrolled.Generator.Frontend;

/// <summary>A setting as it is written at a use site; exactly one of <see cref="Number"/> and <see cref="Word"/> is set.</summary>
/// <param name="Word">A function, perhaps with its numbers, as it is written.</param>
/// <param name="IsInit">Whether it says where a parameter starts, instead of what something is.</param>
internal sealed record WrittenSetting(bool IsInit, string Name, TextSpan NameSpan, double? Number, string? Word, TextSpan ValueSpan);

/// <summary>What a layer sets of its cell: <c>depth = 3, activation = relu, w_ci = 0, init b_f = 2, init W_x = uniform(-1, 1)</c>.</summary>
internal static class UseSite
{
    private const int MostNamesInAMessage = 12;

    /// <summary>Reads <c>NAME = NUMBER | FUNCTION</c> and <c>init NAME = NUMBER | INITIALISATION</c>, separated by commas or line ends.</summary>
    public static List<WrittenSetting> Parse(string text, List<EquationError> errors)
    {
        var settings = new List<WrittenSetting>();
        if (Encoding.UTF8.GetByteCount(text) > Limits.TextBytes)
        {
            errors.Add(new EquationError(
                DiagnosticIds.LimitExceeded, $"The settings of a layer are longer than {Limits.TextBytes / 1024} KiB (set fewer)", new TextSpan(0, text.Length)));
            return settings;
        }

        List<Token> tokens = Lexer.Tokenize(text);
        int next = 0;
        Token Take() => tokens[Math.Min(next++, tokens.Count - 1)];
        bool IsSeparator(Token token) => token.Is(",") || token.Kind == TokenKind.EndOfLine;
        while (true)
        {
            while (IsSeparator(tokens[next]))
            {
                next++;
            }

            if (tokens[next].Kind == TokenKind.EndOfText)
            {
                return settings;
            }

            Token name = Take();
            bool isInit = name is { Kind: TokenKind.Name, Text: "init" };
            name = isInit ? Take() : name;
            if (name.Kind != TokenKind.Name)
            {
                return Unexpected(name, "a name");
            }

            Token equals = Take();
            if (!equals.Is("="))
            {
                return Unexpected(equals, "'='");
            }

            Token first = Take();
            Token value = first.Is("-") ? Take() : first;
            bool isNumber = value.Kind is TokenKind.Integer or TokenKind.Real;
            if (!isNumber && (value.Kind != TokenKind.Name || first.Is("-")))
            {
                return Unexpected(value, first.Is("-") ? "a number" : "a number or a function");
            }

            // A function's numbers are read with the function.
            int end = value.Span.End;
            string word = value.Text;
            if (!isNumber && tokens[next].Is("("))
            {
                int depth = 0;
                do
                {
                    Token token = Take();
                    if (token.Kind == TokenKind.EndOfText)
                    {
                        errors.Add(new EquationError(DiagnosticIds.SyntaxError, "'(' is never closed (add the ')')", TextSpan.FromBounds(value.Span.Start, token.Span.End)));
                        return settings;
                    }

                    depth += token.Is("(") ? 1 : token.Is(")") ? -1 : 0;
                    end = token.Span.End;
                }
                while (depth > 0);
                word = text.Substring(value.Span.Start, end - value.Span.Start);
            }

            Token after = tokens[next];
            if (!IsSeparator(after) && after.Kind != TokenKind.EndOfText)
            {
                return Unexpected(after, "a comma or the end");
            }

            settings.Add(new WrittenSetting(
                isInit,
                name.Text,
                name.Span,
                isNumber ? first.Is("-") ? -value.Value : value.Value : null,
                isNumber ? null : word,
                TextSpan.FromBounds(first.Span.Start, end)));
        }

        List<WrittenSetting> Unexpected(Token found, string expected)
        {
            if (found.Kind == TokenKind.Invalid)
            {
                errors.Add(new EquationError(DiagnosticIds.SyntaxError, found.Text, found.Span));
                return settings;
            }

            string what = found.Kind switch
            {
                TokenKind.EndOfText => "the end",
                TokenKind.EndOfLine => "the end of the line",
                _ => $"'{text.Substring(found.Span.Start, found.Span.Length)}'",
            };
            errors.Add(new EquationError(
                DiagnosticIds.SyntaxError, $"Expected {expected}, not {what} (settings read NAME = NUMBER, NAME = FUNCTION or init NAME = NUMBER or INITIALISATION)", found.Span));
            return settings;
        }
    }

    /// <summary>
    /// Finds what each setting sets of a cell: a size, a param, a parameter. A cell with mistakes of its own gives no settings; the
    /// compiler reports them.
    /// </summary>
    public static List<CellSetting> Resolve(string cell, string text, int input, int units, IReadOnlyList<WrittenSetting> written, List<EquationError> errors)
    {
        var settings = new List<CellSetting>();
        if (written.Count == 0 || Parser.Parse(text).Cell is not CellSyntax parsed)
        {
            return settings;
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (WrittenSetting setting in written.Where(setting => !names.Add(setting.Name)))
        {
            errors.Add(new EquationError(DiagnosticIds.AssignedTwice, $"'{setting.Name}' is set twice (remove one of the settings)", setting.NameSpan));
        }

        // Sizes first: which parameters there are depends on them.
        var declared = new HashSet<string>(parsed.Statements.OfType<SizeDeclaration>().Select(size => size.Name), StringComparer.Ordinal);
        var sizes = new Dictionary<string, int>(StringComparer.Ordinal) { ["input"] = Math.Max(input, 1), ["units"] = Math.Max(units, 1) };
        foreach (WrittenSetting setting in written.Where(setting => declared.Contains(setting.Name)))
        {
            if (setting is { IsInit: false, Number: double number } && number == Math.Floor(number) && number >= 0 && number <= Limits.Size)
            {
                sizes[setting.Name] = (int)number;
                settings.Add(new CellSetting(setting.Name, CellSettingKind.Size, number, null));
            }
            else
            {
                string fact = setting.IsInit ? $"'{setting.Name}' is a size, which does not start anywhere" : $"The size '{setting.Name}' cannot be {Written(setting)}";
                Report(setting.IsInit ? setting.NameSpan : setting.ValueSpan, $"{fact} (set it to a whole number of 0 to {Limits.Size.ToString(CultureInfo.InvariantCulture)})");
            }
        }

        (CellSyntax expanded, EquatableArray<EquationError> mistakes) = Expander.Expand(parsed, sizes);
        if (errors.Count > 0 || mistakes.Count > 0)
        {
            return settings;
        }

        Dictionary<string, ParamDeclaration> parameters = new(StringComparer.Ordinal);
        foreach (ParamDeclaration param in expanded.Statements.OfType<ParamDeclaration>())
        {
            parameters[param.Name] = param;
        }

        List<string> trained = Parameters(expanded, parameters);
        foreach (WrittenSetting setting in written.Where(setting => !declared.Contains(setting.Name)))
        {
            bool isTrained = trained.Contains(setting.Name);
            parameters.TryGetValue(setting.Name, out ParamDeclaration? param);
            if (setting.Number is double number && !(Math.Abs(number) <= float.MaxValue))
            {
                Report(setting.ValueSpan, $"'{setting.Name}' is set to {Written(setting)}, which no 32-bit float holds (use a smaller number)");
            }
            else if (param is null && !isTrained)
            {
                List<string> known = [.. setting.IsInit ? [] : declared.Concat(parameters.Keys), .. trained];
                string what = setting.IsInit ? "parameter" : "size, param or parameter";
                Report(setting.NameSpan, $"The cell '{cell}' has no {what} '{setting.Name}' {Nearest.Remedy(setting.Name, known, Known(known), Aliases.Settings)}");
            }
            else if (setting.IsInit && !isTrained)
            {
                Report(setting.NameSpan, $"'{setting.Name}' is a param, which is not trained and does not start anywhere (set it without 'init')");
            }
            else if (setting is { IsInit: true, Word: string initialisation })
            {
                if (Initialisation(initialisation, out string mistake) is { } start)
                {
                    settings.Add(new CellSetting(setting.Name, CellSettingKind.Init, 0, new FunctionValue(start.Function, null, start.Arguments)));
                }
                else
                {
                    Report(setting.ValueSpan, mistake);
                }
            }
            else if (param?.Function is not null)
            {
                if (setting.Word is string word && (Vocabulary.IsFunction(word) || word.Contains('(')))
                {
                    FunctionValue? function = Function(word, setting.ValueSpan, errors);
                    if (function is not null && Missing(function, setting.Name, expanded) is string missing)
                    {
                        Report(setting.ValueSpan, missing);
                    }
                    else if (function is not null)
                    {
                        settings.Add(new CellSetting(setting.Name, CellSettingKind.Function, 0, function));
                    }
                }
                else
                {
                    Report(
                        setting.ValueSpan,
                        $"The param '{setting.Name}' holds a function, and {Written(setting)} is none {(setting.Word is null ? $"(as in {setting.Name} = {param.Function})" : Aliases.FunctionRemedy(setting.Word, Vocabulary.Functions, isCalled: false))}");
                }
            }
            else if (setting.Number is double value)
            {
                settings.Add(new CellSetting(setting.Name, setting.IsInit ? CellSettingKind.Init : CellSettingKind.Number, value, null));
            }
            else
            {
                Report(setting.ValueSpan, $"'{setting.Name}' takes a number, and '{setting.Word}' is none (as in {setting.Name} = 0)");
            }
        }

        return settings;

        void Report(TextSpan span, string message) => errors.Add(new EquationError(DiagnosticIds.BadSetting, message, span));
    }

    /// <summary>An initialisation as a cell's own line would say it, or null and what is wrong with it.</summary>
    private static InitDeclaration? Initialisation(string written, out string mistake)
    {
        (CellSyntax? cell, EquatableArray<EquationError> errors) = Parser.Parse("init p = " + written);
        mistake = errors.Count > 0 ? errors[0].Message : $"'{written}' is no initialisation (write for example normal(0, 1))";
        if (errors.Count > 0 || cell is not { Statements: { Count: 1 } statements } || statements[0] is not InitDeclaration init)
        {
            return null;
        }

        mistake = $"'{written}' has a number that no 32-bit float holds (use a smaller one)";
        return init.Arguments.All(number => Math.Abs(number) <= float.MaxValue) ? init : null;
    }

    /// <summary>A function with its numbers, written at <paramref name="place"/>; null where it has mistakes, which <paramref name="errors"/> gets.</summary>
    public static FunctionValue? Function(string text, TextSpan place, List<EquationError> errors)
    {
        (FunctionValue? function, IReadOnlyList<EquationError> mistakes) = Parser.ParseFunction(text);

        // In an attribute's text it stands as it is, in JSON between quotes; with escapes any mistake is that of the whole.
        int quotes = place.Length - text.Length;
        errors.AddRange(mistakes.Select(error => error with { Span = quotes is 0 or 2 ? new TextSpan(place.Start + quotes / 2 + error.Span.Start, error.Span.Length) : place }));
        return function;
    }

    // What a function lacks for the way the cell calls it, or null.
    private static string? Missing(FunctionValue function, string param, CellSyntax cell)
    {
        Function? known = OperationTable.FindFunction(function.Name);
        int given = function.Numbers.Count + (function.Inner is null ? Calls(cell, param) : 1);
        int lacks = (known?.Required ?? 1) - given;
        return lacks <= 0 ? null
            : $"'{function.Name}' lacks {lacks} number{(lacks == 1 ? "" : "s")} (write {function.Name}({string.Join(", ", Enumerable.Repeat("NUMBER", known!.Required - 1))}))";
    }

    // The fewest values a cell calls a param with.
    private static int Calls(CellSyntax cell, string param) =>
        Nodes(cell).OfType<CallExpression>().Where(call => call.Function == param).Select(call => call.Arguments.Count).DefaultIfEmpty(1).Min();

    private static string Written(WrittenSetting setting) =>
        setting.Number is double number ? number.ToString("R", CultureInfo.InvariantCulture) : $"'{setting.Word}'";

    private static string Known(List<string> names) => names.Count == 0 ? "remove the setting"
        : $"it has {string.Join(", ", names.Take(MostNamesInAMessage))}{(names.Count > MostNamesInAMessage ? ", …" : "")}";

    // Names without an index that are no params, in the order of the equations.
    private static List<string> Parameters(CellSyntax cell, Dictionary<string, ParamDeclaration> parameters)
    {
        var names = new List<string>();
        var found = new HashSet<string>(StringComparer.Ordinal);
        foreach (ReferenceExpression reference in Nodes(cell).OfType<ReferenceExpression>())
        {
            if (reference.Delay is null && !parameters.ContainsKey(reference.Name.Name) && found.Add(reference.Name.Name))
            {
                names.Add(reference.Name.Name);
            }
        }

        names.AddRange(cell.Statements.OfType<StartDeclaration>().Where(start => start.Learned).Select(start => StartDeclaration.ParameterOf(start.Name.Name)).Where(found.Add));
        return names;
    }

    // Every part of every equation, in the order of the text.
    private static IEnumerable<SyntaxNode> Nodes(CellSyntax cell) => cell.Statements.OfType<EquationSyntax>().SelectMany(equation => SyntaxWalk.Nodes(equation.Value));
}

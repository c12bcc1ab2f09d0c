using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Microsoft.CodeAnalysis.Text;
using Unrolled.Generator.Diagnostics;
using Unrolled.Generator.Graph;

namespace Unrolled.Generator.Frontend.Equations;

/// <summary>
/// Reads a cell's text by recursive descent, one method a rule of the grammar. A method that returns null has reported why;
/// the statement is then given up and the next one read.
/// </summary>
internal static class Parser
{
    /// <summary>Parses a cell. There is either a cell or at least one error.</summary>
    public static (CellSyntax? Cell, EquatableArray<EquationError> Errors) Parse(string text)
    {
        var whole = new TextSpan(0, text.Length);
        if (Encoding.UTF8.GetByteCount(text) > Limits.TextBytes)
        {
            var error = new EquationError(
                DiagnosticIds.LimitExceeded,
                $"The text of a cell is longer than {Limits.TextBytes / 1024} KiB (say repeated equations with 'for' and 'sum{{…}}')",
                whole);
            return (null, new EquatableArray<EquationError>([error]));
        }

        var reader = new TokenReader(text);
        List<StatementSyntax> statements = Statements(reader);
        return reader.Errors.Count == 0
            ? (new CellSyntax(new EquatableArray<StatementSyntax>(statements), whole), EquatableArray<EquationError>.Empty)
            : (null, new EquatableArray<EquationError>(reader.Errors));
    }

    // cell = { [ decl | equation | loop ] [ "#" text ] EOL }
    private static List<StatementSyntax> Statements(TokenReader reader)
    {
        var statements = new List<StatementSyntax>();
        while (true)
        {
            reader.SkipLineEnds();
            if (reader.HasEnoughErrors || reader.Current.Kind == TokenKind.EndOfText || (reader.LoopDepth > 0 && reader.Current.Is("}")))
            {
                return statements;
            }

            reader.BeginStatement();
            StatementSyntax? statement = Statement(reader);
            if (statement is not null && !reader.AtEndOfStatement)
            {
                reader.ReportUnexpected("an operator or the end of the line");
                statement = null;
            }

            if (statement is null)
            {
                reader.Recover();
            }
            else
            {
                statements.Add(statement);
            }
        }
    }

    private static StatementSyntax? Statement(TokenReader reader)
    {
        Token first = reader.Current;
        if (first.Kind == TokenKind.Name)
        {
            switch (first.Text)
            {
                case "size": return Size(reader);
                case "shape": return Shape(reader);
                case "param": return Param(reader);
                case "init": return Init(reader);
                case "start": return Start(reader);
                case "output": return Output(reader);
                case "for": return Loop(reader);
            }

            if (reader.PeekNext().Kind == TokenKind.Name)
            {
                string remedy = Nearest.Remedy(
                    first.Text,
                    Vocabulary.Keywords.Where(word => word != "in"),
                    "an equation starts with its value: h[t] = …");
                reader.Report(DiagnosticIds.SyntaxError, $"'{first.Text}' starts no statement {remedy}", first.Span);
                return null;
            }

            return Equation(reader);
        }

        if (first.Is("}"))
        {
            reader.Report(DiagnosticIds.SyntaxError, "'}' closes no loop (remove it)", first.Span);
            reader.Read();
            return null;
        }

        reader.ReportUnexpected("an equation, a declaration or a loop");
        return null;
    }

    // ---- declarations

    // "size" NAME "=" size
    private static SizeDeclaration? Size(TokenReader reader)
    {
        int start = reader.Read().Span.Start;
        if (PlainName(reader, "a size") is not Token name || !reader.TryRead("=", "'=' and the size") || WholeSize(reader) is not SizeSyntax value)
        {
            return null;
        }

        return new SizeDeclaration(name.Text, value, name.Span, Since(reader, start));
    }

    // "shape" name {"," name} ":" size ["," size]
    private static ShapeDeclaration? Shape(TokenReader reader)
    {
        int start = reader.Read().Span.Start;
        var names = new List<NameSyntax>();
        do
        {
            if (Name(reader, "a value or a parameter") is not NameSyntax name)
            {
                return null;
            }

            names.Add(name);
        }
        while (TryReadComma(reader));

        if (!reader.TryRead(":", "',' and another name, or ':' and the shape") || WholeSize(reader) is not SizeSyntax rows)
        {
            return null;
        }

        SizeSyntax? columns = null;
        if (TryReadComma(reader) && (columns = WholeSize(reader)) is null)
        {
            return null;
        }

        if (columns is not null && reader.Current.Is(","))
        {
            reader.Report(DiagnosticIds.SyntaxError, "A shape has at most two sizes (write rows, columns)", reader.Current.Span);
            return null;
        }

        return new ShapeDeclaration(new EquatableArray<NameSyntax>(names), rows, columns, Since(reader, start));
    }

    // "param" NAME "=" (NUMBER | function)
    private static ParamDeclaration? Param(TokenReader reader)
    {
        int start = reader.Read().Span.Start;
        if (PlainName(reader, "a param") is not Token name || !reader.TryRead("=", "'=' and a number or a function"))
        {
            return null;
        }

        Token value = reader.Current;
        if (value.Kind == TokenKind.Name)
        {
            return Function(reader, depth: 1) is FunctionValue function
                ? new ParamDeclaration(name.Text, null, function, name.Span, Since(reader, start))
                : null;
        }

        return SignedNumber(reader, "a number or a function") is double number
            ? new ParamDeclaration(name.Text, number, null, name.Span, Since(reader, start))
            : null;
    }

    // function = FUNCTION [ "(" ( function | NUMBER ) {"," NUMBER} ")" ]
    private static FunctionValue? Function(TokenReader reader, int depth)
    {
        Token name = reader.Current;
        if (name.Kind != TokenKind.Name)
        {
            reader.ReportUnexpected("a function");
            return null;
        }

        if (!Vocabulary.IsFunction(name.Text))
        {
            reader.Report(
                DiagnosticIds.UnknownName,
                $"'{name.Text}' is no function {Aliases.FunctionRemedy(name.Text, Vocabulary.Functions, isCalled: false)}",
                name.Span);
            return null;
        }

        if (depth > Limits.Composed)
        {
            reader.Report(DiagnosticIds.LimitExceeded, $"More than {Limits.Composed} functions inside one another (write a cell that calls them)", name.Span);
            return null;
        }

        reader.Read();
        FunctionValue? inner = null;
        var numbers = new List<double>();
        if (reader.Current.Is("("))
        {
            reader.Open();
            bool goesOn = true;
            if (reader.Current.Kind == TokenKind.Name)
            {
                inner = Function(reader, depth + 1);
                if (inner is null)
                {
                    return null;
                }

                goesOn = TryReadComma(reader);
            }

            for (; goesOn; goesOn = TryReadComma(reader))
            {
                if (SignedNumber(reader, inner is null && numbers.Count == 0 ? "a number or a function" : "a number") is not double number)
                {
                    return null;
                }

                numbers.Add(number);
            }

            if (!reader.TryClose(")", "',' or ')'"))
            {
                return null;
            }
        }

        // With neither it may be called with several values, as in f(a, b); what is missing then shows where it is called.
        Function? known = OperationTable.FindFunction(name.Text);
        int fewest = (known?.Required ?? 1) - 1, most = (known?.Arity ?? 1) - 1;
        bool isAlone = depth == 1 && inner is null && numbers.Count == 0;
        if (!isAlone && (numbers.Count < fewest || numbers.Count > most))
        {
            string takes = most == 0 ? "no numbers" : fewest == most ? $"{most} number{(most == 1 ? "" : "s")}" : $"{fewest} to {most} numbers";
            reader.Report(DiagnosticIds.SyntaxError, $"'{name.Text}' takes {takes} after its value, not {numbers.Count} (write them in brackets: elu(0.5))", Since(reader, name.Span.Start));
            return null;
        }

        return new FunctionValue(name.Text, inner, new EquatableArray<double>(numbers));
    }

    /// <summary>Parses what a param of functions is set to. There is either a function or at least one error.</summary>
    public static (FunctionValue? Function, IReadOnlyList<EquationError> Errors) ParseFunction(string text)
    {
        var reader = new TokenReader(text);
        reader.SkipLineEnds();
        FunctionValue? function = Function(reader, depth: 1);
        reader.SkipLineEnds();
        if (function is not null && reader.Current.Kind != TokenKind.EndOfText)
        {
            reader.ReportUnexpected("the end");
            function = null;
        }

        return (function, reader.Errors);
    }

    // "init" name "=" (NUMBER | INIT ["(" NUMBER {"," NUMBER} ")"])
    private static InitDeclaration? Init(TokenReader reader)
    {
        int start = reader.Read().Span.Start;
        if (Name(reader, "a parameter") is not NameSyntax name || !reader.TryRead("=", "'=' and how the parameter starts"))
        {
            return null;
        }

        Token function = reader.Current;
        if (function.Kind != TokenKind.Name)
        {
            return SignedNumber(reader, "a number or an initialisation") is double number
                ? new InitDeclaration(name, Vocabulary.ConstantInitializer, new EquatableArray<double>([number]), Since(reader, start))
                : null;
        }

        reader.Read();
        if (Vocabulary.FindInitializer(function.Text) is not InitializerRow row)
        {
            string[] known = Vocabulary.Initializers.Select(initializer => initializer.Name).ToArray();
            reader.Report(
                DiagnosticIds.UnknownName,
                $"'{function.Text}' is no initialisation {Nearest.Remedy(function.Text, known, "known are " + string.Join(", ", known))}",
                function.Span);
            return null;
        }

        var numbers = new List<double>();
        if (reader.Current.Is("("))
        {
            reader.Open();
            do
            {
                if (SignedNumber(reader, "a number") is not double number)
                {
                    return null;
                }

                numbers.Add(number);
            }
            while (TryReadComma(reader));

            if (!reader.TryClose(")", "',' or ')'"))
            {
                return null;
            }
        }

        TextSpan call = Since(reader, function.Span.Start);
        if (numbers.Count < row.Fewest || numbers.Count > row.Most)
        {
            string given = numbers.Count switch { 0 => "no numbers", 1 => "1 number", int count => $"{count} numbers" };
            reader.Report(DiagnosticIds.SyntaxError, $"'{row.Name}' does not take {given} (write {row.Usage})", call);
            return null;
        }

        return new InitDeclaration(name, row.Name, new EquatableArray<double>(numbers), Since(reader, start));
    }

    // "start" name "=" ("zero" | "learned")
    private static StartDeclaration? Start(TokenReader reader)
    {
        int start = reader.Read().Span.Start;
        // x may be delayed and so has a state before the first step like any value.
        if (Name(reader, "a value", allowInput: true) is not NameSyntax name || !reader.TryRead("=", "'=' and zero or learned"))
        {
            return null;
        }

        if (reader.Current is not { Kind: TokenKind.Name, Text: "zero" or "learned" })
        {
            reader.ReportUnexpected("zero or learned");
            return null;
        }

        bool learned = reader.Read().Text == "learned";
        return new StartDeclaration(name, learned, Since(reader, start));
    }

    // "output" name
    private static OutputDeclaration? Output(TokenReader reader)
    {
        int start = reader.Read().Span.Start;
        return Name(reader, "the output") is NameSyntax name ? new OutputDeclaration(name, Since(reader, start)) : null;
    }

    // "for" NAME "in" size ".." size "{" cell "}"
    private static LoopSyntax? Loop(TokenReader reader)
    {
        if (!reader.TryNest())
        {
            // Which brace closes which loop is anybody's guess from here on.
            reader.GiveUp();
            return null;
        }

        Token keyword = reader.Read();
        LoopRange? range = Range(reader);
        if (range is not null && !reader.Current.Is("{"))
        {
            reader.ReportUnexpected("'{' and the loop's equations");
            range = null;
        }

        // The equations of a loop with a broken head are read all the same: their errors are errors of their own.
        if (range is null && !reader.TryRecoverAtBrace())
        {
            reader.Unnest();
            return null;
        }

        reader.Read();
        reader.LoopDepth++;
        List<StatementSyntax> body = Statements(reader);
        bool isClosed = reader.Current.Is("}");
        reader.LoopDepth--;
        reader.Unnest();
        if (!isClosed)
        {
            if (!reader.HasEnoughErrors)
            {
                reader.Report(DiagnosticIds.SyntaxError, "The loop is never closed (add the '}')", keyword.Span);
            }

            return null;
        }

        int end = reader.Read().Span.End;
        if (range is null)
        {
            return null;
        }

        return new LoopSyntax(
            range.Variable, range.First, range.Last, new EquatableArray<StatementSyntax>(body), TextSpan.FromBounds(keyword.Span.Start, end));
    }

    private sealed record LoopRange(string Variable, SizeSyntax First, SizeSyntax Last);

    // NAME "in" size ".." size
    private static LoopRange? Range(TokenReader reader)
    {
        if (PlainName(reader, "a loop's variable") is not Token variable)
        {
            return null;
        }

        if (reader.Current is not { Kind: TokenKind.Name, Text: "in" })
        {
            reader.ReportUnexpected("'in' and a range");
            return null;
        }

        reader.Read();
        return WholeSize(reader) is SizeSyntax first && reader.TryRead("..", "'..' and the last number") && WholeSize(reader) is SizeSyntax last
            ? new LoopRange(variable.Text, first, last)
            : null;
    }

    // ---- equations

    // equation = name "[" "t" "]" "=" sum
    private static EquationSyntax? Equation(TokenReader reader)
    {
        int start = reader.Current.Span.Start;
        if (Name(reader, "a value") is not NameSyntax target)
        {
            return null;
        }

        string value = SyntaxPrinter.Print(target with { Name = MistakenParameters.Stem(target.Name) ?? target.Name });
        if (reader.Current.Is("="))
        {
            reader.Report(DiagnosticIds.SyntaxError, $"'{target.Name}' is assigned without its step (write {value}[t] = …; a fixed number is a param)", target.Span);
            return null;
        }

        if (reader.Current.Is("(") && reader.PeekNext() is { Kind: TokenKind.Name, Text: "t" })
        {
            reader.Report(DiagnosticIds.SyntaxError, $"A step stands in square brackets (write {value}[t] = …)", target.Span);
            return null;
        }

        if (!reader.Current.Is("["))
        {
            reader.ReportUnexpected("'[t] =' after the name of a value");
            return null;
        }

        int indexStart = reader.Current.Span.Start;
        if (Index(reader) is not SizeSyntax delay)
        {
            return null;
        }

        if (delay is not SizeNumber { Value: 0 })
        {
            reader.Report(
                DiagnosticIds.SyntaxError,
                $"An equation gives a value at step t (write {SyntaxPrinter.Print(target)}[t] = …; what it is before the first step: start {SyntaxPrinter.Print(target)} = zero or learned)",
                Since(reader, indexStart));
            return null;
        }

        if (!reader.TryRead("=", "'=' and the value") || Sum(reader) is not ExpressionSyntax sum)
        {
            return null;
        }

        var equation = new EquationSyntax(target, sum, Since(reader, start));
        if (SyntaxMeasure.Of(sum).Levels > Limits.Levels)
        {
            reader.Report(
                DiagnosticIds.LimitExceeded,
                $"The equation is more than {Limits.Levels} operators deep (give a part a name of its own: p[t] = …)",
                equation.Span);
            return null;
        }

        return equation;
    }

    // sum = product { ("+"|"-") product }
    private static ExpressionSyntax? Sum(TokenReader reader) => Chain(reader, "+-", Product);

    // product = unary { ("*"|"/") unary }
    private static ExpressionSyntax? Product(TokenReader reader) => Chain(reader, "*/", Unary);

    private static ExpressionSyntax? Chain(TokenReader reader, string operators, Func<TokenReader, ExpressionSyntax?> operand)
    {
        int start = reader.Current.Span.Start;
        ExpressionSyntax? left = operand(reader);
        while (left is not null && reader.TryReadOperator(operators, out char symbol))
        {
            ExpressionSyntax? right = operand(reader);
            left = right is null ? null : new BinaryExpression(symbol, left, right, Since(reader, start));
        }

        return left;
    }

    // unary = "-" unary | matvec
    private static ExpressionSyntax? Unary(TokenReader reader)
    {
        if (!reader.Current.Is("-"))
        {
            return MatrixProduct(reader);
        }

        if (!reader.TryNest())
        {
            return null;
        }

        int start = reader.Read().Span.Start;
        ExpressionSyntax? operand = Unary(reader);
        reader.Unnest();
        return operand is null ? null : new NegateExpression(operand, Since(reader, start));
    }

    // matvec = atom [ "@" matvec ]
    private static ExpressionSyntax? MatrixProduct(TokenReader reader)
    {
        int start = reader.Current.Span.Start;
        ExpressionSyntax? left = Atom(reader);
        if (left is null || !reader.TryReadOperator("@", out _))
        {
            return left;
        }

        if (reader.Current.Is("-"))
        {
            reader.Report(DiagnosticIds.SyntaxError, "'@' binds tighter than a sign (write W @ (-a), or -(W @ a))", reader.Current.Span);
            return null;
        }

        if (!reader.TryNest())
        {
            return null;
        }

        ExpressionSyntax? right = MatrixProduct(reader);
        reader.Unnest();
        return right is null ? null : new BinaryExpression('@', left, right, Since(reader, start));
    }

    // atom = NUMBER | ref | "(" sum ")" | callee "(" sum {"," sum} ")" | ("sum"|"concat") "{" … "}" "(" sum ")"
    private static ExpressionSyntax? Atom(TokenReader reader)
    {
        Token token = reader.Current;
        if (token.Kind is TokenKind.Integer or TokenKind.Real)
        {
            reader.Read();
            return new NumberExpression(token.Value, token.Span);
        }

        if (token.Is("("))
        {
            return Arguments(reader, allowSeveral: false)?[0];
        }

        if (token.Kind != TokenKind.Name || reader.AtNextStatement)
        {
            reader.ReportUnexpected("a value, a number, a call or '('");
            return null;
        }

        Token next = reader.PeekNext();
        if (next.Is("("))
        {
            return Call(reader);
        }

        if (Vocabulary.IsFunction(token.Text))
        {
            return next.Is("{") ? Family(reader) : ReportFunctionAsValue(reader, token);
        }

        return Reference(reader);
    }

    private static ExpressionSyntax? ReportFunctionAsValue(TokenReader reader, Token function)
    {
        reader.Report(DiagnosticIds.SyntaxError, $"'{function.Text}' is a function, not a value (write {function.Text}(…))", function.Span);
        return null;
    }

    private static CallExpression? Call(TokenReader reader)
    {
        Token callee = reader.Read();
        if (Vocabulary.WhyReserved(callee.Text) is string what && !Vocabulary.IsFunction(callee.Text))
        {
            string remedy = Vocabulary.IsKeyword(callee.Text) ? "choose another name" : "write * for a product";
            reader.Report(DiagnosticIds.SyntaxError, $"'{callee.Text}' is {what} and cannot be called ({remedy})", callee.Span);
            return null;
        }

        return Arguments(reader, allowSeveral: true) is List<ExpressionSyntax> arguments
            ? new CallExpression(callee.Text, new EquatableArray<ExpressionSyntax>(arguments), callee.Span, Since(reader, callee.Span.Start))
            : null;
    }

    // "(" sum {"," sum} ")"
    private static List<ExpressionSyntax>? Arguments(TokenReader reader, bool allowSeveral)
    {
        if (!reader.TryNest())
        {
            return null;
        }

        reader.Open();
        var arguments = new List<ExpressionSyntax>();
        do
        {
            if (Sum(reader) is not ExpressionSyntax argument)
            {
                return null;
            }

            arguments.Add(argument);
        }
        while (allowSeveral && TryReadComma(reader));

        reader.Unnest();
        return reader.TryClose(")", allowSeveral ? "an operator, ',' or ')'" : "an operator or ')'") ? arguments : null;
    }

    // ("sum"|"concat") "{" NAME "in" size ".." size "}" "(" sum ")"
    private static FamilyExpression? Family(TokenReader reader)
    {
        Token name = reader.Read();
        if (!Vocabulary.FamilyOperators.Contains(name.Text))
        {
            reader.Report(
                DiagnosticIds.SyntaxError,
                $"'{name.Text}' does not repeat over a range (only {string.Join(" and ", Vocabulary.FamilyOperators)} do)",
                name.Span);
            return null;
        }

        reader.Open();
        if (Range(reader) is not LoopRange range || !reader.TryClose("}", "'}' after the range"))
        {
            return null;
        }

        if (!reader.Current.Is("("))
        {
            reader.ReportUnexpected("'(' and what to repeat");
            return null;
        }

        return Arguments(reader, allowSeveral: false) is { } value
            ? new FamilyExpression(name.Text, range.Variable, range.First, range.Last, value[0], Since(reader, name.Span.Start))
            : null;
    }

    // ref = name [ "[" "t" [ "-" sizeTerm ] "]" ]
    private static ReferenceExpression? Reference(TokenReader reader)
    {
        Token token = reader.Current;
        if (token.Text is "t" or "input" or "units" || (token.Text == "x" && !reader.PeekNext().Is("[")))
        {
            string remedy = token.Text switch
            {
                "t" => "it stands in the index of a value only, as in h[t-1]",
                "x" => "write x[t]",
                _ => "it stands in sizes only, as in shape a : " + token.Text,
            };
            reader.Report(DiagnosticIds.SyntaxError, $"'{token.Text}' is {Vocabulary.WhyReserved(token.Text)} and no value by itself ({remedy})", token.Span);
            return null;
        }

        if (Name(reader, "a value", allowInput: true) is not NameSyntax name)
        {
            return null;
        }

        if (!reader.Current.Is("["))
        {
            return new ReferenceExpression(name, null, name.Span);
        }

        return Index(reader) switch
        {
            null => null,
            SizeNumber number => new ReferenceExpression(name, number.Value, Since(reader, name.Span.Start)),
            SizeSyntax delay => new ReferenceExpression(name, null, Since(reader, name.Span.Start)) { DelaySize = delay },
        };
    }

    // "[" "t" [ "-" sizeTerm ] "]", as the delay
    private static SizeSyntax? Index(TokenReader reader)
    {
        reader.Open();
        Token step = reader.Current;
        if (step is not { Kind: TokenKind.Name, Text: "t" })
        {
            if (step.Kind is TokenKind.Integer or TokenKind.Name)
            {
                reader.Report(
                    DiagnosticIds.SyntaxError,
                    $"Expected the step t, not '{step.Text}' (write [t] or [t-1]; a member of a family is W{{{step.Text}}})",
                    step.Span);
            }
            else
            {
                reader.ReportUnexpected("the step t");
            }

            return null;
        }

        SizeSyntax delay = new SizeNumber(0, reader.Read().Span);
        if (reader.Current.Is("+"))
        {
            reader.Report(DiagnosticIds.SyntaxError, "A later step cannot be read (write [t], or [t-1] for the step before)", reader.Current.Span);
            return null;
        }

        if (reader.Current.Is("-"))
        {
            reader.Read();
            if (!(reader.Current.Is("(") || reader.Current.Kind is TokenKind.Integer or TokenKind.Name))
            {
                reader.ReportUnexpected("a whole number of steps");
                return null;
            }

            // Not a sum: t-k+1 would read like t-(k-1) and be t-(k+1).
            reader.SizeOperators = 0;
            if (SizeTerm(reader) is not SizeSyntax steps)
            {
                return null;
            }

            if (steps is SizeNumber { Value: > Limits.Delay } number)
            {
                reader.Report(DiagnosticIds.LimitExceeded, Limits.TooFarBack(number.Value), number.Span);
                return null;
            }

            delay = steps;
        }

        return reader.TryClose("]", "']' after the step") ? delay : null;
    }

    // ---- names, numbers and sizes

    // name = NAME [ "{" size {"," size} "}" ]
    private static NameSyntax? Name(TokenReader reader, string what, bool allowInput = false)
    {
        int start = reader.Current.Span.Start;
        if (PlainName(reader, what, allowInput) is not Token name)
        {
            return null;
        }

        if (!reader.Current.Is("{"))
        {
            return new NameSyntax(name.Text, EquatableArray<SizeSyntax>.Empty, name.Span);
        }

        if (name.Text == "x")
        {
            reader.Report(DiagnosticIds.SyntaxError, "'x' is the layer's input and no family (write x[t])", name.Span);
            return null;
        }

        reader.Open();
        if (reader.Current is { Kind: TokenKind.Name, Text: "t" })
        {
            // h_{t-1}, as it is set in print.
            string value = name.Text.TrimEnd('_') is { Length: > 0 } stem ? stem : name.Text;
            reader.Report(
                DiagnosticIds.SyntaxError,
                $"A step stands in square brackets (write {value}[t]{(reader.PeekNext().Is("-") ? $", or {value}[t-1] for the step before" : "")})",
                TextSpan.FromBounds(start, reader.Current.Span.End));
            return null;
        }

        var indices = new List<SizeSyntax>();
        do
        {
            if (WholeSize(reader) is not SizeSyntax index)
            {
                return null;
            }

            indices.Add(index);
        }
        while (TryReadComma(reader));

        return reader.TryClose("}", "',' or '}'")
            ? new NameSyntax(name.Text, new EquatableArray<SizeSyntax>(indices), Since(reader, start))
            : null;
    }

    private static Token? PlainName(TokenReader reader, string what, bool allowInput = false)
    {
        Token token = reader.Current;
        if (token.Kind != TokenKind.Name)
        {
            reader.ReportUnexpected("the name of " + what);
            return null;
        }

        if (Vocabulary.WhyReserved(token.Text) is string meaning && !(allowInput && token.Text == "x"))
        {
            reader.Report(DiagnosticIds.SyntaxError, $"'{token.Text}' is {meaning} and cannot name {what} (choose another name)", token.Span);
            return null;
        }

        return reader.Read();
    }

    // NUMBER; a declaration may give it a sign, which an equation has an operator for.
    private static double? SignedNumber(TokenReader reader, string expected)
    {
        bool isNegative = reader.Current.Is("-");
        if (isNegative)
        {
            reader.Read();
        }

        if (reader.Current.Kind is not (TokenKind.Integer or TokenKind.Real))
        {
            reader.ReportUnexpected(expected);
            return null;
        }

        double value = reader.Read().Value;
        return isNegative ? -value : value;
    }

    // A size that is not a bracketed part of another one; its operators are counted together, since a chain of brackets in
    // chains would be deeper than either limit.
    private static SizeSyntax? WholeSize(TokenReader reader)
    {
        reader.SizeOperators = 0;
        return SizeSum(reader);
    }

    // size = sizeTerm { ("+"|"-") sizeTerm }
    private static SizeSyntax? SizeSum(TokenReader reader) => SizeChain(reader, "+-", SizeTerm);

    // sizeTerm = sizePower { "*" sizePower }
    private static SizeSyntax? SizeTerm(TokenReader reader) => SizeChain(reader, "*", SizePower);

    // sizePower = sizeAtom [ "^" sizeAtom ]
    private static SizeSyntax? SizePower(TokenReader reader)
    {
        int start = reader.Current.Span.Start;
        SizeSyntax? size = SizeAtom(reader);
        if (size is null || !reader.TryReadOperator("^", out char symbol))
        {
            return size;
        }

        return SizeAtom(reader) is SizeSyntax power ? new SizeBinary(symbol, size, power, Since(reader, start)) : null;
    }

    private static SizeSyntax? SizeChain(TokenReader reader, string operators, Func<TokenReader, SizeSyntax?> operand)
    {
        int start = reader.Current.Span.Start;
        SizeSyntax? left = operand(reader);
        while (left is not null && reader.TryReadOperator(operators, out char symbol))
        {
            if (++reader.SizeOperators > Limits.Nesting)
            {
                reader.Report(
                    DiagnosticIds.LimitExceeded,
                    $"A size has more than {Limits.Nesting} operators (give a part a name of its own: size n = …)",
                    Since(reader, start));
                return null;
            }

            SizeSyntax? right = operand(reader);
            left = right is null ? null : new SizeBinary(symbol, left, right, Since(reader, start));
        }

        return left;
    }

    // sizeAtom = INT | NAME | "(" size ")"
    private static SizeSyntax? SizeAtom(TokenReader reader)
    {
        Token token = reader.Current;
        if (token.Kind == TokenKind.Integer)
        {
            if (token.Value > int.MaxValue)
            {
                reader.Report(DiagnosticIds.LimitExceeded, $"A size is at most {int.MaxValue} (write a smaller number)", token.Span);
                return null;
            }

            reader.Read();
            return new SizeNumber((int)token.Value, token.Span);
        }

        if (token.Is("("))
        {
            if (!reader.TryNest())
            {
                return null;
            }

            reader.Open();
            SizeSyntax? inner = SizeSum(reader);
            reader.Unnest();
            return inner is not null && reader.TryClose(")", "an operator or ')'") ? inner : null;
        }

        if (token.Kind == TokenKind.Name)
        {
            if (token.Text is not ("input" or "units") && Vocabulary.WhyReserved(token.Text) is string meaning)
            {
                reader.Report(DiagnosticIds.SyntaxError, $"'{token.Text}' is {meaning} and no size (a size holds whole numbers, declared sizes, input and units)", token.Span);
                return null;
            }

            reader.Read();
            return new SizeName(token.Text, token.Span);
        }

        if (token.Kind == TokenKind.Real)
        {
            reader.Report(DiagnosticIds.SyntaxError, $"A size is a whole number, not {token.Text} (write it without a fraction)", token.Span);
            return null;
        }

        reader.ReportUnexpected("a size");
        return null;
    }

    private static bool TryReadComma(TokenReader reader)
    {
        if (!reader.Current.Is(","))
        {
            return false;
        }

        reader.Read();
        return true;
    }

    private static TextSpan Since(TokenReader reader, int start) => TextSpan.FromBounds(start, reader.PreviousEnd);
}

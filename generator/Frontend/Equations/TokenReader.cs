using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.CompilerServices;
using Microsoft.CodeAnalysis.Text;
using Unrolled.Generator.Diagnostics;

namespace Unrolled.Generator.Frontend.Equations;

/// <summary>
/// Walks the tokens of a cell for the parser: decides where an end of line is white space, keeps the errors, and after one
/// finds the place where the next statement starts.
/// </summary>
internal sealed class TokenReader
{
    private readonly List<Token> _tokens;
    private readonly List<EquationError> _errors = new();
    private readonly Stack<Token> _openBrackets = new();
    private int _position;
    private int _nesting;
    private int _statement;

    public TokenReader(string text) => _tokens = Lexer.Tokenize(text);

    public IReadOnlyList<EquationError> Errors => _errors;

    /// <summary>Whether so many errors are known that parsing further would only bury them.</summary>
    public bool HasEnoughErrors { get; private set; }

    /// <summary>Loops around the current statement.</summary>
    public int LoopDepth { get; set; }

    /// <summary>Operators read so far of the current size.</summary>
    public int SizeOperators { get; set; }

    /// <summary>The next token; inside brackets an end of line is white space.</summary>
    public Token Current => _tokens[CurrentIndex];

    /// <summary>The end of the token read last, not counting ends of line.</summary>
    public int PreviousEnd
    {
        get
        {
            int index = _position - 1;
            while (index >= 0 && _tokens[index].Kind == TokenKind.EndOfLine)
            {
                index--;
            }

            return index < 0 ? 0 : _tokens[index].Span.End;
        }
    }

    private int CurrentIndex => _openBrackets.Count > 0 ? AfterLineEnds(_position) : _position;

    public bool AtEndOfStatement =>
        Current.Kind is TokenKind.EndOfLine or TokenKind.EndOfText || (LoopDepth > 0 && _openBrackets.Count == 0 && Current.Is("}"));

    /// <summary>Whether the line that starts here is another statement, where this one should have gone on.</summary>
    public bool AtNextStatement => CurrentIndex > _statement && StartsLine(CurrentIndex) && StartsStatement(CurrentIndex);

    /// <summary>Marks the start of a statement, for <see cref="Recover"/>.</summary>
    public void BeginStatement() => _statement = _position;

    public Token Read()
    {
        int index = CurrentIndex;
        if (_tokens[index].Kind != TokenKind.EndOfText)
        {
            _position = index + 1;
        }

        return _tokens[index];
    }

    /// <summary>The token after the current one, ends of line counted as the current bracket says.</summary>
    public Token PeekNext()
    {
        int index = CurrentIndex + 1;
        if (_openBrackets.Count > 0)
        {
            index = AfterLineEnds(Math.Min(index, _tokens.Count - 1));
        }

        return _tokens[Math.Min(index, _tokens.Count - 1)];
    }

    public void SkipLineEnds() => _position = AfterLineEnds(_position);

    /// <summary>Reads one of the operators, if it comes next, with the ends of line beside it.</summary>
    public bool TryReadOperator(string operators, out char symbol)
    {
        int index = AfterLineEnds(_position);
        Token token = _tokens[index];
        if (token.Kind == TokenKind.Symbol && token.Text.Length == 1 && operators.IndexOf(token.Text[0]) >= 0)
        {
            symbol = token.Text[0];
            _position = AfterLineEnds(index + 1);
            return true;
        }

        symbol = default;
        return false;
    }

    /// <summary>Reads an opening bracket; until <see cref="TryClose"/> ends of line are white space.</summary>
    public void Open() => _openBrackets.Push(Read());

    public bool TryClose(string symbol, string expected)
    {
        if (!Current.Is(symbol))
        {
            ReportUnexpected(expected);
            return false;
        }

        Read();
        _openBrackets.Pop();
        return true;
    }

    public bool TryRead(string symbol, string expected)
    {
        if (Current.Is(symbol))
        {
            Read();
            return true;
        }

        ReportUnexpected(expected);
        return false;
    }

    /// <summary>Goes one level deeper, or reports that the text is nested too deeply.</summary>
    public bool TryNest()
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        if (_nesting < Limits.Nesting)
        {
            _nesting++;
            return true;
        }

        Report(
            DiagnosticIds.LimitExceeded,
            $"Brackets, signs, '@' and loops stand more than {Limits.Nesting} deep inside one another (give a part a name of its own: p[t] = …)",
            Current.Span);
        return false;
    }

    public void Unnest() => _nesting--;

    public void Report(string id, string message, TextSpan span)
    {
        _errors.Add(new EquationError(id, message, span));
        HasEnoughErrors |= _errors.Count == Limits.Errors;
    }

    /// <summary>Stops the parser after an error that makes no sense of what follows.</summary>
    public void GiveUp() => HasEnoughErrors = true;

    /// <summary>Reports that the current token is not what the grammar expects here.</summary>
    public void ReportUnexpected(string expected)
    {
        Token token = Current;
        if (token.Kind == TokenKind.Invalid)
        {
            Report(DiagnosticIds.SyntaxError, token.Text, token.Span);
        }
        else if (token.Is("^") && IsTransposition(_tokens[Math.Min(CurrentIndex + 1, _tokens.Count - 1)], _tokens[Math.Min(CurrentIndex + 2, _tokens.Count - 1)]))
        {
            string matrix = CurrentIndex > 0 && _tokens[CurrentIndex - 1] is { Kind: TokenKind.Name, Text: var name } ? name : "W";
            Report(DiagnosticIds.SyntaxError, $"'^' is a power of sizes only (write {Lexer.Transposed(matrix)})", token.Span);
        }
        else if (token.Is("^"))
        {
            Report(DiagnosticIds.SyntaxError, "'^' is a power of sizes only (write square(a) for a square, or a * a)", token.Span);
        }
        else if (_openBrackets.Count > 0 && (token.Kind == TokenKind.EndOfText || AtNextStatement))
        {
            Token bracket = _openBrackets.Peek();
            string closing = bracket.Text switch { "(" => ")", "[" => "]", _ => "}" };
            Report(DiagnosticIds.SyntaxError, $"'{bracket.Text}' is never closed (add the '{closing}')", bracket.Span);
        }
        else if (token.Kind is TokenKind.EndOfLine or TokenKind.EndOfText || AtNextStatement)
        {
            Report(DiagnosticIds.SyntaxError, $"Expected {expected}, but the line ends here", new TextSpan(PreviousEnd, 0));
        }
        else
        {
            Report(DiagnosticIds.SyntaxError, $"Expected {expected}, not '{token.Text}'{Remedy(token, expected)}", token.Span);
        }
    }

    // What follows '^' in W^T, W^{T}.
    private static bool IsTransposition(Token next, Token afterNext) =>
        next.Text is "T" or "t" or "top" or "\u22A4" || (next.Is("{") && afterNext.Text is "T" or "t") || (next.Kind == TokenKind.Invalid && next.Text.StartsWith("'\u22A4'", StringComparison.Ordinal));

    /// <summary>What was probably meant by something that other languages write so.</summary>
    private string Remedy(Token token, string expected)
    {
        Token? previous = CurrentIndex > 0 ? _tokens[CurrentIndex - 1] : null;
        return token.Is("*") && previous is { } star && star.Is("*") ? " (write square(a) or a * a for a power)"
            : token.Is("/") && previous is { } slash && slash.Is("/") ? " (a comment begins with '#')"
            : token.Is("[") || (token.Is(",") && expected.EndsWith("or ')'", StringComparison.Ordinal)) ? " (write concat(a, b) for vectors one after another, or a product for each: W @ a + U @ b)"
            : token.Kind == TokenKind.Name && expected.StartsWith("an operator", StringComparison.Ordinal) ? " (write '@' between a matrix and a vector, '*' between elements)"
            : "";
    }

    /// <summary>After an error, goes on to where the next statement starts, so that its errors are found too.</summary>
    public void Recover()
    {
        int index = CurrentIndex;
        bool atNextStatement = AtNextStatement;
        int depth = _openBrackets.Count;
        int braces = _openBrackets.Count(bracket => bracket.Text == "{");
        _openBrackets.Clear();
        _nesting = LoopDepth;
        if (atNextStatement)
        {
            _position = index;
            return;
        }

        for (; _tokens[index].Kind != TokenKind.EndOfText; index++)
        {
            Token token = _tokens[index];
            if (token.Kind == TokenKind.EndOfLine)
            {
                // A bracket that is still open, or an operator to come, makes the next line a part of this statement.
                int next = AfterLineEnds(index);
                bool goesOn = depth > 0 || (_tokens[next].Kind == TokenKind.Symbol && "+-*/@)],".Contains(_tokens[next].Text));
                if (!goesOn || StartsStatement(next))
                {
                    break;
                }
            }
            else if (token.Is("(") || token.Is("[") || token.Is("{"))
            {
                depth++;
                braces += token.Is("{") ? 1 : 0;
            }
            else if (token.Is("}") && braces == 0 && LoopDepth > 0)
            {
                break;
            }
            else if (token.Is(")") || token.Is("]") || token.Is("}"))
            {
                depth--;
                braces -= token.Is("}") ? 1 : 0;
            }
        }

        _position = index;
    }

    /// <summary>After an error in a loop's head, goes to its brace if that is on the same line.</summary>
    public bool TryRecoverAtBrace()
    {
        for (int index = _position; _tokens[index].Kind is not (TokenKind.EndOfLine or TokenKind.EndOfText); index++)
        {
            if (_tokens[index].Is("{"))
            {
                _position = index;
                _openBrackets.Clear();
                return true;
            }
        }

        return false;
    }

    private bool StartsLine(int index) => index == 0 || _tokens[index - 1].Kind == TokenKind.EndOfLine;

    private bool StartsStatement(int index)
    {
        Token token = _tokens[index];
        if (token.Is("}"))
        {
            return LoopDepth > 0;
        }

        if (token.Kind != TokenKind.Name)
        {
            return false;
        }

        if (Vocabulary.IsKeyword(token.Text))
        {
            return token.Text != "in";
        }

        // An equation: name, perhaps {…}, perhaps […], then the equals sign, all on one line.
        int next = AfterBracket(AfterBracket(index + 1, "{", "}"), "[", "]");
        return _tokens[next].Is("=");
    }

    private int AfterBracket(int index, string open, string close)
    {
        if (!_tokens[index].Is(open))
        {
            return index;
        }

        while (!_tokens[index].Is(close))
        {
            if (_tokens[index].Kind is TokenKind.EndOfLine or TokenKind.EndOfText)
            {
                return index;
            }

            index++;
        }

        return index + 1;
    }

    private int AfterLineEnds(int index)
    {
        while (_tokens[index].Kind == TokenKind.EndOfLine)
        {
            index++;
        }

        return index;
    }
}

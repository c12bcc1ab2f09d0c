using System;
using Microsoft.CodeAnalysis.Text;

namespace Unrolled.Generator.Frontend.Equations;

/// <summary>What the parser makes of a cell's text; spans count characters from the start of that text.</summary>
internal abstract record SyntaxNode(TextSpan Span);

internal sealed record CellSyntax(EquatableArray<StatementSyntax> Statements, TextSpan Span) : SyntaxNode(Span);

// ---- statements

internal abstract record StatementSyntax(TextSpan Span) : SyntaxNode(Span);

/// <summary><c>size NAME = size</c></summary>
internal sealed record SizeDeclaration(string Name, SizeSyntax Value, TextSpan NameSpan, TextSpan Span) : StatementSyntax(Span);

/// <summary><c>shape a, b : rows, columns</c>; <see cref="Columns"/> is null for a vector.</summary>
internal sealed record ShapeDeclaration(EquatableArray<NameSyntax> Names, SizeSyntax Rows, SizeSyntax? Columns, TextSpan Span) : StatementSyntax(Span);

/// <summary><c>param NAME = number | function</c>; exactly one of <see cref="Number"/> and <see cref="Function"/> is set.</summary>
internal sealed record ParamDeclaration(string Name, double? Number, FunctionValue? Function, TextSpan NameSpan, TextSpan Span) : StatementSyntax(Span);

/// <summary>
/// What a param of functions holds: a function, <c>tanh</c>, with the numbers that follow its value, <c>elu(0.5)</c>, and with the function
/// that is applied to the value first, <c>sigmoid(clip(-3, 3))</c>.
/// </summary>
internal sealed record FunctionValue(string Name, FunctionValue? Inner, EquatableArray<double> Numbers)
{
    /// <summary>A function by its name alone.</summary>
    public static implicit operator FunctionValue(string name) => new(name, null, EquatableArray<double>.Empty);

    public override string ToString() => SyntaxPrinter.Print(this);
}

/// <summary><c>init name = number | INIT(numbers)</c>; a plain number is <c>Function == "constant"</c> with one argument.</summary>
internal sealed record InitDeclaration(NameSyntax Name, string Function, EquatableArray<double> Arguments, TextSpan Span) : StatementSyntax(Span);

/// <summary><c>start name = zero | learned</c></summary>
internal sealed record StartDeclaration(NameSyntax Name, bool Learned, TextSpan Span) : StatementSyntax(Span)
{
    /// <summary>The parameter that holds what a value learned to start from: <c>h_start</c>.</summary>
    public static string ParameterOf(string value) => value + "_start";
}

/// <summary><c>output name</c></summary>
internal sealed record OutputDeclaration(NameSyntax Name, TextSpan Span) : StatementSyntax(Span);

/// <summary><c>name[t] = value</c></summary>
internal sealed record EquationSyntax(NameSyntax Target, ExpressionSyntax Value, TextSpan Span) : StatementSyntax(Span);

/// <summary><c>for NAME in first..last { … }</c></summary>
internal sealed record LoopSyntax(string Variable, SizeSyntax First, SizeSyntax Last, EquatableArray<StatementSyntax> Body, TextSpan Span) : StatementSyntax(Span);

// ---- names and sizes

/// <summary><c>W</c> or a member of a family, <c>W{k,1}</c>. After expansion <see cref="Indices"/> is empty and the name reads <c>W_2_1</c>.</summary>
internal sealed record NameSyntax(string Name, EquatableArray<SizeSyntax> Indices, TextSpan Span) : SyntaxNode(Span);

internal abstract record SizeSyntax(TextSpan Span) : SyntaxNode(Span);

internal sealed record SizeNumber(int Value, TextSpan Span) : SizeSyntax(Span)
{
    /// <summary>Whether the expansion worked it out from names of sizes; otherwise it is written so.</summary>
    public bool IsComputed { get; init; }
}

internal sealed record SizeName(string Name, TextSpan Span) : SizeSyntax(Span);

/// <summary><see cref="Operator"/> is '+', '-', '*' or '^'.</summary>
internal sealed record SizeBinary(char Operator, SizeSyntax Left, SizeSyntax Right, TextSpan Span) : SizeSyntax(Span);

// ---- expressions

internal abstract record ExpressionSyntax(TextSpan Span) : SyntaxNode(Span);

internal sealed record NumberExpression(double Value, TextSpan Span) : ExpressionSyntax(Span);

/// <summary>A name: <see cref="Delay"/> is null without an index (a parameter), 0 for <c>[t]</c>, n for <c>[t-n]</c>.</summary>
internal sealed record ReferenceExpression(NameSyntax Name, int? Delay, TextSpan Span) : ExpressionSyntax(Span)
{
    /// <summary>A delay that is a size, <c>[t-2^k]</c>, until the expansion makes it the number <see cref="Delay"/>.</summary>
    public SizeSyntax? DelaySize { get; init; }
}

internal sealed record NegateExpression(ExpressionSyntax Operand, TextSpan Span) : ExpressionSyntax(Span);

/// <summary><see cref="Operator"/> is '+', '-', '*' (elementwise, also ⊙ and ∘), '/' or '@'.</summary>
internal sealed record BinaryExpression(char Operator, ExpressionSyntax Left, ExpressionSyntax Right, TextSpan Span) : ExpressionSyntax(Span);

/// <summary>A call of a function, or of a param that holds one: <c>sigmoid(a)</c>, <c>transpose(W)</c>.</summary>
internal sealed record CallExpression(string Function, EquatableArray<ExpressionSyntax> Arguments, TextSpan FunctionSpan, TextSpan Span) : ExpressionSyntax(Span);

/// <summary><c>sum{k in a..b}(value)</c> or <c>concat{…}</c>.</summary>
internal sealed record FamilyExpression(string Operator, string Variable, SizeSyntax First, SizeSyntax Last, ExpressionSyntax Value, TextSpan Span) : ExpressionSyntax(Span);

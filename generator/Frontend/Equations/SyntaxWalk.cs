using System;
using System.Collections.Generic;
using System.Linq;

namespace Unrolled.Generator.Frontend.Equations;

/// <summary>Every part of a piece of syntax, without recursion: equations nest deeper than a stack may.</summary>
internal static class SyntaxWalk
{
    /// <summary>A node and everything in it, in the order of the text.</summary>
    public static IEnumerable<SyntaxNode> Nodes(SyntaxNode root)
    {
        var pending = new Stack<SyntaxNode>();
        pending.Push(root);
        while (pending.Count > 0)
        {
            SyntaxNode node = pending.Pop();
            yield return node;
            foreach (SyntaxNode part in Parts(node).Reverse())
            {
                pending.Push(part);
            }
        }
    }

    /// <summary>The names an expression reads, with and without a step, from left to right.</summary>
    public static IEnumerable<ReferenceExpression> References(ExpressionSyntax expression) => Nodes(expression).OfType<ReferenceExpression>();

    private static IEnumerable<SyntaxNode> Parts(SyntaxNode node) => node switch
    {
        CellSyntax cell => cell.Statements,
        SizeDeclaration size => [size.Value],
        ShapeDeclaration shape => [.. shape.Names, shape.Rows, .. shape.Columns is null ? Array.Empty<SyntaxNode>() : [shape.Columns]],
        InitDeclaration init => [init.Name],
        StartDeclaration start => [start.Name],
        OutputDeclaration output => [output.Name],
        EquationSyntax equation => [equation.Target, equation.Value],
        LoopSyntax loop => [loop.First, loop.Last, .. loop.Body],
        NameSyntax name => name.Indices,
        SizeBinary size => [size.Left, size.Right],
        ReferenceExpression reference => reference.DelaySize is null ? [reference.Name] : [reference.Name, reference.DelaySize],
        NegateExpression negate => [negate.Operand],
        BinaryExpression binary => [binary.Left, binary.Right],
        CallExpression call => call.Arguments,
        FamilyExpression family => [family.First, family.Last, family.Value],
        _ => [],
    };
}

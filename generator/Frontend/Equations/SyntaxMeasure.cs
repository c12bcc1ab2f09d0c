using System;
using System.Collections.Generic;

namespace Unrolled.Generator.Frontend.Equations;

/// <summary>How large an expression's tree is; measured without recursion, before anything may recurse into it.</summary>
internal static class SyntaxMeasure
{
    public static (int Nodes, int Levels) Of(ExpressionSyntax expression)
    {
        int nodes = 0;
        int levels = 0;
        var pending = new Stack<(ExpressionSyntax Node, int Level)>();
        pending.Push((expression, 1));
        while (pending.Count > 0)
        {
            (ExpressionSyntax node, int level) = pending.Pop();
            nodes++;
            levels = Math.Max(levels, level);
            switch (node)
            {
                case NegateExpression negate:
                    pending.Push((negate.Operand, level + 1));
                    break;
                case BinaryExpression binary:
                    pending.Push((binary.Left, level + 1));
                    pending.Push((binary.Right, level + 1));
                    break;
                case FamilyExpression family:
                    pending.Push((family.Value, level + 1));
                    break;
                case CallExpression call:
                    foreach (ExpressionSyntax argument in call.Arguments)
                    {
                        pending.Push((argument, level + 1));
                    }

                    break;
            }
        }

        return (nodes, levels);
    }
}

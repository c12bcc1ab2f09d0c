using System;
using System.Collections.Generic;
using System.Linq;
using Unrolled.Generator.Diagnostics;

namespace Unrolled.Generator.Frontend.Equations;

/// <summary>
/// Finds the declarations of a cell that nothing in its text uses. It looks at the text as written: a param that only a loop uses is used,
/// however often the loop runs.
/// </summary>
internal static class UnusedNames
{
    public static IEnumerable<EquationError> Find(CellSyntax cell)
    {
        List<SyntaxNode> nodes = SyntaxWalk.Nodes(cell).ToList();
        var names = new HashSet<string>(StringComparer.Ordinal);
        var sizes = new HashSet<string>(StringComparer.Ordinal);
        foreach (SyntaxNode node in nodes)
        {
            switch (node)
            {
                case EquationSyntax equation:
                    names.Add(equation.Target.Name);
                    break;
                case ReferenceExpression reference:
                    names.Add(reference.Name.Name);
                    break;
                case CallExpression call:
                    names.Add(call.Function);
                    break;
                case SizeName size:
                    sizes.Add(size.Name);
                    break;
            }
        }

        foreach (SyntaxNode node in nodes)
        {
            switch (node)
            {
                case ParamDeclaration param when !names.Contains(param.Name):
                    yield return new EquationError(DiagnosticIds.Unused, $"the param '{param.Name}' is never used (remove its line, or use it)", param.NameSpan);
                    break;
                case SizeDeclaration size when !sizes.Contains(size.Name):
                    yield return new EquationError(DiagnosticIds.Unused, $"the size '{size.Name}' is never used (remove its line, or use it)", size.NameSpan);
                    break;
                case ShapeDeclaration shape:
                    foreach (NameSyntax name in shape.Names.Where(name => !names.Any(used => IsSame(used, name.Name))))
                    {
                        yield return new EquationError(
                            DiagnosticIds.UnknownName, $"no value or parameter is called '{name.Name}' {Nearest.Remedy(name.Name, names, "remove it from the line, or use it")}", name.Span);
                    }

                    break;
            }
        }
    }

    // A member of a family may be written out: W{2,1} is W_2_1.
    private static bool IsSame(string left, string right) =>
        left == right || left.StartsWith(right + "_", StringComparison.Ordinal) || right.StartsWith(left + "_", StringComparison.Ordinal);
}

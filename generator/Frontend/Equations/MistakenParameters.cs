using System;
using System.Collections.Generic;
using System.Linq;
using Unrolled.Generator.Diagnostics;

namespace Unrolled.Generator.Frontend.Equations;

/// <summary>
/// Finds the parameters that were most likely meant to be values: a vector that differs from an assigned value in case only, or that has its
/// name and a word for a step, <c>h_prev</c>. A shape or init line for it says that a parameter is meant. It looks at the text as written, so
/// that a loop tells a mistake once.
/// </summary>
internal static class MistakenParameters
{
    /// <summary>The warnings of a cell, in the order of its text.</summary>
    /// <param name="bound">Names that the layer sets, which are therefore known to be parameters.</param>
    public static IEnumerable<EquationError> Find(CellSyntax cell, ICollection<string> bound)
    {
        var values = new HashSet<string>(StringComparer.Ordinal) { "x" };
        var declared = new HashSet<string>(bound, StringComparer.Ordinal);
        List<SyntaxNode> nodes = SyntaxWalk.Nodes(cell).ToList();
        foreach (SyntaxNode node in nodes)
        {
            switch (node)
            {
                case EquationSyntax equation:
                    values.Add(equation.Target.Name);
                    break;
                case ShapeDeclaration shape:
                    declared.UnionWith(shape.Names.Select(name => name.Name));
                    break;
                case InitDeclaration init:
                    declared.Add(init.Name.Name);
                    break;
                case ParamDeclaration param:
                    declared.Add(param.Name);
                    break;
                case StartDeclaration start:
                    declared.Add(StartDeclaration.ParameterOf(start.Name.Name));
                    break;
                case BinaryExpression { Operator: '@', Left: ReferenceExpression matrix }:
                    declared.Add(matrix.Name.Name);
                    break;
                case CallExpression { Function: "transpose" } call:
                    declared.UnionWith(call.Arguments.OfType<ReferenceExpression>().Select(matrix => matrix.Name.Name));
                    break;
            }
        }

        var told = new HashSet<string>(StringComparer.Ordinal);
        foreach (ReferenceExpression reference in nodes.OfType<ReferenceExpression>())
        {
            string name = reference.Name.Name;
            if (reference is not { Delay: null, DelaySize: null } || values.Contains(name) || declared.Contains(name) || told.Contains(name))
            {
                continue;
            }

            if (Meant(name, values) is not var (value, step))
            {
                continue;
            }

            told.Add(name);
            string written = SyntaxPrinter.Print(reference.Name with { Name = value });
            string steps = step == Aliases.EarlierStep ? written + step : $"{written}[t] or {written}[t-1]";
            yield return new EquationError(
                DiagnosticIds.MistakenParameter,
                $"'{name}' is a parameter, the same at every step, beside the value '{value}' (write {steps} for the value; a line 'init {SyntaxPrinter.Print(reference.Name)} = zero' says that a parameter is meant)",
                reference.Name.Span);
        }
    }

    /// <summary>A name without a word for a step behind or before it, or null: <c>h</c> of <c>h_t</c> and <c>prev_h</c>.</summary>
    public static string? Stem(string name) => Parts(name).Select(part => part.Stem).FirstOrDefault();

    // The value that a parameter's name was meant for, and its step where the name says it.
    private static (string Value, string? Step)? Meant(string name, HashSet<string> values)
    {
        foreach ((string stem, string step) in Parts(name))
        {
            if (Alike(stem) is string value)
            {
                return (value, step);
            }
        }

        return Alike(name) is string other ? (other, null) : null;

        string? Alike(string wanted) =>
            values.Contains(wanted) ? wanted
            : values.Where(value => string.Equals(value, wanted, StringComparison.OrdinalIgnoreCase)).OrderBy(value => value, StringComparer.Ordinal).FirstOrDefault();
    }

    // The ways in which a name is a shorter one and a word for a step: set off by _, by a capital letter, or an index of its own, hₜ.
    private static IEnumerable<(string Stem, string Step)> Parts(string name)
    {
        for (int split = 1; split < name.Length; split++)
        {
            string before = name.Substring(0, split), after = name.Substring(split);
            bool isSetOff = before[split - 1] == '_' || after[0] == '_' || char.IsUpper(after[0]) || after == "\u209C";
            if (!isSetOff)
            {
                continue;
            }

            if (before.TrimEnd('_') is { Length: > 0 } stem && Aliases.Find(Aliases.Steps, after) is string behind)
            {
                yield return (stem, behind);
            }

            // Before a name stands only an earlier step: t_h is a name.
            if (after.TrimStart('_') is { Length: > 0 } rest && Aliases.Find(Aliases.Steps, before) is Aliases.EarlierStep)
            {
                yield return (rest, Aliases.EarlierStep);
            }
        }
    }
}

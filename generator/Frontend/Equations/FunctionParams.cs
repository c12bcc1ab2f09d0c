using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Globalization;
using System.Linq;
using Unrolled.Generator.Diagnostics;

namespace Unrolled.Generator.Frontend.Equations;

/// <summary>
/// Writes out what params of functions hold: with <c>gate_activation = sigmoid(clip(-3, 3))</c> a call <c>gate_activation(a)</c> reads
/// <c>sigmoid(clip(a, -3, 3))</c>.
/// </summary>
internal static class FunctionParams
{
    /// <summary>The expanded cell with functions in the place of params; calls of a param that holds none are errors.</summary>
    public static CellSyntax Replace(CellSyntax cell, IReadOnlyDictionary<string, CellSetting> settings, List<EquationError> errors)
    {
        var functions = new Dictionary<string, FunctionValue?>(StringComparer.Ordinal);
        foreach (ParamDeclaration param in cell.Statements.OfType<ParamDeclaration>())
        {
            functions[param.Name] = settings.TryGetValue(param.Name, out CellSetting? setting) ? setting.Function : param.Function;
        }

        int nodes = 0;
        CellSyntax replaced = cell with { Statements = cell.Statements.Select(Written).ToImmutableArray() };
        if (nodes > Limits.Nodes)
        {
            errors.Add(new EquationError(
                DiagnosticIds.LimitExceeded,
                $"The cell has more than {Limits.Nodes.ToString(CultureInfo.InvariantCulture)} values and operations with its params' functions written out (repeat fewer times)",
                cell.Span));
        }

        return replaced;

        StatementSyntax Written(StatementSyntax statement)
        {
            if (statement is not EquationSyntax equation)
            {
                return statement;
            }

            EquationSyntax written = equation with { Value = Visit(equation.Value) };
            (int count, int levels) = SyntaxMeasure.Of(written.Value);
            nodes += count;
            if (levels > Limits.Levels)
            {
                errors.Add(new EquationError(
                    DiagnosticIds.LimitExceeded,
                    $"The equation is more than {Limits.Levels} operators deep with its params' functions written out (give a part a name of its own: p[t] = …)",
                    equation.Span));
            }

            return written;
        }

        ExpressionSyntax Visit(ExpressionSyntax expression)
        {
            switch (expression)
            {
                case NegateExpression negate:
                    return negate with { Operand = Visit(negate.Operand) };
                case BinaryExpression binary:
                    return binary with { Left = Visit(binary.Left), Right = Visit(binary.Right) };
                case CallExpression call:
                    ImmutableArray<ExpressionSyntax> arguments = call.Arguments.Select(Visit).ToImmutableArray();
                    if (!functions.TryGetValue(call.Function, out FunctionValue? function))
                    {
                        return call with { Arguments = arguments };
                    }

                    if (function is null)
                    {
                        errors.Add(new EquationError(
                            DiagnosticIds.BadSetting,
                            $"the param '{call.Function}' holds a number and can't be called (write 'param {call.Function} = FUNCTION')",
                            call.FunctionSpan));
                        return call;
                    }

                    return Apply(function, arguments, call);
                default:
                    return expression;
            }
        }
    }

    // The call of a function on a param's arguments; the spans are those of the param's call, the only one there is in the text.
    private static CallExpression Apply(FunctionValue function, ImmutableArray<ExpressionSyntax> arguments, CallExpression call)
    {
        ImmutableArray<ExpressionSyntax> values = function.Inner is null ? arguments : ImmutableArray.Create<ExpressionSyntax>(Apply(function.Inner, arguments, call));
        return new CallExpression(function.Name, values.AddRange(function.Numbers.Select(number => new NumberExpression(number, call.Span))), call.FunctionSpan, call.Span);
    }
}

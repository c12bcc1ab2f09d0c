using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Runtime.CompilerServices;
using Microsoft.CodeAnalysis.Text;
using Unrolled.Generator.Diagnostics;

namespace Unrolled.Generator.Frontend.Equations;

/// <summary>
/// Writes out what a cell says with loops and families: <c>for</c> repeats its statements, <c>sum{…}</c> becomes additions
/// from the left, <c>concat{…}</c> a call of <c>concat</c> with an argument for each number, sizes become numbers, and a member
/// of a family gets a plain name: <c>W{2,k+1}</c> with k = 0 reads <c>W_2_1</c>, as files and use sites call it.
/// </summary>
internal sealed class Expander
{
    private readonly Dictionary<string, SizeDeclaration> _declared = new();
    private readonly Dictionary<string, long> _sizes = new();
    private readonly HashSet<string> _evaluating = new();
    private readonly HashSet<string> _failed = new();
    private readonly Dictionary<string, long> _variables = new();
    private readonly List<EquationError> _errors = new();
    private readonly HashSet<(string, TextSpan)> _reported = new();

    // Each name that equations read without a step, and how it was written first.
    private readonly Dictionary<string, NameSyntax> _written = new();
    private int _nodes;
    private bool _isTooLarge;

    private Expander()
    {
    }

    /// <summary>
    /// Expands a cell for the sizes of a use site: <c>input</c>, <c>units</c>, and any the cell declares, which they replace.
    /// Where there are errors the cell lacks what they are about.
    /// </summary>
    public static (CellSyntax Cell, EquatableArray<EquationError> Errors) Expand(CellSyntax cell, IReadOnlyDictionary<string, int> sizes)
    {
        var expander = new Expander();
        expander.DeclareSizes(cell, sizes);
        var statements = new List<StatementSyntax>();
        expander.Expand(cell.Statements, statements);
        return (cell with { Statements = new EquatableArray<StatementSyntax>(statements) }, new EquatableArray<EquationError>(expander._errors));
    }

    // Sizes first: equations are a set, so a loop may stand above the size it runs to.
    private void DeclareSizes(CellSyntax cell, IReadOnlyDictionary<string, int> sizes)
    {
        foreach (SizeDeclaration declaration in cell.Statements.OfType<SizeDeclaration>())
        {
            if (_declared.ContainsKey(declaration.Name))
            {
                Report(
                    DiagnosticIds.AssignedTwice,
                    $"The size '{declaration.Name}' is declared twice (remove one of the declarations)",
                    declaration.NameSpan);
            }
            else
            {
                _declared.Add(declaration.Name, declaration);
            }
        }

        foreach (KeyValuePair<string, int> size in sizes.OrderBy(size => size.Key, StringComparer.Ordinal))
        {
            if (size.Key is not ("input" or "units") && !_declared.ContainsKey(size.Key))
            {
                Report(
                    DiagnosticIds.BadSetting,
                    $"The cell declares no size '{size.Key}' {Nearest.Remedy(size.Key, _declared.Keys, $"remove the setting, or declare size {size.Key} = {size.Value.ToString(CultureInfo.InvariantCulture)} in the cell")}",
                    cell.Span);
                continue;
            }

            _sizes[size.Key] = size.Value;
        }
    }

    // ---- statements

    private void Expand(EquatableArray<StatementSyntax> statements, List<StatementSyntax> into)
    {
        foreach (StatementSyntax statement in statements)
        {
            if (!TryCount(statement.Span))
            {
                return;
            }

            if (statement is LoopSyntax loop)
            {
                Repeat(loop.Variable, loop.First, loop.Last, loop.Span, () => Expand(loop.Body, into));
            }
            else if (Expand(statement) is StatementSyntax expanded)
            {
                into.Add(expanded);
            }
        }
    }

    private StatementSyntax? Expand(StatementSyntax statement)
    {
        switch (statement)
        {
            case SizeDeclaration size:
                if (_variables.Count > 0)
                {
                    ReportInLoop("size", size.Name, size.NameSpan);
                    return null;
                }

                return Declared(size.Name, size.NameSpan) is int number
                    ? size with { Value = new SizeNumber(number, size.Value.Span) }
                    : null;
            case ParamDeclaration param:
                if (_variables.Count > 0)
                {
                    ReportInLoop("param", param.Name, param.NameSpan);
                    return null;
                }

                if (_declared.ContainsKey(param.Name))
                {
                    Report(
                        DiagnosticIds.AssignedTwice,
                        $"'{param.Name}' is declared as a size and as a param (choose another name for one of them)",
                        param.NameSpan);
                    return null;
                }

                _written[param.Name] = new NameSyntax(param.Name, EquatableArray<SizeSyntax>.Empty, param.NameSpan);
                return param;
            case ShapeDeclaration shape:
                List<NameSyntax> names = shape.Names.Select(Flatten).OfType<NameSyntax>().ToList();
                SizeSyntax? rows = Extent(shape.Rows);
                SizeSyntax? columns = shape.Columns is null ? null : Extent(shape.Columns);
                return names.Count == shape.Names.Count && rows is not null && (columns is null) == (shape.Columns is null)
                    ? shape with { Names = new EquatableArray<NameSyntax>(names), Rows = rows, Columns = columns }
                    : null;
            case InitDeclaration init:
                return Flatten(init.Name) is NameSyntax initialised ? init with { Name = initialised } : null;
            case StartDeclaration start:
                return Flatten(start.Name) is NameSyntax started ? start with { Name = started } : null;
            case OutputDeclaration output:
                return Flatten(output.Name) is NameSyntax given ? output with { Name = given } : null;
            case EquationSyntax equation:
                NameSyntax? target = Flatten(equation.Target);
                ExpressionSyntax? value = Expand(equation.Value);
                if (target is null || value is null)
                {
                    return null;
                }

                if (SyntaxMeasure.Of(value).Levels > Limits.Levels)
                {
                    Report(
                        DiagnosticIds.LimitExceeded,
                        $"The equation is more than {Limits.Levels} operators deep after expansion (repeat fewer times, or add up in parts with names of their own)",
                        equation.Span);
                    return null;
                }

                return equation with { Target = target, Value = value };
            default:
                throw new NotSupportedException(statement.GetType().Name);
        }
    }

    // Runs an action for each number of a range, with the variable bound to it.
    private void Repeat(string variable, SizeSyntax first, SizeSyntax last, TextSpan span, Action action)
    {
        if (_variables.ContainsKey(variable) || _declared.ContainsKey(variable))
        {
            Report(
                DiagnosticIds.AssignedTwice,
                $"'{variable}' already names {(_variables.ContainsKey(variable) ? "the variable of a loop around this one" : "a size")} (choose another name)",
                span);
            return;
        }

        if (Evaluate(first) is not long from || Evaluate(last) is not long to)
        {
            return;
        }

        for (long number = from; number <= to; number++)
        {
            // Counted even where nothing is repeated, so that an empty loop to a billion ends as well.
            if (!TryCount(span))
            {
                break;
            }

            _variables[variable] = number;
            action();
        }

        _variables.Remove(variable);
    }

    // ---- expressions

    private ExpressionSyntax? Expand(ExpressionSyntax expression)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        if (!TryCount(expression.Span))
        {
            return null;
        }

        switch (expression)
        {
            case NumberExpression number:
                return number;
            case ReferenceExpression reference:
                return Expand(reference);
            case NegateExpression negate:
                return Expand(negate);
            case BinaryExpression binary:
                return Expand(binary);
            case CallExpression call:
                return Expand(call);
            case FamilyExpression family:
                return Expand(family);
            default:
                throw new NotSupportedException(expression.GetType().Name);
        }
    }

    // A method a kind: equations nest deeply, and a frame that holds every kind's locals takes the stack several times over.
    private ExpressionSyntax? Expand(ReferenceExpression reference)
    {
        if (Flatten(reference.Name) is not NameSyntax name || (reference is { Delay: null, DelaySize: null } && !IsWrittenAlike(reference.Name, name.Name)))
        {
            return null;
        }

        return reference.DelaySize is null ? reference with { Name = name }
            : Delay(reference.DelaySize) is int delay ? new ReferenceExpression(name, delay, reference.Span)
            : null;
    }

    // W{1} and W_1 would be one parameter, which nobody who writes both can mean.
    private bool IsWrittenAlike(NameSyntax written, string flat)
    {
        if (!_written.TryGetValue(flat, out NameSyntax? first))
        {
            _written.Add(flat, written);
            return true;
        }

        if (first.Name == written.Name && first.Indices.Count == written.Indices.Count)
        {
            return true;
        }

        Report(
            DiagnosticIds.AssignedTwice,
            $"{SyntaxPrinter.Print(first)} and {SyntaxPrinter.Print(written)} are one parameter, which files call '{flat}' (write it in one way, or give one of two another name)",
            written.Span);
        return false;
    }

    private ExpressionSyntax? Expand(NegateExpression negate) => Expand(negate.Operand) is ExpressionSyntax operand ? negate with { Operand = operand } : null;

    private ExpressionSyntax? Expand(BinaryExpression binary)
    {
        ExpressionSyntax? left = Expand(binary.Left);
        ExpressionSyntax? right = Expand(binary.Right);
        return left is null || right is null ? null : binary with { Left = left, Right = right };
    }

    private ExpressionSyntax? Expand(CallExpression call)
    {
        List<ExpressionSyntax> arguments = call.Arguments.Select(Expand).OfType<ExpressionSyntax>().ToList();
        return arguments.Count == call.Arguments.Count ? call with { Arguments = new EquatableArray<ExpressionSyntax>(arguments) } : null;
    }

    private ExpressionSyntax? Expand(FamilyExpression family)
    {
        int errors = _errors.Count;
        var terms = new List<ExpressionSyntax>();
        Repeat(family.Variable, family.First, family.Last, family.Span, () =>
        {
            if (Expand(family.Value) is ExpressionSyntax term)
            {
                terms.Add(term);
            }
        });
        return _errors.Count > errors || _isTooLarge ? null : Joined(family, terms);
    }

    private ExpressionSyntax? Joined(FamilyExpression family, List<ExpressionSyntax> terms)
    {
        if (family.Operator == "concat")
        {
            if (terms.Count == 0)
            {
                Report(
                    DiagnosticIds.UnsupportedHere,
                    $"The range {SyntaxPrinter.Print(family.First)}..{SyntaxPrinter.Print(family.Last)} is empty, and nothing cannot be concatenated (let it hold a number)",
                    family.Span);
                return null;
            }

            var name = new TextSpan(family.Span.Start, family.Operator.Length);
            return new CallExpression("concat", new EquatableArray<ExpressionSyntax>(terms), name, family.Span);
        }

        // A sum of nothing is 0, as everywhere.
        return terms.Count == 0
            ? new NumberExpression(0, family.Span)
            : terms.Aggregate((left, right) => new BinaryExpression('+', left, right, family.Span));
    }

    private NameSyntax? Flatten(NameSyntax name)
    {
        if (name.Indices.Count == 0)
        {
            if (!_variables.ContainsKey(name.Name) && !_declared.ContainsKey(name.Name))
            {
                return name;
            }

            string what = _variables.ContainsKey(name.Name) ? "a loop's variable" : "a size";
            Report(
                DiagnosticIds.UnsupportedHere,
                $"'{name.Name}' is {what} and no value (use it in braces and sizes, as in W{{{name.Name}}}, or choose another name)",
                name.Span);
            return null;
        }

        string flat = name.Name;
        foreach (SizeSyntax index in name.Indices)
        {
            if (flat.EndsWith("_", StringComparison.Ordinal) && index is SizeName subscript && !IsKnown(subscript.Name))
            {
                Report(
                    DiagnosticIds.SizeUnknown,
                    $"'{subscript.Name}' is no size (write {flat}{subscript.Name} for a name with a subscript; braces number the members of a family, as in W{{k}})",
                    index.Span);
                return null;
            }

            if (Evaluate(index) is not long number)
            {
                return null;
            }

            if (number < 0)
            {
                Report(
                    DiagnosticIds.LimitExceeded,
                    $"The index {SyntaxPrinter.Print(index)} of '{name.Name}' is {number.ToString(CultureInfo.InvariantCulture)}{Where()} (let it start at 0 or above)",
                    index.Span);
                return null;
            }

            flat += "_" + number.ToString(CultureInfo.InvariantCulture);
        }

        return new NameSyntax(flat, EquatableArray<SizeSyntax>.Empty, name.Span);
    }

    // ---- sizes

    // A size of the cell: the use site's value or the declaration's, evaluated once. Declarations may stand in any order.
    private int? Declared(string name, TextSpan use)
    {
        if (_sizes.TryGetValue(name, out long known))
        {
            return (int)known;
        }

        if (_failed.Contains(name))
        {
            return null;
        }

        SizeDeclaration declaration = _declared[name];
        if (!_evaluating.Add(name))
        {
            Report(DiagnosticIds.SizeUnknown, $"The size '{name}' depends on itself (give it a number)", use);
            return null;
        }

        if (_evaluating.Count > Limits.Nesting)
        {
            Report(
                DiagnosticIds.LimitExceeded,
                $"More than {Limits.Nesting} sizes depend on one another in a row (give some of them numbers)",
                use);
            return null;
        }

        // A declaration never sees the loop that happens to ask for it.
        Dictionary<string, long> variables = new(_variables);
        _variables.Clear();
        long? value = Evaluate(declaration.Value);
        foreach (KeyValuePair<string, long> variable in variables)
        {
            _variables[variable.Key] = variable.Value;
        }

        _evaluating.Remove(name);
        if (value is not long number)
        {
            _failed.Add(name);
            return null;
        }

        if (number < 0 || number > Limits.Size)
        {
            Report(
                DiagnosticIds.LimitExceeded,
                $"The size '{name}' is {number.ToString(CultureInfo.InvariantCulture)} (a size is 0 to {Limits.Size.ToString(CultureInfo.InvariantCulture)})",
                declaration.Value.Span);
            _failed.Add(name);
            return null;
        }

        _sizes.Add(name, number);
        return (int)number;
    }

    // A size that is a delay, as a number.
    private int? Delay(SizeSyntax size)
    {
        if (Evaluate(size) is not long steps)
        {
            return null;
        }

        if (steps > Limits.Delay)
        {
            Report(DiagnosticIds.LimitExceeded, Limits.TooFarBack(steps), size.Span);
            return null;
        }

        if (steps < 0)
        {
            Report(
                DiagnosticIds.LimitExceeded,
                $"A value cannot be read {(-steps).ToString(CultureInfo.InvariantCulture)} steps ahead{Where()} (let the delay be 0 or above)",
                size.Span);
            return null;
        }

        return (int)steps;
    }

    // A size that is an extent, as a number.
    private SizeNumber? Extent(SizeSyntax size)
    {
        if (Evaluate(size) is not long number)
        {
            return null;
        }

        if (number < 1 || number > Limits.Size)
        {
            Report(
                DiagnosticIds.LimitExceeded,
                $"A value cannot have {number.ToString(CultureInfo.InvariantCulture)} elements{Where()} (an extent is 1 to {Limits.Size.ToString(CultureInfo.InvariantCulture)})",
                size.Span);
            return null;
        }

        return new SizeNumber((int)number, size.Span) { IsComputed = size is not SizeNumber };
    }

    private bool IsKnown(string size) => _variables.ContainsKey(size) || _declared.ContainsKey(size) || _sizes.ContainsKey(size);

    private long? Evaluate(SizeSyntax size)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        switch (size)
        {
            case SizeNumber number:
                return number.Value;
            case SizeName name:
                if (_variables.TryGetValue(name.Name, out long variable))
                {
                    return variable;
                }

                if (IsKnown(name.Name))
                {
                    return Declared(name.Name, name.Span);
                }

                IEnumerable<string> known = _declared.Keys.Concat(_variables.Keys).Concat(new[] { "input", "units" });
                Report(
                    DiagnosticIds.SizeUnknown,
                    $"'{name.Name}' is no size {Nearest.Remedy(name.Name, known, $"declare it: size {name.Name} = …")}",
                    name.Span);
                return null;
            case SizeBinary binary:
                long? left = Evaluate(binary.Left);
                long? right = Evaluate(binary.Right);
                if (left is null || right is null)
                {
                    return null;
                }

                if (binary.Operator == '^' && right.Value < 0)
                {
                    Report(
                        DiagnosticIds.LimitExceeded,
                        $"{SyntaxPrinter.Print(size)} has the negative exponent {right.Value.ToString(CultureInfo.InvariantCulture)}{Where()} (a size is a whole number)",
                        size.Span);
                    return null;
                }

                // Both are within 32 bits, so 64 hold every result.
                long result = binary.Operator switch
                {
                    '+' => left.Value + right.Value,
                    '-' => left.Value - right.Value,
                    '*' => left.Value * right.Value,
                    _ => Power(left.Value, right.Value),
                };
                if (result is > int.MaxValue or < int.MinValue)
                {
                    Report(
                        DiagnosticIds.LimitExceeded,
                        $"{SyntaxPrinter.Print(size)} is {result.ToString(CultureInfo.InvariantCulture)}{Where()}, more than a size can be (use smaller numbers)",
                        size.Span);
                    return null;
                }

                return result;
            default:
                throw new NotSupportedException(size.GetType().Name);
        }
    }

    // The power of a number of 32 bits, or one beyond 32 bits where it is.
    private static long Power(long number, long exponent)
    {
        if (number is 0 or 1 or -1)
        {
            return exponent == 0 ? 1 : number == -1 && exponent % 2 == 0 ? 1 : number;
        }

        long result = 1;
        for (long k = 0; k < exponent && result is <= int.MaxValue and >= int.MinValue; k++)
        {
            result *= number;
        }

        return result;
    }

    // ---- errors

    private bool TryCount(TextSpan span)
    {
        if (_isTooLarge)
        {
            return false;
        }

        if (++_nodes > Limits.Nodes)
        {
            _isTooLarge = true;
            Report(
                DiagnosticIds.LimitExceeded,
                $"The cell has more than {Limits.Nodes.ToString(CultureInfo.InvariantCulture)} values and operations after expansion (repeat fewer times)",
                span);
            return false;
        }

        return true;
    }

    private void ReportInLoop(string what, string name, TextSpan span) =>
        Report(DiagnosticIds.UnsupportedHere, $"The {what} '{name}' is declared inside a loop (declare it once, before the loop)", span);

    // The numbers for which an error in a loop happens: " where k = 1".
    private string Where() => _variables.Count == 0
        ? ""
        : " where " + string.Join(", ", _variables.OrderBy(variable => variable.Key, StringComparer.Ordinal)
            .Select(variable => $"{variable.Key} = {variable.Value.ToString(CultureInfo.InvariantCulture)}"));

    // A mistake inside a loop is one mistake, however often the loop runs.
    private void Report(string id, string message, TextSpan span)
    {
        if (_reported.Add((id, span)))
        {
            _errors.Add(new EquationError(id, message, span));
        }
    }
}

using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.CompilerServices;
using Microsoft.CodeAnalysis.Text;
using Unrolled.Generator.Diagnostics;
using Unrolled.Generator.Graph;

namespace Unrolled.Generator.Frontend.Equations;

/// <summary>What a name without an index stands for: a trained parameter.</summary>
/// <param name="Rows">Elements of a vector, rows of a matrix; 0 for one element that broadcasts.</param>
/// <param name="Columns">0 unless it is a matrix.</param>
/// <param name="OnState">Applied to a delayed value, which decides the initialisation of a square matrix.</param>
internal sealed record ParameterShape(string Name, int Rows, int Columns, bool OnState);

/// <summary>The sizes of everything in an expanded cell, found by unification (LANGUAGE.md, meaning 3 and 4).</summary>
internal sealed class CellShapes
{
    private readonly Dictionary<string, EquationSyntax> _equations = new(StringComparer.Ordinal);
    private readonly Dictionary<string, CellSetting> _settings;
    private readonly Dictionary<string, Size> _values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (Size Rows, Size Columns, bool OnState, TextSpan Span)> _matrices = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (Size? Size, TextSpan Span)> _vectors = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DeclaredShape> _declared = new(StringComparer.Ordinal);
    private readonly HashSet<string> _scalarValues = new(StringComparer.Ordinal);
    private readonly Dictionary<string, StartDeclaration> _starts = new(StringComparer.Ordinal);
    private readonly List<string> _parameterOrder = new();
    private readonly List<(CallExpression Call, Size Joined, Size?[] Parts)> _concats = new();
    private readonly List<EquationError> _errors;

    private CellShapes(IReadOnlyDictionary<string, CellSetting> settings, List<EquationError> errors)
    {
        _settings = settings.ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal);
        _errors = errors;
    }

    /// <summary>A shape line's sizes of one name.</summary>
    /// <param name="Columns">0 where the line gives one size.</param>
    /// <param name="IsOneRow">Whether the line says 1 in so many words: one row is one element, which broadcasts. A size that happens to be 1 is not.</param>
    /// <param name="IsOneColumn">The same of the columns; a matrix declared without is one column.</param>
    private readonly record struct DeclaredShape(int Rows, int Columns, bool IsOneRow, bool IsOneColumn)
    {
        public bool IsOneElement => IsOneRow && Columns == 0;
    }

    /// <summary>Equations by the name they assign, in the order of the text.</summary>
    public IReadOnlyDictionary<string, EquationSyntax> Equations => _equations;

    public List<string> ValueOrder { get; } = new();

    public Dictionary<string, ParamDeclaration> Params { get; } = new(StringComparer.Ordinal);

    public string Output { get; private set; } = "h";

    /// <summary>Parameters in the order of their first use.</summary>
    public IEnumerable<ParameterShape> Parameters => _parameterOrder.Select(name =>
        _matrices.TryGetValue(name, out var matrix)
            ? new ParameterShape(name, matrix.Rows.Number, matrix.Columns.Number, matrix.OnState)
            : new ParameterShape(name, _vectors[name].Size?.Number ?? 0, 0, false));

    /// <summary>Sizes that nothing in the text decides and that were set to the layer's units.</summary>
    public List<string> Assumed { get; } = new();

    public bool IsMatrix(string parameter) => _matrices.ContainsKey(parameter);

    public bool IsScalarValue(string value) => _scalarValues.Contains(value);

    /// <summary>Elements of a value; 0 for one element that broadcasts.</summary>
    public int SizeOf(string value) => _scalarValues.Contains(value) ? 0 : _values[value].Number;

    /// <summary>Whether a value's rows start from what a parameter learned, or from the number it is bound to.</summary>
    public bool IsStartLearned(string value) => _starts.TryGetValue(value, out StartDeclaration? start) && start.Learned;

    public static CellShapes Infer(
        CellSyntax cell, int input, int units, IReadOnlyDictionary<string, int> sizes, IReadOnlyDictionary<string, CellSetting> settings, List<EquationError> errors)
    {
        var shapes = new CellShapes(settings, errors);
        shapes.Collect(cell, sizes);
        if (errors.Count == 0)
        {
            shapes.Unify(input, units);
        }

        return shapes;
    }

    private void Collect(CellSyntax cell, IReadOnlyDictionary<string, int> sizes)
    {
        var lines = new Dictionary<(string Kind, string Name), StatementSyntax>();
        foreach (StatementSyntax statement in cell.Statements)
        {
            switch (statement)
            {
                case EquationSyntax equation when _equations.ContainsKey(equation.Target.Name):
                    Error(DiagnosticIds.AssignedTwice, $"'{equation.Target.Name}' is assigned twice (each value has one equation; rename one of them)", equation.Target.Span);
                    break;
                case EquationSyntax equation:
                    _equations.Add(equation.Target.Name, equation);
                    ValueOrder.Add(equation.Target.Name);
                    break;
                case ParamDeclaration param:
                    CheckOnce("param", param.Name, param, param.NameSpan);
                    Params[param.Name] = param;
                    break;
                case OutputDeclaration output:
                    CheckOnce("output", "", output, output.Span);
                    Output = output.Name.Name;
                    break;
                case StartDeclaration start:
                    CheckOnce("start", start.Name.Name, start, start.Name.Span);
                    _starts[start.Name.Name] = start;
                    break;
                case InitDeclaration init:
                    CheckOnce("init", init.Name.Name, init, init.Name.Span);
                    break;
                case ShapeDeclaration shape:
                    foreach (NameSyntax name in shape.Names)
                    {
                        var declared = new DeclaredShape(
                            Evaluate(shape.Rows, sizes),
                            shape.Columns is { } columns ? Evaluate(columns, sizes) : 0,
                            IsWrittenAsOne(shape.Rows),
                            shape.Columns is null || IsWrittenAsOne(shape.Columns));
                        if (_declared.TryGetValue(name.Name, out DeclaredShape other) && other != declared)
                        {
                            Error(DiagnosticIds.AssignedTwice, $"'{name.Name}' has another shape line that says otherwise (remove one of them)", name.Span);
                        }

                        _declared[name.Name] = declared;
                    }

                    break;
            }
        }

        // A line inside a loop comes again with every turn and is the same line.
        void CheckOnce(string kind, string name, StatementSyntax line, TextSpan span)
        {
            if (!lines.TryGetValue((kind, name), out StatementSyntax? other))
            {
                lines.Add((kind, name), line);
            }
            else if (other != line)
            {
                Error(DiagnosticIds.AssignedTwice, $"{(name.Length == 0 ? "The output" : $"'{name}'")} has two lines that begin with '{kind}' (remove one of them)", span);
            }
        }

        if (!_equations.ContainsKey(Output))
        {
            Error(
                DiagnosticIds.NotAssigned,
                $"the output '{Output}' is never assigned (write an equation '{Output}[t] = …', or 'output NAME' for another value)", cell.Span);
        }
    }

    private static bool IsWrittenAsOne(SizeSyntax size) => size is SizeNumber { Value: 1, IsComputed: false };

    /// <summary>The value of a size expression; names it does not know are reported.</summary>
    private int Evaluate(SizeSyntax size, IReadOnlyDictionary<string, int> sizes)
    {
        switch (size)
        {
            case SizeNumber number:
                return number.Value;
            case SizeName name when sizes.TryGetValue(name.Name, out int value):
                return value;
            case SizeName name:
                Error(DiagnosticIds.UnknownName, $"no size is called '{name.Name}' (declare it: 'size {name.Name} = …')", name.Span);
                return 1;
            case SizeBinary binary:
                int left = Evaluate(binary.Left, sizes), right = Evaluate(binary.Right, sizes);
                return binary.Operator switch { '+' => left + right, '-' => left - right, _ => left * right };
            default:
                throw new InvalidOperationException($"no such size: {size}");
        }
    }

    private void Unify(int input, int units)
    {
        FindScalarValues();
        foreach (string name in ValueOrder)
        {
            var size = new Size();
            if (_declared.TryGetValue(name, out DeclaredShape declared))
            {
                size.Set(declared.Rows, ShapeLine(name));
                if (declared.Columns > 0)
                {
                    Error(
                        DiagnosticIds.ShapeMismatch,
                        $"'{name}' is a value, and its shape line gives it columns (a value has elements only: shape {name} : {Written(declared.Rows)})",
                        _equations[name].Target.Span);
                }
            }
            else if (_scalarValues.Contains(name))
            {
                size.Set(1, "its equation");
            }

            _values[name] = size;
        }

        _values["x"] = new Size(input, "the layer's input");
        if (!_scalarValues.Contains(Output))
        {
            Join(_values[Output], new Size(units, "the layer's units"), _equations[Output].Target.Span, () => $"the output '{Output}'", () => "the layer");
        }

        foreach (string name in ValueOrder)
        {
            EquationSyntax equation = _equations[name];
            Size? size = Visit(equation.Value);
            if (size is null && _errors.Count == 0 && _declared.TryGetValue(name, out DeclaredShape declared) && declared.Rows != 1)
            {
                Error(
                    DiagnosticIds.ShapeMismatch,
                    $"'{name}' is declared with {_values[name]} elements but its equation has one (write 'shape {name} : 1', or multiply it with a vector)",
                    equation.Span);
            }
            else if (size is not null)
            {
                string? remedy = _scalarValues.Contains(name) ? "a product with a matrix gives as few elements as are asked of it; sum, mean and max give one" : null;
                Join(_values[name], size, equation.Span, () => $"'{name}'", () => "its equation", remedy);
            }
        }

        foreach (StartDeclaration start in _starts.Values)
        {
            VisitStart(start);
        }

        SolveConcats();
        if (_errors.Count > 0)
        {
            return;
        }

        // What is still free is as large as the layer; but a concat is as large as its parts, once these are.
        AssumeFree(exceptConcats: true);
        SolveConcats();
        AssumeFree(exceptConcats: false);
        SolveConcats();

        void AssumeFree(bool exceptConcats)
        {
            foreach (string name in ValueOrder)
            {
                Assume(_values[name], name, exceptConcats);
            }

            foreach (string name in _parameterOrder)
            {
                if (_matrices.TryGetValue(name, out var matrix))
                {
                    Assume(matrix.Rows, name, exceptConcats);
                    Assume(matrix.Columns, name, exceptConcats);
                }
                else if (_vectors[name].Size is { } size)
                {
                    Assume(size, name, exceptConcats);
                }
            }
        }

        void Assume(Size size, string name, bool exceptConcats)
        {
            if (!size.IsKnown && !(exceptConcats && _concats.Any(concat => concat.Joined.IsSameAs(size))))
            {
                size.Set(units, "the layer's units");
                Assumed.Add(name);
            }
        }
    }

    /// <summary>A concat whose parts are known is known; one with a single unknown part gives that part.</summary>
    private void SolveConcats()
    {
        for (bool changed = true; changed;)
        {
            changed = false;
            foreach ((CallExpression call, Size joined, Size?[] parts) in _concats.ToList())
            {
                List<Size> unknown = parts.OfType<Size>().Where(part => !part.IsKnown).ToList();
                long sum = parts.Sum(part => part is null ? 1L : part.IsKnown ? part.Number : 0);
                int known = (int)Math.Min(sum, Limits.Size + 1L);
                if (known > Limits.Size)
                {
                    string elements = sum.ToString(System.Globalization.CultureInfo.InvariantCulture);
                    Error(DiagnosticIds.LimitExceeded, $"the parts of the concat have {elements} elements together (a value has at most {Limits.Size})", call.Span);
                }
                else if (unknown.Count == 0)
                {
                    Join(joined, new Size(known, "their sum"), call.Span, () => SyntaxPrinter.Print(call), () => "its parts together");
                }
                else if (unknown.Count == 1 && joined.IsKnown && joined.Number > known)
                {
                    unknown[0].Set(joined.Number - known, $"what {SyntaxPrinter.Print(call)} leaves");
                }
                else
                {
                    continue;
                }

                _concats.RemoveAll(concat => ReferenceEquals(concat.Joined, joined));
                changed = true;
            }
        }
    }

    /// <summary>A value has one element only where every operand has: the least fixed point from "none has".</summary>
    private void FindScalarValues()
    {
        for (bool changed = true; changed;)
        {
            changed = false;
            foreach (string name in ValueOrder)
            {
                bool scalar = _declared.TryGetValue(name, out DeclaredShape shape) ? shape.IsOneElement : IsScalar(_equations[name].Value);
                changed |= scalar && _scalarValues.Add(name);
            }
        }
    }

    /// <summary>Whether an expression has one element that broadcasts, which the text alone says: no size's value makes a vector one element.</summary>
    public bool IsScalar(ExpressionSyntax expression)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        return IsOneElement(expression);
    }

    private bool IsOneElement(ExpressionSyntax expression) => expression switch
    {
        NumberExpression => true,
        ReferenceExpression { Delay: null } name => IsNumber(name.Name.Name) || (_declared.TryGetValue(name.Name.Name, out DeclaredShape shape) && shape.IsOneElement),
        ReferenceExpression name => _scalarValues.Contains(name.Name.Name),
        NegateExpression negate => IsScalar(negate.Operand),
        BinaryExpression { Operator: '@' } product => Factor(product, out bool transposed) is { } matrix && _declared.TryGetValue(matrix, out DeclaredShape shape)
            && (transposed ? shape.IsOneColumn : shape.IsOneRow),
        BinaryExpression binary => IsScalar(binary.Left) && IsScalar(binary.Right),
        CallExpression call when OperationTable.FindReduction(call.Function, call.Arguments.Count) is not null => true,
        CallExpression { Function: "concat" or "transpose" } => false,
        CallExpression call => call.Arguments.All(IsScalar),
        _ => false,
    };

    /// <summary>The name of a product's matrix, or null where something else stands there.</summary>
    private static string? Factor(BinaryExpression product, out bool transposed)
    {
        transposed = product.Left is CallExpression { Function: "transpose", Arguments.Count: 1 };
        return (transposed ? ((CallExpression)product.Left).Arguments[0] : product.Left) is ReferenceExpression { Delay: null } matrix ? matrix.Name.Name : null;
    }

    /// <summary>A name bound to a number or declared as one.</summary>
    public bool IsNumber(string name) => Params.TryGetValue(name, out ParamDeclaration? param) ? param.Function is null : IsBound(name);

    /// <summary>A parameter that the use site binds to a number.</summary>
    public bool IsBound(string name) => _settings.TryGetValue(name, out CellSetting? setting) && setting.Kind == CellSettingKind.Number && !Params.ContainsKey(name);

    /// <summary>The size of an expression, null for one element. After a mistake it is free, so that one mistake is one error.</summary>
    private Size? Visit(ExpressionSyntax expression)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        switch (expression)
        {
            case NumberExpression:
                return null;
            case ReferenceExpression { Delay: null } name:
                return VisitVector(name);
            case ReferenceExpression name:
                return VisitValue(name);
            case NegateExpression negate:
                return Visit(negate.Operand);
            case BinaryExpression { Operator: '@' } product:
                return VisitProduct(product);
            case BinaryExpression binary:
                Size? left = Visit(binary.Left), right = Visit(binary.Right);
                return left is null || right is null || Join(left, right, binary.Span, () => SyntaxPrinter.Print(binary.Left), () => SyntaxPrinter.Print(binary.Right))
                    ? left ?? right
                    : new Size();
            case CallExpression call:
                return VisitCall(call);
            default:
                throw new InvalidOperationException($"expressions are expanded before shapes are inferred: {expression}");
        }
    }

    private Size? VisitCall(CallExpression call)
    {
        if (call.Function == "transpose")
        {
            Error(DiagnosticIds.UnsupportedHere, "transpose(…) stands only left of '@' (write transpose(W) @ v)", call.Span);
            return new Size();
        }

        Size?[] sizes = call.Arguments.Select(Visit).ToArray();
        string function = call.Function;
        if (OperationTable.FindReduction(function, sizes.Length) is not null)
        {
            return null;
        }

        if (function == "concat")
        {
            // As large as its parts together, once these are known.
            var joined = new Size();
            _concats.Add((call, joined, sizes));
            return joined;
        }

        if ((OperationTable.FindFunction(function) ?? OperationTable.FindReduction(function, 1)) is not Function known)
        {
            string remedy = Aliases.FunctionRemedy(function, Vocabulary.Functions.Concat(Params.Keys), isCalled: true);
            Error(DiagnosticIds.UnknownName, $"no function is called '{function}' {remedy}", call.FunctionSpan);
            return new Size();
        }

        if (sizes.Length < known.Required || sizes.Length > known.Arity)
        {
            Error(DiagnosticIds.SyntaxError, $"'{function}' takes {known.Takes}, not {sizes.Length}", call.Span);
            return new Size();
        }

        Size? result = null;
        for (int i = 0; i < sizes.Length; i++)
        {
            if (sizes[i] is { } size)
            {
                if (result is not null)
                {
                    int index = i;
                    Join(result, size, call.Span, () => SyntaxPrinter.Print(call.Arguments[0]), () => SyntaxPrinter.Print(call.Arguments[index]));
                }

                result ??= size;
            }
        }

        return result;
    }

    /// <summary>The number a name stands for at this use site.</summary>
    public double NumberOf(string name) =>
        _settings.TryGetValue(name, out CellSetting? setting) && setting.Kind == CellSettingKind.Number ? setting.Number : Params[name].Number ?? 0;

    private Size? VisitProduct(BinaryExpression product)
    {
        Size? right = Visit(product.Right);
        bool transposed = product.Left is CallExpression { Function: "transpose" };
        ExpressionSyntax left = transposed ? ((CallExpression)product.Left).Arguments[0] : product.Left;
        if (left is not ReferenceExpression { Delay: null } matrix)
        {
            Error(DiagnosticIds.UnsupportedHere, "left of '@' stands a parameter or transpose(parameter)", product.Left.Span);
            return new Size();
        }

        string name = matrix.Name.Name;
        if (IsNumber(name))
        {
            return IsScalar(product) ? null : new Size();
        }

        if (_equations.ContainsKey(name))
        {
            Error(DiagnosticIds.SyntaxError, $"'{name}' is a value and needs an index (write {name}[t] or {name}[t-1])", matrix.Span);
            return new Size();
        }

        if (_vectors.ContainsKey(name))
        {
            Error(DiagnosticIds.MatrixAndVector, $"'{name}' is used both as a matrix and as a vector (give one of them another name)", matrix.Span);
            return new Size();
        }

        if (right is null && product.Right is ReferenceExpression { Delay: null } bound && IsBound(bound.Name.Name) && NumberOf(bound.Name.Name) == 0)
        {
            // Every element of the vector is 0, however many they are.
            right = new Size();
        }

        bool isDeclared = _declared.TryGetValue(name, out DeclaredShape declared);
        if (right is null && (isDeclared ? !IsNumeric(product.Right) : IsDeclared(product.Right)))
        {
            // A shape line says it, of the operand or of the matrix.
            right = new Size(1, "its one element");
        }

        if (right is null)
        {
            string remedy = IsNumeric(product.Right) ? "multiply with '*'" : $"multiply with '*', or declare a matrix of one column: shape {name} : {(transposed ? "1, units" : "units, 1")}";
            Error(DiagnosticIds.ShapeMismatch, $"right of '@' stands a vector, but {SyntaxPrinter.Print(product.Right)} has one element ({remedy})", product.Right.Span);
            return new Size();
        }

        bool onState = product.Right is ReferenceExpression { Delay: > 0 };
        if (!_matrices.TryGetValue(name, out var shape))
        {
            shape = (new Size(), new Size(), onState, matrix.Span);
            if (isDeclared)
            {
                shape.Rows.Set(declared.Rows, ShapeLine(name));
                shape.Columns.Set(declared.Columns == 0 ? 1 : declared.Columns, ShapeLine(name));
            }

            _parameterOrder.Add(name);
            _matrices.Add(name, shape);
        }
        else
        {
            _matrices[name] = shape with { OnState = shape.OnState || onState };
        }

        Size inner = transposed ? shape.Rows : shape.Columns;
        if (!Size.TryJoin(inner, right))
        {
            Error(
                DiagnosticIds.ShapeMismatch,
                $"shape mismatch: {name} is {shape.Rows}×{shape.Columns}, {inner} from {inner.Origin}, but {SyntaxPrinter.Print(product.Right)} has {Elements(right)}, from {right.Origin} (use another matrix)",
                product.Span);
        }

        return IsScalar(product) ? null : transposed ? shape.Columns : shape.Rows;
    }

    /// <summary>Whether an expression is made of numbers alone.</summary>
    private bool IsNumeric(ExpressionSyntax expression) => SyntaxWalk.References(expression).All(reference => reference.Delay is null && IsNumber(reference.Name.Name));

    /// <summary>Whether a shape line has a part in what an expression's size is.</summary>
    private bool IsDeclared(ExpressionSyntax expression) => SyntaxWalk.References(expression).Any(reference => _declared.ContainsKey(reference.Name.Name));

    private Size? VisitVector(ReferenceExpression reference)
    {
        string name = reference.Name.Name;
        if (IsNumber(name))
        {
            return null;
        }

        if (name == "x" || _equations.ContainsKey(name))
        {
            Error(DiagnosticIds.SyntaxError, $"'{name}' is a value and needs an index (write {name}[t] or {name}[t-1])", reference.Span);
            return new Size();
        }

        if (_matrices.ContainsKey(name))
        {
            Error(DiagnosticIds.MatrixAndVector, $"'{name}' is used both as a matrix and as a vector (give one of them another name)", reference.Span);
            return new Size();
        }

        if (!_vectors.TryGetValue(name, out var vector))
        {
            bool isDeclared = _declared.TryGetValue(name, out DeclaredShape shape);
            if (shape.Columns > 0)
            {
                Error(
                    DiagnosticIds.MatrixAndVector,
                    $"'{name}' has rows and columns in its shape line, and stands where a vector does (write {name} @ v for a product, or shape {name} : {Written(shape.Rows)} for a vector)",
                    reference.Span);
                return new Size();
            }

            vector = (shape.IsOneElement ? null : isDeclared ? new Size(shape.Rows, ShapeLine(name)) : new Size(), reference.Span);
            _parameterOrder.Add(name);
            _vectors.Add(name, vector);
        }

        return vector.Size;
    }

    /// <summary>A learned start is a parameter of its value's size; equations may use it like any other.</summary>
    private void VisitStart(StartDeclaration start)
    {
        string value = start.Name.Name;
        if (!_values.TryGetValue(value, out Size? size))
        {
            Error(DiagnosticIds.NotAssigned, $"'{value}' is never assigned and starts nowhere {Nearest.Remedy(value, ValueOrder.Append("x"), "remove the line")}", start.Name.Span);
            return;
        }

        string parameter = StartDeclaration.ParameterOf(value);
        if (!start.Learned || IsNumber(parameter))
        {
            return;
        }

        if (_equations.ContainsKey(parameter))
        {
            Error(DiagnosticIds.AssignedTwice, $"'{parameter}' is the parameter that '{value}' starts from, and is assigned too (rename the value)", start.Name.Span);
        }
        else if (VisitVector(new ReferenceExpression(start.Name with { Name = parameter }, null, start.Name.Span)) is not { } learned)
        {
            if (!_scalarValues.Contains(value))
            {
                Error(
                    DiagnosticIds.ShapeMismatch,
                    $"'{value}' is a vector, but the shape line of its start '{parameter}' gives it one element (remove '{parameter}' from the line)",
                    start.Span);
            }
        }
        else
        {
            if (!_scalarValues.Contains(value))
            {
                Join(size, learned, start.Span, () => $"'{value}'", () => $"its start '{parameter}'");
            }
            else if (learned.IsKnown && learned.Number != 1)
            {
                Error(DiagnosticIds.ShapeMismatch, $"'{value}' has one element, but its start '{parameter}' has {learned} (write 'shape {parameter} : 1')", start.Span);
            }
            else
            {
                // Nothing but the start says how large the parameter is.
                _vectors[parameter] = (null, start.Name.Span);
            }
        }
    }

    private Size? VisitValue(ReferenceExpression reference)
    {
        string name = reference.Name.Name;
        if (_scalarValues.Contains(name))
        {
            return null;
        }

        if (_values.TryGetValue(name, out Size? size))
        {
            return size;
        }

        string remedy = Nearest.Remedy(name, ValueOrder.Append("x"), $"write an equation '{name}[t] = …'");
        Error(DiagnosticIds.NotAssigned, $"'{name}' is never assigned {remedy}", reference.Span);
        return new Size();
    }

    private bool Join(Size left, Size right, TextSpan span, Func<string> leftText, Func<string> rightText, string? remedy = null)
    {
        bool isJoined = Size.TryJoin(left, right);
        if (!isJoined)
        {
            remedy ??= left.Number == 1 || right.Number == 1
                ? "elementwise operations need one size; what a shape line says to have 1 element, as in 'shape a : 1', broadcasts"
                : "elementwise operations need one size; use a product with '@' to change it";
            Error(
                DiagnosticIds.ShapeMismatch,
                $"shape mismatch: {leftText()} has {Elements(left)}, from {left.Origin}, but {rightText()} has {right}, from {right.Origin} ({remedy})",
                span);
        }

        return isJoined;
    }

    private static string Elements(Size size) => size is { IsKnown: true, Number: 1 } ? "1 element" : $"{size} elements";

    private static string Written(int size) => size.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static string ShapeLine(string name) => $"the shape line of '{name}'";

    private void Error(string id, string message, TextSpan span) => _errors.Add(new EquationError(id, message, span));

    /// <summary>An unknown of the unification: joined sizes share one root.</summary>
    private sealed class Size
    {
        private Size? _parent;
        private int _value;
        private string _origin;

        public Size(int value = 0, string origin = "")
        {
            _value = value;
            _origin = origin;
        }

        /// <summary>What made it known, for messages.</summary>
        public string Origin => Root._origin;

        public bool IsKnown => Root._value > 0;

        public int Number => Root._value;

        private Size Root
        {
            get
            {
                Size root = this;
                while (root._parent is { } parent)
                {
                    root = parent;
                }

                return root;
            }
        }

        public bool IsSameAs(Size other) => ReferenceEquals(Root, other.Root);

        public void Set(int value, string origin)
        {
            Root._value = value;
            Root._origin = origin;
        }

        public static bool TryJoin(Size left, Size right)
        {
            Size a = left.Root, b = right.Root;
            if (ReferenceEquals(a, b))
            {
                return true;
            }

            if (a._value > 0 && b._value > 0)
            {
                return a._value == b._value;
            }

            if (a._value == 0)
            {
                a._parent = b;
            }
            else
            {
                b._parent = a;
            }

            return true;
        }

        public override string ToString() => IsKnown ? Number.ToString(System.Globalization.CultureInfo.InvariantCulture) : "?";
    }
}

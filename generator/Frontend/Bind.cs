using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Globalization;
using System.Linq;
using System.Runtime.CompilerServices;
using Unrolled.Generator.Diagnostics;
using Unrolled.Generator.Frontend.Equations;
using Unrolled.Generator.Graph;

namespace Unrolled.Generator.Frontend;

/// <summary>A mistake in the equations of one layer, by its index in the model.</summary>
internal sealed record LayerError(int Layer, EquationError Error);

/// <summary>Parse, expand, infer shapes: from equations to the graph. Every layer becomes a Scan over Time.</summary>
internal static class Bind
{
    /// <summary>The graph of <paramref name="spec"/>; null when <paramref name="errors"/> got any.</summary>
    public static ModelGraph? Run(ModelSpec spec, List<LayerError> errors)
    {
        var table = new NodeTable();
        bool tokens = spec.Tokens > 0;
        Node input = tokens
            ? table.Input("tokens", new NodeType(Axes.Batch | Axes.Time, IsToken: true))
            : table.Input("inputs", NodeType.Vector(spec.Features).With(Axes.Batch | Axes.Time));
        Node value = input;
        int size = tokens ? spec.Tokens : spec.Features;
        ImmutableArray<LayerText>.Builder layers = ImmutableArray.CreateBuilder<LayerText>();
        ImmutableArray<ParameterDeclaration>.Builder parameters = ImmutableArray.CreateBuilder<ParameterDeclaration>();
        ImmutableArray<StateDeclaration>.Builder states = ImmutableArray.CreateBuilder<StateDeclaration>();
        for (int index = 0; index < spec.Layers.Count; index++)
        {
            LayerSpec layer = spec.Layers[index];
            var cellErrors = new List<EquationError>();
            BoundLayer? bound = BindLayer(table, layer, value, size, cellErrors);
            errors.AddRange(cellErrors.Select(error => new LayerError(index, error)));
            if (bound is null)
            {
                // The layers above it would only repeat its mistakes.
                return null;
            }

            layers.Add(bound.Text);
            parameters.AddRange(bound.Parameters);
            states.AddRange(bound.States);
            value = bound.Output;
            size = layer.Units;
        }

        return new ModelGraph(
            table, layers.ToImmutable(), parameters.ToImmutable(), states.ToImmutable(), input, value, ImmutableArray<Gradient>.Empty);
    }

    private sealed record BoundLayer(LayerText Text, List<ParameterDeclaration> Parameters, List<StateDeclaration> States, Node Output);

    private static BoundLayer? BindLayer(NodeTable table, LayerSpec layer, Node input, int inputs, List<EquationError> errors)
    {
        (CellSyntax? parsed, EquatableArray<EquationError> syntaxErrors) = Parser.Parse(layer.Text);
        errors.AddRange(syntaxErrors);
        if (parsed is null || errors.Count > 0)
        {
            return null;
        }

        var settings = new Dictionary<string, CellSetting>(StringComparer.Ordinal);
        var sizes = new Dictionary<string, int>(StringComparer.Ordinal) { ["input"] = inputs, ["units"] = layer.Units };
        foreach (CellSetting setting in layer.Settings)
        {
            settings[setting.Name] = setting;
            if (setting.Kind == CellSettingKind.Size)
            {
                sizes[setting.Name] = (int)setting.Number;
            }
        }

        (CellSyntax expanded, EquatableArray<EquationError> expansionErrors) = Expander.Expand(parsed, sizes);
        errors.AddRange(expansionErrors);
        expanded = FunctionParams.Replace(expanded, settings, errors);
        if (errors.Count > 0)
        {
            return null;
        }

        foreach (SizeDeclaration declaration in expanded.Statements.OfType<SizeDeclaration>())
        {
            if (!sizes.ContainsKey(declaration.Name) && declaration.Value is SizeNumber number)
            {
                sizes[declaration.Name] = number.Value;
            }
        }

        CellShapes shapes = CellShapes.Infer(expanded, inputs, layer.Units, sizes, settings, errors);
        if (errors.Count == 0)
        {
            errors.AddRange(UnusedNames.Find(parsed));
        }

        return errors.Count > 0 ? null : new CellBinder(table, layer, shapes, expanded, settings, errors).Bind(input, inputs, parsed);
    }

    /// <summary>Builds the nodes of one cell, following references so that equations may stand in any order.</summary>
    private sealed class CellBinder
    {
        /// <summary>
        /// Where a matrix starts that tokens look up: a token picks one column where a vector would sum over all, so that its fan-in is 1.
        /// He et al.'s uniform bound, gain · √(3 / fan-in), with the gain 5/3 of tanh (as PyTorch's calculate_gain), rounded.
        /// </summary>
        private const double LookupBound = 2.9;

        private readonly NodeTable _table;
        private readonly LayerSpec _layer;
        private readonly CellShapes _shapes;
        private readonly CellSyntax _cell;
        private readonly Dictionary<string, CellSetting> _settings;
        private readonly List<EquationError> _errors;
        private readonly int _scope;
        private readonly Dictionary<string, Node> _values = new(StringComparer.Ordinal);
        private readonly List<string> _evaluating = new();
        private readonly Dictionary<string, Node> _parameters = new(StringComparer.Ordinal);
        private readonly Dictionary<(string Name, int Delay), Node> _delayed = new();
        private readonly HashSet<string> _read = new(StringComparer.Ordinal);
        private readonly HashSet<string> _multiplied = new(StringComparer.Ordinal);
        private readonly HashSet<string> _lookedUp = new(StringComparer.Ordinal);
        private Node _input = null!;

        public CellBinder(
            NodeTable table, LayerSpec layer, CellShapes shapes, CellSyntax cell, Dictionary<string, CellSetting> settings, List<EquationError> errors)
        {
            _table = table;
            _layer = layer;
            _shapes = shapes;
            _cell = cell;
            _settings = settings;
            _errors = errors;
            _scope = table.NewScope();
        }

        public BoundLayer? Bind(Node input, int inputs, CellSyntax written)
        {
            _input = _table.Argument("x", input.Type.Without(Axes.Time), _scope);
            CheckDeclarations();
            foreach (ParameterShape shape in _shapes.Parameters)
            {
                NodeType type = shape.Columns > 0 ? NodeType.Matrix(shape.Rows, shape.Columns) : shape.Rows > 0 ? NodeType.Vector(shape.Rows) : NodeType.Scalar;
                _parameters.Add(shape.Name, _table.Parameter($"{_layer.Name}.{shape.Name}", type));
            }

            // The longest delay of each value decides how many steps of it are carried.
            var longestDelays = new Dictionary<string, int>(StringComparer.Ordinal);
            foreach (ReferenceExpression reference in _shapes.Equations.Values.SelectMany(equation => References(equation.Value)))
            {
                longestDelays.TryGetValue(reference.Name.Name, out int known);
                longestDelays[reference.Name.Name] = Math.Max(known, reference.Delay.GetValueOrDefault());
            }

            foreach (string name in _shapes.ValueOrder.Append("x"))
            {
                longestDelays.TryGetValue(name, out int longest);
                for (int delay = 1; delay <= longest; delay++)
                {
                    int units = name == "x" ? inputs : _shapes.SizeOf(name);
                    if (name == "x" && _input.Type.IsToken)
                    {
                        Error(DiagnosticIds.UnsupportedHere, "delayed tokens are not supported (put a dense layer first and delay its output)", _cell.Span);
                    }

                    NodeType type = (units == 0 ? NodeType.Scalar : NodeType.Vector(units)).With(Axes.Batch);
                    _delayed[(name, delay)] = _table.Argument($"{name}_{delay}", type, _scope);
                    _table.SetLabel(_delayed[(name, delay)], delay == 1 ? $"{name}_previous" : $"{name}_previous_{delay}");
                }
            }

            foreach (StartDeclaration start in _cell.Statements.OfType<StartDeclaration>().Where(start => start.Learned && !_delayed.ContainsKey((start.Name.Name, 1))))
            {
                Error(DiagnosticIds.Unused, $"'{start.Name.Name}' is never read at an earlier step and starts nowhere (remove the line, or read {start.Name.Name}[t-1])", start.Span);
            }

            if (_errors.Count > 0)
            {
                return null;
            }

            _values["x"] = _input;
            foreach (string name in _shapes.ValueOrder)
            {
                Evaluate(name);
                if (_errors.Count > 0)
                {
                    return null;
                }
            }

            // A value that only feeds itself is a state, which can be read.
            foreach (string name in _shapes.ValueOrder.Where(name => name != _shapes.Output && !_read.Contains(name)))
            {
                Error(DiagnosticIds.Unused, $"'{name}' is assigned but never used (remove its equation, or use it)", _shapes.Equations[name].Target.Span);
            }

            if (!_values[_shapes.Output].Type.Has(Axes.Unit) && _layer.Units > 1)
            {
                Error(
                    DiagnosticIds.ShapeMismatch,
                    $"the output '{_shapes.Output}' has one element, but the layer has {_layer.Units.ToString(CultureInfo.InvariantCulture)} units (multiply it with a vector, or write 'output NAME')",
                    _shapes.Equations[_shapes.Output].Target.Span);
            }

            int operations = _values.Values.Reachable().Count(node => !node.Inputs.IsEmpty);
            if (operations + _delayed.Count > Limits.Values)
            {
                string computed = operations.ToString(CultureInfo.InvariantCulture), kept = _delayed.Count.ToString(CultureInfo.InvariantCulture);
                Error(
                    DiagnosticIds.LimitExceeded,
                    operations > Limits.Values
                        ? $"The cell computes {computed} values in a step, more than {Limits.Values.ToString(CultureInfo.InvariantCulture)} (repeat fewer times, or spread it over several layers)"
                        : $"The cell computes {computed} values in a step and keeps {kept} of the steps before, one for every step back, together more than {Limits.Values.ToString(CultureInfo.InvariantCulture)} (repeat fewer times, reach less far back, or spread it over several layers)",
                    _cell.Span);
            }

            return _errors.Count > 0 ? null : Finish(input, inputs, written);
        }

        private BoundLayer Finish(Node input, int inputs, CellSyntax written)
        {
            ImmutableArray<Carried>.Builder carried = ImmutableArray.CreateBuilder<Carried>();
            ImmutableArray<Node>.Builder scanInputs = ImmutableArray.CreateBuilder<Node>();
            var states = new List<StateDeclaration>();
            foreach ((string name, int delay) in _delayed.Keys.OrderBy(key => _shapes.ValueOrder.IndexOf(key.Name)).ThenBy(key => key.Delay).ToList())
            {
                Node argument = _delayed[(name, delay)];
                Node next = delay == 1 ? _values[name] : _delayed[(name, delay - 1)];
                carried.Add(new Carried(argument, next.Type == argument.Type ? next : _table.Map("broadcast", next, argument)));
                StateDeclaration state = Start(name, delay == 1 ? $"{_layer.Name}.{name}" : $"{_layer.Name}.{name}[t-{delay}]", argument.Type);
                states.Add(state);
                scanInputs.Add(state.Start);
            }

            scanInputs.Add(input);

            // Every carried value is stacked: its steps are what the adjoint reads. Prune drops what nobody uses.
            Node output = AsVector(_values[_shapes.Output]);
            ImmutableArray<Node> stacked = carried.Select(c => c.Next).Prepend(output).Distinct().ToImmutableArray();
            Node scan = _table.Scan(
                new ScanBody(_scope, 0, _layer.Name, Reverse: false, carried.ToImmutable(), ImmutableArray.Create(_input), stacked), scanInputs.ToImmutable());
            states = states.Select((state, index) => state with { Final = _table.Final(scan, index) }).ToList();
            List<ParameterDeclaration> parameters = _shapes.Parameters.Select(shape => Declare(shape)).ToList();
            ImmutableArray<string> equations = written.Statements.Where(s => s is EquationSyntax or LoopSyntax or SizeDeclaration or ShapeDeclaration or ParamDeclaration).Select(SyntaxPrinter.Print).ToImmutableArray();
            var notes = new List<string>();
            if (_shapes.Assumed.Count > 0)
            {
                notes.Add($"size of {string.Join(", ", _shapes.Assumed)} taken as the layer's units");
            }

            foreach (CellSetting setting in _layer.Settings)
            {
                notes.Add((setting.Kind == CellSettingKind.Init ? "init " : "") + $"{setting.Name} = {setting.Value}");
            }

            var text = new LayerText(_layer.Name, _layer.Cell, inputs, _layer.Units, equations, notes.ToImmutableArray());
            return new BoundLayer(text, parameters, states, _table.Stacked(scan, stacked.IndexOf(output)));
        }

        /// <summary>
        /// A state and its value before the first step: the caller's, or what fresh rows start from. Every delay of a value starts alike.
        /// </summary>
        private StateDeclaration Start(string name, string state, NodeType type)
        {
            Node initial = _table.Input(state, type);
            string start = StartDeclaration.ParameterOf(name);
            if (!_shapes.IsStartLearned(name) || _shapes.IsNumber(start))
            {
                return new StateDeclaration(state, initial, initial, initial) { StartNumber = _shapes.IsStartLearned(name) ? _shapes.NumberOf(start) : 0 };
            }

            Node fresh = _table.Input(state + " is fresh", NodeType.Scalar.With(Axes.Batch));
            Node value = _table.Map("select_greater", fresh, _table.Constant(0), _parameters[start], initial);
            _table.SetLabel(fresh, "fresh_" + name);
            _table.SetLabel(value, state.Substring(_layer.Name.Length + 1) + "_at_the_start");
            return new StateDeclaration(state, initial, value, initial) { LearnedStart = _parameters[start], Fresh = fresh };
        }

        private void CheckDeclarations()
        {
            var known = new HashSet<string>(_shapes.Parameters.Select(p => p.Name), StringComparer.Ordinal);
            foreach (InitDeclaration init in _cell.Statements.OfType<InitDeclaration>().Where(init => !known.Contains(init.Name.Name) && !_shapes.IsBound(init.Name.Name)))
            {
                Error(DiagnosticIds.UnknownName, $"no parameter is called '{init.Name.Name}' {Nearest.Remedy(init.Name.Name, known, "remove the line")}", init.Name.Span);
            }

            foreach (CellSetting setting in _layer.Settings.Where(s => s.Kind == CellSettingKind.Init && !known.Contains(s.Name) && !_shapes.IsBound(s.Name)))
            {
                Error(DiagnosticIds.BadSetting, $"the cell has no parameter '{setting.Name}' {Nearest.Remedy(setting.Name, known, "remove the setting")}", _cell.Span);
            }
        }

        private ParameterDeclaration Declare(ParameterShape shape)
        {
            Node node = _parameters[shape.Name];
            if (_settings.TryGetValue(shape.Name, out CellSetting? setting) && setting.Kind == CellSettingKind.Init)
            {
                return setting.Function is { } initializer
                    ? new ParameterDeclaration(node, initializer.Name, initializer.Numbers.Items)
                    : new ParameterDeclaration(node, "constant", ImmutableArray.Create(setting.Number));
            }

            InitDeclaration? declared = _cell.Statements.OfType<InitDeclaration>().LastOrDefault(init => init.Name.Name == shape.Name);
            if (declared is not null)
            {
                return new ParameterDeclaration(node, declared.Function, declared.Arguments.Items);
            }

            if (_lookedUp.Contains(shape.Name) && !_multiplied.Contains(shape.Name))
            {
                return new ParameterDeclaration(node, "uniform", ImmutableArray.Create(-LookupBound, LookupBound));
            }

            string kind = shape.Columns == 0 ? "zero" : shape.OnState && shape.Rows == shape.Columns ? "orthogonal" : "glorot";
            return new ParameterDeclaration(node, kind, ImmutableArray<double>.Empty);
        }

        /// <summary>The values an expression reads, from left to right.</summary>
        private static IEnumerable<ReferenceExpression> References(ExpressionSyntax expression) =>
            SyntaxWalk.References(expression).Where(reference => reference.Delay is not null);

        /// <summary>Builds a value after those it reads at this step. A chain of values may be longer than the stack is deep.</summary>
        private void Evaluate(string output)
        {
            Walk.InputsFirst(
                output,
                name => _values.ContainsKey(name) || _errors.Count > 0,
                name =>
                {
                    _evaluating.Add(name);
                    var read = new List<string>();
                    foreach (ReferenceExpression reference in References(_shapes.Equations[name].Value).Where(reference => reference.Delay == 0 && reference.Name.Name != "x"))
                    {
                        int start = _evaluating.IndexOf(reference.Name.Name);
                        if (start >= 0)
                        {
                            string cycle = string.Join("; ", _evaluating.Skip(start).Select(member => SyntaxPrinter.Print(_shapes.Equations[member])));
                            Error(DiagnosticIds.CycleWithinStep, $"a cycle within one step: {cycle} (read one of the values at [t-1])", reference.Span);
                            break;
                        }

                        read.Add(reference.Name.Name);
                    }

                    return read;
                },
                name =>
                {
                    _evaluating.RemoveAt(_evaluating.Count - 1);
                    Node value = Build(_shapes.Equations[name].Value);
                    if (_shapes.IsScalarValue(name))
                    {
                        value = AsElement(value);
                    }

                    _values[name] = value;
                    _table.SetLabel(value, name);
                });
        }

        private Node Build(ExpressionSyntax expression)
        {
            RuntimeHelpers.EnsureSufficientExecutionStack();
            switch (expression)
            {
                case NumberExpression number:
                    return _table.Constant(number.Value);
                case ReferenceExpression { Delay: null } reference:
                    return _shapes.IsNumber(reference.Name.Name) ? _table.Constant(_shapes.NumberOf(reference.Name.Name)) : _parameters[reference.Name.Name];
                case ReferenceExpression reference:
                    return Read(reference);
                case NegateExpression negate:
                    return _table.Map("neg", Build(negate.Operand));
                case BinaryExpression { Operator: '@' } product:
                    return BuildProduct(product);
                case BinaryExpression binary:
                    string operation = binary.Operator switch { '+' => "add", '-' => "sub", '*' => "mul", _ => "div" };
                    return _table.Map(operation, Build(binary.Left), Build(binary.Right));
                case CallExpression call:
                    return BuildCall(call);
                default:
                    throw new InvalidOperationException($"expressions are expanded before they are bound: {expression}");
            }
        }

        private Node Read(ReferenceExpression reference)
        {
            string name = reference.Name.Name;
            _read.Add(name);
            Node value = reference.Delay > 0 ? _delayed[(name, reference.Delay.Value)] : _values[name];
            if (value.Type.IsToken)
            {
                Error(DiagnosticIds.UnsupportedHere, "a token stands only right of '@' (W @ x[t] looks its column up; put a dense layer first to get a vector)", reference.Span);
                return _table.Constant(0);
            }

            return value;
        }

        private Node BuildProduct(BinaryExpression product)
        {
            bool transposed = product.Left is CallExpression;
            var matrix = (ReferenceExpression)(transposed ? ((CallExpression)product.Left).Arguments[0] : product.Left);
            bool tokens = product.Right is ReferenceExpression { Delay: 0 } right && right.Name.Name == "x" && _input.Type.IsToken;
            if (_shapes.IsNumber(matrix.Name.Name))
            {
                if (_shapes.NumberOf(matrix.Name.Name) != 0)
                {
                    Error(DiagnosticIds.BadSetting, $"the matrix '{matrix.Name.Name}' can only be bound to 0 (a number is no matrix)", matrix.Span);
                }

                if (!tokens)
                {
                    Build(product.Right);
                }

                return _table.Constant(0);
            }

            Node weights = _parameters[matrix.Name.Name];
            if (!tokens)
            {
                Node operand = AsVector(Build(product.Right));
                if (operand.IsConstant(0))
                {
                    return operand;
                }

                _multiplied.Add(matrix.Name.Name);

                return AsDeclared(transposed ? _table.TransposedProduct(weights, operand) : _table.Product(weights, operand));
            }

            if (transposed)
            {
                Error(DiagnosticIds.UnsupportedHere, "a token has no product with a transposed matrix (drop transpose, or put a dense layer first)", product.Span);
                return _table.Constant(0);
            }

            _read.Add("x");
            _lookedUp.Add(matrix.Name.Name);
            return AsDeclared(_table.Gather(weights, _input));

            // A matrix declared with one row gives one element.
            Node AsDeclared(Node result) => _shapes.IsScalar(product) ? AsElement(result) : result;
        }

        /// <summary>The one element of a vector of one, which broadcasts.</summary>
        private Node AsElement(Node value) => _table.Reduce(value, Axes.Unit);

        /// <summary>One element as a vector of one; a number stands for any.</summary>
        private Node AsVector(Node value) =>
            value.Type.Has(Axes.Unit) || value.Kind == NodeKind.Constant ? value : _table.Concat(ImmutableArray.Create(value));

        private Node BuildCall(CallExpression call)
        {
            ImmutableArray<Node> arguments = call.Arguments.Select(Build).ToImmutableArray();
            Function? function = OperationTable.FindReduction(call.Function, arguments.Length) ?? OperationTable.FindFunction(call.Function);
            return call.Function == "concat" ? _table.Concat(arguments) : function!.Of(_table, arguments);
        }

        private void Error(string id, string message, Microsoft.CodeAnalysis.Text.TextSpan span) => _errors.Add(new EquationError(id, message, span));
    }
}

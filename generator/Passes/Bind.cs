using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Globalization;
using System.Linq;
using Unrolled.Generator.Diagnostics;
using Unrolled.Generator.Frontend;
using Unrolled.Generator.Frontend.Equations;
using Unrolled.Generator.Graph;

namespace Unrolled.Generator.Passes;

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
        return errors.Count > 0 ? null : new CellBinder(table, layer, shapes, expanded, settings, errors).Bind(input, inputs, parsed);
    }

    /// <summary>Builds the nodes of one cell, following references so that equations may stand in any order.</summary>
    private sealed class CellBinder
    {
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
            var delays = new List<(string Name, int Delay)>();
            foreach (EquationSyntax equation in _shapes.Equations.Values)
            {
                CollectDelays(equation.Value, delays);
            }

            foreach (string name in _shapes.ValueOrder.Append("x"))
            {
                int longest = delays.Where(d => d.Name == name).Select(d => d.Delay).DefaultIfEmpty(0).Max();
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

            if (_errors.Count > 0)
            {
                return null;
            }

            _values["x"] = _input;
            foreach (string name in _shapes.ValueOrder)
            {
                Value(name, _shapes.Equations[name]);
                if (_errors.Count > 0)
                {
                    return null;
                }
            }

            foreach (string name in _shapes.ValueOrder.Where(name => name != _shapes.Output && !_read.Contains(name)))
            {
                Error(DiagnosticIds.Unused, $"'{name}' is assigned but never used (remove its equation, or use it)", _shapes.Equations[name].Target.Span);
            }

            if (!_values[_shapes.Output].Type.Has(Axes.Unit))
            {
                Error(
                    DiagnosticIds.ShapeMismatch,
                    $"the output '{_shapes.Output}' has one element that is not a vector (multiply it with one, or write 'output NAME')",
                    _shapes.Equations[_shapes.Output].Target.Span);
            }

            return _errors.Count > 0 ? null : Finish(input, inputs, written);
        }

        private BoundLayer Finish(Node input, int inputs, CellSyntax written)
        {
            ImmutableArray<Carried>.Builder carried = ImmutableArray.CreateBuilder<Carried>();
            ImmutableArray<Node>.Builder scanInputs = ImmutableArray.CreateBuilder<Node>();
            var names = new List<string>();
            foreach ((string name, int delay) in _delayed.Keys.OrderBy(key => _shapes.ValueOrder.IndexOf(key.Name)).ThenBy(key => key.Delay).ToList())
            {
                Node argument = _delayed[(name, delay)];
                carried.Add(new Carried(argument, delay == 1 ? _values[name] : _delayed[(name, delay - 1)]));
                names.Add(delay == 1 ? $"{_layer.Name}.{name}" : $"{_layer.Name}.{name}[t-{delay}]");
                scanInputs.Add(_table.Input(names[names.Count - 1], argument.Type));
            }

            scanInputs.Add(input);

            // Every carried value is stacked: its steps are what the adjoint reads. Prune drops what nobody uses.
            Node output = _values[_shapes.Output];
            ImmutableArray<Node> stacked = carried.Select(c => c.Next).Prepend(output).Distinct().ToImmutableArray();
            Node scan = _table.Scan(
                new ScanBody(_scope, 0, _layer.Name, Reverse: false, carried.ToImmutable(), ImmutableArray.Create(_input), stacked), scanInputs.ToImmutable());
            var states = carried.Select((c, index) => new StateDeclaration(names[index], scan.Inputs[index], _table.Final(scan, index))).ToList();
            List<ParameterDeclaration> parameters = _shapes.Parameters.Select(shape => Declare(shape)).ToList();
            ImmutableArray<string> equations = written.Statements.Where(s => s is EquationSyntax or LoopSyntax or SizeDeclaration or ParamDeclaration).Select(SyntaxPrinter.Print).ToImmutableArray();
            var notes = new List<string>();
            if (_shapes.Assumed.Count > 0)
            {
                notes.Add($"size of {string.Join(", ", _shapes.Assumed)} taken as the layer's units");
            }

            foreach (CellSetting setting in _layer.Settings)
            {
                string set = setting.Function?.ToString() ?? setting.Number.ToString("R", CultureInfo.InvariantCulture);
                notes.Add(setting.Kind == CellSettingKind.Init ? $"init {setting.Name} = {set}" : $"{setting.Name} = {set}");
            }

            var text = new LayerText(_layer.Name, _layer.Cell, inputs, _layer.Units, equations, notes.ToImmutableArray());
            return new BoundLayer(text, parameters, states, _table.Stacked(scan, stacked.IndexOf(output)));
        }

        private void CheckDeclarations()
        {
            var known = new HashSet<string>(_shapes.Parameters.Select(p => p.Name), StringComparer.Ordinal);
            foreach (StartDeclaration start in _cell.Statements.OfType<StartDeclaration>().Where(start => start.Learned))
            {
                Error(DiagnosticIds.UnsupportedHere, "learned starting states are not supported yet (write 'start NAME = zero')", start.Span);
            }

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
                return new ParameterDeclaration(node, "constant", ImmutableArray.Create(setting.Number));
            }

            InitDeclaration? declared = _cell.Statements.OfType<InitDeclaration>().LastOrDefault(init => init.Name.Name == shape.Name);
            if (declared is not null)
            {
                return new ParameterDeclaration(node, declared.Function, declared.Arguments.Items);
            }

            string kind = shape.Columns == 0 ? "zero" : shape.OnState && shape.Rows == shape.Columns ? "orthogonal" : "glorot";
            return new ParameterDeclaration(node, kind, ImmutableArray<double>.Empty);
        }

        private void CollectDelays(ExpressionSyntax expression, List<(string Name, int Delay)> delays)
        {
            switch (expression)
            {
                case ReferenceExpression { Delay: { } delay } reference:
                    delays.Add((reference.Name.Name, delay));
                    break;
                case NegateExpression negate:
                    CollectDelays(negate.Operand, delays);
                    break;
                case BinaryExpression binary:
                    CollectDelays(binary.Left, delays);
                    CollectDelays(binary.Right, delays);
                    break;
                case CallExpression call:
                    foreach (ExpressionSyntax argument in call.Arguments)
                    {
                        CollectDelays(argument, delays);
                    }

                    break;
            }
        }

        private Node Value(string name, SyntaxNode at)
        {
            if (_values.TryGetValue(name, out Node? known))
            {
                return known;
            }

            int start = _evaluating.IndexOf(name);
            if (start >= 0)
            {
                string cycle = string.Join("; ", _evaluating.Skip(start).Select(member => SyntaxPrinter.Print(_shapes.Equations[member])));
                Error(DiagnosticIds.CycleWithinStep, $"a cycle within one step: {cycle} (read one of the values at [t-1])", at.Span);
                return _table.Constant(0);
            }

            _evaluating.Add(name);
            Node value = Build(_shapes.Equations[name].Value);
            _evaluating.RemoveAt(_evaluating.Count - 1);
            _values[name] = value;
            _table.SetLabel(value, name);
            return value;
        }

        private Node Build(ExpressionSyntax expression)
        {
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
            Node value = reference.Delay > 0 ? _delayed[(name, reference.Delay.Value)] : Value(name, reference);
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
                Node operand = Build(product.Right);
                if (!operand.Type.Has(Axes.Batch))
                {
                    Error(DiagnosticIds.UnsupportedHere, $"right of '@' stands a value of the step, but {SyntaxPrinter.Print(product.Right)} is the same in every step (train the product itself: write a vector)", product.Right.Span);
                    return _table.Constant(0);
                }

                return transposed ? _table.TransposedProduct(weights, operand) : _table.Product(weights, operand);
            }

            if (transposed)
            {
                Error(DiagnosticIds.UnsupportedHere, "a token has no product with a transposed matrix (drop transpose, or put a dense layer first)", product.Span);
                return _table.Constant(0);
            }

            _read.Add("x");
            return _table.Gather(weights, _input);
        }

        private Node BuildCall(CallExpression call)
        {
            ImmutableArray<Node> arguments = call.Arguments.Select(Build).ToImmutableArray();
            return call.Function switch
            {
                // Without an element axis there is one element: its own sum and maximum.
                "sum" => _table.Reduce(arguments[0], Axes.Unit, "sum"),
                "max" when arguments.Length == 1 => _table.Reduce(arguments[0], Axes.Unit, "max"),
                "mean" => OperationTable.Mean(_table, arguments[0]),
                "concat" => _table.Concat(arguments),
                _ => OperationTable.FindFunction(call.Function)!.Of(_table, arguments),
            };
        }

        private void Error(string id, string message, Microsoft.CodeAnalysis.Text.TextSpan span) => _errors.Add(new EquationError(id, message, span));
    }
}

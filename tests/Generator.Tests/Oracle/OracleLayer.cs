using Unrolled.Generator.Frontend;
using Unrolled.Generator.Frontend.Equations;

namespace Unrolled.Generator.Tests.Oracle;

/// <summary>
/// One layer's equations, run as they stand: each step evaluates every equation once, in an order in which what is read at <c>t</c> is there.
/// Works on the expanded syntax; takes the shapes of parameters as given, where they are what the shape lines say, and holds that an operation has
/// the size of its operands. An operand of one element is repeated only where the text says that it is one.
/// </summary>
internal sealed class OracleLayer
{
    private readonly OracleValue _computed;
    private readonly string _name;
    private readonly Dictionary<string, EquationSyntax> _equations = [];
    private readonly Dictionary<string, CellSetting> _settings = [];
    private readonly Dictionary<string, double[]> _parameters;
    private readonly Dictionary<string, (int Rows, int Columns)> _matrices;
    private readonly Dictionary<string, OracleValue> _values = [];
    private readonly Dictionary<string, int> _sizes = [];
    private readonly SortedDictionary<(string Symbol, int Delay), GivenValue> _delayed = [];
    private readonly List<OracleValue> _order = [];
    private readonly HashSet<string> _learned = [];
    private readonly Dictionary<string, (SizeNumber Rows, SizeNumber? Columns)> _shapes = [];
    private readonly KinkWatch _watch;

    /// <param name="spec">The layer as the compiler is given it.</param>
    /// <param name="cell">Its text, parsed and expanded.</param>
    /// <param name="inputSize">Elements of <c>x[t]</c>.</param>
    /// <param name="parameters">Elements of every parameter by its symbol, row-major; read at every evaluation, so that they can be changed in place.</param>
    /// <param name="matrices">Shapes of the parameters that are matrices.</param>
    /// <param name="watch">Told of every argument of a function with a kink.</param>
    public OracleLayer(
        LayerSpec spec,
        CellSyntax cell,
        int inputSize,
        Dictionary<string, double[]> parameters,
        Dictionary<string, (int Rows, int Columns)> matrices,
        KinkWatch watch)
    {
        _name = spec.Name;
        _parameters = parameters;
        _matrices = matrices;
        _watch = watch;
        foreach (StatementSyntax statement in cell.Statements)
        {
            switch (statement)
            {
                case EquationSyntax equation:
                    _equations.Add(equation.Target.Name, equation);
                    break;
                case ParamDeclaration { Number: { } number } param:
                    _settings.Add(param.Name, new CellSetting(param.Name, CellSettingKind.Number, number, null));
                    break;
                case ParamDeclaration param:
                    _settings.Add(param.Name, new CellSetting(param.Name, CellSettingKind.Function, 0, param.Function));
                    break;
                case ShapeDeclaration shape:
                    foreach (NameSyntax name in shape.Names)
                    {
                        _shapes[name.Name] = ((SizeNumber)shape.Rows, (SizeNumber?)shape.Columns);
                    }

                    break;
                case StartDeclaration { Learned: true } start:
                    _learned.Add(start.Name.Name);
                    break;
                case OutputDeclaration output:
                    OutputName = output.Name.Name;
                    break;
            }
        }

        foreach (CellSetting setting in spec.Settings)
        {
            if (setting.Kind is CellSettingKind.Number or CellSettingKind.Function)
            {
                _settings[setting.Name] = setting;
            }
        }

        Input = new GivenValue(inputSize);
        _values["x"] = Input;
        _sizes["x"] = inputSize;
        FindSizes();
        CheckShapes();
        foreach (string symbol in _equations.Keys)
        {
            Schedule(symbol, []);
        }

        _computed = _values[OutputName];
        Output = new GivenValue(_computed.Size);
    }

    /// <summary>The symbol that is the layer's output.</summary>
    public string OutputName { get; } = "h";

    public GivenValue Input { get; }

    /// <summary>The output of the last step: a copy, since the output may itself be a delayed value, which moves on at the step's end.</summary>
    public GivenValue Output { get; }

    /// <summary>What the equations read of earlier steps: for every symbol all delays up to the longest one read.</summary>
    public IReadOnlyDictionary<(string Symbol, int Delay), GivenValue> Delayed => _delayed;

    /// <summary>What a symbol is before the first step of a sequence, at every age; null for zeros.</summary>
    public OracleValue? StartOf(string symbol) => _learned.Contains(symbol) ? Parameter(symbol + "_start") : null;

    public void Reserve(int rows)
    {
        Input.Reserve(rows);
        Output.Reserve(rows);
        foreach (GivenValue value in _delayed.Values)
        {
            value.Reserve(rows);
        }

        foreach (OracleValue value in _order)
        {
            value.Reserve(rows);
        }
    }

    /// <summary>Runs one step: input and delayed values in, output and the next step's delayed values out.</summary>
    public void Step(int rows)
    {
        foreach (OracleValue value in _order)
        {
            value.Evaluate(rows);
        }

        for (int row = 0; row < rows; row++)
        {
            Array.Copy(_computed.Data, row * _computed.RowStride, Output.Data, row * Output.Size, Output.Size);
        }

        // From the longest delay down: what was at t-1 becomes t-2 before t-1 takes what is now t.
        foreach (((string symbol, int delay), GivenValue value) in _delayed.Reverse())
        {
            if (delay > 1)
            {
                value.Swap(_delayed[(symbol, delay - 1)]);
            }
            else
            {
                OracleValue current = _values[symbol];
                for (int row = 0; row < rows; row++)
                {
                    Array.Copy(current.Data, row * current.RowStride, value.Data, row * value.Size, value.Size);
                }
            }
        }
    }

    private OracleValue Schedule(string symbol, HashSet<string> open)
    {
        if (_values.TryGetValue(symbol, out OracleValue? value))
        {
            return value;
        }

        if (!open.Add(symbol))
        {
            throw new InvalidOperationException($"'{symbol}' depends on itself within a step");
        }

        value = Build(_equations[symbol].Value, open);
        open.Remove(symbol);
        _values.Add(symbol, value);
        return value;
    }

    private OracleValue Build(ExpressionSyntax expression, HashSet<string> open)
    {
        OracleValue value;
        switch (expression)
        {
            case NumberExpression number:
                return new FixedValue([number.Value]);
            case ReferenceExpression { Delay: null } parameter:
                return Parameter(parameter.Name.Name);
            case ReferenceExpression { Delay: 0 } reference:
                return Schedule(reference.Name.Name, open);
            case ReferenceExpression reference:
                for (int delay = 1; delay <= reference.Delay; delay++)
                {
                    _delayed.TryAdd((reference.Name.Name, delay), new GivenValue(_sizes[reference.Name.Name]));
                }

                return _delayed[(reference.Name.Name, reference.Delay!.Value)];
            case NegateExpression negate:
                value = new UnaryValue(Build(negate.Operand, open), new OracleFunctions.Unary(a => -a), _watch);
                break;
            case BinaryExpression { Operator: '@' } product:
                (double[] matrix, int rows, int columns, bool transposed) = Matrix(product.Left);
                OracleValue vector = Build(product.Right, open);
                if (vector.Size != (transposed ? rows : columns))
                {
                    throw new InvalidOperationException($"{rows} x {columns} matrix times {vector.Size} elements in '{_name}'");
                }

                value = new ProductValue(matrix, rows, columns, transposed, vector);
                break;
            case BinaryExpression binary:
                CheckRepeated(binary.Left, binary.Right);
                value = Elementwise(
                    Build(binary.Left, open),
                    Build(binary.Right, open),
                    binary.Operator switch
                    {
                        '+' => (a, b) => a + b,
                        '-' => (a, b) => a - b,
                        '*' => (a, b) => a * b,
                        '/' => (a, b) => a / b,
                        _ => throw new NotSupportedException(binary.Operator.ToString()),
                    });
                break;
            case CallExpression call:
                return BuildCall(call, open);
            default:
                throw new NotSupportedException(expression.GetType().Name);
        }

        _order.Add(value);
        return value;
    }

    private OracleValue BuildCall(CallExpression call, HashSet<string> open)
    {
        OracleValue[] operands = call.Arguments.Select(argument => Build(argument, open)).ToArray();
        if (call.Function != "concat")
        {
            CheckRepeated([.. call.Arguments]);
        }

        return _settings.TryGetValue(call.Function, out CellSetting? setting) && setting.Kind == CellSettingKind.Function
            ? Apply(setting.Function!, operands)
            : Apply(call.Function, operands);
    }

    private OracleValue Apply(FunctionValue function, OracleValue[] operands)
    {
        OracleValue[] values = function.Inner is null ? operands : [Apply(function.Inner, operands)];
        return Apply(function.Name, [.. values, .. function.Numbers.Select(number => new FixedValue([number]))]);
    }

    private OracleValue Apply(string function, OracleValue[] operands)
    {
        OracleValue first = operands[0];
        OracleValue value;
        switch (function)
        {
            case "identity":
                return first;

            // ONNX's functions of alpha and beta.
            case "affine":
                value = Elementwise(Then(Elementwise(first, operands[1], (a, alpha) => alpha * a)), operands[2], (a, beta) => a + beta);
                break;
            case "scaled_tanh":
                value = Elementwise(Then(Elementwise(first, operands[2], (a, beta) => Math.Tanh(beta * a))), operands[1], (a, alpha) => alpha * a);
                break;
            case "thresholded_relu":
                value = Elementwise(first, operands.Length > 1 ? operands[1] : new FixedValue([1]), (a, alpha) => a > alpha ? a : a <= alpha ? 0 : double.NaN, watchDifference: true);
                break;
            case "hard_sigmoid" when operands.Length > 1:
                OracleValue beta = operands.Length > 2 ? operands[2] : new FixedValue([0.5]);
                value = Then(Elementwise(Then(Elementwise(first, operands[1], (a, alpha) => alpha * a)), beta, (a, offset) => a + offset));
                value = Elementwise(Then(Elementwise(value, new FixedValue([0]), Math.Max, watchDifference: true)), new FixedValue([1]), Math.Min, watchDifference: true);
                break;
            case "min" when operands.Length == 2:
                value = Elementwise(first, operands[1], Math.Min, watchDifference: true);
                break;
            case "max" when operands.Length == 2:
                value = Elementwise(first, operands[1], Math.Max, watchDifference: true);
                break;
            case "clip":
                value = Elementwise(Then(Elementwise(first, operands[1], Math.Max, watchDifference: true)), operands[2], Math.Min, watchDifference: true);
                break;
            case "leaky_relu" when operands.Length == 2:
                value = Elementwise(first, operands[1], (a, slope) => a > 0 ? a : slope * a, watchFirst: true);
                break;
            case "elu" when operands.Length == 2:
                value = Elementwise(first, operands[1], OracleFunctions.Elu, watchFirst: true);
                break;
            case "sum":
                value = new RowValue(1, first, (from, to) => to[0] = from.Sum());
                break;
            case "mean":
                value = new RowValue(1, first, (from, to) => to[0] = from.Sum() / from.Length);
                break;
            case "norm":
                value = new RowValue(1, first, (from, to) => to[0] = Norm(from));
                break;
            case "max" when operands.Length == 1:
                value = new RowValue(1, first, (from, to) => to[0] = Largest(from));
                break;
            case "softmax":
                value = new RowValue(first.Size, first, Softmax);
                break;
            case "layer_norm":
                value = new RowValue(first.Size, first, LayerNorm);
                break;
            case "concat":
                value = new ConcatValue(operands);
                break;
            default:
                value = new UnaryValue(first, OracleFunctions.UnaryFunctions[function], _watch);
                break;
        }

        _order.Add(value);
        return value;
    }

    /// <exception cref="InvalidOperationException">A value or a parameter has another shape than its shape line says.</exception>
    private void CheckShapes()
    {
        foreach ((string name, (SizeNumber rows, SizeNumber? columns)) in _shapes)
        {
            (int Rows, int Columns)? found = _matrices.TryGetValue(name, out (int, int) matrix) ? matrix
                : _sizes.TryGetValue(name, out int size) ? (size, 1)
                : _parameters.TryGetValue(name, out double[]? vector) ? (vector.Length, 1)
                : null;
            if (found is not null && found != (rows.Value, columns?.Value ?? 1))
            {
                throw new InvalidOperationException($"'{name}' of '{_name}' is {found.Value.Rows} x {found.Value.Columns} against its shape line");
            }
        }
    }

    /// <exception cref="InvalidOperationException">A vector that only happens to have one element would be repeated.</exception>
    private void CheckRepeated(params ExpressionSyntax[] operands)
    {
        int size = operands.Max(SizeOf);
        foreach (ExpressionSyntax operand in operands)
        {
            if (SizeOf(operand) == 1 && size > 1 && !IsSingle(operand, []))
            {
                throw new InvalidOperationException($"a vector of one element is taken {size} times in '{_name}': {SyntaxPrinter.Print(operand)}");
            }
        }
    }

    // Whether the text makes it one element: a number, a shape line that reads 1, a reduction, or what is computed of these alone.
    private bool IsSingle(ExpressionSyntax expression, HashSet<string> open) => expression switch
    {
        NumberExpression => true,
        ReferenceExpression { Delay: null } parameter => _settings.ContainsKey(parameter.Name.Name) || SaysOne(parameter.Name.Name, rows: true),
        ReferenceExpression { Name.Name: string value } => _shapes.ContainsKey(value) ? SaysOne(value, rows: true)
            : _equations.ContainsKey(value) && open.Add(value) && IsSingle(_equations[value].Value, open) && open.Remove(value),
        NegateExpression negate => IsSingle(negate.Operand, open),
        BinaryExpression { Operator: '@', Left: CallExpression transpose } => SaysOne(((ReferenceExpression)transpose.Arguments[0]).Name.Name, rows: false),
        BinaryExpression { Operator: '@', Left: ReferenceExpression matrix } => SaysOne(matrix.Name.Name, rows: true),
        BinaryExpression binary => IsSingle(binary.Left, open) && IsSingle(binary.Right, open),
        CallExpression call => Function(call) is "sum" or "mean" or "norm" || (Function(call) == "max" && call.Arguments.Count == 1)
            || (Function(call) != "concat" && call.Arguments.All(argument => IsSingle(argument, open))),
        _ => false,
    };

    private bool SaysOne(string name, bool rows) =>
        _shapes.TryGetValue(name, out (SizeNumber Rows, SizeNumber? Columns) shape)
        && (rows ? shape.Rows : shape.Columns) is null or { Value: 1, IsComputed: false };

    // A value on the way to another one.
    private OracleValue Then(OracleValue value)
    {
        _order.Add(value);
        return value;
    }

    // What a call comes to in the end: the outermost function.
    private string Function(CallExpression call) =>
        _settings.TryGetValue(call.Function, out CellSetting? setting) && setting.Kind == CellSettingKind.Function
            ? setting.Function!.Name
            : call.Function;

    private FixedValue Parameter(string name) =>
        _settings.TryGetValue(name, out CellSetting? setting) && setting.Kind == CellSettingKind.Number
            ? new FixedValue([setting.Number])
            : new FixedValue(_parameters[name]);

    private (double[] Elements, int Rows, int Columns, bool Transposed) Matrix(ExpressionSyntax expression)
    {
        if (expression is CallExpression { Function: "transpose" } transpose)
        {
            (double[] elements, int rows, int columns, bool transposed) = Matrix(transpose.Arguments[0]);
            return (elements, rows, columns, !transposed);
        }

        string name = ((ReferenceExpression)expression).Name.Name;
        return (_parameters[name], _matrices[name].Rows, _matrices[name].Columns, false);
    }

    private BinaryValue Elementwise(
        OracleValue left, OracleValue right, Func<double, double, double> function, bool watchDifference = false, bool watchFirst = false)
    {
        if (left.Size != right.Size && left.Size != 1 && right.Size != 1)
        {
            throw new InvalidOperationException($"{left.Size} and {right.Size} elements do not go together");
        }

        return new BinaryValue(Math.Max(left.Size, right.Size), left, right, function, watchDifference || watchFirst ? _watch : null, watchFirst);
    }

    // It changes hands where an element meets the largest of the others.
    private double Largest(double[] from)
    {
        for (int i = 0; i < from.Length && from.Length > 1; i++)
        {
            _watch.Note(from[i] - from.Where((_, other) => other != i).Max());
        }

        return from.Aggregate(Math.Max);
    }

    // Its slope has no value where all elements are zero, from where it rises in every direction.
    private double Norm(double[] from)
    {
        double norm = Math.Sqrt(from.Sum(a => a * a));
        _watch.Note(norm);
        return norm;
    }

    private static void Softmax(double[] from, double[] to)
    {
        double largest = from.Max();
        double sum = 0;
        for (int i = 0; i < from.Length; i++)
        {
            sum += to[i] = Math.Exp(from[i] - largest);
        }

        for (int i = 0; i < from.Length; i++)
        {
            to[i] /= sum;
        }
    }

    // Ba, Kiros & Hinton 2016 with the usual 1e-5 under the root.
    private static void LayerNorm(double[] from, double[] to)
    {
        double mean = from.Sum() / from.Length;
        double variance = from.Sum(a => (a - mean) * (a - mean)) / from.Length;
        for (int i = 0; i < from.Length; i++)
        {
            to[i] = (from[i] - mean) / Math.Sqrt(variance + 1e-5);
        }
    }

    /// <summary>
    /// Sizes of all assigned symbols, needed where one is read before it is computed: the least sizes that agree with every equation,
    /// found by letting them grow from nothing.
    /// </summary>
    private void FindSizes()
    {
        for (bool grew = true; grew;)
        {
            grew = false;
            foreach ((string symbol, EquationSyntax equation) in _equations)
            {
                // What only its own earlier steps lead to has the size of its shape line.
                int size = SizeOf(equation.Value) is > 0 and int found ? found : _shapes.TryGetValue(symbol, out (SizeNumber Rows, SizeNumber? Columns) shape) ? shape.Rows.Value : 0;
                grew |= size > _sizes.GetValueOrDefault(symbol);
                _sizes[symbol] = size;
            }
        }
    }

    private int SizeOf(ExpressionSyntax expression) => expression switch
    {
        NumberExpression => 1,
        ReferenceExpression { Delay: null } parameter => Parameter(parameter.Name.Name).Size,
        ReferenceExpression reference => _sizes.GetValueOrDefault(reference.Name.Name),
        NegateExpression negate => SizeOf(negate.Operand),
        BinaryExpression { Operator: '@' } product => Matrix(product.Left) is var (_, rows, columns, transposed) && transposed ? columns : rows,
        BinaryExpression binary => Math.Max(SizeOf(binary.Left), SizeOf(binary.Right)),
        CallExpression call => Function(call) switch
        {
            "sum" or "mean" or "norm" => 1,
            "max" when call.Arguments.Count == 1 => 1,
            "concat" => call.Arguments.Sum(SizeOf),
            _ => call.Arguments.Max(SizeOf),
        },
        _ => throw new NotSupportedException(expression.GetType().Name),
    };
}

using System.Globalization;
using System.Text;
using Unrolled.Generator.Frontend.Equations;
using Unrolled.Generator.Graph;

namespace Unrolled.Generator.Tests;

/// <summary>
/// Equations at random that are right: every size fits, every function has its argument in its domain, every value reaches the output,
/// and states stay bounded through time. The same number gives the same cell. Broad ones draw what people write beside that: one product
/// in several sums, or read more than once as it is; one matrix in many places; values that are copies of others; sizes of one element,
/// steps far back, what folds to a number, functions in params, starts that are learned.
/// </summary>
internal sealed class RandomCell
{
    private static readonly int[] StateSizes = [3, 5, 6, 9, 17];

    private static readonly int[] BroadSizes = [1, 2, 3, 5, 5, 9, 17, 33];

    // What is the same number over a stretch, and what has a kink that such a number may be.
    private static readonly string[] Flat = ["relu", "thresholded_relu", "hard_sigmoid", "hard_tanh", "clip"];
    private static readonly string[] Kinked = [.. Flat, "leaky_relu", "abs"];

    private readonly Random _random;
    private readonly bool _isBroad;
    private readonly string _function;
    private readonly StringBuilder _text = new();
    private readonly List<string> _shapes = [];

    // Values that may be read: at this step, or of steps before.
    private readonly List<(string Text, int Size)> _leaves = [];
    private readonly List<(string Name, int Rows, int Columns)> _matrices = [];
    private readonly List<(string Text, int Size)> _products = [];
    private readonly List<string> _declarations = [];
    private readonly HashSet<string> _unread = [];
    private bool _isFunctionUsed;
    private int _names;

    private RandomCell(int number, bool isBroad)
    {
        _random = new Random(7919 * number + 1);
        _isBroad = isBroad;
        _function = Functions[number % Functions.Length];
        Features = Pick(isBroad ? (int[])[1, 2, 3, 5, 8, 17] : [2, 3, 5, 8]);
        Units = Size();
    }

    /// <summary>Every function equations may call; each cell is made to call one, in turn.</summary>
    public static string[] Functions { get; } = [.. Vocabulary.Functions];

    public int Features { get; }

    public int Units { get; }

    public string Text { get; private set; } = "";

    public static RandomCell Create(int number) => Written(new RandomCell(number, isBroad: false));

    public static RandomCell Broad(int number) => Written(new RandomCell(number, isBroad: true));

    private static RandomCell Written(RandomCell cell)
    {
        cell.Write();
        return cell;
    }

    private void Write()
    {
        _leaves.Add(("x[t]", Features));
        _unread.Add("x");
        if (_random.Next(3) == 0)
        {
            _leaves.Add(($"x[t-{1 + _random.Next(2)}]", Features));
        }

        for (int delay = 1; delay <= 4 && Chance(3); delay++)
        {
            _leaves.Add(($"x[t-{delay}]", Features));
        }

        // States first by name, since each may read what the others were.
        (string Name, int Size)[] states = [.. Enumerable.Range(0, 1 + _random.Next(3)).Select(index => ($"s{index}", index == 0 && _random.Next(2) == 0 ? Units : Size()))];
        foreach ((string name, int size) in states)
        {
            _shapes.Add(Shape(name, size));
            _leaves.Add((name + "[t-1]", size));
            if (_random.Next(4) == 0)
            {
                _leaves.Add(($"{name}[t-{2 + _random.Next(_isBroad ? 3 : 2)}]", size));
            }

            if (Chance(5))
            {
                _declarations.Add($"start {name} = learned");
            }
        }

        if (_random.Next(3) == 0)
        {
            // One element that is a state.
            Assign("m", 1, $"0.5 * m[t-1] + 0.4 * mean({Leaf(null)})");
            _shapes.Add(Shape("m", 1));
        }

        // A product as it is, that others read.
        while (Chance(3))
        {
            int size = Size();
            string name = "p" + _names++, product = Product(size, 0);
            _shapes.Add(Shape(name, size));
            Assign(name, size, product);
        }

        foreach ((string name, int size) in states)
        {
            State(name, size);
        }

        if (!_isFunctionUsed)
        {
            // Not by chance: then on purpose, beside what there is.
            _unread.Add(Named("e", Units, depth: 0, inner => $"0.5 * tanh({inner}) + {Call(_function, Units, 1)}")[..^3]);
        }

        // Everything that nothing has read goes into the output.
        var output = new List<string> { Product(Units, 0), Parameter("b") };
        output.AddRange(_unread.ToArray().Select(name => _leaves.Any(leaf => leaf.Text == name + "[t]" && leaf.Size == Units) ? name + "[t]" : name == "m" ? $"m[t] * {Product(Units, 0)}" : $"{Matrix(Units, SizeOf(name))} @ {name}[t]"));
        _text.Append("h[t] = ");
        if (Chance(12))
        {
            // Nothing of it is left.
            _text.Append("0.5 + 0 * tanh(").AppendJoin(" + ", output).Append(")\n");
        }
        else
        {
            _text.AppendJoin(" + ", output).Append(Chance(4) ? $" + {Vector(Units, 1)} * {Vector(Units, 0)}\n" : "\n");
        }

        Text = string.Join("\n", _declarations.Where(line => !line.StartsWith("start ", StringComparison.Ordinal) || _text.ToString().Contains(line.Split(' ')[1] + "[t-", StringComparison.Ordinal)).Concat(_shapes)) + "\n" + _text;
    }

    private void State(string name, int size)
    {
        string before = name + "[t-1]";
        if (Chance(5) && Leaf(size) is string copied)
        {
            // A value under another name.
            Assign(name, size, copied);
            return;
        }

        if (Chance(6))
        {
            // A chain of the same matrices, written with a loop.
            string link = "r" + _names++, tied = Matrix(size, size), shift = Parameter("b");
            _text.Append(CultureInfo.InvariantCulture, $"{link}_0[t] = {before}\nfor k in 1..3 {{\n    {link}{{k}}[t] = tanh({tied} @ {link}{{k-1}}[t] + {Product(size, 0)} + {shift}{{k}})\n}}\n");
            Assign(name, size, $"concat({link}_3[t])");
            return;
        }

        string candidate = Named("c", size, 2 + _random.Next(2), inner => $"{Pick(["tanh", "softsign", "sigmoid", "hard_tanh"])}({inner})");
        switch (_random.Next(4))
        {
            case 0:
                string gate = Named("g", size, 1, inner => $"sigmoid({inner})");
                Assign(name, size, $"{gate} * {before} + (1 - {gate}) * {candidate}");
                break;
            case 1:
                // A family of gates, written with a loop and read with a sum.
                string family = "q" + _names++;
                string w = Parameter("W"), u = Parameter("U"), b = Parameter("b");
                _text.Append(CultureInfo.InvariantCulture, $"for k in 1..2 {{\n    {family}{{k}}[t] = sigmoid({w}{{k}} @ x[t] + {u}{{k}} @ {before} + {b}{{k}})\n}}\n");
                _shapes.Add($"shape {family}_1, {family}_2 : {size}");
                Assign(name, size, $"0.4 * sum{{k in 1..2}}({family}{{k}}[t] * {candidate}) + 0.3 * {before}");
                break;
            case 2:
                Assign(name, size, $"{candidate} + 0.5 * {before}");
                break;
            default:
                Assign(name, size, candidate);
                break;
        }
    }

    /// <summary>An equation of its own; gives what to read it by.</summary>
    private string Named(string letter, int size, int depth, Func<string, string> around)
    {
        string name = letter + _names++;
        string inner = Vector(size, depth);
        _shapes.Add(Shape(name, size));
        Assign(name, size, around(inner));
        _unread.Remove(name);
        return name + "[t]";
    }

    private void Assign(string name, int size, string value)
    {
        _text.Append(CultureInfo.InvariantCulture, $"{name}[t] = {value}\n");
        _leaves.Add((name + "[t]", size));
        _unread.Add(name);
    }

    /// <summary>An expression of a size, whose elements are of the order of one.</summary>
    private string Vector(int size, int depth)
    {
        if (depth == 0)
        {
            return Sum(size);
        }

        if (Chance(8))
        {
            return _random.Next(4) switch
            {
                0 => $"0 * tanh({Vector(size, depth - 1)}) + {Sum(size)}",
                1 => $"affine({Vector(size, depth - 1)}, 0, 0.5) * {Sum(size)}",
                2 => $"(1 - 1) * ({Vector(size, depth - 1)}) + {Pick(["0.25", "tanh(0.3)", "1"])} * {Product(size, 0)}",
                _ => $"{Held(Pick(["tanh(clip(-0.9, 0.8))", "sigmoid(affine(2, 0.1))", "elu(0.7)", "relu(tanh)", "leaky_relu(0.2)"]))}({Vector(size, depth - 1)})",
            };
        }

        switch (_random.Next(10))
        {
            case 0:
                return $"{Vector(size, depth - 1)} + {Vector(size, depth - 1)}";
            case 1:
                return $"({Vector(size, depth - 1)} - {Leaf(size) ?? Product(size, 1)})";
            case 2:
                return $"sigmoid({Vector(size, depth - 1)}) * {Leaf(size) ?? Product(size, 1)}";
            case 3:
                return $"({Vector(size, depth - 1)}) / (1.5 + square({Sum(size)}))";
            case 4:
                return $"-({Vector(size, depth - 1)})";
            case 5:
                return $"0.7 * ({Vector(size, depth - 1)}) + {Scalar()} * {Leaf(size) ?? Product(size, 0)}";
            default:
                return Call(_random.Next(2) == 0 ? _function : Pick(Functions), size, depth);
        }
    }

    /// <summary>Products, a vector, a value: what stands inside a gate.</summary>
    private string Sum(int size)
    {
        var terms = new List<string> { Product(size, 1) };
        if (_random.Next(2) == 0)
        {
            terms.Add(Product(size, 0));
        }

        if (_random.Next(3) == 0 && Leaf(size) is string value)
        {
            terms.Add($"{Parameter("w")} * {value}");
        }

        if (_random.Next(2) == 0)
        {
            terms.Add(Parameter("b"));
        }

        if (Chance(4) && Leaf(size) is string bare)
        {
            terms.Insert(_random.Next(terms.Count), bare);
        }

        if (Chance(8))
        {
            // What parameters alone decide.
            string v = Parameter("v");
            _shapes.Add(Shape(v, 3));
            terms.Add($"{Matrix(size, 3)} @ tanh({v})");
        }

        return string.Join(" + ", terms);
    }

    private string Product(int size, int depth)
    {
        // The same product again, in another sum.
        if (Chance(3) && _products.Where(other => other.Size == size).Select(other => other.Text).ToArray() is { Length: > 0 } known)
        {
            return Pick(known);
        }

        // Something of the step stands right of '@'; a parameter alone would not.
        (string operand, int width) = _random.Next(6) switch
        {
            0 when depth > 0 => LeafOfAnySize() is var (text, units) ? ($"{Pick(["tanh", "abs", "softplus"])}({text})", units) : default,
            1 when depth > 0 => LeafOfAnySize() is var (first, a) && LeafOfAnySize() is var (second, b) ? ($"concat({first}, {second})", a + b) : default,
            _ => LeafOfAnySize(),
        };
        (string Name, int Rows, int Columns)[] transposable = [.. _matrices.Where(matrix => matrix.Rows == width && matrix.Columns == size)];
        string product = transposable.Length > 0 && _random.Next(2) == 0
            ? $"transpose({Pick(transposable).Name}) @ {operand}"
            : $"{Matrix(size, width)} @ {operand}";
        _products.Add((product, size));
        return product;
    }

    // A new matrix, or now and then one that another product has already.
    private string Matrix(int rows, int columns)
    {
        string[] known = [.. _matrices.Where(matrix => matrix.Rows == rows && matrix.Columns == columns).Select(matrix => matrix.Name)];
        if (known.Length > 0 && _random.Next(_isBroad ? 2 : 6) == 0)
        {
            return Pick(known);
        }

        string name = Parameter("W");
        _matrices.Add((name, rows, columns));
        _shapes.Add(string.Create(CultureInfo.InvariantCulture, $"shape {name} : {rows}, {columns}"));
        return name;
    }

    private string Scalar()
    {
        switch (_random.Next(4))
        {
            case 0:
                string name = Parameter("a");
                _shapes.Add(Shape(name, 1));
                return name;
            case 1 when _leaves.Any(leaf => leaf.Text == "m[t]"):
                _unread.Remove("m");
                return "m[t]";
            case 2:
                return $"mean({Leaf(null)})";
            default:
                return "0.3";
        }
    }

    /// <summary>A call of a function with what its domain asks for.</summary>
    private string Call(string function, int size, int depth)
    {
        _isFunctionUsed |= function == _function;
        string inner = Vector(size, depth - 1);
        if (Kinked.Contains(function) && Flat.Any(flat => inner.Contains(flat + "(", StringComparison.Ordinal)))
        {
            inner += " + 0.05";
        }

        switch (function)
        {
            case "log":
                return $"log(1.5 + square({inner}))";
            case "sqrt":
                return $"sqrt(0.5 + square({inner}))";
            case "exp":
                return $"exp(-square({inner}))";
            case "sum":
                return $"0.2 * sum({Leaf(null)}) * tanh({inner})";
            case "mean":
                return $"mean({Leaf(null)}) * tanh({inner})";
            case "norm":
                return $"norm({Leaf(null)}) * tanh({inner})";
            case "hard_sigmoid" when _random.Next(2) == 0:
                return $"hard_sigmoid({inner}, 0.2, 0.5)";
            case "max" when _random.Next(2) == 0:
                return $"max({Leaf(null)}) * tanh({inner})";
            case "softmax":
                return $"softmax({inner})";
            case "layer_norm":
                // The variance of very few elements can be close to nothing, which magnifies rounding.
                return size >= 5 ? $"{Parameter("w")} * layer_norm({inner})" : $"mean(layer_norm({Product(9, 0)} + {Parameter("b")})) * tanh({inner})";
            case "concat":
                return $"tanh({Matrix(size, 2 * size)} @ concat({inner}, {inner}))";
            case "transpose":
                (string text, int width) = LeafOfAnySize();
                return $"tanh(transpose({Matrix(width, size)}) @ {text}) * sigmoid({inner})";
            case "clip":
                return $"clip({inner}, -0.6, 0.7)";
        }

        // A row of the table that is not known here gets plain numbers after its first value.
        Function operation = OperationTable.FindFunction(function)!;
        IEnumerable<string> others = Enumerable.Range(1, Math.Max(operation.Required, 1) - 1)
            .Select(index => function is "min" or "max" ? Leaf(size) ?? Product(size, 0) : (0.3 + 0.2 * index).ToString(CultureInfo.InvariantCulture));
        return $"{function}({string.Join(", ", others.Prepend(inner))})";
    }

    // A value that may be read, of a size or, where that is open, any vector; null where there is none.
    private string? Leaf(int? size)
    {
        (string Text, int Size)[] fitting = [.. _leaves.Where(leaf => size is null ? leaf.Size > 1 : leaf.Size == size)];
        if (fitting.Length == 0)
        {
            return null;
        }

        string text = Pick(fitting).Text;
        _unread.Remove(text.EndsWith("[t]", StringComparison.Ordinal) ? text[..^3] : "");
        return text;
    }

    private (string Text, int Size) LeafOfAnySize()
    {
        string text = Leaf(null)!;
        return (text, _leaves.First(leaf => leaf.Text == text).Size);
    }

    /// <summary>A param that holds a function.</summary>
    private string Held(string function)
    {
        string name = Parameter("f");
        _declarations.Add($"param {name} = {function}");
        return name;
    }

    private int Size() => Pick(_isBroad ? BroadSizes : StateSizes);

    /// <summary>Whether a broad cell does something that it does one time in many; other cells draw no number for it.</summary>
    private bool Chance(int many) => _isBroad && _random.Next(many) == 0;

    private int SizeOf(string name) => _leaves.First(leaf => leaf.Text == name + "[t]").Size;

    private string Parameter(string letter) => letter + _names++.ToString(CultureInfo.InvariantCulture);

    private static string Shape(string name, int size) => string.Create(CultureInfo.InvariantCulture, $"shape {name} : {size}");

    private T Pick<T>(IReadOnlyList<T> values) => values[_random.Next(values.Count)];
}

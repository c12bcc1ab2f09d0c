using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Globalization;
using System.Linq;
using Unrolled.Generator.Graph;
using Unrolled.Generator.Schedule;
using static Unrolled.Generator.Emit.KernelText;

namespace Unrolled.Generator.Emit;

/// <summary>What a statement's kernel is called with: one reference for each row of memory it touches, then the number of rows.</summary>
/// <param name="Buffers">Rows of buffers, in the order of the kernel's parameters.</param>
/// <param name="Others">Among parameters, derived (weights), zeros and gradients, what follows them, each with the float it begins at.</param>
/// <param name="IsOneRow">Whether it is for one row alone, whose token comes by value.</param>
/// <param name="TakesPart">Whether the kernel is divided by what it writes: it is called with the thread's part last.</param>
/// <param name="Turns">Whether the kernel goes through its weights in either direction: it is called with the direction last.</param>
internal sealed record KernelCall(
    string Kernel, ImmutableArray<(int Buffer, Moment Moment)> Buffers, bool UsesTokens, ImmutableArray<(string Name, int First)> Others, bool IsOneRow, bool TakesPart, bool Turns);

/// <summary>From statements to kernels: loops over tiles, unrolled inside the tile. One text for all instruction sets, three times printed.</summary>
internal sealed partial class KernelEmitter
{
    /// <summary>Rows that are summed before they are added to the rest, which keeps rounding small.</summary>
    private const int ChunkRows = WeightGradient.ChunkRows;

    private readonly EquationPrinter _equations;
    private readonly ParameterLayout _layout;
    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);
    private readonly HashSet<string> _taken = new(StringComparer.Ordinal);
    private readonly SortedSet<int> _productVectors = new();
    private readonly SortedSet<int> _shortVectors = new();
    private readonly SortedSet<int> _gradientVectors = new();
    private readonly SourceWriter _common = new();
    private readonly Dictionary<InstructionSet, SourceWriter> _writers = InstructionSet.All.ToDictionary(set => set, _ => new SourceWriter());

    public KernelEmitter(NodeTable table, ParameterLayout layout)
    {
        _equations = new EquationPrinter(table);
        _layout = layout;
    }

    /// <summary>What programs call: products with their sizes, and the choice of the instruction set.</summary>
    public string Common => _common.ToString();

    /// <summary>The kernels of one instruction set: the tiles that were asked for, then epilogues.</summary>
    public string TextOf(InstructionSet set)
    {
        var writer = new SourceWriter();
        if (!set.WholePanels && _productVectors.Count > 0)
        {
            TileEmitter.Rows(writer, set, 1);
        }

        foreach (int vectors in _productVectors)
        {
            TileEmitter.Product(writer, set, vectors);
        }

        if (!set.WholePanels && _shortVectors.Count > 0)
        {
            TileEmitter.ShortRows(writer, set, 1);
        }

        foreach (int vectors in _shortVectors)
        {
            TileEmitter.ShortProduct(writer, set, vectors);
        }

        if (!set.WholePanels && _gradientVectors.Count > 0)
        {
            TileEmitter.GradientColumns(writer, set, 1);
        }

        foreach (int vectors in _gradientVectors)
        {
            TileEmitter.Gradient(writer, set, vectors);
        }

        return writer.ToString() + _writers[set];
    }

    /// <param name="turns">
    /// Whether every second step goes through the weights the other way: those that the last step ended with are still in the cache.
    /// </param>
    public KernelCall Emit(ModelSchedule schedule, Statement statement, string layer, bool turns)
    {
        // Between loops a statement belongs to the layer whose weights it uses.
        Node? weights = statement switch
        {
            ProductStage product => product.Terms[0].Packing.Matrices[0],
            StreamStage stage => stage.Parts.OfType<ProductStage>().First().Terms[0].Packing.Matrices[0],
            WeightGradient gradient => gradient.Packing.Matrices[0],
            ColumnSums column => column.Sums[0].Parameter,
            _ => null,
        };
        layer = layer.Length == 0 && weights is not null ? Identifier.Pascal(weights.Layer()) : layer;
        var rows = new MemoryReferences(schedule, _layout, statement);
        return statement switch
        {
            StreamStage stage => Streamed(schedule, stage, rows, layer, turns),
            ProductStage { Terms: { Length: 1 } terms } stage when terms[0].IsLookup => Lookup(schedule, stage, rows, layer),
            ProductStage stage => Product(schedule, stage, rows, layer, turns),
            MapStage stage => Epilogue(schedule, stage, rows, layer),
            ColumnSums sums => Sums(sums, rows, layer),
            RowSum sum => SumOfRows(sum, rows, layer),
            WeightGradient { IsLookup: true } gradient => TokenGradient(schedule, gradient, rows, layer),
            WeightGradient gradient => Gradient(schedule, gradient, rows, layer),
            _ => throw new InvalidOperationException($"no kernel for {statement}"),
        };
    }

    /// <summary>The same call for the instruction set of this machine.</summary>
    private static void Dispatch(SourceWriter writer, string call)
    {
        for (int i = 0; i < InstructionSet.All.Length; i++)
        {
            InstructionSet set = InstructionSet.All[i];
            using (writer.Block(set.Condition is null ? "else" : $"{(i == 0 ? "if" : "else if")} ({set.Condition})"))
            {
                writer.Line($"{set.Name}.{call}");
            }
        }
    }

    /// <summary>What a stage does for one of its sums: others of its terms may be added elsewhere.</summary>
    private string SumEquation(ProductStage stage, int slot)
    {
        Accumulator accumulator = stage.Accumulators[slot];
        string name = _equations.Name(accumulator.Value) is { } label ? $"{label} {(accumulator.Start == StartKind.InPlace ? "+=" : "=")} " : "";
        IEnumerable<string> start = accumulator.Bias is { } bias ? new[] { _equations.Expression(bias) } : Enumerable.Empty<string>();
        List<Node> products = accumulator.Value.Terms().Where(term => term.IsProduct()).ToList();
        IEnumerable<string> terms = stage.Terms
            .SelectMany(term => term.Packing.IsTransposed ? term.Packing.Matrices : ImmutableArray.Create(term.Packing.Matrices[slot]))
            .SelectMany(matrix => products.Where(product => product.Matrix() == matrix)).Distinct().Select(product => _equations.Expression(product, isRoot: true));
        return EquationPrinter.Shorten(name + string.Join(" + ", start.Concat(terms)));
    }

    /// <summary>What a stage computes: the equations with a name, then what is kept without one.</summary>
    private ImmutableArray<string> MapEquations(ModelSchedule schedule, MapStage stage) => stage.Computed().Where(node => _equations.Name(node) is not null).Select(_equations.Equation)
        .Concat(stage.Stores.Where(store => store.Node.Kind == NodeKind.Map).Concat(stage.Reductions).Where(kept => _equations.Name(kept.Node) is null)
            .Select(kept => _equations.Equation(schedule.ValueOf(kept.Operand).Name, kept.Node)))
        .ToImmutableArray();

    private static void Constants(InstructionSet set, SourceWriter writer, Locals locals, List<Node> read)
    {
        foreach (Node constant in read.Where(node => node.Kind == NodeKind.Constant).Distinct().OrderBy(node => node.Id))
        {
            writer.Line($"V {locals.Name(constant)} = {Number(set, constant)};");
        }
    }

    /// <summary>Loads first, since a store may take the place of a load; then each operation, named values under their equation.</summary>
    private void Body(
        InstructionSet set, SourceWriter writer, ImmutableArray<Binding> loads, List<Node> computed, List<Node> read, MemoryReferences rows, Locals locals, string unit, bool row = false)
    {
        foreach (Binding load in loads)
        {
            string offset = Sum(Constant(rows.Offset(load.Operand)), row ? $"row * {rows.Stride(rows.Index(load.Operand))}" : "");
            writer.Line($"V {locals.Name(load.Node)} = {Read(set, load.Node, rows.Name(load.Operand), offset, Sum(offset, unit))};");
        }

        foreach (Node parameter in read.Where(node => node.Kind == NodeKind.Parameter).Distinct().OrderBy(node => node.Id))
        {
            string offset = Constant(rows.Offset(parameter));
            writer.Line($"V {locals.Name(parameter)} = {Read(set, parameter, "parameters", offset, Sum(offset, unit))};");
        }

        foreach (Node node in computed)
        {
            writer.Line($"V {locals.Name(node)} = {Code(node, locals)};");
        }
    }

    /// <summary>A value from memory: a vector of its units, or its one element in all lanes.</summary>
    private static string Read(InstructionSet set, Node node, string reference, string element, string vector) =>
        node.Type.Has(Axes.Unit) ? Load(reference, vector) : $"{set.Factory}.Create({At(reference, element)})";

    private static string Number(InstructionSet set, Node constant) => $"{set.Factory}.Create({SourceWriter.Number(constant.Value)})";

    private static string Code(Node node, Locals locals)
    {
        string code = string.Format(OperationTable.Get(node.Name).Code, node.Inputs.Select(input => (object)locals.Name(input)).ToArray());
        return code.Length > 1 && code[0] == '(' && code[code.Length - 1] == ')' ? code.Substring(1, code.Length - 2) : code;
    }

    /// <param name="oneRow">Whether it is for one row alone, whose token comes by value.</param>
    private static string Declared(MemoryReferences rows, List<string> extra, bool usesTokens, bool oneRow = false, bool takesPart = false, bool turns = false) => string.Join(", ",
        (!usesTokens ? Array.Empty<string>() : new[] { oneRow ? "int token" : "ref int tokens" })
        .Concat(rows.Names.Distinct().Concat(extra).Select(name => "ref float " + name)).Concat(oneRow ? Array.Empty<string>() : new[] { "int rows" })
        .Concat(takesPart ? new[] { "WorkPart part" } : Array.Empty<string>()).Concat(turns ? new[] { "bool backward" } : Array.Empty<string>()));

    /// <summary>Prints a kernel for each instruction set; a kernel whose text is there already is shared.</summary>
    private KernelCall Add(
        string wanted, ImmutableArray<string> comments, MemoryReferences rows, List<string> extra, bool usesTokens, Action<InstructionSet, string, SourceWriter> print,
        bool oneRow = false, bool takesPart = false, bool turns = false)
    {
        var texts = InstructionSet.All.ToDictionary(set => set, set =>
        {
            var writer = new SourceWriter();
            print(set, "\u0001", writer);
            return writer.ToString();
        });
        string arguments = string.Join(", ",
            (!usesTokens ? Array.Empty<string>() : new[] { oneRow ? "token" : "ref tokens" })
            .Concat(rows.Names.Distinct().Concat(extra).Select(n => "ref " + n)).Concat(oneRow ? Array.Empty<string>() : new[] { "rows" })
            .Concat(takesPart ? new[] { "part" } : Array.Empty<string>()).Concat(turns ? new[] { "backward" } : Array.Empty<string>()));
        string name = Named(wanted, string.Join("\u0002", InstructionSet.All.Select(set => texts[set])), comments, named =>
        {
            foreach (InstructionSet set in InstructionSet.All)
            {
                Comment(_writers[set], comments);
                _writers[set].Lines(texts[set].Replace("\u0001", named));
                _writers[set].Line();
            }

            // Not left to tiers: on one processor the first of them runs for a second or more.
            _common.Line($"[MethodImpl(MethodImplOptions.{(oneRow ? "AggressiveInlining" : "AggressiveOptimization")})]");
            using (_common.Block($"internal static void {named}({Declared(rows, extra, usesTokens, oneRow, takesPart, turns)})"))
            {
                Dispatch(_common, $"{named}({arguments});");
            }

            _common.Line();
        });
        return Call(name, rows, extra, usesTokens, oneRow, takesPart, turns);
    }

    /// <summary>Prints a kernel that only calls tiles: it is the same for all instruction sets.</summary>
    private KernelCall AddCommon(string wanted, ImmutableArray<string> comments, MemoryReferences rows, List<string> extra, Action<SourceWriter> print, bool takesPart = false, bool turns = false)
    {
        var body = new SourceWriter();
        print(body);
        string name = Named(wanted, Declared(rows, extra, usesTokens: false, takesPart: takesPart, turns: turns) + body, comments, named =>
        {
            Optimized(_common);
            using (_common.Block($"internal static void {named}({Declared(rows, extra, usesTokens: false, takesPart: takesPart, turns: turns)})"))
            {
                _common.Lines(body.ToString());
            }

            _common.Line();
        });
        return Call(name, rows, extra, usesTokens: false, oneRow: false, takesPart, turns);
    }

    /// <summary>The name of a kernel; one whose text is there already is shared.</summary>
    private string Named(string wanted, string text, ImmutableArray<string> comments, Action<string> print)
    {
        if (!_names.TryGetValue(text, out string? name))
        {
            name = wanted;
            for (int i = 2; !_taken.Add(name); i++)
            {
                name = wanted + i;
            }

            _names.Add(text, name);
            Comment(_common, comments);
            print(name);
        }

        return name;
    }

    private static void Comment(SourceWriter writer, ImmutableArray<string> comments)
    {
        foreach (string comment in comments)
        {
            writer.Line("// " + comment);
        }
    }

    private static KernelCall Call(string name, MemoryReferences rows, List<string> extra, bool usesTokens, bool oneRow, bool takesPart, bool turns) =>
        new(name, rows.All, usesTokens, extra.Select(reference => (reference, rows.FirstOf(reference))).ToImmutableArray(), oneRow, takesPart, turns);
}

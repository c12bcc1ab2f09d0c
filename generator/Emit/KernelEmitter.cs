using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Globalization;
using System.Linq;
using Microsoft.CodeAnalysis.CSharp;
using Unrolled.Generator.Graph;
using Unrolled.Generator.Passes;
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

    /// <summary>
    /// The memory a kernel works on: rows of buffers, with one reference and one constant stride each, and parameters, from the first one
    /// it uses: layers alike share their kernels, wherever their parameters lie.
    /// </summary>
    private sealed class MemoryReferences
    {
        private readonly ModelSchedule _schedule;
        private readonly ParameterLayout _layout;
        private readonly int _firstParameter;
        private readonly int _firstDerived;
        private readonly List<(int Buffer, Moment Moment)> _rows = new();
        private readonly List<string> _names = new();

        public MemoryReferences(ModelSchedule schedule, ParameterLayout layout, Statement statement)
        {
            _schedule = schedule;
            _layout = layout;
            _firstParameter = statement.Parameters().Select(parameter => layout.PlaceOf(parameter).Offset).DefaultIfEmpty(0).Min();
            _firstDerived = statement.Products().Where(term => IsDerived(schedule, term.Packing)).Select(term => term.Packing.Offset).DefaultIfEmpty(0).Min();
        }

        public ImmutableArray<(int Buffer, Moment Moment)> All => _rows.ToImmutableArray();

        public IReadOnlyList<string> Names => _names;

        public int Index(Operand operand)
        {
            (int Buffer, Moment Moment) row = (_schedule.PlaceOf(operand).Buffer, operand.Moment);
            int index = _rows.IndexOf(row);
            if (index < 0)
            {
                index = _rows.Count;
                _rows.Add(row);
                string wanted = Identifier.Camel(_schedule.Buffers[row.Buffer].Name) + (row.Moment == Moment.Previous ? "Previous" : "") + "Row", name = wanted;
                for (int number = 2; _names.Contains(name); number++)
                {
                    name = wanted + number;
                }

                _names.Add(name);
            }

            return index;
        }

        public string Name(int index) => _names[index];

        public string Name(Operand operand) => Name(Index(operand));

        public int IndexOf(string name) => _names.IndexOf(name);

        public int Stride(int index) => _schedule.Buffers[_rows[index].Buffer].RowStep;

        /// <summary>Floats from the start of the row to the operand's slot.</summary>
        public int Offset(Operand operand) => _schedule.PlaceOf(operand).Slot * Packing.Padded(_schedule.BufferOf(operand).Units);

        /// <summary>Floats from the first parameter that the kernel uses.</summary>
        public int Offset(Node parameter) => _layout.PlaceOf(parameter).Offset - _firstParameter;

        /// <summary>Floats from the first parameter, or the first derived packing, that the kernel uses.</summary>
        public int Offset(Packing packing) => packing.Offset - FirstOf(IsDerived(_schedule, packing) ? "derived" : "parameters");

        /// <summary>The float that a reference handed to the kernel begins at.</summary>
        public int FirstOf(string reference) => reference switch
        {
            "parameters" or "gradients" => _firstParameter,
            "derived" => _firstDerived,
            _ => 0,
        };
    }

    // ---- products

    private KernelCall Product(ModelSchedule schedule, ProductStage stage, MemoryReferences rows, string layer, bool turns)
    {
        turns &= stage.Terms.Any(term => term.Packing.Panels > 1);

        // Operands first, so that the parameters read in the order of the equation.
        foreach (Operand operand in stage.Terms.SelectMany(term => term.Operands))
        {
            rows.Index(operand);
        }

        Operand target = stage.Accumulators[0].Target;
        int targetRow = rows.Index(target);
        string sums = rows.Name(target);
        StartKind start = stage.Accumulators[0].Start;
        var extra = new List<string>();
        if (start == StartKind.Bias || stage.Terms.Any(term => !IsDerived(schedule, term.Packing)))
        {
            extra.Add("parameters");
        }

        if (stage.Terms.Any(term => IsDerived(schedule, term.Packing)))
        {
            extra.Add("derived");
        }

        if (start == StartKind.Zero)
        {
            extra.Add("zeros");
        }

        return AddCommon(layer + "Products", stage.Accumulators.Select((_, slot) => SumEquation(stage, slot)).ToImmutableArray(), rows, extra, writer =>
        {
            if (turns)
            {
                writer.Line("// Backward, panels are taken from the last one to the first.");
                writer.Line("int direction = backward ? -1 : 1, before = backward ? 1 : 0;");
            }

            int call = 0;
            foreach (Term term in stage.Terms)
            {
                Packing packing = term.Packing;
                string weights = IsDerived(schedule, packing) ? "derived" : "parameters";
                int firstColumn = 0;
                foreach ((int row, int offset, int count) in Segments(schedule, rows, term))
                {
                    // The first product of a sum starts it; the others go on where it is.
                    StartKind from = call == 0 ? start : StartKind.InPlace;
                    foreach ((int firstPanel, int panels, int vectors) in Panels(packing))
                    {
                        int block = firstPanel * (packing.PanelVectors / packing.Slots) * 16;
                        string shape = call == 0 ? "shape" : "shape" + call;
                        int SumOffset(int v) => rows.Offset(stage.Accumulators[v % packing.Slots].Target) + v / packing.Slots * 16 + block;
                        int StartOffset(int v) => from switch
                        {
                            StartKind.Bias => rows.Offset(stage.Accumulators[v % packing.Slots].Bias!) + v / packing.Slots * 16 + block,
                            StartKind.InPlace => SumOffset(v),
                            _ => 0,
                        };
                        int panelStep = packing.PanelVectors / packing.Slots * 16, panelFloats = vectors * 16 * packing.Columns;
                        string way = turns && panels > 1 ? "direction * " : "";
                        string From(string reference, int offset, int panel) =>
                            turns && panels > 1 ? At(reference, Sum(Constant(offset), $"before * {(panels - 1) * panel}")) : At(reference, offset);
                        IEnumerable<string> fields = new[]
                        {
                            $"Columns = {count}", $"ValueStride = {rows.Stride(row)}", $"Panels = {panels}", $"PanelStep = {way}{panelStep}",
                            $"PanelFloats = {way}{panelFloats}", $"StartStride = {(from == StartKind.InPlace ? rows.Stride(targetRow) : 0)}",
                        }
                            .Concat(Enumerable.Range(0, vectors).Select(v => $"Start{v} = {StartOffset(v)}")).Append($"SumStride = {rows.Stride(targetRow)}")
                            .Concat(Enumerable.Range(0, vectors).Select(v => $"Sum{v} = {SumOffset(v)}"));
                        writer.Line($"var {shape} = new ProductShape {{ {string.Join(", ", fields)} }};");
                        string source = from switch { StartKind.Bias => "parameters", StartKind.InPlace => sums, _ => "zeros" };
                        int weightOffset = rows.Offset(packing) + firstPanel * packing.PanelVectors * 16 * packing.Columns + firstColumn * vectors * 16;
                        bool isShort = IsSplit(term);
                        Dispatch(writer, $"{(isShort ? "Short" : "")}Product{vectors}(ref {At(rows.Name(row), offset)}, ref {From(weights, weightOffset, panelFloats)}, ref {From(source, 0, panelStep)}, ref {From(sums, 0, panelStep)}, in {shape}, rows);");
                        (isShort ? _shortVectors : _productVectors).Add(vectors);
                        call++;
                    }

                    firstColumn += count;
                }
            }
        }, turns: turns);
    }

    /// <summary>Whether a product's sums are split into chains. Several operands may lie together or not: their sums go on in one chain.</summary>
    private static bool IsSplit(Term term) => term.Operands.Length == 1 && InstructionSet.All.Any(set => set.ChainsOf(term.Packing.Columns) > 1);

    /// <summary>The panels of a packing: the whole ones, then a narrower last one.</summary>
    private static IEnumerable<(int First, int Count, int Vectors)> Panels(Packing packing)
    {
        int whole = packing.LastPanelVectors == packing.PanelVectors ? packing.Panels : packing.Panels - 1;
        if (whole > 0)
        {
            yield return (0, whole, packing.PanelVectors);
        }

        if (whole < packing.Panels)
        {
            yield return (whole, 1, packing.LastPanelVectors);
        }
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

    /// <summary>The runs of elements one term sums over: neighbours in memory that fill their padding are one run.</summary>
    private static List<(int Row, int Offset, int Count)> Segments(ModelSchedule schedule, MemoryReferences rows, Term term)
    {
        var segments = new List<(int Row, int Offset, int Count)>();
        foreach (Operand operand in term.Operands)
        {
            (int row, int offset, int count) = (rows.Index(operand), rows.Offset(operand), schedule.ValueOf(operand).Units);
            if (segments.Count > 0 && segments[segments.Count - 1] is var last && last.Row == row && last.Offset + last.Count == offset)
            {
                segments[segments.Count - 1] = (row, last.Offset, last.Count + count);
            }
            else
            {
                segments.Add((row, offset, count));
            }
        }

        return segments;
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

    // ---- token lookups

    private KernelCall Lookup(ModelSchedule schedule, ProductStage stage, MemoryReferences rows, string layer)
    {
        Packing packing = stage.Terms[0].Packing;
        Operand target = stage.Accumulators[0].Target;
        rows.Index(target);
        string sums = rows.Name(target);
        int[] sumOffsets = stage.Accumulators.Select(accumulator => rows.Offset(accumulator.Target)).ToArray();
        int[] biasOffsets = stage.Accumulators.Select(accumulator => accumulator.Bias is { } bias ? rows.Offset(bias) : 0).ToArray();
        var extra = new List<string> { IsDerived(schedule, packing) ? "derived" : "parameters" };
        if (stage.Accumulators.Any(accumulator => accumulator.Start == StartKind.Bias) && extra[0] != "parameters")
        {
            extra.Insert(0, "parameters");
        }

        string weights = extra[extra.Count - 1];
        return Add(layer + "Lookup", stage.Accumulators.Select((_, slot) => SumEquation(stage, slot)).ToImmutableArray(), rows, extra, usesTokens: true, (set, name, writer) =>
        {
            Optimized(writer);
            using (writer.Block($"internal static void {name}({Declared(rows, extra, usesTokens: true)})"))
            using (writer.Block("unchecked"))
            using (writer.Block("for (int row = 0; row < rows; row++)"))
            {
                writer.Line($"ref float sums = ref Unsafe.Add(ref {sums}, (nint)row * {rows.Stride(rows.Index(target))});");
                writer.Line("int token = Unsafe.Add(ref tokens, row);");
                ForEachPanelVector(set, writer, packing, (vector, column, unit, slot) =>
                {
                    string sum = Load("sums", sumOffsets[slot], unit);
                    string start = stage.Accumulators[slot].Start switch
                    {
                        StartKind.Zero => "",
                        StartKind.Bias => Load("parameters", biasOffsets[slot], unit) + " + ",
                        _ => sum + " + ",
                    };
                    writer.Line($"{sum} = {start}{Load(weights, rows.Offset(packing) + vector, column)};");
                });
            }
        });
    }

    private KernelCall TokenGradient(ModelSchedule schedule, WeightGradient gradient, MemoryReferences rows, string layer)
    {
        Operand first = gradient.Adjoints.OfType<Operand>().First();
        rows.Index(first);
        string adjoint = rows.Name(first);
        var extra = new List<string> { "gradients" };
        return Add(layer + "TokenGradient", ImmutableArray.Create("the columns of " + gradient.Packing.Name + " that tokens name get their adjoints"), rows, extra, usesTokens: true, (set, name, writer) =>
        {
            Optimized(writer);
            using (writer.Block($"internal static void {name}({Declared(rows, extra, usesTokens: true, takesPart: true)})"))
            using (writer.Block("unchecked"))
            {
                writer.Line($"(int first, int count) = part.Of({gradient.Packing.Panels}); // panels");
                writer.Line("int end = first + count;");
                using (writer.Block("for (int row = 0; row < rows; row++)"))
                {
                    writer.Line($"ref float adjoint = ref Unsafe.Add(ref {adjoint}, (nint)row * {rows.Stride(rows.Index(first))});");
                    writer.Line("int token = Unsafe.Add(ref tokens, row);");
                    ForEachPanelVector(
                        set, writer, gradient.Packing,
                        (vector, column, unit, slot) =>
                        {
                            if (gradient.Adjoints[slot] is { } operand)
                            {
                                string weight = Load("gradients", rows.Offset(gradient.Packing) + vector, column);
                                writer.Line($"{weight} = {weight} + {Load("adjoint", rows.Offset(operand), unit)};");
                            }
                        },
                        "first", "end");
                }
            }
        }, takesPart: true);
    }

    /// <summary>A loop over the vectors of one column of a packing: the body gets constant and variable parts of the offsets.</summary>
    /// <param name="first">The first panel.</param>
    /// <param name="end">The panel to stop before; null for all.</param>
    private static void ForEachPanelVector(
        InstructionSet set, SourceWriter writer, Packing packing, Action<int, string, string, int> body, string first = "0", string? end = null)
    {
        int fullPanels = packing.LastPanelVectors == packing.PanelVectors ? packing.Panels : packing.Panels - 1;
        int blocks = packing.PanelVectors / packing.Slots;
        if (fullPanels > 0)
        {
            string stop = end is null ? $"panel < {fullPanels}" : fullPanels == packing.Panels ? $"panel < {end}" : $"panel < {end} && panel < {fullPanels}";
            using (writer.Block($"for (int panel = {first}; {stop}; panel++)"))
            {
                writer.Line($"int column = panel * {packing.PanelVectors * 16 * packing.Columns} + token * {packing.PanelVectors * 16};");
                writer.Line($"int unit = panel * {blocks * 16};");
                Vectors(packing.PanelVectors);
            }
        }

        if (fullPanels < packing.Panels)
        {
            using (writer.Block(end is null ? "" : $"if ({end} > {fullPanels})"))
            {
                writer.Line($"int column = {fullPanels * packing.PanelVectors * 16 * packing.Columns} + token * {packing.LastPanelVectors * 16};");
                writer.Line($"const int unit = {fullPanels * blocks * 16};");
                Vectors(packing.LastPanelVectors);
            }
        }

        void Vectors(int vectors)
        {
            for (int j = 0; j < vectors; j++)
            {
                for (int part = 0; part < set.Parts; part++)
                {
                    int lane = part * set.Lanes, block = j / packing.Slots * 16 + lane;
                    body(j * 16 + lane, "column", block == 0 ? "unit" : $"unit + {block}", j % packing.Slots);
                }
            }
        }
    }

    // ---- weight gradients

    private KernelCall Gradient(ModelSchedule schedule, WeightGradient gradient, MemoryReferences rows, string layer)
    {
        Packing packing = gradient.Packing;
        rows.Index(gradient.Columns);
        Operand first = gradient.Adjoints.OfType<Operand>().First();
        rows.Index(first);
        string columns = rows.Name(gradient.Columns), adjoints = rows.Name(first);
        int columnStride = rows.Stride(rows.Index(gradient.Columns)), adjointStride = rows.Stride(rows.Index(first));
        bool isWhole = gradient.Adjoints.All(adjoint => adjoint is not null);
        string names = string.Join(", ", packing.Matrices.Where((_, slot) => gradient.Adjoints[slot] is not null).Select(matrix => _equations.Expression(matrix)));
        Node[] sums = gradient.Vectors.OfType<Node>().ToArray();
        string sumNames = sums.Length == 0 ? "" : $"; of {string.Join(", ", sums.Select(vector => _equations.Expression(vector)))}: adjoints summed over rows";
        return AddCommon(layer + "WeightGradient", ImmutableArray.Create($"gradients of {names}: adjoints ⊗ operand, summed over rows{sumNames}"), rows, new List<string> { "gradients", "gathered" }, writer =>
        {
            int call = 0;
            foreach ((int firstPanel, int panels, int width) in Panels(packing))
            {
                writer.Line($"({(call == 0 ? "int panel, int panels, int column, int columns" : "panel, panels, column, columns")}) = part.Of({panels}, {packing.Columns});");
                int block = firstPanel * (packing.PanelVectors / packing.Slots) * 16;
                int offset = rows.Offset(packing) + firstPanel * packing.PanelVectors * 16 * packing.Columns;
                int AdjointOffset(int v) => rows.Offset(gradient.Adjoints[v % packing.Slots]!.Value) + v / packing.Slots * 16 + block;

                // Sums of vectors are added by the thread that has the first column.
                int VectorOffset(int v) => gradient.Vectors[v % packing.Slots] is { } vector ? rows.Offset(vector) + v / packing.Slots * 16 + block : -1;

                // A slot that has no gradient here leaves its lanes alone: the others go one by one.
                IEnumerable<int[]> parts = isWhole
                    ? new[] { Enumerable.Range(0, width).ToArray() }
                    : Enumerable.Range(0, width).Where(v => gradient.Adjoints[v % packing.Slots] is not null).Select(v => new[] { v });
                foreach (int[] vectors in parts)
                {
                    string shape = call == 0 ? "shape" : "shape" + call;
                    IEnumerable<string> fields = new[]
                    {
                        "Columns = columns", $"ValueStride = {columnStride}", "Panels = panels", $"PanelStep = {packing.PanelVectors / packing.Slots * 16}",
                        $"PanelFloats = {width * 16 * packing.Columns}", $"WeightStride = {width * 16}", $"AdjointStride = {adjointStride}",
                    }
                        .Concat(vectors.Select((v, index) => $"Adjoint{index} = {AdjointOffset(v)}"))
                        .Concat(sums.Length == 0 ? Enumerable.Empty<string>() : vectors.Select((v, index) => $"Vector{index} = {VectorOffset(v).ToString(CultureInfo.InvariantCulture)}").Prepend("SumsVectors = column == 0 && columns > 0"));
                    writer.Line($"var {shape} = new GradientShape {{ {string.Join(", ", fields)} }};");

                    // One panel has none before it.
                    string weightsBefore = panels == 1 ? "" : $" + panel * {width * 16 * packing.Columns}";
                    string adjoint = panels == 1 ? adjoints : $"Unsafe.Add(ref {adjoints}, panel * {packing.PanelVectors / packing.Slots * 16})";
                    string value = $"Unsafe.Add(ref {columns}, {Sum(Constant(rows.Offset(gradient.Columns)), "column")})";
                    string target = $"Unsafe.Add(ref gradients, {Sum(Constant(offset + vectors[0] * 16), $"column * {width * 16}")}{weightsBefore})";
                    string vector = At("gradients", panels == 1 || sums.Length == 0 ? "" : $"panel * {packing.PanelVectors / packing.Slots * 16}");
                    Dispatch(writer, $"Gradient{vectors.Length}(ref {value}, ref {adjoint}, ref {target}, ref {vector}, ref gathered, in {shape}, rows);");
                    _gradientVectors.Add(vectors.Length);
                    call++;
                }
            }
        }, takesPart: true);
    }

    // ---- elementwise

    private KernelCall Epilogue(ModelSchedule schedule, MapStage stage, MemoryReferences rows, string layer)
    {
        List<Node> computed = stage.Computed();
        foreach (Binding binding in stage.Loads.Concat(stage.Stores).Concat(stage.Reductions))
        {
            rows.Index(binding.Operand);
        }

        List<Node> read = stage.Inputs();
        List<string> extra = read.Any(node => node.Kind == NodeKind.Parameter) ? new List<string> { "parameters" } : new List<string>();
        return Add(layer + (stage.IsAdjoint ? "Adjoint" : "Epilogue"), MapEquations(schedule, stage), rows, extra, usesTokens: false, (set, name, writer) =>
        {
            // A row that is summed goes through 16 virtual lanes on every instruction set.
            int parts = stage.Reductions.IsEmpty ? 1 : set.Parts;
            int step = parts * set.Lanes, end = stage.Units == 0 ? set.Lanes : Packing.Padded(stage.Units);
            Optimized(writer);
            using (writer.Block($"internal static void {name}({Declared(rows, extra, usesTokens: false)})"))
            using (writer.Block("unchecked"))
            {
                var constants = new Locals(_equations, rows);
                Constants(set, writer, constants, read);
                using (writer.Block("for (; rows > 0; rows--)"))
                {
                    Each((i, part) => $"V total{i}_{part} = {Identity(set, stage.Reductions[i].Node)};", parts);
                    using (writer.Block($"for (int unit = 0; unit < {end}; unit += {step})"))
                    {
                        for (int part = 0; part < parts; part++)
                        {
                            string unit = part == 0 ? "unit" : $"unit + {part * set.Lanes}";
                            using (parts > 1 ? writer.Block("") : default)
                            {
                                var locals = new Locals(_equations, rows, constants);
                                Body(set, writer, stage.Loads, computed, read, rows, locals, unit);
                                foreach (Binding store in stage.Stores)
                                {
                                    string value = stage.IsAdjoint && stage.Units % 16 != 0
                                        ? $"VectorMath.MaskTail({locals.Name(store.Node)}, {stage.Units} - {Grouped(unit)})"
                                        : locals.Name(store.Node);
                                    writer.Line($"{Load(rows.Name(store.Operand), rows.Offset(store.Operand), unit)} = {value};");
                                }

                                for (int i = 0; i < stage.Reductions.Length; i++)
                                {
                                    Node reduction = stage.Reductions[i].Node;
                                    string value = locals.Name(reduction.Inputs[0]);
                                    if (stage.Units % 16 != 0)
                                    {
                                        value = $"VectorMath.MaskTail({value}, {stage.Units} - {Grouped(unit)}, {Identity(set, reduction)})";
                                    }

                                    writer.Line($"total{i}_{part} = {Joined(reduction, $"total{i}_{part}", value)};");
                                }
                            }
                        }
                    }

                    // The tree over the virtual lanes: 8 apart, then 4, 2 and 1.
                    for (int width = parts; width > 1; width /= 2)
                    {
                        int half = width / 2;
                        Each((i, part) => $"total{i}_{part} = {Joined(stage.Reductions[i].Node, $"total{i}_{part}", $"total{i}_{part + half}")};", half);
                    }

                    for (int i = 0; i < stage.Reductions.Length; i++)
                    {
                        Binding target = stage.Reductions[i];
                        writer.Line($"{Load(rows.Name(target.Operand), rows.Offset(target.Operand))} = VectorMath.{(target.Node.Name == "max" ? "MaxLanes" : "SumLanes")}(total{i}_0);");
                    }

                    writer.Line();
                    foreach (string row in rows.Names.Distinct())
                    {
                        writer.Line($"{row} = ref Unsafe.Add(ref {row}, {rows.Stride(rows.IndexOf(row))});");
                    }
                }
            }

            void Each(Func<int, int, string> line, int count)
            {
                for (int i = 0; i < stage.Reductions.Length; i++)
                {
                    for (int part = 0; part < count; part++)
                    {
                        writer.Line(line(i, part));
                    }
                }
            }
        });
    }

    private static string Identity(InstructionSet set, Node reduction) => reduction.Name == "max" ? $"{set.Factory}.Create(float.NegativeInfinity)" : "V.Zero";

    private static string Joined(Node reduction, string left, string right) => reduction.Name == "max" ? $"VectorMath.Max({left}, {right})" : $"{left} + {right}";

    private static string Grouped(string unit) => unit.Contains(" ") ? $"({unit})" : unit;

    private KernelCall Sums(ColumnSums sums, MemoryReferences rows, string layer)
    {
        ImmutableArray<string> comments = sums.Sums.Select(sum => $"d_{sum.Parameter.Name} += {_equations.Expression(sum.Value)}, summed over rows").ToImmutableArray();
        List<Node> values = sums.Sums.Select(sum => sum.Value).ToList();
        return Sums(
            layer + "VectorGradients", comments, sums.Units, sums.Loads, sums.Computed(), values, ImmutableArray.Create("gradients"), rows,
            i => Load("gradients", rows.Offset(sums.Sums[i].Parameter), "unit"));
    }

    private KernelCall SumOfRows(RowSum sum, MemoryReferences rows, string layer)
    {
        rows.Index(sum.Load.Operand);
        rows.Index(sum.Target);
        ImmutableArray<string> comments = ImmutableArray.Create($"{_equations.Name(sum.Sum) ?? "sum"} += {_equations.Expression(sum.Load.Node)}, summed over rows");
        return Sums(
            layer + "RowSum", comments, sum.Units, ImmutableArray.Create(sum.Load), new List<Node>(), new List<Node> { sum.Load.Node }, ImmutableArray<string>.Empty, rows,
            _ => Load(rows.Name(sum.Target), rows.Offset(sum.Target), "unit"));
    }

    /// <summary>Adds sums over rows to what is there.</summary>
    /// <param name="targetOf">The vector that one of the sums is added to.</param>
    private KernelCall Sums(
        string wanted, ImmutableArray<string> comments, int sumUnits, ImmutableArray<Binding> loads, List<Node> computed, List<Node> values,
        ImmutableArray<string> targets, MemoryReferences rows, Func<int, string> targetOf)
    {
        foreach (Binding load in loads)
        {
            rows.Index(load.Operand);
        }

        List<Node> read = computed.SelectMany(node => node.Inputs).Concat(values).ToList();
        var extra = new List<string>();
        if (read.Any(node => node.Kind == NodeKind.Parameter))
        {
            extra.Add("parameters");
        }

        extra.AddRange(targets);
        return Add(wanted, comments, rows, extra, usesTokens: false, (set, name, writer) =>
        {
            Optimized(writer);
            using (writer.Block($"internal static void {name}({Declared(rows, extra, usesTokens: false, takesPart: true)})"))
            using (writer.Block("unchecked"))
            {
                writer.Line($"(int first, int count) = part.Of({Packing.Padded(sumUnits) / 16}); // 16 units each");
                var locals = new Locals(_equations, rows);
                Constants(set, writer, locals, read);
                // One element that broadcasts fills a vector, of which one lane counts.
                int units = Math.Max(sumUnits, 1);
                using (writer.Block($"for (; rows > 0; rows -= {ChunkRows})"))
                {
                    writer.Line($"int chunk = rows < {ChunkRows} ? rows : {ChunkRows};");
                    using (writer.Block($"for (int unit = 16 * first; unit < {(sumUnits == 0 ? $"{set.Lanes} * count" : "16 * (first + count)")}; unit += {set.Lanes})"))
                    {
                        for (int i = 0; i < values.Count; i++)
                        {
                            writer.Line($"V total{i} = V.Zero;");
                        }

                        using (writer.Block("for (int row = 0; row < chunk; row++)"))
                        {
                            Body(set, writer, loads, computed, read, rows, locals, "unit", row: true);
                            for (int i = 0; i < values.Count; i++)
                            {
                                writer.Line($"total{i} = total{i} + {locals.Name(values[i])};");
                            }
                        }

                        writer.Line();
                        for (int i = 0; i < values.Count; i++)
                        {
                            string target = targetOf(i);
                            writer.Line($"{target} = {target} + {(units % 16 != 0 ? $"VectorMath.MaskTail(total{i}, {units} - unit)" : $"total{i}")};");
                        }
                    }

                    writer.Line();
                    foreach (string row in rows.Names.Distinct())
                    {
                        writer.Line($"{row} = ref Unsafe.Add(ref {row}, {ChunkRows * rows.Stride(rows.IndexOf(row))});");
                    }
                }
            }
        }, takesPart: true);
    }

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

    /// <summary>Names of local vectors: what the equations call them, or a number.</summary>
    private sealed class Locals
    {
        private static readonly string[] Reserved =
        {
            "x", "k", "unit", "token", "row", "rows", "chunk", "first", "count", "part", "parameters", "gradients", "derived", "scratch", "tokens", "V", "VectorMath", "Unsafe",
        };
        private readonly EquationPrinter _equations;
        private readonly Dictionary<Node, string> _names = new();
        private readonly HashSet<string> _taken = new(Reserved, StringComparer.Ordinal);
        private readonly HashSet<string> _outside;
        private readonly string _suffix;

        /// <param name="rows">Names of the kernel's parameters.</param>
        /// <param name="outer">Names of the scope around this one.</param>
        /// <param name="suffix">What tells names from those of other blocks of units.</param>
        public Locals(EquationPrinter equations, MemoryReferences rows, Locals? outer = null, string suffix = "")
        {
            _equations = equations;
            _suffix = suffix;
            _outside = new HashSet<string>(rows.Names.Concat(InstructionSet.All.Select(set => set.Factory)), StringComparer.Ordinal);
            foreach (KeyValuePair<Node, string> name in outer?._names ?? new Dictionary<Node, string>())
            {
                _names.Add(name.Key, name.Value);
                _taken.Add(name.Value);
            }
        }

        public string Name(Node node)
        {
            if (!_names.TryGetValue(node, out string? name))
            {
                string wanted = node.Kind == NodeKind.Constant ? "constant" + _taken.Count
                    : node.Kind == NodeKind.Parameter ? Identifier.Local(_equations.Expression(node))
                    : _equations.Name(node) is { } label ? Identifier.Local(label) : "v" + _taken.Count;
                name = Unique(wanted);
                _names.Add(node, name);
            }

            return name;
        }

        /// <summary>A name for what is no node's own: a sum before its equation is complete.</summary>
        public string Fresh(string label) => Unique(Identifier.Local(label));

        public bool Has(Node node) => _names.ContainsKey(node);

        /// <summary>Lets a node go by the name of a value that is there already.</summary>
        public void Call(Node node, string name) => _names[node] = name;

        private string Unique(string wanted)
        {
            string name = wanted + _suffix;
            for (int i = 2; _outside.Contains(name) || !_taken.Add(name); i++)
            {
                name = wanted + i + _suffix;
            }

            return name;
        }
    }

    // ---- common

    private static bool IsDerived(ModelSchedule schedule, Packing packing) => schedule.Derived.Contains(packing);

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

/// <summary>Identifiers from the names of equations.</summary>
internal static class Identifier
{
    public static string Camel(string name)
    {
        string pascal = Pascal(name);
        return char.ToLowerInvariant(pascal[0]) + pascal.Substring(1);
    }

    /// <summary>A name for a local vector: as the equation writes it, where C# has no other use for it.</summary>
    public static string Local(string name)
    {
        string valid = string.Concat(name.Select(c => char.IsLetterOrDigit(c) || c == '_' ? c : '_'));
        bool isTaken = SyntaxFacts.GetKeywordKind(valid) != SyntaxKind.None || valid.StartsWith("total", StringComparison.Ordinal);
        return isTaken || char.IsDigit(valid[0]) ? "_" + valid : valid;
    }

    public static string Pascal(string name)
    {
        string joined = string.Concat(name.Split('_', '.', ' ').Where(part => part.Length > 0).Select(part => char.ToUpperInvariant(part[0]) + part.Substring(1)));
        string valid = string.Concat(joined.Where(c => char.IsLetterOrDigit(c)));
        return valid.Length == 0 || char.IsDigit(valid[0]) ? "Value" + valid : valid;
    }
}

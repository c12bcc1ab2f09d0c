using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Unrolled.Generator.Graph;
using Unrolled.Generator.Passes;
using Unrolled.Generator.Schedule;

namespace Unrolled.Generator.Emit;

/// <summary>What a statement's kernel is called with: one reference for each row of memory it touches, then the number of rows.</summary>
/// <param name="Buffers">Rows of buffers, in the order of the kernel's parameters.</param>
internal sealed record KernelCall(
    string Kernel, ImmutableArray<(int Buffer, Moment Moment)> Buffers, bool UsesTokens, bool UsesParameters, bool UsesDerived, bool UsesGradients);

/// <summary>From statements to kernels: loops over tiles, unrolled inside the tile. One text for all instruction sets, three times printed.</summary>
internal sealed class KernelEmitter
{
    /// <summary>Rows of a weight gradient's chunk: more would not stay in the second-level cache.</summary>
    private const int ChunkRows = 256;

    private readonly EquationPrinter _equations;
    private readonly ParameterLayout _layout;
    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);
    private readonly HashSet<string> _taken = new(StringComparer.Ordinal);
    private readonly Dictionary<InstructionSet, SourceWriter> _writers = InstructionSet.All.ToDictionary(set => set, _ => new SourceWriter());

    public KernelEmitter(NodeTable table, ParameterLayout layout)
    {
        _equations = new EquationPrinter(table);
        _layout = layout;
    }

    /// <summary>Kernels in the order they were asked for, with their parameters, for the dispatcher.</summary>
    public List<(string Name, string Parameters, string Arguments, ImmutableArray<string> Comments)> Kernels { get; } = new();

    public string TextOf(InstructionSet set) => _writers[set].ToString();

    public KernelCall Emit(ModelSchedule schedule, Statement statement, string layer)
    {
        var rows = new RowReferences(schedule);
        return statement switch
        {
            ProductStage { Terms: { Length: 1 } terms } stage when terms[0].IsLookup => Lookup(schedule, stage, rows, layer),
            ProductStage stage => Product(schedule, stage, rows, layer),
            MapStage stage => Epilogue(schedule, stage, rows, layer),
            ColumnSums sums => Sums(schedule, sums, rows, layer),
            WeightGradient { IsLookup: true } gradient => TokenGradient(schedule, gradient, rows, layer),
            WeightGradient gradient => Gradient(schedule, gradient, rows, layer),
            _ => throw new InvalidOperationException($"no kernel for {statement}"),
        };
    }

    /// <summary>The rows of memory a kernel works on: one reference and one constant stride each.</summary>
    private sealed class RowReferences
    {
        private readonly ModelSchedule _schedule;
        private readonly List<(int Buffer, Moment Moment)> _rows = new();

        public RowReferences(ModelSchedule schedule) => _schedule = schedule;

        public ImmutableArray<(int Buffer, Moment Moment)> All => _rows.ToImmutableArray();

        public IEnumerable<string> Names => Enumerable.Range(0, _rows.Count).Select(Name);

        public int Index(Operand operand)
        {
            (int Buffer, Moment Moment) row = (_schedule.PlaceOf(operand).Buffer, operand.Moment);
            int index = _rows.IndexOf(row);
            if (index < 0)
            {
                index = _rows.Count;
                _rows.Add(row);
            }

            return index;
        }

        public string Name(int index)
        {
            (int buffer, Moment moment) = _rows[index];
            string name = Identifier.Camel(_schedule.Buffers[buffer].Name) + (moment == Moment.Previous ? "Previous" : "");
            return _rows.Take(index).Select((_, i) => i).Any(i => Name(i) == name) ? name + buffer : name;
        }

        public string Name(Operand operand) => Name(Index(operand));

        public int Stride(int index) => _schedule.Buffers[_rows[index].Buffer].RowStride;

        /// <summary>Floats from the start of the row to the operand's slot.</summary>
        public int Offset(Operand operand) => _schedule.PlaceOf(operand).Slot * Packing.Padded(_schedule.BufferOf(operand).Units);
    }

    // ---- products

    private KernelCall Product(ModelSchedule schedule, ProductStage stage, RowReferences rows, string layer)
    {
        // Operands first, so that the parameters read in the order of the equation.
        foreach (Operand operand in stage.Terms.SelectMany(term => term.Operands))
        {
            rows.Index(operand);
        }

        Operand target = stage.Accumulators[0].Target;
        rows.Index(target);
        bool isMixed = stage.Accumulators.Select(accumulator => accumulator.Start).Distinct().Count() > 1;
        StartKind start = isMixed ? StartKind.InPlace : stage.Accumulators[0].Start;
        bool usesParameters = stage.Accumulators.Any(a => a.Start == StartKind.Bias) || stage.Terms.Any(term => !IsDerived(schedule, term.Packing));
        bool usesDerived = stage.Terms.Any(term => IsDerived(schedule, term.Packing));
        var extra = new List<string>();
        if (usesParameters)
        {
            extra.Add("parameters");
        }

        if (usesDerived)
        {
            extra.Add("derived");
        }

        int slots = stage.Accumulators.Length, panelVectors = stage.Terms[0].Packing.PanelVectors;
        int panels = stage.Terms[0].Packing.Panels, lastVectors = stage.Terms[0].Packing.LastPanelVectors;
        int fullPanels = lastVectors == panelVectors ? panels : panels - 1;
        int blockStep = panelVectors / slots * 16;
        int[] sumOffsets = stage.Accumulators.Select(accumulator => rows.Offset(accumulator.Target)).ToArray();
        int[] biasOffsets = stage.Accumulators.Select(accumulator => accumulator.Bias is { } bias ? _layout.PlaceOf(bias).Offset : 0).ToArray();
        string sums = rows.Name(target);
        string[] operandNames = rows.Names.Where(name => name != sums).Distinct().ToArray();
        var comments = stage.Accumulators.Select(accumulator => SumEquation(accumulator, stage)).ToImmutableArray();

        return Add(layer + "Products", comments, rows, extra, usesTokens: false, (set, name, writer) =>
        {
            // One tile: rows × vectors of accumulators in registers, one loop over the elements that are summed.
            void Tile(string tile, int tileRows, int vectors, IReadOnlyList<(int Weights, int Sum, int Bias)> lanes)
            {
                string parameters = string.Join(", ", TileParameters().Select(p => "ref float " + p));
                Attributes(writer);
                using (writer.Block($"private static void {tile}({parameters})"))
                {
                    for (int r = 0; r < tileRows; r++)
                    {
                        for (int v = 0; v < lanes.Count; v++)
                        {
                            string initial = start switch
                            {
                                StartKind.Zero => "V.Zero",
                                StartKind.Bias => Load("bias", lanes[v].Bias),
                                _ => Load("sums", r * rows.Stride(rows.Index(target)) + lanes[v].Sum),
                            };
                            writer.Line($"V s{r}_{v} = {initial};");
                        }
                    }

                    for (int t = 0; t < stage.Terms.Length; t++)
                    {
                        Term term = stage.Terms[t];
                        string weights = stage.Terms.Length == 1 ? "weights" : $"weights{t}";
                        foreach ((int row, int offset, int count) in Segments(schedule, rows, term))
                        {
                            using (writer.Block("", "}"))
                            {
                                writer.Line($"ref float value = ref {At(rows.Name(row), offset)};");
                                using (writer.Block($"for (int k = 0; k < {count}; k++)"))
                                {
                                    for (int v = 0; v < lanes.Count && tileRows > 1; v++)
                                    {
                                        writer.Line($"V w{v} = {Load(weights, lanes[v].Weights)};");
                                    }

                                    for (int r = 0; r < tileRows; r++)
                                    {
                                        writer.Line($"{(r == 0 ? "V x" : "x")} = {set.Factory}.Create({At("value", r * rows.Stride(row))});");
                                        for (int v = 0; v < lanes.Count; v++)
                                        {
                                            string w = tileRows > 1 ? $"w{v}" : Load(weights, lanes[v].Weights);
                                            writer.Line($"s{r}_{v} = {string.Format(set.MultiplyAdd, "x", w, $"s{r}_{v}")};");
                                        }
                                    }

                                    writer.Line("value = ref Unsafe.Add(ref value, 1);");
                                    writer.Line($"{weights} = ref Unsafe.Add(ref {weights}, {vectors * 16});");
                                }
                            }
                        }
                    }

                    for (int r = 0; r < tileRows; r++)
                    {
                        for (int v = 0; v < lanes.Count; v++)
                        {
                            writer.Line($"{Load("sums", r * rows.Stride(rows.Index(target)) + lanes[v].Sum)} = s{r}_{v};");
                        }
                    }
                }

                writer.Line();
            }

            IEnumerable<string> TileParameters()
            {
                foreach (string operand in operandNames)
                {
                    yield return operand;
                }

                for (int t = 0; t < stage.Terms.Length; t++)
                {
                    yield return stage.Terms.Length == 1 ? "weights" : $"weights{t}";
                }

                if (start == StartKind.Bias)
                {
                    yield return "bias";
                }

                yield return "sums";
            }

            // All rows against one panel (or against 16 lanes of one): tiles of falling height.
            void Rows(string suffix, int vectors, IReadOnlyList<(int Weights, int Sum, int Bias)> lanes)
            {
                ImmutableArray<int> tiles = set.RowTiles[vectors];
                foreach (int tileRows in tiles)
                {
                    Tile($"{name}{suffix}Tile{tileRows}", tileRows, vectors, lanes);
                }

                using (writer.Block($"private static void {name}{suffix}Rows({string.Join(", ", TileParameters().Select(p => "ref float " + p))}, int rows)"))
                using (writer.Block("unchecked"))
                {
                    string arguments = string.Join(", ", TileParameters().Select(p => "ref " + p));
                    for (int i = 0; i < tiles.Length; i++)
                    {
                        int tileRows = tiles[i];
                        bool isLoop = i == 0 || tiles[i - 1] > 2 * tileRows - 1 + (tileRows == 1 ? 1 : 0);
                        using (writer.Block(isLoop ? $"for (; rows >= {tileRows}; rows -= {tileRows})" : $"if (rows >= {tileRows})"))
                        {
                            writer.Line($"{name}{suffix}Tile{tileRows}({arguments});");
                            if (i < tiles.Length - 1 || isLoop)
                            {
                                foreach (string row in operandNames)
                                {
                                    writer.Line($"{row} = ref Unsafe.Add(ref {row}, {tileRows * rows.Stride(rows.Names.ToList().IndexOf(row))});");
                                }

                                writer.Line($"sums = ref Unsafe.Add(ref sums, {tileRows * rows.Stride(rows.Index(target))});");
                                if (!isLoop)
                                {
                                    writer.Line($"rows -= {tileRows};");
                                }
                            }
                        }
                    }
                }

                writer.Line();
            }

            IReadOnlyList<(int Weights, int Sum, int Bias)> PanelLanes(int vectors, int panelCount) =>
                Enumerable.Range(0, panelCount * vectors).SelectMany(index =>
                {
                    int panel = index / vectors, j = index % vectors;
                    int block = (panel * (panelVectors / slots) + j / slots) * 16;
                    return Enumerable.Range(0, set.Parts).Select(part => (
                        panel * panelVectors * 16 * stage.Terms[0].Packing.Columns + j * 16 + part * set.Lanes,
                        sumOffsets[j % slots] + block + part * set.Lanes,
                        biasOffsets[j % slots] + block + part * set.Lanes));
                }).ToList();

            IReadOnlyList<(int Weights, int Sum, int Bias)> SliceLanes() =>
                Enumerable.Range(0, set.Parts).Select(part => (part * set.Lanes, part * set.Lanes, part * set.Lanes)).ToList();

            bool isWide = set.RowPanels > 1 && fullPanels >= set.RowPanels && stage.Terms.Length == 1;
            if (fullPanels > 0)
            {
                Rows("", panelVectors, set.WholePanels ? PanelLanes(panelVectors, 1) : SliceLanes());
            }

            if (fullPanels < panels)
            {
                Rows("Last", lastVectors, set.WholePanels ? PanelLanes(lastVectors, 1) : SliceLanes());
            }

            if (isWide)
            {
                Tile($"{name}Row", 1, panelVectors, PanelLanes(panelVectors, set.RowPanels));
            }

            using (writer.Block($"internal static void {name}({Declared(rows, extra, usesTokens: false)})"))
            using (writer.Block("unchecked"))
            {
                if (isMixed)
                {
                    Prefill(set, writer, stage, rows, sums, sumOffsets, biasOffsets);
                }

                writer.Line("int panel = 0;");
                void PanelReferences(string suffix)
                {
                    for (int t = 0; t < stage.Terms.Length; t++)
                    {
                        Packing packing = stage.Terms[t].Packing;
                        string source = IsDerived(schedule, packing) ? "derived" : "parameters";
                        writer.Line($"ref float weights{(stage.Terms.Length == 1 ? "" : t.ToString())} = ref Unsafe.Add(ref {source}, {packing.Offset} + panel * {panelVectors * 16 * packing.Columns});");
                    }

                    if (start == StartKind.Bias)
                    {
                        writer.Line($"ref float bias = ref Unsafe.Add(ref parameters, panel * {blockStep});");
                    }

                    writer.Line($"ref float sums = ref Unsafe.Add(ref {sums}, panel * {blockStep});");
                }

                if (isWide)
                {
                    using (writer.Block($"for (; rows == 1 && panel + {set.RowPanels} <= {fullPanels}; panel += {set.RowPanels})"))
                    {
                        PanelReferences("");
                        writer.Line($"{name}Row({string.Join(", ", TileParameters().Select(p => "ref " + p))});");
                    }

                    writer.Line();
                }

                if (fullPanels > 0)
                {
                    using (writer.Block($"for (; panel < {fullPanels}; panel++)"))
                    {
                        PanelReferences("");
                        PanelRows("", panelVectors);
                    }
                }

                if (fullPanels < panels)
                {
                    writer.Line();
                    using (writer.Block(""))
                    {
                        PanelReferences("");
                        PanelRows("Last", lastVectors);
                    }
                }

                void PanelRows(string suffix, int vectors)
                {
                    if (set.WholePanels)
                    {
                        writer.Line($"{name}{suffix}Rows({string.Join(", ", TileParameters().Select(p => "ref " + p))}, rows);");
                        return;
                    }

                    for (int j = 0; j < vectors; j++)
                    {
                        int block = j / slots * 16;
                        IEnumerable<string> arguments = TileParameters().Select(p =>
                            "ref " + (p.StartsWith("weights", StringComparison.Ordinal) ? At(p, j * 16)
                                : p == "bias" ? At(p, biasOffsets[j % slots] + block)
                                : p == "sums" ? At(p, sumOffsets[j % slots] + block) : p));
                        writer.Line($"{name}{suffix}Rows({string.Join(", ", arguments)}, rows);");
                    }
                }
            }
        });
    }

    /// <summary>Where accumulators start differently, memory is filled first and all go on in place.</summary>
    private static void Prefill(InstructionSet set, SourceWriter writer, ProductStage stage, RowReferences rows, string sums, int[] sumOffsets, int[] biasOffsets)
    {
        int padded = Packing.Padded(stage.Accumulators[0].Value.Type.Units);
        using (writer.Block("for (int row = 0; row < rows; row++)"))
        {
            writer.Line($"ref float start = ref Unsafe.Add(ref {sums}, (nint)row * {rows.Stride(rows.Index(stage.Accumulators[0].Target))});");
            using (writer.Block($"for (int unit = 0; unit < {padded}; unit += {set.Lanes})"))
            {
                for (int slot = 0; slot < stage.Accumulators.Length; slot++)
                {
                    if (stage.Accumulators[slot].Start != StartKind.InPlace)
                    {
                        string initial = stage.Accumulators[slot].Start == StartKind.Zero ? "V.Zero" : Load("parameters", biasOffsets[slot], "unit");
                        writer.Line($"{Load("start", sumOffsets[slot], "unit")} = {initial};");
                    }
                }
            }
        }

        writer.Line();
    }

    /// <summary>The runs of elements one term sums over: neighbours in memory that fill their padding are one run.</summary>
    private static List<(int Row, int Offset, int Count)> Segments(ModelSchedule schedule, RowReferences rows, Term term)
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

    private string SumEquation(Accumulator accumulator, ProductStage stage)
    {
        int slot = stage.Accumulators.IndexOf(accumulator);
        string start = accumulator.Start switch
        {
            StartKind.Bias => _equations.Expression(accumulator.Bias!) + " + ",
            StartKind.InPlace => "what is there + ",
            _ => "",
        };
        IEnumerable<string> terms = stage.Terms.Select(term => term.Packing.IsTransposed
            ? string.Join(" + ", term.Packing.Matrices.Select(matrix => $"transpose({_equations.Expression(matrix)}) @ its adjoint"))
            : _equations.Expression(term.Packing.Matrices[slot]) + (term.IsLookup ? " at the token" : " @ its operand"));
        string exact = _equations.Equation(accumulator.Value);
        return exact.StartsWith("…", StringComparison.Ordinal) ? exact.Substring(4) : accumulator.Start == StartKind.InPlace ? $"{_equations.Name(accumulator.Value)} = {start}{string.Join(" + ", terms)}" : exact;
    }

    // ---- token lookups

    private KernelCall Lookup(ModelSchedule schedule, ProductStage stage, RowReferences rows, string layer)
    {
        Packing packing = stage.Terms[0].Packing;
        Operand target = stage.Accumulators[0].Target;
        rows.Index(target);
        string sums = rows.Name(target);
        int[] sumOffsets = stage.Accumulators.Select(accumulator => rows.Offset(accumulator.Target)).ToArray();
        int[] biasOffsets = stage.Accumulators.Select(accumulator => accumulator.Bias is { } bias ? _layout.PlaceOf(bias).Offset : 0).ToArray();
        var extra = new List<string> { IsDerived(schedule, packing) ? "derived" : "parameters" };
        if (stage.Accumulators.Any(accumulator => accumulator.Start == StartKind.Bias) && extra[0] != "parameters")
        {
            extra.Insert(0, "parameters");
        }

        string weights = extra[extra.Count - 1];
        return Add(layer + "Lookup", stage.Accumulators.Select(a => SumEquation(a, stage)).ToImmutableArray(), rows, extra, usesTokens: true, (set, name, writer) =>
        {
            Attributes(writer);
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
                    writer.Line($"{sum} = {start}{Load(weights, packing.Offset + vector, column)};");
                });
            }
        });
    }

    private KernelCall TokenGradient(ModelSchedule schedule, WeightGradient gradient, RowReferences rows, string layer)
    {
        Operand first = gradient.Adjoints.OfType<Operand>().First();
        rows.Index(first);
        string adjoint = rows.Name(first);
        var extra = new List<string> { "gradients" };
        return Add(layer + "TokenGradient", ImmutableArray.Create("the columns of " + gradient.Packing.Name + " that tokens name get their adjoints"), rows, extra, usesTokens: true, (set, name, writer) =>
        {
            Attributes(writer);
            using (writer.Block($"internal static void {name}({Declared(rows, extra, usesTokens: true)})"))
            using (writer.Block("unchecked"))
            using (writer.Block("for (int row = 0; row < rows; row++)"))
            {
                writer.Line($"ref float adjoint = ref Unsafe.Add(ref {adjoint}, (nint)row * {rows.Stride(rows.Index(first))});");
                writer.Line("int token = Unsafe.Add(ref tokens, row);");
                ForEachPanelVector(set, writer, gradient.Packing, (vector, column, unit, slot) =>
                {
                    if (gradient.Adjoints[slot] is { } operand)
                    {
                        string weight = Load("gradients", gradient.Packing.Offset + vector, column);
                        writer.Line($"{weight} = {weight} + {Load("adjoint", rows.Offset(operand), unit)};");
                    }
                });
            }
        });
    }

    /// <summary>A loop over the vectors of one column of a packing: the body gets constant and variable parts of the offsets.</summary>
    private static void ForEachPanelVector(InstructionSet set, SourceWriter writer, Packing packing, Action<int, string, string, int> body)
    {
        int fullPanels = packing.LastPanelVectors == packing.PanelVectors ? packing.Panels : packing.Panels - 1;
        int blocks = packing.PanelVectors / packing.Slots;
        if (fullPanels > 0)
        {
            using (writer.Block($"for (int panel = 0; panel < {fullPanels}; panel++)"))
            {
                writer.Line($"int column = panel * {packing.PanelVectors * 16 * packing.Columns} + token * {packing.PanelVectors * 16};");
                writer.Line($"int unit = panel * {blocks * 16};");
                Vectors(packing.PanelVectors);
            }
        }

        if (fullPanels < packing.Panels)
        {
            using (writer.Block(""))
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

    private KernelCall Gradient(ModelSchedule schedule, WeightGradient gradient, RowReferences rows, string layer)
    {
        Packing packing = gradient.Packing;
        rows.Index(gradient.Columns);
        Operand first = gradient.Adjoints.OfType<Operand>().First();
        rows.Index(first);
        string columns = rows.Name(gradient.Columns), adjoints = rows.Name(first);
        int columnStride = rows.Stride(rows.Index(gradient.Columns)), adjointStride = rows.Stride(rows.Index(first));
        int[] active = Enumerable.Range(0, packing.Slots).Where(slot => gradient.Adjoints[slot] is not null).ToArray();
        int[] adjointOffsets = gradient.Adjoints.Select(operand => operand is { } o ? rows.Offset(o) : 0).ToArray();
        int fullPanels = packing.LastPanelVectors == packing.PanelVectors ? packing.Panels : packing.Panels - 1;
        int blockStep = packing.PanelVectors / packing.Slots * 16;
        bool hasTail = packing.Rows % 16 != 0;
        var extra = new List<string> { "gradients" };
        return Add(layer + "WeightGradient", ImmutableArray.Create($"d_{packing.Name} += adjoints ⊗ {columns}, summed over rows"), rows, extra, usesTokens: false, (set, name, writer) =>
        {
            void Tile(string tile, int tileColumns, int vectors, IReadOnlyList<(int Adjoint, int Weight)> lanes)
            {
                Attributes(writer);
                using (writer.Block($"private static void {tile}(ref float column, ref float adjoint, ref float gradient, int rows)"))
                using (writer.Block("unchecked"))
                {
                    for (int c = 0; c < tileColumns; c++)
                    {
                        for (int v = 0; v < lanes.Count; v++)
                        {
                            writer.Line($"V s{c}_{v} = {Load("gradient", c * vectors * 16 + lanes[v].Weight)};");
                        }
                    }

                    using (writer.Block("for (int row = 0; row < rows; row++)"))
                    {
                        for (int v = 0; v < lanes.Count; v++)
                        {
                            writer.Line($"V d{v} = {Load("adjoint", lanes[v].Adjoint)};");
                        }

                        for (int c = 0; c < tileColumns; c++)
                        {
                            writer.Line($"{(c == 0 ? "V x" : "x")} = {set.Factory}.Create({At("column", c)});");
                            for (int v = 0; v < lanes.Count; v++)
                            {
                                writer.Line($"s{c}_{v} = {string.Format(set.MultiplyAdd, "x", $"d{v}", $"s{c}_{v}")};");
                            }
                        }

                        writer.Line($"column = ref Unsafe.Add(ref column, {columnStride});");
                        writer.Line($"adjoint = ref Unsafe.Add(ref adjoint, {adjointStride});");
                    }

                    for (int c = 0; c < tileColumns; c++)
                    {
                        for (int v = 0; v < lanes.Count; v++)
                        {
                            writer.Line($"{Load("gradient", c * vectors * 16 + lanes[v].Weight)} = s{c}_{v};");
                        }
                    }
                }

                writer.Line();
            }

            void Columns(string suffix, int vectors, IReadOnlyList<(int Adjoint, int Weight)> lanes)
            {
                int tallest = set.RowTiles[Math.Max(1, set.WholePanels ? lanes.Count / set.Parts : 1)][0];
                int whole = packing.Columns / tallest, rest = packing.Columns % tallest;
                if (whole > 0)
                {
                    Tile($"{name}{suffix}Tile{tallest}", tallest, vectors, lanes);
                }

                if (rest > 0)
                {
                    Tile($"{name}{suffix}Tile{rest}", rest, vectors, lanes);
                }

                using (writer.Block($"private static void {name}{suffix}Columns(ref float column, ref float adjoint, ref float gradient, int rows)"))
                using (writer.Block("unchecked"))
                {
                    if (whole > 0)
                    {
                        using (writer.Block($"for (int k = 0; k < {whole * tallest}; k += {tallest})"))
                        {
                            writer.Line($"{name}{suffix}Tile{tallest}(ref Unsafe.Add(ref column, k), ref adjoint, ref Unsafe.Add(ref gradient, k * {vectors * 16}), rows);");
                        }
                    }

                    if (rest > 0)
                    {
                        writer.Line($"{name}{suffix}Tile{rest}(ref {At("column", whole * tallest)}, ref adjoint, ref {At("gradient", whole * tallest * vectors * 16)}, rows);");
                    }
                }

                writer.Line();
            }

            IReadOnlyList<(int Adjoint, int Weight)> PanelLanes(int vectors) =>
                Enumerable.Range(0, vectors).Where(j => active.Contains(j % packing.Slots)).SelectMany(j =>
                    Enumerable.Range(0, set.Parts).Select(part => (adjointOffsets[j % packing.Slots] + j / packing.Slots * 16 + part * set.Lanes, j * 16 + part * set.Lanes))).ToList();

            IReadOnlyList<(int Adjoint, int Weight)> SliceLanes() =>
                Enumerable.Range(0, set.Parts).Select(part => (part * set.Lanes, part * set.Lanes)).ToList();

            if (fullPanels > 0)
            {
                Columns("", packing.PanelVectors, set.WholePanels ? PanelLanes(packing.PanelVectors) : SliceLanes());
            }

            if (fullPanels < packing.Panels)
            {
                Columns("Last", packing.LastPanelVectors, set.WholePanels ? PanelLanes(packing.LastPanelVectors) : SliceLanes());
            }

            using (writer.Block($"internal static void {name}({Declared(rows, extra, usesTokens: false)})"))
            using (writer.Block("unchecked"))
            {
                writer.Line("// Chunks of rows that stay in the cache while every tile reads them.");
                using (writer.Block($"for (; rows > 0; rows -= {ChunkRows})"))
                {
                    writer.Line($"int chunk = rows < {ChunkRows} ? rows : {ChunkRows};");
                    if (fullPanels > 0)
                    {
                        using (writer.Block($"for (int panel = 0; panel < {fullPanels}; panel++)"))
                        {
                            writer.Line($"ref float adjoint = ref Unsafe.Add(ref {adjoints}, panel * {blockStep});");
                            writer.Line($"ref float gradient = ref Unsafe.Add(ref gradients, {packing.Offset} + panel * {packing.PanelVectors * 16 * packing.Columns});");
                            PanelColumns("", packing.PanelVectors);
                        }
                    }

                    if (fullPanels < packing.Panels)
                    {
                        using (writer.Block(""))
                        {
                            writer.Line($"ref float adjoint = ref {At(adjoints, fullPanels * blockStep)};");
                            writer.Line($"ref float gradient = ref {At("gradients", packing.Offset + fullPanels * packing.PanelVectors * 16 * packing.Columns)};");
                            PanelColumns("Last", packing.LastPanelVectors);
                        }
                    }

                    writer.Line($"{columns} = ref Unsafe.Add(ref {columns}, {ChunkRows * columnStride});");
                    if (adjoints != columns)
                    {
                        writer.Line($"{adjoints} = ref Unsafe.Add(ref {adjoints}, {ChunkRows * adjointStride});");
                    }
                }
            }

            void PanelColumns(string suffix, int vectors)
            {
                string start = $"ref {At(columns, rows.Offset(gradient.Columns))}";
                if (set.WholePanels)
                {
                    writer.Line($"{name}{suffix}Columns({start}, ref adjoint, ref gradient, chunk);");
                    return;
                }

                for (int j = 0; j < vectors; j++)
                {
                    if (active.Contains(j % packing.Slots))
                    {
                        writer.Line($"{name}{suffix}Columns({start}, ref {At("adjoint", adjointOffsets[j % packing.Slots] + j / packing.Slots * 16)}, ref {At("gradient", j * 16)}, chunk);");
                    }
                }
            }
        });
    }

    // ---- elementwise

    private KernelCall Epilogue(ModelSchedule schedule, MapStage stage, RowReferences rows, string layer)
    {
        List<Node> computed = stage.Computed();
        foreach (Binding binding in stage.Loads.Concat(stage.Stores))
        {
            rows.Index(binding.Operand);
        }

        IEnumerable<Node> read = computed.SelectMany(node => node.Inputs).Concat(stage.Stores.Select(store => store.Node));
        List<string> extra = read.Any(node => node.Kind == NodeKind.Parameter) ? new List<string> { "parameters" } : new List<string>();
        ImmutableArray<string> comments = computed.Where(node => _equations.Name(node) is not null).Select(_equations.Equation).ToImmutableArray();
        return Add(layer + (stage.IsAdjoint ? "Adjoint" : "Epilogue"), comments, rows, extra, usesTokens: false, (set, name, writer) =>
        {
            Attributes(writer);
            using (writer.Block($"internal static void {name}({Declared(rows, extra, usesTokens: false)})"))
            using (writer.Block("unchecked"))
            {
                var locals = new Locals(_equations);
                Constants(set, writer, locals, read);
                using (writer.Block("for (; rows > 0; rows--)"))
                {
                    using (writer.Block($"for (int unit = 0; unit < {Packing.Padded(stage.Units)}; unit += {set.Lanes})"))
                    {
                        Body(writer, stage.Loads, computed, read, rows, locals);
                        foreach (Binding store in stage.Stores)
                        {
                            string value = stage.IsAdjoint && stage.Units % 16 != 0
                                ? $"VectorMath.MaskTail({locals.Name(store.Node)}, {stage.Units} - unit)"
                                : locals.Name(store.Node);
                            writer.Line($"{Load(rows.Name(store.Operand), rows.Offset(store.Operand), "unit")} = {value};");
                        }
                    }

                    writer.Line();
                    foreach (string row in rows.Names.Distinct())
                    {
                        writer.Line($"{row} = ref Unsafe.Add(ref {row}, {rows.Stride(rows.Names.ToList().IndexOf(row))});");
                    }
                }
            }
        });
    }

    private KernelCall Sums(ModelSchedule schedule, ColumnSums sums, RowReferences rows, string layer)
    {
        foreach (Binding load in sums.Loads)
        {
            rows.Index(load.Operand);
        }

        List<Node> computed = sums.Computed();
        IEnumerable<Node> read = computed.SelectMany(node => node.Inputs).Concat(sums.Sums.Select(sum => sum.Value));
        var extra = new List<string>();
        if (read.Any(node => node.Kind == NodeKind.Parameter))
        {
            extra.Add("parameters");
        }

        extra.Add("gradients");
        ImmutableArray<string> comments = sums.Sums.Select(sum => $"d_{sum.Parameter.Name} += {_equations.Expression(sum.Value)}, summed over rows").ToImmutableArray();
        return Add(layer + "VectorGradients", comments, rows, extra, usesTokens: false, (set, name, writer) =>
        {
            Attributes(writer);
            using (writer.Block($"internal static void {name}({Declared(rows, extra, usesTokens: false)})"))
            using (writer.Block("unchecked"))
            {
                var locals = new Locals(_equations);
                Constants(set, writer, locals, read);
                using (writer.Block($"for (; rows > 0; rows -= {ChunkRows})"))
                {
                    writer.Line($"int chunk = rows < {ChunkRows} ? rows : {ChunkRows};");
                    using (writer.Block($"for (int unit = 0; unit < {Packing.Padded(sums.Units)}; unit += {set.Lanes})"))
                    {
                        for (int i = 0; i < sums.Sums.Length; i++)
                        {
                            writer.Line($"V sum{i} = V.Zero;");
                        }

                        using (writer.Block("for (int row = 0; row < chunk; row++)"))
                        {
                            Body(writer, sums.Loads, computed, read, rows, locals, row: true);
                            for (int i = 0; i < sums.Sums.Length; i++)
                            {
                                writer.Line($"sum{i} = sum{i} + {locals.Name(sums.Sums[i].Value)};");
                            }
                        }

                        writer.Line();
                        for (int i = 0; i < sums.Sums.Length; i++)
                        {
                            string target = Load("gradients", _layout.PlaceOf(sums.Sums[i].Parameter).Offset, "unit");
                            writer.Line($"{target} = {target} + {(sums.Units % 16 != 0 ? $"VectorMath.MaskTail(sum{i}, {sums.Units} - unit)" : $"sum{i}")};");
                        }
                    }

                    writer.Line();
                    foreach (string row in rows.Names.Distinct())
                    {
                        writer.Line($"{row} = ref Unsafe.Add(ref {row}, {ChunkRows * rows.Stride(rows.Names.ToList().IndexOf(row))});");
                    }
                }
            }
        });
    }

    private static void Constants(InstructionSet set, SourceWriter writer, Locals locals, IEnumerable<Node> read)
    {
        foreach (Node constant in read.Where(node => node.Kind == NodeKind.Constant).Distinct().OrderBy(node => node.Id))
        {
            writer.Line($"V {locals.Name(constant)} = {set.Factory}.Create({SourceWriter.Number(constant.Value)});");
        }
    }

    /// <summary>Loads first, since a store may take the place of a load; then each operation, named values under their equation.</summary>
    private void Body(SourceWriter writer, ImmutableArray<Binding> loads, List<Node> computed, IEnumerable<Node> read, RowReferences rows, Locals locals, bool row = false)
    {
        foreach (Binding load in loads)
        {
            string variable = row ? $"row * {rows.Stride(rows.Index(load.Operand))} + unit" : "unit";
            writer.Line($"V {locals.Name(load.Node)} = {Load(rows.Name(load.Operand), rows.Offset(load.Operand), variable)};");
        }

        foreach (Node parameter in read.Where(node => node.Kind == NodeKind.Parameter).Distinct().OrderBy(node => node.Id))
        {
            writer.Line($"V {locals.Name(parameter)} = {Load("parameters", _layout.PlaceOf(parameter).Offset, "unit")};");
        }

        foreach (Node node in computed)
        {
            string code = string.Format(OperationTable.Get(node.Name).Code, node.Inputs.Select(input => (object)locals.Name(input)).ToArray());
            if (code.Length > 1 && code[0] == '(' && code[code.Length - 1] == ')')
            {
                code = code.Substring(1, code.Length - 2);
            }

            writer.Line($"V {locals.Name(node)} = {code};");
        }
    }

    /// <summary>Names of local vectors: what the equations call them, or a number.</summary>
    private sealed class Locals
    {
        private static readonly string[] Reserved = { "unit", "row", "rows", "chunk", "parameters", "gradients", "derived", "tokens", "V" };
        private readonly EquationPrinter _equations;
        private readonly Dictionary<Node, string> _names = new();
        private readonly HashSet<string> _taken = new(Reserved, StringComparer.Ordinal);

        public Locals(EquationPrinter equations) => _equations = equations;

        public string Name(Node node)
        {
            if (!_names.TryGetValue(node, out string? name))
            {
                string wanted = node.Kind == NodeKind.Constant ? "constant" + _taken.Count
                    : _equations.Name(node) is { } label ? Identifier.Camel(label.Substring(label.IndexOf('.') + 1)) + "_v" : "v" + _taken.Count;
                name = wanted;
                for (int i = 2; !_taken.Add(name); i++)
                {
                    name = wanted + i;
                }

                _names.Add(node, name);
            }

            return name;
        }
    }

    // ---- common

    private static bool IsDerived(ModelSchedule schedule, Packing packing) => schedule.Derived.Contains(packing);

    private static void Attributes(SourceWriter writer) => writer.Line("[MethodImpl(MethodImplOptions.AggressiveOptimization)]");

    private static string At(string reference, int offset) => offset == 0 ? reference : $"Unsafe.Add(ref {reference}, {offset})";

    private static string Load(string reference, int offset) => $"Unsafe.As<float, V>(ref {At(reference, offset)})";

    private static string Load(string reference, int offset, string variable) =>
        $"Unsafe.As<float, V>(ref Unsafe.Add(ref {reference}, {(offset == 0 ? variable : $"{offset} + {variable}")}))";

    private static string Declared(RowReferences rows, List<string> extra, bool usesTokens) => string.Join(", ",
        (usesTokens ? new[] { "ref int tokens" } : Array.Empty<string>())
        .Concat(rows.Names.Distinct().Concat(extra).Select(name => "ref float " + name)).Append("int rows"));

    /// <summary>Prints a kernel for each instruction set; a kernel whose text is there already is shared.</summary>
    private KernelCall Add(
        string wanted, ImmutableArray<string> comments, RowReferences rows, List<string> extra, bool usesTokens, Action<InstructionSet, string, SourceWriter> print)
    {
        var texts = InstructionSet.All.ToDictionary(set => set, set =>
        {
            var writer = new SourceWriter();
            print(set, "\u0001", writer);
            return writer.ToString();
        });
        string signature = string.Join("\u0002", InstructionSet.All.Select(set => texts[set])) + string.Join("\n", comments);
        if (!_names.TryGetValue(signature, out string? name))
        {
            name = wanted;
            for (int i = 2; !_taken.Add(name); i++)
            {
                name = wanted + i;
            }

            _names.Add(signature, name);
            Kernels.Add((name, Declared(rows, extra, usesTokens), string.Join(", ",
                (usesTokens ? new[] { "ref tokens" } : Array.Empty<string>()).Concat(rows.Names.Distinct().Concat(extra).Select(n => "ref " + n)).Append("rows")), comments));
            foreach (InstructionSet set in InstructionSet.All)
            {
                _writers[set].Line($"// {string.Join("\n// ", comments)}".Replace("\n", "\n"));
                _writers[set].Lines(texts[set].Replace("\u0001", name));
                _writers[set].Line();
            }
        }

        return new KernelCall(name, rows.All, usesTokens, extra.Contains("parameters"), extra.Contains("derived"), extra.Contains("gradients"));
    }
}

/// <summary>Identifiers from the names of equations.</summary>
internal static class Identifier
{
    public static string Camel(string name)
    {
        string pascal = Pascal(name);
        return char.ToLowerInvariant(pascal[0]) + pascal.Substring(1);
    }

    public static string Pascal(string name)
    {
        string joined = string.Concat(name.Split('_', '.', ' ').Where(part => part.Length > 0).Select(part => char.ToUpperInvariant(part[0]) + part.Substring(1)));
        string valid = string.Concat(joined.Where(c => char.IsLetterOrDigit(c)));
        return valid.Length == 0 || char.IsDigit(valid[0]) ? "Value" + valid : valid;
    }
}

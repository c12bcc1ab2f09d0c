using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Unrolled.Generator.Graph;
using Unrolled.Generator.Schedule;
using static Unrolled.Generator.Emit.KernelText;

namespace Unrolled.Generator.Emit;

/// <summary>Kernels for one row: products and their equations, a few blocks of units at a time.</summary>
internal sealed partial class KernelEmitter
{
    /// <summary>Floats from what is read to what is fetched ahead: the hardware stops at the end of a page.</summary>
    private const int PrefetchFloats = 1024;

    /// <summary>Floats of scratch that kernels for one row need.</summary>
    public int ScratchFloats { get; private set; }

    private KernelCall Streamed(ModelSchedule schedule, StreamStage stage, MemoryReferences rows, string layer, bool turns)
    {
        turns &= InstructionSet.All.Any(set => Blocks(set, stage).Any(part => part.Repeats > 1));
        List<ProductStage> products = stage.Parts.OfType<ProductStage>().ToList();
        List<Term> terms = products.SelectMany(product => product.Terms).ToList();
        foreach (Operand operand in stage.Reads().Concat(stage.Kept).Where(operand => schedule.ValueOf(operand).Residence != Residence.Tokens))
        {
            rows.Index(operand);
        }

        var extra = new List<string>();
        if (terms.Any(term => !schedule.IsDerived(term.Packing)) || products.SelectMany(product => product.Accumulators).Any(accumulator => accumulator.Start == StartKind.Bias)
            || stage.Parts.OfType<MapStage>().SelectMany(map => map.Inputs()).Any(node => node.Kind == NodeKind.Parameter))
        {
            extra.Add("parameters");
        }

        if (terms.Any(term => schedule.IsDerived(term.Packing)))
        {
            extra.Add("derived");
        }

        // Where products read a state that the stage replaces, its new elements wait until all blocks are done.
        ImmutableArray<Operand> replaced = InstructionSet.All.Any(set => Blocks(set, stage).Sum(blocks => blocks.Repeats) > 1) ? stage.Replaced : ImmutableArray<Operand>.Empty;
        if (!replaced.IsEmpty)
        {
            extra.Add("scratch");
            ScratchFloats = Math.Max(ScratchFloats, replaced.Length * Packing.Padded(stage.Units));
        }

        bool usesTokens = terms.Any(term => term.IsLookup);
        ImmutableArray<string> comments = stage.Parts.SelectMany(part => part switch
        {
            ProductStage product => product.Accumulators.Select((_, slot) => SumEquation(product, slot)),
            MapStage map => MapEquations(schedule, map),
            _ => Enumerable.Empty<string>(),
        }).Distinct().ToImmutableArray();
        return Add(layer + "Step", comments, rows, extra, usesTokens, (set, name, writer) =>
        {
            Optimized(writer);
            using (writer.Block($"internal static void {name}({Declared(rows, extra, usesTokens, oneRow: true, turns: turns)})"))
            using (writer.Block("unchecked"))
            {
                List<(int First, int Count, int Repeats)> parts = Blocks(set, stage).ToList();
                ImmutableArray<Operand> waiting = parts.Sum(part => part.Repeats) > 1 ? replaced : ImmutableArray<Operand>.Empty;
                foreach ((int first, int count, int repeats) in parts)
                {
                    int step = count * set.Lanes, end = repeats * step;
                    using (writer.Block(repeats == 1 ? "" : turns ? $"for (int unit = backward ? {end - step} : 0; (uint)unit < {end}; unit += backward ? -{step} : {step})" : $"for (int unit = 0; unit < {end}; unit += {step})"))
                    {
                        StreamedBlocks(schedule, stage, rows, set, writer, first, count, repeats > 1, waiting);
                    }
                }

                for (int i = 0; i < waiting.Length; i++)
                {
                    writer.Line();
                    using (writer.Block($"for (int unit = 0; unit < {Packing.Padded(stage.Units)}; unit += {set.Lanes})"))
                    {
                        writer.Line($"{Load(rows.Name(waiting[i]), rows.Offset(waiting[i]), "unit")} = {Load("scratch", i * Packing.Padded(stage.Units), "unit")};");
                    }
                }
            }
        }, oneRow: true, turns: turns);
    }

    private static bool IsNear(StreamStage stage) =>
        stage.Products().Sum(term => 4L * term.Packing.Length) <= Machine.NearBytes;

    /// <summary>
    /// How many blocks of a vector's lanes go together: enough sums that additions need not wait for each other, and whole panels.
    /// First block, blocks together, how often.
    /// </summary>
    private static IEnumerable<(int First, int Count, int Repeats)> Blocks(InstructionSet set, StreamStage stage)
    {
        bool isNear = IsNear(stage);
        List<Packing> packings = stage.Products().Select(term => term.Packing).ToList();
        int total = (stage.Units + set.Lanes - 1) / set.Lanes;
        if (stage.Units <= Packing.Lanes)
        {
            yield return (0, total, 1);
            yield break;
        }

        int sums = stage.Parts.OfType<ProductStage>().SelectMany(product => product.Accumulators).Select(accumulator => accumulator.Target).Distinct().Count();
        int panel = packings.Max(packing => packing.PanelVectors / packing.Slots) * set.Parts;
        int wanted = (set.WholePanels && !isNear ? 4 : 8 + sums - 1) / sums;
        int together = (Math.Max(wanted, 1) + panel - 1) / panel * panel;

        // A narrower last panel has columns of its own length: blocks that go together are in whole panels of a packing, or in its last one.
        int[] cuts = packings.Where(packing => packing.LastPanelVectors < packing.PanelVectors)
            .Select(packing => (packing.Panels - 1) * (packing.PanelVectors / packing.Slots) * set.Parts).Where(cut => cut < total).Append(total).Distinct().OrderBy(cut => cut).ToArray();
        int repeats = cuts[0] / together;
        if (repeats > 0)
        {
            yield return (0, together, repeats);
        }

        int first = repeats * together;
        foreach (int end in cuts.Where(cut => cut > first))
        {
            yield return (first, end - first, 1);
            first = end;
        }
    }

    private void StreamedBlocks(
        ModelSchedule schedule, StreamStage stage, MemoryReferences rows, InstructionSet set, SourceWriter writer, int first, int count, bool repeats, ImmutableArray<Operand> waiting)
    {
        // Where a block's elements lie in a row, and what a value is called.
        string Place(int block, int offset) => Sum(Constant(offset + (first + block) * set.Lanes), repeats ? "unit" : "");
        Locals[] locals = Enumerable.Range(0, count).Select(block => new Locals(_equations, rows, suffix: count == 1 ? "" : "_" + block)).ToArray();
        var registers = new Dictionary<(Operand, int), string>();
        ILookup<Operand, Accumulator> sumsAt = stage.Parts.OfType<ProductStage>().SelectMany(product => product.Accumulators).ToLookup(accumulator => accumulator.Target);
        foreach (Statement part in stage.Parts)
        {
            if (part is ProductStage product)
            {
                Start(product);
                foreach (Term term in product.Terms)
                {
                    Multiply(product, term);
                }

                continue;
            }

            var map = (MapStage)part;
            for (int block = 0; block < count; block++)
            {
                Equations(map, block);
            }
        }

        foreach (Operand kept in stage.Kept)
        {
            for (int block = 0; block < count; block++)
            {
                int wait = waiting.IndexOf(kept);
                string place = wait < 0 ? Load(rows.Name(kept), Place(block, rows.Offset(kept))) : Load("scratch", Place(block, wait * Packing.Padded(stage.Units)));
                writer.Line($"{place} = {registers[(kept, block)]};");
            }
        }

        string SumName(Accumulator accumulator, int block) => locals[block].Fresh(_equations.Name(accumulator.Value) ?? schedule.ValueOf(accumulator.Target).Name);

        void Start(ProductStage product)
        {
            for (int block = 0; block < count; block++)
            {
                foreach (Accumulator accumulator in product.Accumulators.Where(accumulator => !registers.ContainsKey((accumulator.Target, block))))
                {
                    string name = SumName(accumulator, block);
                    string start = accumulator.Start switch
                    {
                        StartKind.Bias => Load("parameters", Place(block, rows.Offset(accumulator.Bias!))),
                        StartKind.InPlace => Load(rows.Name(accumulator.Target), Place(block, rows.Offset(accumulator.Target))),
                        _ => "V.Zero",
                    };
                    writer.Line($"V {name} = {start};");
                    registers[(accumulator.Target, block)] = name;
                }
            }
        }

        void Multiply(ProductStage product, Term term)
        {
            Packing packing = term.Packing;
            int blocksInPanel = packing.PanelVectors / packing.Slots * set.Parts;
            int firstPanel = first / blocksInPanel, panelFloats = packing.PanelVectors * 16 * packing.Columns;
            int width = firstPanel < packing.Panels - 1 ? packing.PanelVectors : packing.LastPanelVectors;
            string weights = locals[0].Fresh("weights");
            string origin = Sum(
                Constant(rows.Offset(packing) + firstPanel * panelFloats), repeats ? $"unit * {panelFloats / (blocksInPanel * set.Lanes)}" : "", term.IsLookup ? $"token * {width * 16}" : "");
            writer.Line($"ref float {weights} = ref Unsafe.Add(ref {(schedule.IsDerived(packing) ? "derived" : "parameters")}, {(origin.Length == 0 ? "0" : origin)});");
            int Offset(int block, int slot)
            {
                int at = first + block - firstPanel * blocksInPanel;
                return at / blocksInPanel * panelFloats + (at % blocksInPanel / set.Parts * packing.Slots + slot) * 16 + at % set.Parts * set.Lanes;
            }

            if (term.IsLookup)
            {
                EachSum((sum, weight) => $"{sum} = {sum} + {weight};");
                return;
            }

            int chains = IsSplit(term) ? set.ChainsOf(packing.Columns) : 1;
            if (chains > 1)
            {
                Split(product, term, weights, width * 16, chains, Offset);
                return;
            }

            foreach ((int row, int offset, int columns) in Segments(schedule, rows, term))
            {
                if (columns == 1)
                {
                    using (writer.Block(""))
                    {
                        writer.Line($"V x = {set.Factory}.Create({At(rows.Name(row), offset)});");
                        EachSum((sum, weight) => $"{sum} = {string.Format(set.MultiplyAdd, "x", weight, sum)};");
                    }

                    writer.Line($"{weights} = ref Unsafe.Add(ref {weights}, {width * 16});");
                    continue;
                }

                using (writer.Block($"for (int k = 0; k < {columns}; k++)"))
                {
                    writer.Line($"V x = {set.Factory}.Create({At(rows.Name(row), Sum(Constant(offset), "k"))});");
                    EachSum((sum, weight) => $"{sum} = {string.Format(set.MultiplyAdd, "x", weight, sum)};");
                    if (!IsNear(stage))
                    {
                        for (int line = 0; line < count * packing.Slots * set.Lanes / 16; line++)
                        {
                            int panel = line / width * panelFloats + line % width * 16;
                            writer.Line($"VectorMath.Prefetch(ref Unsafe.Add(ref {weights}, {panel + PrefetchFloats}));");
                        }
                    }

                    writer.Line($"{weights} = ref Unsafe.Add(ref {weights}, {width * 16});");
                }
            }

            void EachSum(Func<string, string, string> line)
            {
                for (int block = 0; block < count; block++)
                {
                    for (int slot = 0; slot < packing.Slots; slot++)
                    {
                        string sum = registers[(product.Accumulators[slot].Target, block)];
                        writer.Line(line(sum, Load(weights, Offset(block, slot))));
                    }
                }
            }
        }

        // A short sum, all columns in sight: its first chain goes on from what is there.
        void Split(ProductStage product, Term term, string weights, int columnFloats, int chains, Func<int, int, int> offsetOf)
        {
            string values = rows.Name(term.Operands[0]);
            for (int block = 0; block < count; block++)
            {
                using (writer.Block(""))
                {
                    string[] sums = product.Accumulators.Select(accumulator => registers[(accumulator.Target, block)]).ToArray();
                    string[,] chain = new string[term.Packing.Slots, chains];
                    for (int k = 0; k < term.Packing.Columns; k++)
                    {
                        string x = locals[block].Fresh("x");
                        writer.Line($"V {x} = {set.Factory}.Create({At(values, rows.Offset(term.Operands[0]) + k)});");
                        for (int slot = 0; slot < term.Packing.Slots; slot++)
                        {
                            bool isNew = k > 0 && k < chains;
                            string sum = k % chains == 0 ? sums[slot] : isNew ? locals[block].Fresh("sum") : chain[slot, k % chains];
                            chain[slot, k % chains] = sum;
                            string weight = Load(weights, offsetOf(block, slot) + k * columnFloats);
                            writer.Line($"{(isNew ? "V " : "")}{sum} = {string.Format(set.MultiplyAdd, x, weight, isNew ? "V.Zero" : sum)};");
                        }
                    }

                    for (int slot = 0; slot < term.Packing.Slots; slot++)
                    {
                        writer.Line($"{sums[slot]} = {InstructionSet.Joined(Enumerable.Range(0, chains).Select(i => chain[slot, i]).ToList())};");
                    }
                }
            }
        }

        void Equations(MapStage map, int block)
        {
            Locals names = locals[block];
            List<Node> read = map.Inputs().Distinct().ToList();
            foreach (Binding load in map.Loads)
            {
                if (registers.TryGetValue((load.Operand, block), out string? held))
                {
                    names.Call(load.Node, held);
                }
                else if (!names.Has(load.Node))
                {
                    int offset = rows.Offset(load.Operand);
                    string place = Read(set, load.Node, rows.Name(load.Operand), Constant(offset), Place(block, offset));
                    writer.Line($"V {names.Name(load.Node)} = {place};");
                }
            }

            foreach (Node node in read.Where(node => node.Kind is NodeKind.Constant or NodeKind.Parameter && !names.Has(node)).OrderBy(node => node.Id))
            {
                writer.Line($"V {names.Name(node)} = {(node.Kind == NodeKind.Constant ? Number(set, node) : Parameter(node))};");
            }

            foreach (Node node in map.Computed().Where(node => !names.Has(node)))
            {
                writer.Line($"V {names.Name(node)} = {Code(node, names)};");
            }

            foreach (Binding store in map.Stores)
            {
                string name = names.Name(store.Node);
                if (sumsAt[store.Operand].FirstOrDefault() is { } accumulator)
                {
                    // The sum goes on from here, and others may still read what it started from.
                    string sum = SumName(accumulator, block);
                    writer.Line($"V {sum} = {name};");
                    name = sum;
                }

                registers[(store.Operand, block)] = name;
            }

            string Parameter(Node node)
            {
                int offset = rows.Offset(node);
                return Read(set, node, "parameters", Constant(offset), Place(block, offset));
            }
        }
    }
}

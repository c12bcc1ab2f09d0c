using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Unrolled.Generator.Schedule;
using static Unrolled.Generator.Emit.KernelText;

namespace Unrolled.Generator.Emit;

/// <summary>Kernels for tokens: the column of a matrix that a token names, and its gradient.</summary>
internal sealed partial class KernelEmitter
{
    private KernelCall Lookup(ModelSchedule schedule, ProductStage stage, MemoryReferences rows, string layer)
    {
        Packing packing = stage.Terms[0].Packing;
        Operand target = stage.Accumulators[0].Target;
        rows.Index(target);
        string sums = rows.Name(target);
        int[] sumOffsets = stage.Accumulators.Select(accumulator => rows.Offset(accumulator.Target)).ToArray();
        int[] biasOffsets = stage.Accumulators.Select(accumulator => accumulator.Bias is { } bias ? rows.Offset(bias) : 0).ToArray();
        var extra = new List<string> { schedule.IsDerived(packing) ? "derived" : "parameters" };
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
}

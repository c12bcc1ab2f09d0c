using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Unrolled.Generator.Graph;
using Unrolled.Generator.Schedule;
using static Unrolled.Generator.Emit.KernelText;

namespace Unrolled.Generator.Emit;

/// <summary>Kernels of sums over rows: gradients of vectors, and the adjoint of what all rows share.</summary>
internal sealed partial class KernelEmitter
{
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
}

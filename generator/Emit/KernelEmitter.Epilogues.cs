using System;
using System.Collections.Generic;
using System.Linq;
using Unrolled.Generator.Graph;
using Unrolled.Generator.Schedule;
using static Unrolled.Generator.Emit.KernelText;

namespace Unrolled.Generator.Emit;

/// <summary>Kernels of elementwise operations on rows, with the sums and maxima over a row.</summary>
internal sealed partial class KernelEmitter
{
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
}

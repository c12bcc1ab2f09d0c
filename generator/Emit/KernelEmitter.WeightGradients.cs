using System.Collections.Generic;
using System.Collections.Immutable;
using System.Globalization;
using System.Linq;
using Unrolled.Generator.Graph;
using Unrolled.Generator.Schedule;
using static Unrolled.Generator.Emit.KernelText;

namespace Unrolled.Generator.Emit;

/// <summary>Kernels of weight gradients: calls of tiles, a thread its panels or columns.</summary>
internal sealed partial class KernelEmitter
{
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
                    writer.Line($"GradientShape {shape} = new GradientShape {{ {string.Join(", ", fields)} }};");

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
}

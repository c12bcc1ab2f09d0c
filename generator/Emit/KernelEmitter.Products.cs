using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Unrolled.Generator.Schedule;
using static Unrolled.Generator.Emit.KernelText;

namespace Unrolled.Generator.Emit;

/// <summary>Kernels of products: calls of tiles, one for each run of elements and each width of panel.</summary>
internal sealed partial class KernelEmitter
{
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
        if (start == StartKind.Bias || stage.Terms.Any(term => !schedule.IsDerived(term.Packing)))
        {
            extra.Add("parameters");
        }

        if (stage.Terms.Any(term => schedule.IsDerived(term.Packing)))
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
                string weights = schedule.IsDerived(packing) ? "derived" : "parameters";
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
                        writer.Line($"ProductShape {shape} = new ProductShape {{ {string.Join(", ", fields)} }};");
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
    private static bool IsSplit(Term term) => term.Operands.Length == 1 && Packing.IsShort(term.Packing.Columns);

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
}

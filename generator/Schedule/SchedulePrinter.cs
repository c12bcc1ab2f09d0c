using System.Globalization;
using System.Linq;
using System.Text;
using Unrolled.Generator.Graph;

namespace Unrolled.Generator.Schedule;

/// <summary>A schedule as text, for tests and for people.</summary>
internal static class SchedulePrinter
{
    public static string Print(ModelSchedule schedule)
    {
        var text = new StringBuilder();
        foreach (Buffer buffer in schedule.Buffers)
        {
            Line(0, $"buffer {buffer.Id} {buffer.Residence} {buffer.Slots} × {buffer.Units}: {buffer.Name}");
        }

        Line(0, "forward");
        Print(1, schedule.Forward);
        Line(0, "backward");
        Print(1, schedule.Backward);
        return text.ToString();

        void Line(int depth, string line) => text.Append(' ', depth * 2).Append(line).Append('\n');

        string At(Operand operand) => string.Format(
            CultureInfo.InvariantCulture, "{0}@{1}.{2}{3}", schedule.ValueOf(operand).Name, schedule.PlaceOf(operand).Buffer, schedule.PlaceOf(operand).Slot,
            operand.Moment == Moment.Current ? "" : "." + operand.Moment);

        void Print(int depth, System.Collections.Immutable.ImmutableArray<Statement> statements)
        {
            foreach (Statement statement in statements)
            {
                switch (statement)
                {
                    case Loop loop:
                        Line(depth, $"loop {loop.Name}{(loop.Reverse ? " from the last step" : "")}");
                        Print(depth + 1, loop.Body);
                        break;
                    case StepBlocks blocks:
                        Line(depth, $"blocks of steps{(blocks.Reverse ? " from the last step" : "")}");
                        Print(depth + 1, blocks.Body);
                        break;
                    case OnRequest requested:
                        Line(depth, "where the gradient of the input is asked for");
                        Print(depth + 1, requested.Body);
                        break;
                    case StreamStage stage:
                        Line(depth, $"stream {stage.Units} -> {string.Join(", ", stage.Kept.Select(At))}");
                        Print(depth + 1, stage.Parts);
                        break;
                    case Parallel parallel:
                        Line(depth, $"parallel {parallel.Division}");
                        Print(depth + 1, parallel.Body);
                        break;
                    case Repack repack:
                        Line(depth, $"repack {repack.Packing.Name}");
                        break;
                    case ProductStage stage:
                        Line(depth, $"product {stage.Extent} [{string.Join(", ", stage.Accumulators.Select(a => $"{At(a.Target)} from {a.Start}{(a.Bias is { } bias ? " " + bias.Name : "")}"))}]");
                        foreach (Term term in stage.Terms)
                        {
                            Line(depth + 1, $"+ {term.Packing.Name} {(term.IsLookup ? "at" : "@")} {string.Join(", ", term.Operands.Select(At))}");
                        }

                        break;
                    case MapStage stage:
                        Line(depth, $"map {stage.Extent} {stage.Units}: {string.Join(", ", stage.Loads.Select(load => At(load.Operand)))} -> {string.Join(", ", stage.Stores.Concat(stage.Reductions).Select(store => At(store.Operand)))} ({stage.Computed().Count} operations)");
                        break;
                    case ColumnSums sums:
                        Line(depth, $"column sums {sums.Extent} {string.Join(", ", sums.Sums.Select(sum => sum.Parameter.Name))} of {string.Join(", ", sums.Loads.Select(load => At(load.Operand)))}");
                        break;
                    case RowSum sum:
                        Line(depth, $"sum of rows {sum.Extent} {At(sum.Load.Operand)} -> {At(sum.Target)}");
                        break;
                    case WeightGradient gradient:
                        Line(depth, $"gradient {gradient.Extent} {gradient.Packing.Name}: {string.Join(", ", gradient.Adjoints.Select(a => a is { } o ? At(o) : "-"))} ⊗ {At(gradient.Columns)}"
                            + (gradient.Vectors.OfType<Node>().Any() ? $", sums for {string.Join(", ", gradient.Vectors.OfType<Node>().Select(vector => vector.Name))}" : ""));
                        break;
                    case CopyRows copy:
                        Line(depth, $"copy {copy.Extent} {copy.Units}: {(copy.From is { } from ? At(from) : "0")} -> {At(copy.To)}");
                        break;
                }
            }
        }
    }
}

using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Unrolled.Generator.Graph;
using Unrolled.Generator.Schedule;

namespace Unrolled.Generator.Passes;

/// <summary>
/// Divides a schedule among threads: statements in a row that are divided alike become one parallel statement, as long as no thread needs
/// what another one does in it. What is summed over rows is divided by what it writes, so that every sum keeps its one order.
/// </summary>
internal static class Divide
{
    public static ModelSchedule Run(ModelSchedule schedule) => schedule with
    {
        Forward = Grouped(schedule, schedule.Forward),
        Backward = Grouped(schedule, schedule.Backward),
        InputBackward = Grouped(schedule, schedule.InputBackward),
    };

    /// <summary>How a statement is divided: rows are independent of each other until something is summed over them.</summary>
    public static Division DivisionOf(Statement statement) => statement switch
    {
        Loop => Division.Rows,
        ProductStage { Extent: Extent.Once } or MapStage { Extent: Extent.Once } or CopyRows { Extent: Extent.Once } => Division.One,
        ProductStage { Extent: Extent.Step } or MapStage { Extent: Extent.Step } or CopyRows { Extent: Extent.Step } => Division.Rows,
        ProductStage or MapStage or CopyRows => Division.RowsOfSteps,
        _ => Division.Blocks,
    };

    /// <summary>Whether a thread's part of one statement touches what another thread's part of the other, divided alike, writes.</summary>
    public static bool Conflict(ModelSchedule schedule, Statement one, Statement other)
    {
        switch (DivisionOf(one))
        {
            // All steps of a row are one thread's, and so is what one thread does.
            case Division.Rows:
            case Division.One:
                return false;

            // One row's number at two moments means two rows.
            case Division.RowsOfSteps:
                return Meets(one.Writes(), other.Reads().Concat(other.Writes())) || Meets(other.Writes(), one.Reads());

            // Gradients of one packing by its panels and by its columns, of one vector by two packings' panels; sums over rows that others read.
            default:
                return one.Writes().Intersect(other.Reads()).Any() || other.Writes().Intersect(one.Reads()).Any()
                    || (one is WeightGradient first && other is WeightGradient second && first.Packing == second.Packing && first.IsLookup != second.IsLookup)
                    || (one != other && !(one is ColumnSums && other is ColumnSums) && Vectors(one).Intersect(Vectors(other)).Any());
        }

        bool Meets(IEnumerable<Operand> writes, IEnumerable<Operand> uses) =>
            writes.Any(write => uses.Any(use => schedule.PlaceOf(use) == schedule.PlaceOf(write) && use.Moment != write.Moment));
    }

    /// <summary>The vectors to whose gradients a statement adds.</summary>
    private static IEnumerable<Node> Vectors(Statement statement) => statement switch
    {
        ColumnSums sums => sums.Sums.Select(sum => sum.Parameter),
        WeightGradient gradient => gradient.Vectors.OfType<Node>(),
        _ => Enumerable.Empty<Node>(),
    };

    private static ImmutableArray<Statement> Grouped(ModelSchedule schedule, ImmutableArray<Statement> statements)
    {
        var groups = new List<List<Statement>>();
        foreach (Statement statement in statements)
        {
            List<Statement>? last = groups.LastOrDefault();
            if (last is null || IsHolder(statement) || IsHolder(last[0]) || DivisionOf(last[0]) != DivisionOf(statement) || last.Any(earlier => Conflict(schedule, earlier, statement)))
            {
                groups.Add(new List<Statement> { statement });
            }
            else
            {
                last.Add(statement);
            }
        }

        return groups.Select(group => group[0] switch
        {
            StepBlocks blocks => (Statement)(blocks with { Body = Grouped(schedule, blocks.Body) }),
            OnRequest requested => requested with { Body = Grouped(schedule, requested.Body) },
            _ => new Parallel(string.Join("; ", group.Select(statement => statement.Name)), DivisionOf(group[0]), group.ToImmutableArray()),
        }).ToImmutableArray();

        static bool IsHolder(Statement statement) => statement is StepBlocks or OnRequest;
    }
}

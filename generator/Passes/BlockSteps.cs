using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Unrolled.Generator.Schedule;

namespace Unrolled.Generator.Passes;

/// <summary>
/// Goes through long sequences a few steps at a time: all layers take a block of steps, then the next one, so that what one statement
/// leaves to another is still in the cache. What happens once, before the first step or after the last, stays outside.
/// </summary>
internal static class BlockSteps
{
    /// <summary>Rows of a block at the least: fewer would have each weight gradient fetched and stored too often.</summary>
    private const int FewestRows = 2 * WeightGradient.ChunkRows;

    /// <summary>Each block fetches weights and gradients: one row more for so many weights keeps that small, as far as they stay in the third-level cache.</summary>
    private const int WeightsOfARow = 512;

    /// <summary>Rows of a block, however many weights there are: beyond the third-level cache fetching costs the same share.</summary>
    private const int MostRowsForWeights = 2048;

    public static ModelSchedule Run(ModelSchedule schedule) => schedule with
    {
        Forward = Blocked(schedule, schedule.Forward),
        Backward = Blocked(schedule, schedule.Backward),
    };

    private static ImmutableArray<Statement> Blocked(ModelSchedule schedule, ImmutableArray<Statement> statements)
    {
        // What is done on request is divided like the rest, and each part is put under its condition again.
        var requested = new HashSet<Statement>(statements.OfType<OnRequest>().SelectMany(request => request.Body));
        List<Statement> all = statements.SelectMany(statement => statement is OnRequest request ? request.Body : ImmutableArray.Create(statement)).ToList();
        List<Statement> before = new(), blocks = new(), after = new();
        foreach (Statement statement in all)
        {
            if (IsOfSteps(statement))
            {
                blocks.Add(statement);
            }
            else
            {
                (blocks.Concat(after).Any(earlier => Depend(schedule, earlier, statement)) ? after : before).Add(statement);
            }
        }

        // A block's later statements run before the next block's earlier ones; what comes after all blocks must not be awaited in one.
        bool areBlocks = blocks.OfType<Loop>().Select(loop => loop.Reverse).Distinct().Count() == 1
            && !blocks.Any(block => after.Any(late => all.IndexOf(late) < all.IndexOf(block) && Depend(schedule, late, block)))
            && (!blocks.OfType<Loop>().First().Reverse || !blocks.Any(block => ReadsEarlierSteps(schedule, block, blocks)));
        return areBlocks
            ? Grouped(before).Add(new StepBlocks(string.Join("; ", blocks.Select(block => block.Name)), blocks.OfType<Loop>().First().Reverse, Grouped(blocks)) { Rows = RowsOf(schedule) }).AddRange(Grouped(after))
            : Grouped(all);

        ImmutableArray<Statement> Grouped(List<Statement> list)
        {
            ImmutableArray<Statement> always = list.Where(statement => !requested.Contains(statement)).ToImmutableArray();
            ImmutableArray<Statement> onRequest = list.Where(requested.Contains).ToImmutableArray();
            return onRequest.IsEmpty ? always : always.Add(new OnRequest(onRequest));
        }
    }

    /// <summary>Whole chunks of weight gradients: few enough to stay in the cache, and enough to be worth fetching the weights.</summary>
    private static int RowsOf(ModelSchedule schedule)
    {
        int weights = schedule.AllStatements.OfType<WeightGradient>().Sum(gradient => gradient.Packing.Length);
        int rows = Math.Max(Machine.CacheFloats / schedule.WidestRow, Math.Min(weights / WeightsOfARow, MostRowsForWeights));
        return Math.Max(rows / WeightGradient.ChunkRows * WeightGradient.ChunkRows, FewestRows);
    }

    /// <summary>Whether a statement does the same for every step, so that it may do it for some of them.</summary>
    private static bool IsOfSteps(Statement statement) => statement switch
    {
        Loop => true,
        ProductStage or MapStage or CopyRows or ColumnSums or WeightGradient =>
            statement.RowExtent() == Extent.Sequence && statement.Reads().Concat(statement.Writes()).All(operand => operand.Moment is Moment.Current or Moment.Previous),
        _ => false,
    };

    /// <summary>Whether the order of two statements matters: one writes memory that the other uses.</summary>
    private static bool Depend(ModelSchedule schedule, Statement one, Statement other)
    {
        HashSet<Place> Places(IEnumerable<Operand> operands) => new(operands.Select(schedule.PlaceOf));
        HashSet<Place> writes = Places(Written(one)), otherWrites = Places(Written(other));
        return writes.Overlaps(otherWrites) || writes.Overlaps(Places(Read(other))) || otherWrites.Overlaps(Places(Read(one)));
    }

    private static IEnumerable<Operand> Read(Statement statement) => ModelSchedule.Flat(new[] { statement }).SelectMany(inner => inner.Reads());

    private static IEnumerable<Operand> Written(Statement statement) => ModelSchedule.Flat(new[] { statement }).SelectMany(inner => inner.Writes());

    /// <summary>Whether a statement on all steps at once reads what blocks compute at the step before, which comes later when time goes back.</summary>
    private static bool ReadsEarlierSteps(ModelSchedule schedule, Statement statement, List<Statement> blocks) => statement is not Loop
        && statement.Reads().Where(read => read.Moment == Moment.Previous).Any(read => blocks.SelectMany(Written).Any(write => schedule.PlaceOf(write) == schedule.PlaceOf(read)));
}

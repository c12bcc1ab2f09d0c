using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Unrolled.Generator.Graph;
using Unrolled.Generator.Schedule;

namespace Unrolled.Generator.Passes;

/// <summary>
/// One row of one step, which is what streaming mostly is: loops over time go, products join the epilogues on the same units, so that
/// sums stay in registers until the equations have used them, and states are updated where they lie.
/// </summary>
internal static class Stream
{
    /// <summary>Operations that one stage holds at the most: a user's cell may have hundreds, a method may not.</summary>
    private const int MostOperations = 40;

    /// <param name="schedule">The program of a step, before Fuse and Plan.</param>
    public static ModelSchedule Run(ModelSchedule schedule)
    {
        ImmutableArray<Statement> joined = Join(schedule.Forward.SelectMany(statement => statement is Loop loop ? loop.Body : ImmutableArray.Create(statement)));
        return Settle(schedule, joined);
    }

    // ---- products and epilogues

    private static ImmutableArray<Statement> Join(IEnumerable<Statement> statements)
    {
        ImmutableArray<Statement>.Builder result = ImmutableArray.CreateBuilder<Statement>();
        var parts = new List<Statement>();
        foreach (Statement statement in statements)
        {
            if (!CanJoin(parts, statement))
            {
                End();
            }

            if (UnitsOf(statement) is not null)
            {
                parts.Add(statement);
            }
            else
            {
                result.Add(statement);
            }
        }

        End();
        return result.ToImmutable();

        void End()
        {
            // Equations between products have kernels that are as good.
            if (parts.OfType<ProductStage>().Any())
            {
                result.Add(new StreamStage(parts[0].Name, UnitsOf(parts[0])!.Value, parts.ToImmutableArray(), ImmutableArray<Operand>.Empty));
            }
            else
            {
                result.AddRange(parts);
            }

            parts.Clear();
        }
    }

    /// <summary>The units of a statement that a stage may hold; null for others.</summary>
    private static int? UnitsOf(Statement statement) => statement switch
    {
        ProductStage product => product.Accumulators[0].Value.Type.Units,
        MapStage { Units: > 0, Reductions.IsEmpty: true } map when map.Computed().Count <= MostOperations => map.Units,
        _ => null,
    };

    private static bool CanJoin(List<Statement> parts, Statement statement)
    {
        if (parts.Count == 0)
        {
            return true;
        }

        // A product needs all elements of its operand, a stage has those of a few units.
        var written = new HashSet<Operand>(parts.SelectMany(part => part.Writes()));
        return UnitsOf(statement) == UnitsOf(parts[0])
            && parts.Append(statement).OfType<MapStage>().Sum(map => map.Computed().Count) <= MostOperations
            && (statement is not ProductStage product || !product.Terms.SelectMany(term => term.Operands).Any(written.Contains));
    }

    // ---- states

    /// <summary>Gives every carried value a place for one row: its state's own, where nobody reads the old value after the new one is written.</summary>
    private static ModelSchedule Settle(ModelSchedule schedule, ImmutableArray<Statement> statements)
    {
        List<StoredValue> values = schedule.Values.Select(value => IsCarried(value) || value.Residence == Residence.Steps ? value with { Residence = Residence.Step } : value).ToList();
        var before = new Dictionary<int, Operand>();
        var after = new Dictionary<int, Operand>();
        var gone = new HashSet<Statement>();
        foreach (StoredValue value in schedule.Values.Where(IsCarried))
        {
            CopyRows? first = statements.OfType<CopyRows>().FirstOrDefault(copy => copy.To == new Operand(value.Id, Moment.Initial) && IsWhole(copy, schedule) && IsState(copy.From!.Value, schedule));
            CopyRows? last = statements.OfType<CopyRows>().FirstOrDefault(copy => copy.From == new Operand(value.Id, Moment.Final) && IsWhole(copy, schedule) && IsState(copy.To, schedule));
            if (first is not null)
            {
                before[value.Id] = first.From!.Value;
                gone.Add(first);
            }
            else
            {
                before[value.Id] = new Operand(values.Count);
                values.Add(new StoredValue(values.Count, value.Name + "_previous", value.Units, Residence.Step));
            }

            if (first is not null && last is not null && first.From == last.To && IsReplaceable(value, statements))
            {
                after[value.Id] = last.To;
                gone.Add(last);
            }
        }

        Operand Placed(Operand operand) => !IsCarried(schedule.ValueOf(operand)) ? new Operand(operand.Value)
            : operand.Moment is Moment.Previous or Moment.Initial ? before[operand.Value]
            : after.TryGetValue(operand.Value, out Operand state) ? state : new Operand(operand.Value);

        // The caller reads the outputs where they are.
        Statement? output = statements.LastOrDefault(statement => statement is CopyRows copy
            && schedule.ValueOf(copy.To).Residence == Residence.Output && IsWhole(copy, schedule) && schedule.ValueOf(copy.From!.Value).Residence != Residence.Input);
        ImmutableArray<Statement> placed = statements.Where(statement => !gone.Contains(statement) && statement != output)
            .Select(statement => Rewrite(statement, Placed)).ToImmutableArray();
        Operand outputs = output is CopyRows whole ? Placed(whole.From!.Value) : new Operand(schedule.Values.Single(value => value.Residence == Residence.Output).Id);
        return schedule with { Values = values.ToImmutableArray(), Forward = Keep(placed, values, outputs), Outputs = outputs };
    }

    private static bool IsCarried(StoredValue value) => value.Residence is Residence.Ring or Residence.History;

    private static bool IsState(Operand operand, ModelSchedule schedule) => schedule.ValueOf(operand).Residence == Residence.State;

    private static bool IsWhole(CopyRows copy, ModelSchedule schedule) => copy.From is { } from && copy.FromElement == 0 && copy.ToElement == 0
        && schedule.ValueOf(from).Units == copy.Units && schedule.ValueOf(copy.To).Units == copy.Units;

    /// <summary>Whether a carried value's next element may take the place of the last one.</summary>
    private static bool IsReplaceable(StoredValue value, ImmutableArray<Statement> statements)
    {
        Operand previous = new(value.Id, Moment.Previous), current = new(value.Id);
        List<Statement> writers = statements.Where(statement => statement.Writes().Contains(current)).ToList();
        return writers.Count == 1
            && !statements.Skip(statements.IndexOf(writers[0]) + 1).Any(statement => statement.Reads().Contains(previous))
            && (writers[0] is MapStage || (writers[0] is StreamStage stage && !IsReadLater(stage, previous, current)));
    }

    /// <summary>Whether a part reads the old value after one has computed the new one.</summary>
    private static bool IsReadLater(StreamStage stage, Operand previous, Operand current) =>
        stage.Parts.SkipWhile(part => !part.Writes().Contains(current)).Skip(1).Any(part => part.Reads().Contains(previous));

    private static Statement Rewrite(Statement statement, System.Func<Operand, Operand> placed)
    {
        Binding Bound(Binding binding) => binding with { Operand = placed(binding.Operand) };
        return statement switch
        {
            StreamStage stage => stage with { Parts = stage.Parts.Select(part => Rewrite(part, placed)).ToImmutableArray() },
            ProductStage stage => stage with
            {
                Extent = Extent.Step,
                Accumulators = stage.Accumulators.Select(accumulator => accumulator with { Target = placed(accumulator.Target) }).ToImmutableArray(),
                Terms = stage.Terms.Select(term => term with { Operands = term.Operands.Select(placed).ToImmutableArray() }).ToImmutableArray(),
            },
            MapStage stage => stage with
            {
                Extent = Extent.Step,
                Loads = stage.Loads.Select(Bound).ToImmutableArray(),
                Stores = stage.Stores.Select(Bound).ToImmutableArray(),
                Reductions = stage.Reductions.Select(Bound).ToImmutableArray(),
            },
            Repack => statement,
            CopyRows copy => copy with { Extent = Extent.Step, From = copy.From is { } from ? placed(from) : null, To = placed(copy.To) },
            _ => throw new System.InvalidOperationException($"a step has no {statement}"),
        };
    }

    /// <summary>What a stage stores: states, and what others read.</summary>
    private static ImmutableArray<Statement> Keep(ImmutableArray<Statement> statements, List<StoredValue> values, Operand outputs) => statements.Select(statement =>
    {
        if (statement is not StreamStage stage)
        {
            return statement;
        }

        var read = new HashSet<Operand>(statements.Where(other => other != statement).SelectMany(other => other.Reads())) { outputs };
        return stage with
        {
            Kept = stage.Parts.SelectMany(part => part.Writes()).Distinct()
                .Where(write => values[write.Value].Residence != Residence.Step || read.Contains(write)).ToImmutableArray(),
        };
    }).ToImmutableArray();
}

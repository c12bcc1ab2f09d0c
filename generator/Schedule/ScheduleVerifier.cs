using System;
using System.Collections.Generic;
using System.Linq;
using Unrolled.Generator.Graph;

namespace Unrolled.Generator.Schedule;

/// <summary>What must hold of every schedule before it is emitted. A violation is a fault of a pass, never of the user.</summary>
internal static class ScheduleVerifier
{
    /// <exception cref="InvalidOperationException">Names the rule and the statement.</exception>
    public static void Verify(ModelSchedule schedule)
    {
        var written = new HashSet<int>(schedule.Values
            .Where(value => value.Residence is Residence.Input or Residence.Tokens or Residence.State or Residence.Fresh or Residence.OutputGradient or Residence.FinalGradient)
            .Select(value => value.Id));
        var fresh = new HashSet<Packing>();
        foreach (Statement statement in schedule.AllStatements)
        {
            foreach (Operand read in statement.Reads())
            {
                Require(written.Contains(read.Value), statement, $"'{schedule.Values[read.Value].Name}' is read before it is written");
            }

            written.UnionWith(statement.Writes().Select(write => write.Value));
            switch (statement)
            {
                case ProductStage stage:
                    Require(stage.Accumulators.Select(a => schedule.PlaceOf(a.Target)).Distinct().Count() == stage.Accumulators.Length, stage, "accumulators have places of their own");
                    Require(stage.Accumulators.Select(a => schedule.PlaceOf(a.Target).Buffer).Distinct().Count() == 1, stage, "accumulators lie in one buffer");
                    Require(stage.Accumulators.Select(a => a.Value.Type.Units).Distinct().Count() == 1, stage, "accumulators have the same units");
                    foreach (Term term in stage.Terms)
                    {
                        Require(!schedule.IsDerived(term.Packing) || fresh.Contains(term.Packing), stage, "a derived packing is brought up to date before it is read");
                        Require(term.Packing.Slots == stage.Accumulators.Length, stage, "a packing has a slot for each accumulator");
                        Require(term.IsLookup || term.Operands.Sum(operand => schedule.ValueOf(operand).Units) == term.Packing.Columns, stage, "a packing has a column for each element");
                        Require(term.Operands.All(o => stage.Accumulators.All(a => schedule.PlaceOf(a.Target) != schedule.PlaceOf(o) || a.Target.Moment != o.Moment)), stage, "a product does not overwrite its operand");
                    }

                    break;
                case MapStage stage:
                    Require(stage.Stores.Concat(stage.Reductions).Select(store => schedule.PlaceOf(store.Operand)).Distinct().Count() == stage.Stores.Length + stage.Reductions.Length, stage, "an epilogue stores each place once");
                    Require(stage.Computed().All(node => node.Type.Units == stage.Units || node.Type.Units == 0), stage, "an epilogue has one size");
                    break;
                case StreamStage stage:
                    Require(stage.Parts.OfType<ProductStage>().SelectMany(product => product.Terms).All(term => term.Packing.Rows == stage.Units), stage, "products of a stream stage have its units");
                    Require(stage.Parts.OfType<MapStage>().All(map => map.Units == stage.Units && map.Reductions.IsEmpty), stage, "epilogues of a stream stage have its units");
                    break;
                case Repack repack:
                    fresh.Add(repack.Packing);
                    break;
                case Loop loop:
                    Require(loop.Body.All(inner => inner is ProductStage or MapStage or CopyRows && inner.DividedBy() is Division.Rows or Division.One), loop, "a loop's body is on the rows of one step");
                    break;
                case StepBlocks blocks:
                    Require(ModelSchedule.Flat(blocks.Body).OfType<Loop>().All(loop => loop.Reverse == blocks.Reverse), blocks, "loops go through a block's steps as the blocks go through all");
                    break;
                case Parallel parallel:
                    Require(parallel.Body.All(inner => inner is not Parallel && inner.DividedBy() == parallel.Division), parallel, "parallel statements are divided alike");
                    var alike = new DividedAlike(schedule, parallel.Division);
                    foreach (Statement inner in parallel.Body)
                    {
                        Require(alike.Admits(inner) && DividedAlike.IsDivisible(schedule, inner), parallel, "a thread needs nothing of another's part");
                        alike.Add(inner);
                    }

                    break;
                case WeightGradient gradient:
                    Require(gradient.Adjoints.OfType<Operand>().Select(o => schedule.PlaceOf(o).Buffer).Distinct().Count() == 1, gradient, "adjoints lie in one buffer");
                    break;
            }
        }

        foreach (StoredValue value in schedule.Values)
        {
            Residence kept = schedule.Buffers[schedule.Places[value.Id].Buffer].Residence;
            Require((value.Residence == Residence.Once) == (kept == Residence.Once), null, $"'{value.Name}' is one row exactly where its buffer is");
        }

        foreach (Buffer buffer in schedule.Buffers)
        {
            Require(
                buffer.Slots == 1 || buffer.Residence is Residence.Once or Residence.Step or Residence.Steps or Residence.Ring or Residence.History,
                null, $"the buffer '{buffer.Name}' that the runtime reads holds one value");
        }
    }

    private static void Require(bool condition, Statement? statement, string rule)
    {
        if (!condition)
        {
            throw new InvalidOperationException($"the schedule breaks a rule: {rule} ({statement?.Name})");
        }
    }
}

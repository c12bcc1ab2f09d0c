using System.Collections.Immutable;
using System.Linq;
using Unrolled.Generator.Schedule;

namespace Unrolled.Generator.Passes;

/// <summary>Leaves the outputs where a loop keeps them, for the caller to read there: a recurrent layer's outputs are its hidden states.</summary>
internal static class PlaceOutputs
{
    /// <param name="schedule">A sequence's program, planned: only now is it known whether rows lie as the caller reads them.</param>
    public static ModelSchedule Run(ModelSchedule schedule)
    {
        ImmutableArray<CopyRows> copies = schedule.Forward.OfType<CopyRows>().Where(copy => schedule.ValueOf(copy.To).Residence == Residence.Output).ToImmutableArray();
        if (copies.Length != 1 || copies[0] is not { From: { Moment: Moment.Current } kept, FromElement: 0, ToElement: 0 } copy
            || schedule.ValueOf(kept).Units != schedule.ValueOf(copy.To).Units || schedule.BufferOf(kept) is not { Residence: Residence.History, Slots: 1 })
        {
            return schedule;
        }

        // A history keeps what it holds until the next call: nothing else is ever put there.
        return schedule with { Forward = schedule.Forward.Remove(copy), Outputs = kept };
    }
}

using Unrolled.Generator.Passes;
using Unrolled.Generator.Schedule;
using Xunit;

namespace Unrolled.Generator.Tests.PassTests;

public sealed class PlaceOutputsTests
{
    [Theory]
    [InlineData("lstm", true)]
    [InlineData("gru", true)]
    [InlineData("deep stack", false)] // a dense layer writes the output buffer itself
    [InlineData("output not the state", false)]
    [InlineData("output is the state before", false)] // there is one state before the first step, and the outputs begin with it
    [InlineData("concatenated output", false)]
    public void Outputs_that_a_loop_keeps_are_read_there(string name, bool kept)
    {
        foreach (ModelSchedule schedule in new[] { Schedules.Sequence(Networks.Graph(name)), Schedules.Training(Networks.Graph(name)) })
        {
            ModelSchedule placed = PlaceOutputs.Run(schedule);
            Assert.Equal(kept, placed.Outputs is not null);
            Assert.Equal(schedule.Forward.Length - (kept ? 1 : 0), placed.Forward.Length);
            if (placed.Outputs is { } outputs)
            {
                Assert.Equal(Residence.History, placed.BufferOf(outputs).Residence);
                Assert.DoesNotContain(ModelSchedule.Flat(placed.Forward).SelectMany(statement => statement.Writes()), write => placed.ValueOf(write).Residence == Residence.Output);
            }
        }
    }

    [Fact]
    public void Rows_that_hold_other_values_too_are_copied()
    {
        ModelSchedule schedule = Schedules.Training(Networks.Graph("lstm"));
        int history = schedule.PlaceOf(PlaceOutputs.Run(schedule).Outputs!.Value).Buffer;
        ModelSchedule wide = schedule with { Buffers = schedule.Buffers.SetItem(history, schedule.Buffers[history] with { Slots = 2 }) };
        Assert.Null(PlaceOutputs.Run(wide).Outputs);
        Assert.Equal(wide.Forward, PlaceOutputs.Run(wide).Forward);
    }
}

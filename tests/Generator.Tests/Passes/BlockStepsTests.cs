using System.Collections.Immutable;
using Unrolled.Generator.Graph;
using Unrolled.Generator.Passes;
using Unrolled.Generator.Schedule;
using Xunit;

namespace Unrolled.Generator.Tests.PassTests;

public sealed class BlockStepsTests
{
    [Fact]
    public void All_layers_take_a_block_and_states_are_copied_once()
    {
        ModelSchedule schedule = Schedules.Training(Networks.Graph("deep stack")), blocked = BlockSteps.Run(schedule);
        StepBlocks forward = Assert.Single(blocked.Forward.OfType<StepBlocks>()), backward = Assert.Single(blocked.Backward.OfType<StepBlocks>());
        Assert.False(forward.Reverse);
        Assert.True(backward.Reverse);
        Assert.Equal(2, forward.Body.OfType<Loop>().Count());
        Assert.Equal(2, backward.Body.OfType<Loop>().Count());
        Assert.Equal(schedule.Backward.Where(statement => statement is WeightGradient or ColumnSums), backward.Body.Where(statement => statement is WeightGradient or ColumnSums));
        Assert.All(blocked.Forward.Remove(forward), statement => Assert.IsType<CopyRows>(statement));
        Assert.All(blocked.Backward.Remove(backward), statement => Assert.True(statement is CopyRows or Repack or OnRequest));
        Assert.DoesNotContain(forward.Body.Concat(backward.Body), statement => statement is CopyRows { Extent: Extent.Step } or Repack);
    }

    [Fact]
    public void The_gradient_of_the_input_is_asked_for()
    {
        ModelSchedule schedule = Schedules.Training(Networks.Graph("lstm")), blocked = BlockSteps.Run(schedule);
        Assert.Equal(
            Assert.Single(schedule.Backward.OfType<OnRequest>()).Body.OrderBy(statement => statement.Name),
            ModelSchedule.Flat(blocked.Backward).OfType<OnRequest>().SelectMany(requested => requested.Body).OrderBy(statement => statement.Name));
    }

    [Theory]
    [MemberData(nameof(Networks.Names), MemberType = typeof(Networks))]
    public void Every_statement_is_there_once_and_those_of_a_block_are_in_their_order(string name)
    {
        ModelSchedule schedule = Schedules.Training(Networks.Graph(name)), blocked = BlockSteps.Run(schedule);
        foreach ((ImmutableArray<Statement> before, ImmutableArray<Statement> after) in new[]
        {
            (schedule.Forward, blocked.Forward), (schedule.Backward, blocked.Backward),
        })
        {
            List<Statement> all = [.. Leaves(before)], leaves = [.. Leaves(after)];
            Assert.Equal(all.Count, leaves.Count);
            Assert.Equal(new HashSet<Statement>(all, ReferenceEqualityComparer.Instance).Count, new HashSet<Statement>(leaves, ReferenceEqualityComparer.Instance).Count);
            Assert.Equal(all.Any(statement => statement is Loop), after.Any(statement => statement is StepBlocks));
            List<int> order = [.. after.OfType<StepBlocks>().SelectMany(blocks => Leaves(blocks.Body)).Select(statement => all.IndexOf(statement))];
            Assert.Equal(order.Order(), order);
        }

        static IEnumerable<Statement> Leaves(IEnumerable<Statement> statements) => statements.SelectMany(statement => statement switch
        {
            StepBlocks blocks => Leaves(blocks.Body),
            OnRequest requested => requested.Body,
            _ => [statement],
        });
    }

    [Fact]
    public void A_layer_that_waits_for_another_s_last_step_keeps_the_sequence_whole()
    {
        ModelSchedule schedule = Schedules.Training(Networks.Graph("deep stack"));
        Loop[] loops = [.. schedule.Forward.OfType<Loop>()];
        Operand lower = Carried(loops[0]), upper = Carried(loops[1]);
        CopyRows handOver = new("hand over", Extent.Step, 1, lower with { Moment = Moment.Final }, upper with { Moment = Moment.Initial });
        ModelSchedule waiting = schedule with { Forward = schedule.Forward.Insert(schedule.Forward.IndexOf(loops[1]), handOver) };
        Assert.DoesNotContain(BlockSteps.Run(waiting).Forward, statement => statement is StepBlocks);

        Operand Carried(Loop loop) => loop.Body.SelectMany(statement => statement.Reads()).First(read => read.Moment == Moment.Previous) with { Moment = Moment.Current };
    }

    [Fact]
    public void What_goes_back_in_time_and_reads_the_step_before_keeps_the_sequence_whole()
    {
        ModelSchedule schedule = Schedules.Training(Networks.Graph("lstm"));
        Operand adjoint = schedule.Backward.OfType<WeightGradient>().First().Adjoints.OfType<Operand>().First();
        CopyRows early = new("early", Extent.Sequence, 1, adjoint with { Moment = Moment.Previous }, schedule.Backward.OfType<Loop>().Single().Body[0].Reads().First());
        Assert.Contains(BlockSteps.Run(schedule).Backward, statement => statement is StepBlocks);
        Assert.DoesNotContain(BlockSteps.Run(schedule with { Backward = schedule.Backward.Add(early) }).Backward, statement => statement is StepBlocks);
    }

    [Theory]
    [InlineData(16, 1536)] // 80 floats a row, 131,072 in half a cache: 1,638 rows, of which 1,536 are whole chunks
    [InlineData(128, 256)] // 640 floats a row: fewer would be too few
    [InlineData(256, 1024)] // 2 × 262,144 weights: a row for 512 of them
    [InlineData(512, 2048)] // 2 × 1,048,576
    public void A_block_stays_in_the_cache_unless_its_weights_would_be_fetched_too_often(int units, int rows)
    {
        ModelSchedule schedule = Schedules.Training(Networks.Bind(Networks.Features(units, Networks.Lstm(units))));
        Assert.Equal(rows, Assert.Single(BlockSteps.Run(schedule).Backward.OfType<StepBlocks>()).Rows);
    }
}

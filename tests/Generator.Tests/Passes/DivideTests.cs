using Unrolled.Generator.Graph;
using Unrolled.Generator.Passes;
using Unrolled.Generator.Schedule;
using Xunit;
using Parallel = Unrolled.Generator.Schedule.Parallel;

namespace Unrolled.Generator.Tests.PassTests;

public sealed class DivideTests
{
    [Fact]
    public void Threads_meet_where_rows_of_a_batch_and_rows_of_all_steps_and_weights_take_turns()
    {
        ModelSchedule schedule = Divide.Run(Schedules.Training(Networks.Graph("deep stack")));
        Assert.Equal(
            [
                Division.RowsOfSteps, Division.Rows, // the lower layer's input products, then its steps
                Division.RowsOfSteps, Division.Rows, // the upper layer's
                Division.RowsOfSteps, // the dense layer
                Division.Rows, // states
            ],
            schedule.Forward.Cast<Parallel>().Select(parallel => parallel.Division));
        Parallel gradients = Assert.Single(schedule.Backward.OfType<Parallel>(), parallel => parallel.Body.Any(statement => statement is WeightGradient));
        Assert.Equal(Division.Blocks, gradients.Division);
        Assert.All(gradients.Body, statement => Assert.True(statement is WeightGradient or ColumnSums));
    }

    [Fact]
    public void Nothing_is_lost_or_moved()
    {
        foreach (string name in Networks.Names.Select(row => row.Data))
        {
            ModelSchedule schedule = Schedules.Training(Networks.Graph(name)), divided = Divide.Run(schedule);
            Assert.Equal(Leaves(schedule.Forward), Leaves(divided.Forward));
            Assert.Equal(Leaves(schedule.Backward), Leaves(divided.Backward));
        }
    }

    private static IEnumerable<Statement> Leaves(IEnumerable<Statement> statements) =>
        ModelSchedule.Flat(statements).Where(statement => statement is not (Parallel or StepBlocks or OnRequest));

    [Fact]
    public void Blocks_of_steps_and_conditions_are_divided_within()
    {
        ModelSchedule schedule = BlockSteps.Run(Schedules.Training(Networks.Graph("deep stack"))), divided = Divide.Run(schedule);
        Assert.Equal(
            [Division.RowsOfSteps, Division.Rows, Division.RowsOfSteps, Division.Rows, Division.RowsOfSteps],
            Assert.Single(divided.Forward.OfType<StepBlocks>()).Body.Cast<Parallel>().Select(parallel => parallel.Division));
        OnRequest requested = Assert.Single(Assert.Single(divided.Backward.OfType<StepBlocks>()).Body.OfType<OnRequest>());
        Assert.Equal(Division.RowsOfSteps, Assert.IsType<Parallel>(Assert.Single(requested.Body)).Division);
        Assert.Equal(Leaves(schedule.Forward), Leaves(divided.Forward));
        Assert.Equal(Leaves(schedule.Backward), Leaves(divided.Backward));
    }

    [Fact]
    public void A_row_of_the_step_before_is_another_thread_s()
    {
        ModelSchedule schedule = Schedules.Training(Networks.Graph("lstm"));
        Operand history = new(schedule.Values.First(value => schedule.BufferOf(new Operand(value.Id)).Residence == Residence.History).Id);
        CopyRows write = new("write", Extent.Sequence, 1, null, history);
        CopyRows same = new("same", Extent.Sequence, 1, history, history), before = new("before", Extent.Sequence, 1, history with { Moment = Moment.Previous }, history);
        Assert.Equal([2], Sizes([write, same]));
        Assert.Equal([1, 1], Sizes([write, before]));
        Assert.Equal([1, 1], Sizes([before, write]));

        int[] Sizes(Statement[] statements) =>
            [.. Divide.Run(schedule with { Forward = [.. statements] }).Forward.Cast<Parallel>().Select(parallel => parallel.Body.Length)];
    }

    [Fact]
    public void Two_weight_gradients_that_add_to_one_bias_are_not_divided_alike()
    {
        ModelSchedule schedule = Schedules.Training(Networks.Graph("lstm"));
        WeightGradient[] gradients = [.. schedule.Backward.OfType<WeightGradient>()];
        WeightGradient adding = Assert.Single(gradients, gradient => gradient.Vectors.Any(vector => vector is not null));
        WeightGradient other = Assert.Single(gradients, gradient => gradient != adding);
        Assert.Single(Divide.Run(schedule with { Backward = [adding, other] }).Backward);
        Assert.Equal(2, Divide.Run(schedule with { Backward = [adding, other with { Vectors = adding.Vectors }] }).Backward.Length);
    }

    [Fact]
    public void Lookups_and_products_of_one_packing_are_not_divided_alike()
    {
        ModelSchedule schedule = Schedules.Training(Networks.Graph("lstm"));
        WeightGradient product = schedule.Backward.OfType<WeightGradient>().First(), lookup = product with { IsLookup = true };
        Assert.Equal(2, Divide.Run(schedule with { Backward = [product, lookup] }).Backward.Length);
        Assert.Single(Divide.Run(schedule with { Backward = [product, product with { Vectors = [.. product.Vectors.Select(_ => (Node?)null)] }] }).Backward);
    }
}

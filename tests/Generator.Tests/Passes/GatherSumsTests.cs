using Unrolled.Generator.Graph;
using Unrolled.Generator.Passes;
using Unrolled.Generator.Schedule;
using Xunit;

namespace Unrolled.Generator.Tests.PassTests;

public sealed class GatherSumsTests
{
    [Theory]
    [InlineData("lstm", "lstm.b_c lstm.b_f lstm.b_i lstm.b_o", "")]
    [InlineData("peephole lstm", "lstm.b_c lstm.b_f lstm.b_i lstm.b_o", "lstm.w_cf lstm.w_ci lstm.w_co")]
    public void Biases_go_with_a_weight_gradient_and_what_needs_more_than_adjoints_stays(string name, string gathered, string left)
    {
        ModelSchedule schedule = Schedules.Training(Networks.Graph(name));
        WeightGradient gathering = Assert.Single(schedule.Backward.OfType<WeightGradient>(), gradient => gradient.Vectors.Any(vector => vector is not null));
        Assert.Equal(gathered, Names(gathering.Vectors.OfType<Node>()));
        Assert.Equal(left, Names(schedule.Backward.OfType<ColumnSums>().SelectMany(sums => sums.Sums).Select(sum => sum.Parameter)));
    }

    [Fact]
    public void A_bias_goes_with_its_own_gate()
    {
        ModelSchedule schedule = Schedules.Training(Networks.Graph("lstm"));
        WeightGradient gathering = Assert.Single(schedule.Backward.OfType<WeightGradient>(), gradient => gradient.Vectors.Any(vector => vector is not null));
        Assert.Equal(gathering.Packing.Matrices.Select(matrix => matrix.Name[^1]), gathering.Vectors.Select(vector => vector!.Name[^1]));
    }

    [Fact]
    public void Sums_read_only_what_they_still_need()
    {
        ModelSchedule schedule = Schedules.Training(Networks.Graph("peephole lstm"));
        ColumnSums sums = Assert.Single(schedule.Backward.OfType<ColumnSums>());
        var needed = sums.Computed().SelectMany(node => node.Inputs).ToHashSet();
        Assert.All(sums.Loads, load => Assert.Contains(load.Node, needed));
    }

    [Fact]
    public void A_token_gradient_gathers_nothing()
    {
        ModelSchedule schedule = Schedules.Training(Networks.Graph("tokens"));
        Assert.All(schedule.Backward.OfType<WeightGradient>().Where(gradient => gradient.IsLookup), gradient => Assert.All(gradient.Vectors, Assert.Null));
    }

    private static string Names(IEnumerable<Node> nodes) => string.Join(" ", nodes.Select(node => node.Name).Order());
}

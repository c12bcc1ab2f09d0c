using Unrolled.Generator.Graph;
using Unrolled.Generator.Schedule;
using Xunit;

namespace Unrolled.Generator.Tests.PassTests;

public sealed class StackTests
{
    // Accumulators of each product stage inside the loop, in order.
    [Theory]
    [InlineData("rnn", "1")]
    [InlineData("lstm", "4")]
    [InlineData("peephole lstm", "4")]
    [InlineData("gru", "2, 1")]
    [InlineData("gru reset after", "3")]
    [InlineData("minimal gated", "1, 1")]
    [InlineData("recurrent highway of depth two", "2, 2")]
    [InlineData("projection", "2, 1")]
    [InlineData("five gates", "3, 2")]
    public void Accumulators_that_are_ready_together_share_a_stage(string name, string accumulators)
    {
        ModelSchedule schedule = Schedules.Sequence(Networks.Graph(name));
        Assert.Equal(accumulators, Accumulators(schedule.Forward.OfType<Loop>().Single().Body));
    }

    [Theory]
    [InlineData("rnn", "1")]
    [InlineData("lstm", "4")]
    [InlineData("gru", "3")]
    [InlineData("gru reset after", "3")]
    [InlineData("tokens, gru", "3, 1")]
    [InlineData("minimal gated", "2")]
    [InlineData("dense", "1")]
    public void Input_products_of_all_gates_share_a_stage_over_all_steps(string name, string accumulators)
    {
        ModelSchedule schedule = Schedules.Sequence(Networks.Graph(name));
        Assert.Equal(accumulators, Accumulators(schedule.Forward));
        Assert.All(schedule.Forward.OfType<ProductStage>(), stage => Assert.Equal(Extent.Sequence, stage.Extent));
    }

    [Fact]
    public void A_streaming_lstm_adds_input_and_recurrent_products_in_one_stage()
    {
        ModelSchedule schedule = Schedules.Step(Networks.Graph("lstm"));
        ProductStage stage = Assert.Single(Products(schedule.Forward));
        Assert.Equal(4, stage.Accumulators.Length);
        Assert.All(stage.Accumulators, accumulator => Assert.Equal(StartKind.Bias, accumulator.Start));
        Assert.Equal(["lstm.W_xi lstm.W_xf lstm.W_xc lstm.W_xo", "lstm.W_hi lstm.W_hf lstm.W_hc lstm.W_ho"], stage.Terms.Select(term => Matrices(term.Packing)));
    }

    [Fact]
    public void A_gru_that_resets_after_the_product_has_the_candidates_two_halves_apart()
    {
        ModelGraph graph = Networks.Graph("gru reset after");
        ModelSchedule schedule = Schedules.Sequence(graph);
        ProductStage inputs = Assert.Single(schedule.Forward.OfType<ProductStage>()), state = Assert.Single(Products(schedule.Forward.OfType<Loop>().Single().Body));

        // The gates go on where their input part lies; the candidate's recurrent half begins at a bias of its own.
        List<int> places = inputs.Accumulators.Select(accumulator => accumulator.Target.Value).ToList();
        Assert.Equal([true, true, false], state.Accumulators.Select(accumulator => places.Contains(accumulator.Target.Value)));
    }

    [Fact]
    public void Tokens_are_looked_up()
    {
        ModelSchedule schedule = Schedules.Training(Networks.Graph("tokens"));
        Term lookup = Assert.Single(schedule.Forward.OfType<ProductStage>().SelectMany(stage => stage.Terms), term => term.IsLookup);
        Assert.Equal(4, lookup.Packing.Slots);
        Assert.Equal(Residence.Tokens, schedule.ValueOf(lookup.Operands.Single()).Residence);
        WeightGradient scatter = Assert.Single(schedule.Backward.OfType<WeightGradient>(), gradient => gradient.IsLookup);
        Assert.Same(lookup.Packing, scatter.Packing);
        Assert.All(scatter.Adjoints, adjoint => Assert.NotNull(adjoint));
    }

    [Fact]
    public void An_lstms_adjoint_is_one_transposed_product_over_all_gates()
    {
        ModelSchedule schedule = Schedules.Training(Networks.Graph("lstm"));
        ProductStage stage = Assert.Single(Products(schedule.Backward.OfType<Loop>().Single().Body));
        Term term = Assert.Single(stage.Terms);
        Assert.True(term.Packing.IsTransposed);
        Assert.Equal(4, term.Operands.Length);
        Assert.All(term.Packing.Matrices, matrix => Assert.StartsWith("lstm.W_h", matrix.Name, StringComparison.Ordinal));
        Assert.Contains(term.Packing, schedule.Derived);
    }

    [Fact]
    public void Only_the_gradient_of_the_input_multiplies_with_the_transposed_input_matrices()
    {
        ModelSchedule schedule = Schedules.Training(Networks.Graph("lstm"));
        Assert.DoesNotContain(Everything(schedule.Backward).OfType<ProductStage>().SelectMany(stage => stage.Terms), UsesInputMatrices);
        Term term = Assert.Single(Everything(Assert.Single(schedule.Backward.OfType<OnRequest>()).Body).OfType<ProductStage>().SelectMany(stage => stage.Terms));
        Assert.True(UsesInputMatrices(term));
        Assert.Equal(4, term.Operands.Length);

        static bool UsesInputMatrices(Term term) => term.Packing.Matrices.Any(matrix => matrix.Name.StartsWith("lstm.W_x", StringComparison.Ordinal));
    }

    [Fact]
    public void Weight_gradients_of_gates_share_a_product_and_peepholes_a_sum()
    {
        ModelSchedule schedule = Schedules.Training(Networks.Graph("peephole lstm"));
        Assert.Equal(
            ["lstm.W_hi lstm.W_hf lstm.W_hc lstm.W_ho", "lstm.W_xi lstm.W_xf lstm.W_xc lstm.W_xo"],
            schedule.Backward.OfType<WeightGradient>().Select(gradient => Matrices(gradient.Packing)).Order());
        ColumnSums sums = Assert.Single(schedule.Backward.OfType<ColumnSums>());
        Assert.Equal(["lstm.w_cf", "lstm.w_ci", "lstm.w_co"], sums.Sums.Select(sum => sum.Parameter.Name).Order());
    }

    [Fact]
    public void Every_parameters_gradient_is_written()
    {
        foreach (string name in Networks.Names.Select(row => row.Data).Where(name => name is "lstm" or "peephole lstm" or "gru" or "gru reset after" or "deep stack" or "tokens"))
        {
            ModelGraph graph = Networks.Graph(name);
            ModelSchedule schedule = Schedules.Training(graph);
            IEnumerable<Node> written = schedule.Backward.OfType<ColumnSums>().SelectMany(sums => sums.Sums).Select(sum => sum.Parameter).Concat(
                schedule.Backward.OfType<WeightGradient>().SelectMany(gradient => gradient.Packing.Matrices.Where((_, slot) => gradient.Adjoints[slot] is not null).Concat(gradient.Vectors.OfType<Node>())));
            Assert.Equal(graph.Parameters.Select(parameter => parameter.Node.Name).Order(), written.Select(parameter => parameter.Name).Order());
        }
    }

    internal static IEnumerable<Statement> Everything(IEnumerable<Statement> statements) =>
        statements.SelectMany(statement => statement is Loop loop ? loop.Body : [statement]);

    private static IEnumerable<ProductStage> Products(IEnumerable<Statement> statements) => Everything(statements).OfType<ProductStage>();

    private static string Accumulators(IEnumerable<Statement> statements) =>
        string.Join(", ", statements.OfType<ProductStage>().Select(stage => stage.Accumulators.Length));

    private static string Matrices(Packing packing) => string.Join(" ", packing.Matrices.Select(matrix => matrix.Name));
}

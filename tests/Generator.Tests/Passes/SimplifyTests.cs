using Unrolled.Generator.Frontend;
using Unrolled.Generator.Graph;
using Unrolled.Generator.Passes;
using Xunit;

namespace Unrolled.Generator.Tests.PassTests;

/// <summary>Simplify, OrderSums and MultiplyAdd: what becomes of sums and products.</summary>
public sealed class SimplifyTests
{
    [Theory]
    [InlineData("1 * (W @ x[t])", "W @ x[t]")]
    [InlineData("(W @ x[t]) * 1", "W @ x[t]")]
    [InlineData("W @ x[t] + 0", "W @ x[t]")]
    [InlineData("0 + W @ x[t]", "W @ x[t]")]
    [InlineData("W @ x[t] - 0", "W @ x[t]")]
    [InlineData("0 - W @ x[t]", "-(W @ x[t])")]
    [InlineData("(W @ x[t]) / 1", "W @ x[t]")]
    [InlineData("W @ x[t] + 0 * (U @ h[t-1])", "W @ x[t]")]
    [InlineData("W @ x[t] + (U @ h[t-1]) * 0", "W @ x[t]")]
    [InlineData("W @ x[t] + 0 / (2 + h[t-1])", "W @ x[t]")]
    [InlineData("-(-(W @ x[t]))", "W @ x[t]")]
    [InlineData("-1 * (W @ x[t])", "-(W @ x[t])")]
    [InlineData("W @ x[t] + -h[t-1]", "W @ x[t] - h[t-1]")]
    [InlineData("-h[t-1] + W @ x[t]", "W @ x[t] - h[t-1]")]
    [InlineData("W @ x[t] - -h[t-1]", "W @ x[t] + h[t-1]")]
    [InlineData("(-h[t-1]) * (W @ x[t])", "-(h[t-1] * (W @ x[t]))")]
    [InlineData("h[t-1] * -(W @ x[t])", "-(h[t-1] * (W @ x[t]))")]
    [InlineData("(2 + 3 * 0.5) * (W @ x[t])", "3.5 * (W @ x[t])")]
    [InlineData("tanh(0) + sigmoid(0) * (W @ x[t])", "0.5 * (W @ x[t])")]
    [InlineData("identity(W @ x[t])", "W @ x[t]")]
    [InlineData("log(sigmoid(W @ x[t]))", "-softplus(-(W @ x[t]))")]
    [InlineData("log(sigmoid(-(W @ x[t])))", "-softplus(W @ x[t])")]
    [InlineData("log(1 - sigmoid(W @ x[t]))", "-softplus(W @ x[t])")]
    [InlineData("log(exp(W @ x[t]))", "W @ x[t]")]
    [InlineData("log(exp(W @ x[t]) / (2 + exp(h[t-1])))", "W @ x[t] - log(2 + exp(h[t-1]))")]
    [InlineData("log(exp(W @ x[t]) / exp(h[t-1]))", "W @ x[t] - h[t-1]")]
    [InlineData("(1 + 0 * h[t-1]) * (W @ x[t]) + (W @ x[t]) * (0 + 0)", "W @ x[t]")]
    public void Makes_the_written_and_the_plain_cell_one(string written, string plain)
    {
        ModelGraph first = Networks.BindCell($"h[t] = tanh({written} + u * h[t-1])", 4), second = Networks.BindCell($"h[t] = tanh({plain} + u * h[t-1])", 4);
        Assert.NotEqual(GraphText.Of(second), GraphText.Of(first));
        Assert.Equal(GraphText.Of(Simplify.Run(second)), GraphText.Of(Simplify.Run(first)));
    }

    [Fact]
    public void An_lstm_without_peepholes_is_the_lstm_written_without_them()
    {
        const string plain = """
            i[t] = sigmoid(W_xi @ x[t] + W_hi @ h[t-1] + b_i)
            f[t] = sigmoid(W_xf @ x[t] + W_hf @ h[t-1] + b_f)
            g[t] = tanh(W_xc @ x[t] + W_hc @ h[t-1] + b_c)
            c[t] = f[t] * c[t-1] + i[t] * g[t]
            o[t] = sigmoid(W_xo @ x[t] + W_ho @ h[t-1] + b_o)
            h[t] = o[t] * tanh(c[t])
            """;
        ModelGraph written = Networks.Bind(Networks.Features(3, new LayerSpec("lstm", "plain", plain, 4, EquatableArray<CellSetting>.Empty)));
        ModelGraph bound = Networks.Graph("lstm");
        Assert.NotEqual(GraphText.Of(written), GraphText.Of(bound));
        Assert.Equal(GraphText.Of(Simplify.Run(written)), GraphText.Of(Simplify.Run(bound)));
        Assert.Equal(GraphText.Of(Compiler.Training(Compiler.Network(written))), GraphText.Of(Compiler.Training(Compiler.Network(bound))));
        Assert.DoesNotContain(bound.Parameters, parameter => parameter.Node.Name.StartsWith("lstm.w_", StringComparison.Ordinal));
    }

    [Fact]
    public void A_condition_that_is_known_or_does_not_matter_goes()
    {
        ModelGraph graph = Networks.Graph("rnn");
        NodeTable table = graph.Table;
        Node d = table.Input("d", graph.Output.Type), e = table.Input("e", graph.Output.Type);
        Node Simplified(Node value) => Simplify.Run(graph with { Output = value }).Output;
        Assert.Same(d, Simplified(table.Map("select_greater", table.Constant(1), table.Constant(0), d, e)));
        Assert.Same(e, Simplified(table.Map("select_greater", table.Constant(0), table.Constant(0), d, e)));
        Assert.Same(d, Simplified(table.Map("select_greater", e, table.Constant(0), d, d)));
        Assert.Equal(NodeKind.Map, Simplified(table.Map("select_greater", e, table.Constant(0), d, table.Constant(0))).Kind);
    }

    [Fact]
    public void Products_with_zero_go()
    {
        ModelGraph graph = Networks.Graph("rnn");
        NodeTable table = graph.Table;
        Node zero = table.Multiply(table.Constant(0), graph.Output), matrix = graph.Parameters.Single(parameter => parameter.Node.Name == "rnn.W_h").Node;
        Assert.True(Simplify.Run(graph with { Output = table.Product(matrix, zero) }).Output.IsConstant(0));
        Assert.True(Simplify.Run(graph with { Output = table.Reduce(zero, Axes.Unit) }).Output.IsConstant(0));
    }

    [Theory]
    [InlineData("U @ h[t-1] + W @ x[t] + b")]
    [InlineData("W @ x[t] + U @ h[t-1] + b")]
    [InlineData("U @ h[t-1] + (b + W @ x[t])")]
    [InlineData("(W @ x[t] + b) + U @ h[t-1]")]
    public void Sums_run_from_the_bias_over_the_input_to_the_recurrence(string sum)
    {
        ModelGraph ordered = OrderSums.Run(Networks.BindCell($"h[t] = tanh({sum})", 4), adjoints: false);
        Node tanh = ordered.Scans().Single().Body!.Carried[0].Next;
        Node outer = tanh.Inputs[0], inner = outer.Inputs[0];
        Assert.True(outer.IsMap("add") && inner.IsMap("add"));
        Assert.Equal("cell.b", inner.Inputs[0].Name);
        Assert.Equal("cell.W", inner.Inputs[1].Inputs[0].Name);
        Assert.Equal("cell.U", outer.Inputs[1].Inputs[0].Name);
    }

    [Fact]
    public void What_else_is_added_comes_after_the_products()
    {
        ModelGraph ordered = OrderSums.Run(Networks.BindCell("h[t] = w * h[t-1] + U @ h[t-1] + W @ x[t]", 4), adjoints: false);
        Node sum = ordered.Scans().Single().Body!.Carried[0].Next;
        Assert.True(sum.Inputs[1].IsMap("mul"));
        Assert.Equal("cell.W", sum.Inputs[0].Inputs[0].Inputs[0].Name);
        Assert.Equal("cell.U", sum.Inputs[0].Inputs[1].Inputs[0].Name);
    }

    [Fact]
    public void A_product_that_only_a_sum_reads_becomes_one_operation_with_it()
    {
        ModelGraph graph = MultiplyAdd.Run(Networks.BindCell("h[t] = sigmoid(W @ x[t]) * h[t-1] + sigmoid(V @ x[t]) * tanh(U @ x[t])", 4), adjoints: false);
        Assert.Equal(["mul", "multiply_add"], graph.SelfAndLoops().Where(node => node.Name is "mul" or "multiply_add" or "add").Select(node => node.Name).Order());
    }

    [Fact]
    public void A_product_that_others_read_too_stays()
    {
        ModelGraph graph = MultiplyAdd.Run(Networks.BindCell("p[t] = w * h[t-1]\nh[t] = tanh(p[t] + x[t]) * p[t]", 3), adjoints: false);
        Assert.DoesNotContain(graph.SelfAndLoops(), node => node.IsMap("multiply_add"));
    }
}

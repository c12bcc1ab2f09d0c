using Unrolled.Generator.Tests.Harness;
using Xunit;

namespace Unrolled.Generator.Tests;

/// <summary>The comments of emitted code say what the code below them does: people read it to trust it.</summary>
public sealed class EmittedCommentTests
{
    private static string[] Comments(string source) =>
        [.. ModelHarness.Generate([source]).Single().Text.Split('\n').Select(line => line.Trim()).Where(line => line.StartsWith("// ", StringComparison.Ordinal)).Select(line => line[3..]).Distinct()];

    private static string Own(string equation) => $"using Unrolled; [Model(Features = 4), Layer(\"own\", 4)] [Cell(\"own\", \"{equation}\")] partial class Own;";

    [Theory]
    [InlineData("h[t] = tanh(W @ x[t] + U @ (a * h[t-1]) + b) \\n shape a : units", "U @ (a * h_previous)")]
    [InlineData("h[t] = tanh(W @ x[t] + b) * (a - (a - h[t-1])) \\n shape a : units", "(a - (a - h_previous))")]
    [InlineData("h[t] = tanh(W @ x[t] + b) / (a * exp(h[t-1])) \\n shape a : units", "/ (a * exp_h_previous)")]
    public void Parentheses_stand_where_the_meaning_needs_them(string equation, string expected) =>
        Assert.Contains(Comments(Own(equation)), comment => comment.Contains(expected, StringComparison.Ordinal));

    [Fact]
    public void A_product_names_the_terms_it_adds_and_no_others()
    {
        string[] comments = Comments("using Unrolled; [Model(Features = 8), Lstm(16), Lstm(16)] partial class Deep;");
        Assert.Contains("b_i + W_xi @ inputs", comments); // the input's part, at all steps
        Assert.Contains("i_preactivation += W_hi @ h_previous", comments); // the recurrent part, at each
        Assert.Contains("d_h_previous = transpose(W_ho) @ d_o_preactivation + transpose(W_hf) @ d_f_preactivation + transpose(W_hc) @ d_g_preactivation + transpose(W_hi) @ d_i_preacti …", comments);
        Assert.Contains("i_preactivation = b_i + W_xi @ x + W_hi @ h_previous", comments); // a single step, both
    }

    [Fact]
    public void What_is_taped_has_one_name_on_both_ways()
    {
        string[] comments = Comments("using Unrolled; [Model(Features = 8), Lstm(16)] partial class Taped;");
        Assert.Contains("tanh_c = tanh(c)", comments);
        Assert.Contains("h = o * tanh_c", comments);
        Assert.Contains("d_o = d_h * tanh_c", comments);
    }

    [Fact]
    public void A_sum_over_units_says_so() =>
        Assert.Contains(Comments(Own("h[t] = W @ x[t] - sum(h[t-1])")), comment => comment.Contains("sum(h_previous)", StringComparison.Ordinal));
}

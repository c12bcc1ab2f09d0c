using Unrolled.Generator.Diagnostics;
using Unrolled.Generator.Frontend.Equations;
using Xunit;

namespace Unrolled.Generator.Tests;

public sealed class ExpanderTests
{
    private static (CellSyntax Cell, EquatableArray<EquationError> Errors) Expand(string text, params (string Name, int Value)[] sizes)
    {
        (CellSyntax? cell, EquatableArray<EquationError> errors) = Parser.Parse(text);
        Assert.Empty(errors);
        Dictionary<string, int> all = new() { ["input"] = 3, ["units"] = 5 };
        foreach ((string name, int value) in sizes)
        {
            all[name] = value;
        }

        return Expander.Expand(cell!, all);
    }

    private static string Expanded(string text, params (string Name, int Value)[] sizes)
    {
        (CellSyntax cell, EquatableArray<EquationError> errors) = Expand(text, sizes);
        Assert.Empty(errors);
        return SyntaxPrinter.Print(cell);
    }

    [Fact]
    public void A_cell_without_loops_stays_as_it_is()
    {
        const string Text = "param f = tanh\ninit b = 1\nstart h = learned\noutput h\nh[t] = f(W @ x[t] + transpose(U) @ h[t-1] + b)";
        Assert.Equal(Text, Expanded(Text));
    }

    [Fact]
    public void A_recurrent_highway_network_unrolls_its_depth()
    {
        const string Text = """
            size L = 2
            s{0}[t] = s{L}[t-1]
            for k in 1..L {
                s{k}[t] = tanh(R{k} @ s{k-1}[t] + b{k}) + s{k-1}[t]
            }
            output s{L}
            """;
        const string Two = """
            size L = 2
            s_0[t] = s_2[t-1]
            s_1[t] = tanh(R_1 @ s_0[t] + b_1) + s_0[t]
            s_2[t] = tanh(R_2 @ s_1[t] + b_2) + s_1[t]
            output s_2
            """;
        const string One = """
            size L = 1
            s_0[t] = s_1[t-1]
            s_1[t] = tanh(R_1 @ s_0[t] + b_1) + s_0[t]
            output s_1
            """;
        Assert.Equal(Two.ReplaceLineEndings("\n"), Expanded(Text));
        Assert.Equal(One.ReplaceLineEndings("\n"), Expanded(Text, ("L", 1)));
    }

    [Theory]
    [InlineData("sum{j in 1..3}(U{j} @ h{j}[t-1])", "U_1 @ h_1[t-1] + U_2 @ h_2[t-1] + U_3 @ h_3[t-1]")]
    [InlineData("a - sum{j in 1..2}(b{j})", "a - (b_1 + b_2)")]
    [InlineData("concat{k in 0..2}(h{k}[t])", "concat(h_0[t], h_1[t], h_2[t])")]
    [InlineData("concat{k in 2..2}(h{k}[t])", "concat(h_2[t])")]
    [InlineData("sum{j in 2..1}(b{j}) + a", "0 + a")]
    [InlineData("sum{j in 1..2}(sum{k in j..2}(W{j,k}))", "W_1_1 + W_1_2 + W_2_2")]
    [InlineData("W{2*(units-input)+1,0}", "W_5_0")]
    [InlineData("W{2^input*2,(units-input)^0}", "W_16_1")]
    [InlineData("sum{k in 0..3}(h{k}[t-2^k])", "h_0[t-1] + h_1[t-2] + h_2[t-4] + h_3[t-8]")]
    [InlineData("h[t-(units-input)*2] + c[t-(input-3)]", "h[t-4] + c[t]")]
    public void Families_are_written_out(string written, string expanded) =>
        Assert.Equal("h[t] = " + expanded, Expanded("h[t] = " + written));

    [Fact]
    public void Loops_nest_and_see_the_outer_numbers() => Assert.Equal(
        "a_1_1[t] = x[t]\na_2_1[t] = x[t]\na_2_2[t] = x[t]",
        Expanded("for j in 1..2 { for k in 1..j {\n a{j,k}[t] = x[t]\n} }"));

    [Fact]
    public void Shapes_become_numbers_and_sizes_may_be_declared_in_any_order() => Assert.Equal(
        "shape W_1, v : 6, 3\nshape a : 1\nsize n = 6\nsize m = 2",
        Expanded("shape W{1}, v : n, input\nshape a : 1\nsize n = m*input\nsize m = 2"));

    [Fact]
    public void A_use_site_sets_sizes_that_others_depend_on() =>
        Assert.Equal("size n = 21\nsize m = 7", Expanded("size n = m*input\nsize m = 2", ("m", 7)));

    [Fact]
    public void Expanded_syntax_keeps_the_spans_of_what_was_written()
    {
        const string Text = "h[t] = a + sum{j in 1..2}(W{j} @ x[t])";
        (CellSyntax cell, _) = Expand(Text);
        var sum = (BinaryExpression)((BinaryExpression)((EquationSyntax)cell.Statements[0]).Value).Right;
        Assert.Equal("sum{j in 1..2}(W{j} @ x[t])", Text.Substring(sum.Span.Start, sum.Span.Length));
        var product = (BinaryExpression)sum.Left;
        Assert.Equal("W{j}", Text.Substring(product.Left.Span.Start, product.Left.Span.Length));
    }

    public static TheoryData<string, string, string> Mistakes => new()
    {
        { "h[t] = W{«k»} @ x[t]", DiagnosticIds.SizeUnknown, "'k' is no size (declare it: size k = …)" },
        { "size depth = 2\nh[t] = W{«dept»} @ x[t]", DiagnosticIds.SizeUnknown, "'dept' is no size (did you mean 'depth'?)" },
        { "size a = b\nsize b = «a»", DiagnosticIds.SizeUnknown, "The size 'a' depends on itself (give it a number)" },
        { "size a = 1\nsize «a» = 2", DiagnosticIds.AssignedTwice, "The size 'a' is declared twice" },
        { "size a = «1-2»", DiagnosticIds.LimitExceeded, "The size 'a' is -1 (a size is 0 to 1000000)" },
        { "shape a : «units-5»", DiagnosticIds.LimitExceeded, "A value cannot have 0 elements (an extent is 1 to 1000000)" },
        { "h[t] = c[t-«2^6»]", DiagnosticIds.LimitExceeded, "A value can be read at most 32 steps back, not 64" },
        { "h[t] = c[t-(«1-units»)]", DiagnosticIds.LimitExceeded, "A value cannot be read 4 steps ahead (let the delay be 0 or above)" },
        { "h[t] = c[t-«steps»]", DiagnosticIds.SizeUnknown, "'steps' is no size" },
        { "h[t] = W{«2^(1-units)»} @ x[t]", DiagnosticIds.LimitExceeded, "2^(1-units) has the negative exponent -4 (a size is a whole number)" },
        { "h[t] = W{«(0-3)^99»} @ x[t]", DiagnosticIds.LimitExceeded, "(0-3)^99 is 3486784401, more than a size can be" },
        { "shape a : «1000000*1000000»", DiagnosticIds.LimitExceeded, "1000000*1000000 is 1000000000000, more than a size can be" },
        { "for k in 0..1 {\nh{k}[t] = a{«k-1»}[t]\n}", DiagnosticIds.LimitExceeded, "The index k-1 of 'a' is -1 where k = 0 (let it start at 0 or above)" },
        { "for k in 1..9 {\nh{k}[t] = W{«j»} @ x[t]\n}", DiagnosticIds.SizeUnknown, "'j' is no size" },
        { "for k in 1..2 {\nh{k}[t] = «k» * x[t]\n}", DiagnosticIds.UnsupportedHere, "'k' is a loop's variable and no value" },
        { "size n = 2\nh[t] = «n» * x[t]", DiagnosticIds.UnsupportedHere, "'n' is a size and no value" },
        { "for k in 1..2 {\nsize «n» = k\n}", DiagnosticIds.UnsupportedHere, "The size 'n' is declared inside a loop" },
        { "size n = 2\n«n»[t] = x[t]", DiagnosticIds.UnsupportedHere, "'n' is a size and no value" },
        { "size n = 2\nparam «n» = 1", DiagnosticIds.AssignedTwice, "'n' is declared as a size and as a param" },
        { "for k in 1..2 {\nparam «p» = 1\n}", DiagnosticIds.UnsupportedHere, "The param 'p' is declared inside a loop" },
        { "for k in 1..2 {\n«for k in 1..2 { h{k}[t] = a }»\n}", DiagnosticIds.AssignedTwice, "'k' already names the variable of a loop around this one" },
        { "h[t] = «concat{k in 2..1}(a{k})»", DiagnosticIds.UnsupportedHere, "The range 2..1 is empty" },
        { "«for k in 1..1000000000 { }»", DiagnosticIds.LimitExceeded, "The cell has more than 10000 values and operations after expansion" },
        { "«h[t] = sum{k in 1..1001}(a{k})»", DiagnosticIds.LimitExceeded, "The equation is more than 1000 operators deep after expansion" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void A_mistake_is_one_error_on_the_exact_characters(string marked, string id, string message)
    {
        Marked expected = Marked.Parse(marked);
        EquationError error = Assert.Single(Expand(expected.Text).Errors);
        expected.AssertTold(id, message, error);
    }

    [Fact]
    public void A_setting_of_a_size_the_cell_lacks_is_refused()
    {
        EquationError error = Assert.Single(Expand("size depth = 2\nh[t] = x[t]", ("dpeth", 3)).Errors);
        Assert.Equal(DiagnosticIds.BadSetting, error.Id);
        Assert.Equal("The cell declares no size 'dpeth' (did you mean 'depth'?)", error.Message);
    }

    [Fact]
    public void The_limit_counts_what_is_there_after_expansion()
    {
        // 100 equations of 49 references and 48 additions, with the statement and the number of the loop: 99 each.
        string sum = string.Join(" + ", Enumerable.Repeat("a", 49));
        Assert.Empty(Expand($"for k in 1..101 {{ h{{k}}[t] = {sum} }}").Errors);
        Assert.Equal(DiagnosticIds.LimitExceeded, Assert.Single(Expand($"for k in 1..102 {{ h{{k}}[t] = {sum} }}").Errors).Id);
    }

    [Fact]
    public void Deep_towers_of_ranges_end_at_the_limit()
    {
        string tower = string.Concat(Enumerable.Range(0, 100).Select(index => $"sum{{k{index} in 1..9}}(")) + "a" + new string(')', 100);
        Assert.Equal(DiagnosticIds.LimitExceeded, Assert.Single(Expand("h[t] = " + tower).Errors).Id);
    }

    [Fact]
    public void A_long_row_of_sizes_is_refused_and_overflows_nothing()
    {
        string text = string.Concat(Enumerable.Range(0, 3_000).Select(index => $"size s{index} = s{index + 1}\n")) + "size s3000 = 1";
        Assert.Contains(Expand(text).Errors, error => error.Id == DiagnosticIds.LimitExceeded);
    }

    [Theory]
    [InlineData("tanh(", "a", ")")]
    [InlineData("-", "a", "")]
    [InlineData("W @ ", "a", "")]
    [InlineData("sum{k# in 1..1}(a + ", "a", ")")]
    [InlineData("concat{k# in 1..1}(", "a", ")")]
    public void The_deepest_equations_fit_a_small_stack(string open, string middle, string close)
    {
        string chain = middle + string.Concat(Enumerable.Repeat(" + a", 400));
        string opened = string.Concat(Enumerable.Range(0, 255).Select(level => open.Replace("#", level.ToString())));
        string text = "h[t] = " + opened + "(" + chain + ")" + string.Concat(Enumerable.Repeat(close, 255));
        string? printed = null;
        Exception? failure = null;
        var thread = new Thread(() => failure = Record.Exception(() => { printed = Expanded(text); }), maxStackSize: 512 * 1024);
        thread.Start();
        thread.Join();
        Assert.Null(failure);
        Assert.StartsWith("h[t] = ", printed, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("rnn")]
    [InlineData("lstm")]
    [InlineData("gru")]
    [InlineData("gru_reset_after")]
    [InlineData("dense")]
    public void The_librarys_cells_expand_to_themselves(string cell)
    {
        string text = Unrolled.Generator.Frontend.CellFiles.Read(cell);
        Assert.Equal(SyntaxPrinter.Print(Parser.Parse(text).Cell!), Expanded(text));
    }
}

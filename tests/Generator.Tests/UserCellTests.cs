using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Unrolled.Generator.Diagnostics;
using Unrolled.Generator.Frontend;
using Unrolled.Generator.Tests.Harness;
using Xunit;

namespace Unrolled.Generator.Tests;

/// <summary>Cells that users declare in attributes, and what their layers set of them.</summary>
public sealed class UserCellTests
{
    private const string Quotes = "\"\"\"";

    private const string MinimalGated = """
        f[t] = sigmoid(W_f @ x[t] + U_f @ h[t-1] + b_f)
        h[t] = (1 - f[t]) * h[t-1] + f[t] * tanh(W_h @ x[t] + U_h @ (f[t] * h[t-1]) + b_h)
        """;

    private static LayerSpec[] Layers(params string[] sources)
    {
        (IReadOnlyList<ModelSpec> models, GeneratorRunResult result) = FrontendHarness.Run(sources);
        Assert.Empty(result.Diagnostics);
        Assert.Null(result.Exception);
        return [.. Assert.Single(models).Layers];
    }

    private static GeneratorRunResult RunCompiler(params string[] sources) =>
        FrontendHarness.Driver(Compiler.Compile).Generate(FrontendHarness.Compilation(sources)).GetRunResult().Results.Single();

    // The attributes of a model with a cell of its own and one layer of it.
    private static string Own(string equations, string layer = "Layer(\"own\", 2)") =>
        $"using Unrolled;\n[Model(Features = 3)]\n[Cell(\"own\", {equations})]\n[{layer}]\npartial class M {{ }}\n";

    private static string Settings(string equations, string set) => string.Join(" ", Assert.Single(Layers(Own(
        $"{Quotes}\n{equations}\n{Quotes}", $"Layer(\"own\", 4, Set = \"{set}\")"))).Settings.Select(setting => setting.Kind switch
    {
        CellSettingKind.Number => FormattableString.Invariant($"{setting.Name}={setting.Number}"),
        CellSettingKind.Size => FormattableString.Invariant($"size:{setting.Name}={setting.Number}"),
        CellSettingKind.Init => $"init:{setting.Name}={setting.Value}",
        _ => $"{setting.Name}={setting.Function}",
    }));

    [Fact]
    public void A_cell_is_a_layer_by_its_name()
    {
        LayerSpec[] layers = Layers(Own($"{Quotes}\n    {MinimalGated.ReplaceLineEndings("\n    ")}\n    {Quotes}", "Layer(\"own\", 4), Layer(units: 5, cell: \"own\", Name = \"top\"), Dense(2)"));
        Assert.Equal(["own_0", "top", "dense_2"], layers.Select(layer => layer.Name));
        Assert.Equal(["own", "own", "dense"], layers.Select(layer => layer.Cell));
        Assert.Equal([4, 5, 2], layers.Select(layer => layer.Units));
        Assert.Equal(MinimalGated.ReplaceLineEndings("\n"), layers[0].Text);
    }

    [Fact]
    public void The_classs_cells_hide_the_assemblys_and_both_the_librarys()
    {
        const string shared = "using Unrolled; [assembly: Cell(\"shared\", \"h[t] = tanh(W @ x[t] + b)\")] [assembly: Cell(\"rnn\", \"h[t] = relu(W @ x[t])\")] [assembly: Cell(\"own\", \"h[t] = x[t]\")]";
        LayerSpec[] layers = Layers(shared, Own("\"h[t] = abs(W @ x[t])\"", "Layer(\"own\", 4), Layer(\"shared\", 3), Layer(\"rnn\", 2), Layer(\"lstm\", 2), Rnn(2)"));
        Assert.Equal(
            ["h[t] = abs(W @ x[t])", "h[t] = tanh(W @ x[t] + b)", "h[t] = relu(W @ x[t])", CellFiles.Read("lstm"), CellFiles.Read("rnn")],
            layers.Select(layer => layer.Text));
        Assert.Empty(layers[3].Settings);
    }

    [Theory]
    [InlineData("size depth = 1\nh[t] = tanh(W{depth} @ x[t] + b{depth})", "depth = 3, b_3 = 0.5", "size:depth=3 b_3=0.5")]
    [InlineData("param activation = tanh\nparam leak = 0.1\nh[t] = leak * activation(W @ x[t] + V @ h[t-1] + b)", "b = -2e-1,\\n leak=0.25 # slower\\nactivation = relu, V = 0", "activation=relu leak=0.25 V=0 b=-0.2")]
    [InlineData("h[t] = tanh(W @ x[t] + b)", "init b = 2", "init:b=2")]
    [InlineData("h[t] = tanh(W @ x[t] + b)", "init W = uniform(-0.5, 2), init b = he", "init:W=uniform(-0.5, 2) init:b=he")]
    [InlineData("start h = learned\nh[t] = tanh(W @ x[t] + h[t-1])", "init h_start = normal(0,\\n 0.1)", "init:h_start=normal(0, 0.1)")]
    [InlineData("h[t] = tanh(W @ x[t] + b)", "", "")]
    public void A_layer_sets_sizes_params_and_parameters(string equations, string set, string settings) =>
        Assert.Equal(settings, Settings(equations, set));

    [Fact]
    public void A_layer_of_the_library_takes_settings_over_its_properties()
    {
        LayerSpec layer = Assert.Single(Layers("using Unrolled; [Model(Features = 3), Lstm(4, Set = \"w_ci = 0.5, init b_i = -1, b_f = 2\")] partial class M;"));
        Assert.Equal(
            [("w_ci", CellSettingKind.Number, 0.5), ("b_i", CellSettingKind.Init, -1), ("b_f", CellSettingKind.Number, 2), ("w_cf", CellSettingKind.Number, 0), ("w_co", CellSettingKind.Number, 0)],
            layer.Settings.Select(setting => (setting.Name, setting.Kind, setting.Number)).OrderBy(setting => Array.IndexOf(["w_ci", "b_i", "b_f", "w_cf", "w_co"], setting.Name)));
    }

    public static TheoryData<string, string, string> FrontendMistakes => new()
    {
        { "[Model(Features = 3), Layer(«\"minimal\"», 2), Cell(\"minima\", \"h[t] = W @ x[t]\")] partial class M { }", DiagnosticIds.UnknownCell, "No cell is called 'minimal' (did you mean 'minima'?)" },
        { "[Model(Features = 3), Layer(units: 2, cell: «\"what\"»)] partial class M { }", DiagnosticIds.UnknownCell, "No cell is called 'what' (declare it with [Cell(\"name\", \"equations\")]" },
        { "[Model(Features = 3), Layer(«\"LSTM\"», 2)] partial class M { }", DiagnosticIds.UnknownCell, "No cell is called 'LSTM' (did you mean 'lstm'?)" },
        { "[Model(Features = 3), Layer(«\"GRUCell\"», 2)] partial class M { }", DiagnosticIds.UnknownCell, "No cell is called 'GRUCell' (write gru_reset_after, as in PyTorch and Keras, or gru, as in its paper)" },
        { "[Model(Features = 3), Layer(«\"nn.LSTM\"», 2)] partial class M { }", DiagnosticIds.UnknownCell, "No cell is called 'nn.LSTM' (did you mean 'lstm'?)" },
        { "[Model(Features = 3), Layer(«\"Linear\"», 2)] partial class M { }", DiagnosticIds.UnknownCell, "No cell is called 'Linear' (write dense)" },
        { "[Model(Features = 3), Layer(«\"own_cell\"», 2), Cell(\"OwnCell\", \"h[t] = W @ x[t]\")] partial class M { }", DiagnosticIds.UnknownCell, "No cell is called 'own_cell' (did you mean 'OwnCell'?)" },
        { "[Model(Features = 3), Lstm(2, Set = \"«hidden_size» = 4\")] partial class M { }", DiagnosticIds.BadSetting, "The cell 'lstm' has no size, param or parameter 'hidden_size' (the number of units stands beside the cell's name)" },
        { "[Model(Features = 3), Lstm(2, Set = \"«num_layers» = 2\")] partial class M { }", DiagnosticIds.BadSetting, "The cell 'lstm' has no size, param or parameter 'num_layers' (write the layer once for each)" },
        { "[Model(Features = 3), Lstm(2, Set = \"«w_CI» = 0\")] partial class M { }", DiagnosticIds.BadSetting, "The cell 'lstm' has no size, param or parameter 'w_CI' (did you mean 'w_ci'?)" },
        { "[Model(Features = 3), Rnn(2, Set = \"activation = «Tanh»\")] partial class M { }", DiagnosticIds.BadSetting, "The param 'activation' holds a function, and 'Tanh' is none (did you mean 'tanh'?)" },
        { "[Model(Features = 3), Rnn(2, Set = \"activation = «swish»\")] partial class M { }", DiagnosticIds.BadSetting, "The param 'activation' holds a function, and 'swish' is none (write silu)" },
        { "[Model(Features = 3), Rnn(2, Set = \"activation = tanh(«clamp»(-1, 1))\")] partial class M { }", DiagnosticIds.UnknownName, "'clamp' is no function (write clip(low, high))" },
        { "[Model(Features = 3), Layer(\"lstm\", «-2»)] partial class M { }", DiagnosticIds.InvalidSize, "The number of units is -2" },
        { "[Model(Features = 3), Layer(\"a\", 2), Cell(\"a\", \"h[t] = W @ x[t]\"), Cell(«\"a\"», \"h[t] = x[t]\")] partial class M { }", DiagnosticIds.DuplicateCell, "The cell 'a' is declared twice" },
        { "[Model(Features = 3), Layer(\"a b\", 2, Name = \"n\"), Cell(«\"a b\"», \"h[t] = W @ x[t]\")] partial class M { }", DiagnosticIds.InvalidCellName, "'a b' cannot name a cell" },
        { "[Model(Features = 3), Rnn(2, Set = \"«c» = 0\")] partial class M { }", DiagnosticIds.BadSetting, "The cell 'rnn' has no size, param or parameter 'c' (did you mean 'b'?)" },
        { "[Model(Features = 3), Rnn(2, Set = \"b = 0, init «leaking» = 1\")] partial class M { }", DiagnosticIds.BadSetting, "The cell 'rnn' has no parameter 'leaking' (it has W_x, W_h, b)" },
        { "[Model(Features = 3), Rnn(2, Set = \"activation = «rely»\")] partial class M { }", DiagnosticIds.BadSetting, "The param 'activation' holds a function, and 'rely' is none (did you mean 'relu'?)" },
        { "[Model(Features = 3), Rnn(2, Set = \"activation = «-1.5»\")] partial class M { }", DiagnosticIds.BadSetting, "The param 'activation' holds a function, and -1.5 is none" },
        { "[Model(Features = 3), Rnn(2, Set = \"activation = elu(«rely»)\")] partial class M { }", DiagnosticIds.UnknownName, "'rely' is no function (did you mean 'relu'?)" },
        { "[Model(Features = 3), Rnn(2, Set = \"activation = «elu(1, 2)», b = 0\")] partial class M { }", DiagnosticIds.SyntaxError, "'elu' takes 0 to 1 numbers" },
        { "[Model(Features = 3), Rnn(2, Set = \"activation = «elu(1»\")] partial class M { }", DiagnosticIds.SyntaxError, "'(' is never closed (add the ')')" },
        { "[Model(Features = 3), Rnn(2, Set = \"activation = «affine»\")] partial class M { }", DiagnosticIds.BadSetting, "'affine' lacks 2 numbers (write affine(NUMBER, NUMBER))" },
        { "[Model(Features = 3), Rnn(2, Set = \"activation = «min(relu)»\")] partial class M { }", DiagnosticIds.SyntaxError, "'min' takes 1 number after its value, not 0" },
        { "[Model(Features = 3), Rnn(2, Set = \"b = «elu(1)»\")] partial class M { }", DiagnosticIds.BadSetting, "'b' takes a number, and 'elu(1)' is none" },
        { "[Model(Features = 3), Rnn(2, Set = \"b = «tanh»\")] partial class M { }", DiagnosticIds.BadSetting, "'b' takes a number, and 'tanh' is none (as in b = 0)" },
        { "[Model(Features = 3), Rnn(2, Set = \"init b = «tanh»\")] partial class M { }", DiagnosticIds.BadSetting, "'tanh' is no initialisation (known are zero" },
        { "[Model(Features = 3), Rnn(2, Set = \"init W_x = «uniform(1)», b = 0\")] partial class M { }", DiagnosticIds.BadSetting, "'uniform' does not take 1 number (write uniform(low, high))" },
        { "[Model(Features = 3), Rnn(2, Set = \"init W_x = «normal(0, tanh)»\")] partial class M { }", DiagnosticIds.BadSetting, "Expected a number, not 'tanh'" },
        { "[Model(Features = 3), Rnn(2, Set = \"init W_x = «uniform(1, 2»\")] partial class M { }", DiagnosticIds.SyntaxError, "'(' is never closed" },
        { "[Model(Features = 3), Rnn(2, Set = \"b = «1e300»\")] partial class M { }", DiagnosticIds.SyntaxError, "The number is too large for a 32-bit float" },
        { "[Model(Features = 3), Rnn(2, Set = \"b = 0, «b» = 1\")] partial class M { }", DiagnosticIds.AssignedTwice, "'b' is set twice" },
        { "[Model(Features = 3), Rnn(2, Set = \"b «:» 1\")] partial class M { }", DiagnosticIds.SyntaxError, "Expected '=', not ':' (settings read" },
        { "[Model(Features = 3), Rnn(2, Set = \"b =«»\")] partial class M { }", DiagnosticIds.SyntaxError, "Expected a number or a function, not the end" },
        { "[Model(Features = 3), Rnn(2, Set = \"b = 0 «c» = 1\")] partial class M { }", DiagnosticIds.SyntaxError, "Expected a comma or the end, not 'c'" },
        { "[Model(Features = 3), Rnn(2, Set = \"«3» = b\")] partial class M { }", DiagnosticIds.SyntaxError, "Expected a name, not '3'" },
        { "[Model(Features = 3), Rnn(2, Set = \"init\\u0020b = -«b»\")] partial class M { }", DiagnosticIds.SyntaxError, "Expected a number, not 'b'" },
        { "[Model(Features = 3), Cell(\"a\", \"size n = 2\\nh[t] = W{n} @ x[t]\"), Layer(\"a\", 2, Set = \"n = «1.5»\")] partial class M { }", DiagnosticIds.BadSetting, "The size 'n' cannot be 1.5 (set it to a whole number" },
        { "[Model(Features = 3), Cell(\"a\", \"size n = 2\\nh[t] = W{n} @ x[t]\"), Layer(\"a\", 2, Set = \"init «n» = 1\")] partial class M { }", DiagnosticIds.BadSetting, "'n' is a size, which does not start anywhere" },
        { "[Model(Features = 3), Cell(\"a\", \"param n = 2\\nh[t] = n * W @ x[t]\"), Layer(\"a\", 2, Set = \"init «n» = 1\")] partial class M { }", DiagnosticIds.BadSetting, "'n' is a param, which is not trained" },
    };

    [Theory]
    [MemberData(nameof(FrontendMistakes))]
    public void A_mistake_at_the_use_site_is_told_on_its_characters(string marked, string id, string message)
    {
        Marked expected = Marked.Parse("using Unrolled;\n" + marked);
        (IReadOnlyList<ModelSpec> models, GeneratorRunResult result) = FrontendHarness.Run(expected.Text);
        Assert.Null(result.Exception);
        Assert.Empty(models);
        Diagnostic diagnostic = Assert.Single(result.Diagnostics);
        expected.AssertTold(id, message, diagnostic);
    }

    /// <summary>The same mistake, an unknown function, in every kind of string.</summary>
    public static TheoryData<string> Literals =>
    [
        "\"h[t] = «tahn»(W @ x[t])\"",
        "\"# \\\\ \\\"\\t\\u00e9\\x41\\U0001F600\\nh[t] \\u003d «tahn»(W @ x[t])\"",
        "\"h[t] = «t\\u0061hn»(W @ x[t])\"",
        "@\"# a \"\"comment\"\"\nh[t] = «tahn»(W @ x[t])\"",
        "@\"# \"\"\r\n\r\n  h[t] = «tahn»(W @ x[t])\n\"",
        $"{Quotes}h[t] = «tahn»(W @ x[t]){Quotes}",
        $"{Quotes}\n    # a \"comment\" \\n\n    h[t] = b +\n\n        «tahn»(W @ x[t])\n    {Quotes}",
        $"{Quotes}\"  \r\n\t# CRLF and tabs\r\n\r\n\th[t] = «tahn»(W @ x[t])\r\n\t\"{Quotes}",
        "(\"# a\\n\" + @\"h[t] = \" + (\"«tahn»(W\")) + \" @ x[t])\"",
        "equations: \"h[t] = «tahn»(W @ x[t])\"",
        "«\"h[t] = \" + Half»",
        "«Text»",
        "«$\"h[t] = {Half}\"»",
        "«nameof(M) + \"[t] = tahn(W @ x[t])\"»",
    ];

    [Theory]
    [MemberData(nameof(Literals))]
    public void A_mistake_in_equations_is_told_on_its_characters_in_the_source(string literal)
    {
        Marked expected = Marked.Parse("""
            using Unrolled;
            using static Texts;
            [Model(Features = 3), Layer("own", 2)]
            [Cell("own",
            """.ReplaceLineEndings("\n") + literal + ")] partial class M { }\nstatic class Texts { public const string Half = \"tahn(W @ x[t])\"; public const string Text = \"h[t] = \" + Half; }");
        CompilationCheck(expected.Text);
        GeneratorRunResult result = RunCompiler(expected.Text);
        Assert.Null(result.Exception);
        Diagnostic diagnostic = Assert.Single(result.Diagnostics, diagnostic => diagnostic.Id is DiagnosticIds.UnknownName or DiagnosticIds.NotAssigned);
        Assert.Equal(Assert.Single(expected.Spans), diagnostic.Location.SourceSpan);
        FileLinePositionSpan place = diagnostic.Location.GetLineSpan();
        Assert.Equal(FrontendHarness.Tree(expected.Text, "Model0.cs").GetLineSpan(diagnostic.Location.SourceSpan, TestContext.Current.CancellationToken), place);
        Assert.StartsWith("Layer 'own_0' of 'M': ", diagnostic.GetMessage(), StringComparison.Ordinal);
    }

    // The sources of the test must be what the C# compiler accepts, or they prove nothing.
    private static void CompilationCheck(string source) => Assert.DoesNotContain(
        FrontendHarness.Compilation(source).GetDiagnostics(TestContext.Current.CancellationToken), diagnostic => diagnostic.Severity == DiagnosticSeverity.Error);

    [Fact]
    public void A_mistake_in_a_cell_of_the_assembly_is_told_in_its_file()
    {
        Marked shared = Marked.Parse("using Unrolled;\n[assembly: Cell(\"own\", \"h[t] = W @ x[t] + «c[t]»\")]");
        GeneratorRunResult result = RunCompiler(shared.Text, "using Unrolled; [Model(Features = 3), Layer(\"own\", 2)] partial class M { }");
        Diagnostic diagnostic = Assert.Single(result.Diagnostics);
        Assert.Equal(DiagnosticIds.NotAssigned, diagnostic.Id);
        Assert.Equal(("Model0.cs", 1), (diagnostic.Location.GetLineSpan().Path, diagnostic.Location.GetLineSpan().StartLinePosition.Line));
        Assert.Equal(Assert.Single(shared.Spans), diagnostic.Location.SourceSpan);
    }

    [Fact]
    public void A_syntax_error_at_the_end_of_the_equations_stands_after_their_last_character()
    {
        string source = Own($"{Quotes}\n    h[t] = tanh(W @ x[t]) +\n    {Quotes}");
        Diagnostic diagnostic = Assert.Single(RunCompiler(source).Diagnostics);
        Assert.Equal(DiagnosticIds.SyntaxError, diagnostic.Id);
        Assert.Equal(source.IndexOf("+", StringComparison.Ordinal) + 1, diagnostic.Location.SourceSpan.Start);
    }

    [Fact]
    public void A_text_that_is_too_long_is_told_as_a_whole()
    {
        Marked expected = Marked.Parse(Own($"«\"{new string(' ', 70_000)}\"»"));
        Diagnostic diagnostic = Assert.Single(RunCompiler(expected.Text).Diagnostics);
        Assert.Equal(DiagnosticIds.LimitExceeded, diagnostic.Id);
        Assert.Equal(Assert.Single(expected.Spans), diagnostic.Location.SourceSpan);
    }

    /// <summary>Models with more than 2^31 bytes of parameters, or with fewer that need more numbers than an array has.</summary>
    public static TheoryData<string, string> TooLarge => new()
    {
        { "[Model(Features = 40000), «Dense(40000)»] partial class M { }", "The model 'M' is too large: the parameters take 6,400,000,000 bytes with 'dense_0.W', more than 2,147,483,648 (use smaller sizes)" },
        { "[Model(Features = 16384), Dense(16384), «Dense(16384)»] partial class M { }", "The model 'M' is too large: the parameters take 2,147,549,184 bytes with 'dense_1.W'" },
        { "[Model(Features = 1000000), Cell(\"c\", \"for k in 1..150 {\\n shape u{k} : 1, input\\n g{k}[t] = sum(u{k} @ x[t])\\n}\\nh[t] = b * sum{k in 1..150}(g{k}[t])\"), «Layer(\"c\", 2)»] partial class M { }", "The model 'M' is too large: the parameters take more than an array's 2,147,482,623 numbers with 'c_0.u_135', padded to whole vectors" },
        { "[Model(Features = 4), Cell(\"c\", \"shape v : 1000000\\nfor k in 1..135 {\\n shape p{k} : 1000000\\n p{k}[t] = p{k}[t-8] + v * mean(x[t])\\n}\\nh[t] = b * sum{k in 1..135}(sum(p{k}[t]))\"), Layer(\"c\", 2), «Layer(\"c\", 2)»] partial class M { }", "The model 'M' is too large: the states take 2,160,000,000 numbers, more than an array's 2,147,482,623" },
    };

    [Theory]
    [MemberData(nameof(TooLarge))]
    public void A_model_too_large_is_told_on_the_layer_that_goes_too_far(string marked, string message)
    {
        Marked expected = Marked.Parse("using Unrolled; " + marked);
        GeneratorRunResult result = RunCompiler(expected.Text);
        Diagnostic diagnostic = Assert.Single(result.Diagnostics);
        expected.AssertTold(DiagnosticIds.ModelTooLarge, message, diagnostic);
    }

    [Theory]
    [InlineData("[Model(Features = 3), Layer(\"a\", 2), Cell(\"a\")] partial class M { }")]
    [InlineData("[Model(Features = 3), Layer(\"a\", 2), Cell(\"a\", 5)] partial class M { }")]
    [InlineData("[Model(Features = 3), Layer(2, 2)] partial class M { }")]
    [InlineData("[Model(Features = 3), Rnn(2, Set = 5)] partial class M { }")]
    public void What_the_C_sharp_compiler_refuses_is_left_to_it(string source)
    {
        (IReadOnlyList<ModelSpec> models, GeneratorRunResult result) = FrontendHarness.Run("using Unrolled; " + source);
        Assert.Null(result.Exception);
        Assert.Empty(result.Diagnostics);
        Assert.Empty(models);
    }

    [Fact]
    public void A_cell_that_spells_out_the_lstm_is_the_same_code()
    {
        string own = Emit($"[Cell(\"my_lstm\", {Quotes}\n{CellFiles.Read("lstm")}\n{Quotes})]\n[Layer(\"my_lstm\", 17, Name = \"lstm_0\")]");
        string builtIn = Emit("[Lstm(17, Peepholes = true)]");
        Assert.NotEqual(builtIn, own);
        Assert.Equal(Code(builtIn), Code(own));

        string withoutPeepholes = Emit($"[Cell(\"my_lstm\", {Quotes}\n{CellFiles.Read("lstm")}\n{Quotes})]\n[Layer(\"my_lstm\", 17, Name = \"lstm_0\", Set = \"w_ci = 0, w_cf = 0, w_co = 0\")]");
        Assert.Equal(Code(Emit("[Lstm(17)]")), Code(withoutPeepholes));
        Assert.NotEqual(Code(builtIn), Code(withoutPeepholes));
    }

    // Written as a paper prints it: other white space, brackets and signs of the product, no params, comments between. What a value and a
    // parameter is called stays, for the emitted code calls them so.
    private const string SpelledLstm = """
        i[t]=sigmoid( W_xi @ x[t] + (W_hi @ h[t-1]) + w_ci ⊙ c[t-1] + b_i )   # eq. 1
        f[t] = sigmoid(W_xf @ x[t]
            + W_hf @ h[t-1]
            + w_cf ∘ c[t-1] + b_f)
        g[t] = tanh((W_xc @ x[t] + W_hc @ h[t-1]) + b_c)

        # the cell and the output
        c[t] = (f[t] ⊙ c[t-1]) + i[t] * g[t]
        o[t] = sigmoid(W_xo @ x[t] + W_ho @ h[t-1] + w_co * c[t] + b_o)
        h[t] = o[t] * tanh(c[t])
        init b_f = 1.0
        """;

    private const string SpelledGru = """
        r[t] = sigmoid((W_xr @ x[t]) + W_hr @ h[t-1] + b_r)
        z[t] = sigmoid(W_xz @ x[t] + W_hz @ h[t-1] + b_z)
        n[t] = tanh(W_xn @ x[t] + b_xn + r[t] ⊙ ((W_hn @ h[t-1]) + b_hn))
        h[t] = (1.0 - z[t]) ⊙ n[t] + (z[t] ⊙ h[t-1])
        """;

    private const string SpelledGruOfThePaper = """
        r[t] = sigmoid(W_xr @ x[t] + W_hr @ h[t-1] + b_r)
        z[t] = sigmoid(W_xz @ x[t] + W_hz @ h[t-1] + b_z)
        n[t] = tanh(W_xn @ x[t] + W_hn @ (r[t] ∘ h[t-1]) + b_n)
        h[t] = ((1 - z[t]) * n[t]) + z[t] * h[t-1]
        """;

    [Theory]
    [InlineData("lstm", SpelledLstm, "Lstm(17, Peepholes = true)", "")]
    [InlineData("lstm", SpelledLstm, "Lstm(17)", "w_ci = 0, w_cf = 0, w_co = 0")]
    [InlineData("gru", SpelledGru, "Gru(17)", "")]
    [InlineData("gru", SpelledGru, "Gru(17, Bias = false)", "b_r = 0, b_z = 0, b_xn = 0, b_hn = 0")]
    [InlineData("gru", SpelledGruOfThePaper, "Gru(17, ResetAfter = false)", "")]
    public void A_cell_of_ones_own_that_says_what_a_built_in_one_says_is_the_same_code(string layer, string equations, string attribute, string set)
    {
        string own = Emit($"[Cell(\"own\", {Quotes}\n{equations}\n{Quotes})]\n[Layer(\"own\", 17, Name = \"{layer}_0\", Set = \"{set}\")]");
        string builtIn = Emit($"[{attribute}]");
        Assert.NotEqual(builtIn, own);
        Assert.Equal(Code(builtIn), Code(own));
        Assert.NotEqual(Code(builtIn), Code(Emit(attribute.StartsWith("Lstm", StringComparison.Ordinal) ? "[Gru(17)]" : "[Lstm(17)]")));
    }

    private static string Emit(string layers)
    {
        ImmutableArray<GeneratedFile> files = ModelHarness.Generate([$"using Unrolled;\n[Model(Features = 16)]\n{layers}\n[Dense(3)]\n[Loss(Loss.MeanSquaredError)]\npublic sealed partial class Network;"]);
        return Assert.Single(files).Text;
    }

    // Without the remarks, where a cell's name and its settings stand.
    private static string[] Code(string source) => source.Split('\n').Where(line => !line.TrimStart().StartsWith("///", StringComparison.Ordinal)).ToArray();

    [Fact]
    public void A_model_with_a_cell_of_its_own_compiles_against_the_runtime_and_learns()
    {
        string source = $$"""
            using Unrolled;
            [assembly: Cell("leaky", "param leak = 0.5\nh[t] = (1 - leak) * h[t-1] + leak * tanh(W @ x[t] + b)")]
            namespace Tests;
            [Model(Features = 3)]
            [Cell("minimal_gated", {{Quotes}}
                {{MinimalGated.ReplaceLineEndings("\n    ")}}
                {{Quotes}})]
            [Layer("minimal_gated", 9)]
            [Layer("leaky", 4, Set = "leak = 0.25, init b = 1")]
            [Loss(Loss.MeanSquaredError)]
            public sealed partial class Own;
            """;
        CompiledModels compiled = ModelHarness.Compile([source]);
        IModel model = compiled.Create("Tests.Own");
        Assert.Equal([1f, 1f, 1f, 1f], model.Parameters.ToArray("leaky_1.b"));
        Assert.DoesNotContain(model.Layout.Parameters, parameter => parameter.Name == "leaky_1.leak");
        using ITrainer trainer = model.CreateTrainer(1, 2);
        var optimizer = new Adam(model, 0.01f);
        float[] inputs = [0.5f, -1f, 0.25f, 1f, 0f, -0.5f], targets = [0.1f, 0.2f, 0.3f, 0.4f, 0.4f, 0.3f, 0.2f, 0.1f];
        float first = 0, last = 0;
        for (int step = 0; step < 200; step++)
        {
            trainer.ResetState();
            last = trainer.ForwardBackward(inputs, targets);
            first = step == 0 ? last : first;
            optimizer.Step(trainer.Gradients);
        }

        Assert.True(last < first / 3, $"{first} to {last}");
    }
}

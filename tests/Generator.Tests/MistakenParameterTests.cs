using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Unrolled.Generator.Diagnostics;
using Unrolled.Generator.Frontend;
using Unrolled.Generator.Frontend.Equations;
using Unrolled.Generator.Tests.PassTests;
using Xunit;

namespace Unrolled.Generator.Tests;

/// <summary>Parameters that have the name of a value are warned of; a right cell never is.</summary>
public sealed class MistakenParameterTests
{
    public static TheoryData<string, string> Mistaken => new()
    {
        { "f[t] = sigmoid(W_f @ x[t])\nh[t] = (1 - «F») * h[t-1] + f[t] * tanh(W @ x[t] + F)", "'F' is a parameter, the same at every step, beside the value 'f' (write f[t] or f[t-1] for the value; a line 'init F = zero' says that a parameter is meant)" },
        { "h[t] = tanh(W @ x[t] + U @ «h_prev»)", "'h_prev' is a parameter, the same at every step, beside the value 'h' (write h[t-1] for the value;" },
        { "h[t] = tanh(W @ x[t] + U @ «prev_h»)", "'prev_h' is a parameter, the same at every step, beside the value 'h' (write h[t-1] for the value;" },
        { "h[t] = tanh(W @ x[t] + U @ «hPrev»)", "'hPrev' is a parameter, the same at every step, beside the value 'h' (write h[t-1] for the value;" },
        { "h[t] = tanh(W @ x[t] + U @ «h_old»)", "'h_old' is a parameter, the same at every step, beside the value 'h' (write h[t-1] for the value;" },
        { "h[t] = tanh(W @ x[t] + U @ «last_h»)", "'last_h' is a parameter, the same at every step, beside the value 'h' (write h[t-1] for the value;" },
        { "h[t] = tanh(W @ x[t] + U @ «h_t_1»)", "'h_t_1' is a parameter, the same at every step, beside the value 'h' (write h[t-1] for the value;" },
        { "h[t] = tanh(W @ x[t]) + «h_t»-1", "'h_t' is a parameter, the same at every step, beside the value 'h' (write h[t] or h[t-1] for the value;" },
        { "h[t] = tanh(W @ x[t]) * «hₜ»", "'hₜ' is a parameter, the same at every step, beside the value 'h'" },
        { "h[t] = tanh(W @ «x_t» + U @ h[t-1] + V @ x[t])", "'x_t' is a parameter, the same at every step, beside the value 'x'" },
        { "h[t] = tanh(W @ «X» + U @ h[t-1] + V @ x[t])", "'X' is a parameter, the same at every step, beside the value 'x'" },
        { "for k in 1..2 {\na{k}[t] = tanh(W{k} @ x[t] + «A{k}»)\n}\nh[t] = a{1}[t] * a{2}[t]", "'A' is a parameter, the same at every step, beside the value 'a' (write a{k}[t] or a{k}[t-1] for the value; a line 'init A{k} = zero'" },
    };

    public static TheoryData<string> Right =>
    [
        "start h = learned\nh[t] = tanh(W @ x[t] + U @ h[t-1] + h_start)",
        "init F = zero\nf[t] = sigmoid(W_f @ x[t])\nh[t] = (1 - F) * h[t-1] + f[t] * tanh(W @ x[t])",
        "shape h_prev : units\nh[t] = tanh(W @ x[t] + U @ h_prev)",
        "param F = 0.5\nf[t] = sigmoid(W_f @ x[t])\nh[t] = (1 - F) * h[t-1] + f[t] * tanh(W @ x[t])",
        "f[t] = sigmoid(F @ x[t])\nh[t] = f[t] * tanh(H @ h[t-1] + transpose(H) @ h[t-1])",
        "z[t] = sigmoid(W_z @ x[t] + b_z)\nh[t] = z[t] * tanh(W_h @ x[t] + b_h + b_t + b_hz + h_bias + a_prev)",
    ];

    [Theory]
    [MemberData(nameof(Mistaken))]
    public void Is_a_warning_on_its_characters_in_every_kind_of_file(string marked, string message)
    {
        // In C#, where the text is between triple quotes.
        Marked source = Marked.Parse("using Unrolled;\n[Model(Features = 3), Layer(\"own\", 3)]\n[Cell(\"own\", \"\"\"\n" + marked + "\n\"\"\")]\npartial class M;");
        GeneratorRunResult result = FrontendHarness.Run(Compiler.Compile, [source.Text]);
        Diagnostic diagnostic = Told(result);
        source.AssertTold(DiagnosticIds.MistakenParameter, "Layer 'own_0' of 'M': " + message, diagnostic);

        // In JSON, where a line is a string.
        Marked json = Marked.Parse("{ \"class\": \"M\", \"input\": { \"features\": 3 }, \"cells\": { \"own\": [ \"" + marked.Replace("\n", "\", \"", StringComparison.Ordinal) + "\" ] }, \"layers\": [ { \"own\": 3 } ] }");
        json.AssertTold(DiagnosticIds.MistakenParameter, "Layer 'own_0' of 'M': " + message, Told(FrontendHarness.Run(Compiler.Compile, [], ("m.rnn.json", json.Text))));

        // In a cell's file.
        Marked file = Marked.Parse(marked);
        result = FrontendHarness.Run(Compiler.Compile, ["using Unrolled;\n[Model(Features = 3), Layer(\"own\", 3)] partial class M;"], ("own.cell", file.Text));
        file.AssertToldIn("own.cell", DiagnosticIds.MistakenParameter, "Layer 'own_0' of 'M': " + message, Told(result));

        static Diagnostic Told(GeneratorRunResult result)
        {
            Assert.Null(result.Exception);
            Assert.Single(result.GeneratedSources);
            Diagnostic diagnostic = Assert.Single(result.Diagnostics);
            Assert.Equal(DiagnosticSeverity.Warning, diagnostic.Severity);
            return diagnostic;
        }
    }

    [Theory]
    [MemberData(nameof(Right))]
    public void What_is_right_is_not_warned_of(string text) => Assert.Empty(Find(text));

    [Fact]
    public void No_cell_of_the_library_or_of_the_tests_is_warned_of()
    {
        string[] texts =
        [
            .. CellFiles.Names.Select(CellFiles.Read),
            .. CellPageTests.Cells.Select(row => row.Data),
            .. Networks.Names.SelectMany(row => Networks.Spec(row.Data).Layers).Select(layer => layer.Text),
            .. GradientTests.Models.Names.SelectMany(name => GradientTests.Models[name].Specs).Select(layer => layer.Text),
            .. Enumerable.Range(0, 500).Select(number => RandomCell.Create(number).Text),
        ];
        Assert.All(texts, text => Assert.Empty(Find(text)));
    }

    [Fact]
    public void A_parameter_that_the_layer_sets_is_one()
    {
        const string text = "h[t] = tanh(W @ x[t] + U @ h_prev)";
        Assert.Single(MistakenParameters.Find(Parser.Parse(text).Cell!, []));
        Assert.Empty(MistakenParameters.Find(Parser.Parse(text).Cell!, ["h_prev"]));
    }

    [Theory]
    [InlineData(ReportDiagnostic.Suppress, null)]
    [InlineData(ReportDiagnostic.Error, DiagnosticSeverity.Error)]
    [InlineData(ReportDiagnostic.Info, DiagnosticSeverity.Info)]
    public void Its_severity_is_the_projects_to_say(ReportDiagnostic said, DiagnosticSeverity? severity)
    {
        CSharpCompilation compilation = FrontendHarness.Compilation("using Unrolled;\n[Model(Features = 3), Layer(\"own\", 3)]\n[Cell(\"own\", \"h[t] = tanh(W @ x[t] + U @ h_prev)\")]\npartial class M;");
        compilation = compilation.WithOptions(compilation.Options.WithSpecificDiagnosticOptions(ImmutableDictionary<string, ReportDiagnostic>.Empty.Add(DiagnosticIds.MistakenParameter, said)));
        GeneratorRunResult result = FrontendHarness.Driver(Compiler.Compile).Generate(compilation).GetRunResult().Results.Single();
        Assert.Equal(severity is null ? [] : [severity.Value], result.Diagnostics.Select(diagnostic => diagnostic.Severity));
        Assert.Single(result.GeneratedSources);
    }

    private static IEnumerable<EquationError> Find(string text) => MistakenParameters.Find(Parser.Parse(text).Cell!, []);
}

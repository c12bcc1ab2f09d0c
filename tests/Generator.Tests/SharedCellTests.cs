using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;
using Unrolled.Generator.Diagnostics;
using Unrolled.Generator.Frontend;
using Unrolled.Generator.Tests.Harness;
using Xunit;

namespace Unrolled.Generator.Tests;

/// <summary>Cells that models share: <c>*.cell</c> files and <c>[assembly: Cell]</c>, used from attributes and from JSON.</summary>
public sealed class SharedCellTests
{
    private const string Leaky = "param leak = 0.5\nh[t] = (1 - leak) * h[t-1] + leak * tanh(W @ x[t] + b)\n";

    private const string Attributes = "using Unrolled; namespace Samples; [Model(Features = 3)] [Layer(\"leaky\", 4, Set = \"leak = 0.25, init b = 1\")] [Loss(Loss.MeanSquaredError)] public partial class Shared;";

    private const string Json = """{ "class": "Samples.Shared", "input": { "features": 3 }, "layers": [ { "leaky": 4, "set": { "leak": 0.25 }, "init": { "b": 1 } } ], "loss": "mean_squared_error" }""";

    private const string Declared = "[assembly: Unrolled.Cell(\"leaky\", \"param leak = 0.5\\nh[t] = (1 - leak) * h[t-1] + leak * tanh(W @ x[t] + b)\\n\")]";

    private static GeneratorRunResult Run(string[] sources, params (string Path, string Text)[] files) => FrontendHarness.Run(Compiler.Compile, sources, files);

    private static string Code(GeneratorRunResult result)
    {
        Assert.Null(result.Exception);
        Assert.Empty(result.Diagnostics);
        return Assert.Single(result.GeneratedSources).SourceText.ToString();
    }

    [Fact]
    public void A_cell_of_a_file_or_of_the_assembly_is_one_layer_from_attributes_and_from_JSON()
    {
        string expected = Code(Run([Attributes], ("cells/leaky.cell", Leaky)));
        Assert.Equal(4, ModelHarness.Compile([expected]).Create("Samples.Shared").Layout.StateLength);
        Assert.Equal(expected, Code(Run([Attributes, Declared])));
        Assert.Equal(expected, Code(Run([], ("leaky.CELL", Leaky.Replace("\n", "\r\n")), ("a.rnn.json", Json))));
        Assert.Equal(expected, Code(Run([Declared], ("a.rnn.json", Json))));
    }

    [Fact]
    public void A_models_own_cell_hides_a_shared_one()
    {
        (string, string) file = ("own.cell", "h[t] = W @ x[t] + b");
        string attributes = Code(Run(["using Unrolled; [Model(Features = 3), Cell(\"own\", \"h[t] = tanh(W @ x[t])\"), Layer(\"own\", 4)] partial class M;"], file));
        Assert.Contains("tanh(W @ x[t])", attributes, StringComparison.Ordinal);
        Assert.Equal(attributes, Code(Run([], file, ("m.rnn.json", """{ "class": "M", "input": { "features": 3 }, "cells": { "own": "h[t] = tanh(W @ x[t])" }, "layers": [ { "own": 4 } ] }"""))));
    }

    [Fact]
    public void A_shared_cell_may_wait_for_a_model() => Assert.Empty(Run([Declared], ("other.cell", Leaky)).Diagnostics);

    /// <summary>The text of the file cells/own.cell, which one model uses.</summary>
    public static TheoryData<string, string, string> Mistakes => new()
    {
        { "# one\n\nh[t] = «tahn»(W @ x[t])", DiagnosticIds.UnknownName, "Layer 'own_0' of 'M': no function is called 'tahn' (did you mean 'tanh'?)" },
        { "h[t] = «sum(W @ x[t], h[t-1])»", DiagnosticIds.SyntaxError, "Layer 'own_0' of 'M': 'sum' takes 1 value, not 2" },
        { "# one\r\n\r\n  h[t] = W @ x[t] + «c[t]»\r\n", DiagnosticIds.NotAssigned, "Layer 'own_0' of 'M': 'c' is never assigned" },
        { "# one\r\nh[t] = W @ x[t] +«»\r\n", DiagnosticIds.SyntaxError, "Cell 'own': Expected a value, a number, a call or '(', but the line ends here" },
        { "h[t] = W @ x[t] «;»", DiagnosticIds.SyntaxError, "Cell 'own': ';' is not part of the equation language" },
        { "«»", DiagnosticIds.NotAssigned, "Layer 'own_0' of 'M': the output 'h' is never assigned" },
        { "«»" + new string(' ', 10_000_000), DiagnosticIds.LimitExceeded, "Cell 'own': The text of a cell is longer than 64 KiB" },
        { "h[t] = " + new string('(', 256) + "«(»" + new string('(', 10_000), DiagnosticIds.LimitExceeded, "Cell 'own': Brackets, signs" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void A_mistake_in_a_file_is_told_there_on_its_characters(string marked, string id, string message)
    {
        Marked expected = Marked.Parse(marked);
        foreach (string[] sources in new[] { ["using Unrolled; [Model(Features = 3), Layer(\"own\", 2)] partial class M;"], Array.Empty<string>() })
        {
            GeneratorRunResult result = Run(sources, [("cells/own.cell", expected.Text), .. sources.Length == 0 ? [("m.rnn.json", """{ "class": "M", "input": { "features": 3 }, "layers": [ { "own": 2 } ] }""")] : Array.Empty<(string, string)>()]);
            Assert.Null(result.Exception);
            Assert.Empty(result.GeneratedSources);
            Diagnostic diagnostic = Assert.Single(result.Diagnostics);
            expected.AssertToldIn("cells/own.cell", id, message, diagnostic);
        }
    }

    [Fact]
    public void A_syntax_error_in_a_shared_cell_is_told_once_however_many_models_use_it()
    {
        GeneratorRunResult result = Run(
            ["using Unrolled; [Model(Features = 3), Layer(\"own\", 2)] partial class M; [Model(Features = 3), Layer(\"own\", 3)] partial class N;"],
            ("own.cell", "h[t] = W @"),
            ("m.rnn.json", """{ "class": "O", "input": { "features": 3 }, "layers": [ { "own": 2 } ] }"""));
        Assert.Equal(DiagnosticIds.SyntaxError, Assert.Single(result.Diagnostics).Id);
        Assert.Empty(result.GeneratedSources);
    }

    [Fact]
    public void Names_that_clash_are_told_on_the_files()
    {
        Assert.Equal(
            "a/lstm.cell: 'lstm' cannot name a cell (the library has a cell of that name; rename the file)",
            Told(Run([], ("a/lstm.cell", Leaky))));
        Assert.Equal(
            "irnn.cell: 'irnn' cannot name a cell (the library has a cell of that name; rename the file)",
            Told(Run([], ("irnn.cell", Leaky))));
        Assert.Equal(
            "bias.cell: 'bias' cannot name a cell (in JSON it is a property of layers; rename the file)",
            Told(Run([], ("bias.cell", Leaky))));
        Assert.Equal(
            "1 a.cell: '1 a' cannot name a cell (use a letter or _, then letters, digits and _)",
            Told(Run([], ("1 a.cell", Leaky))));
        Assert.Equal(
            "b/own.cell: The cell 'own' is declared by two files, this one and 'a/own.cell' (give one of them another name)",
            Told(Run([], ("b/own.cell", Leaky), ("a/own.cell", Leaky))));
        Assert.Equal(
            "leaky.cell: The cell 'leaky' is declared by a file and on the assembly (give one of them another name)",
            Told(Run([Declared], ("leaky.cell", Leaky))));
        Assert.Equal(
            "Model1.cs: The cell 'leaky' is declared twice on the assembly (give one of them another name)",
            Told(Run([Declared, Declared])));
    }

    private static string Told(GeneratorRunResult result)
    {
        Diagnostic diagnostic = Assert.Single(result.Diagnostics);
        return $"{diagnostic.Location.GetLineSpan().Path}: {diagnostic.GetMessage()}";
    }

    [Fact]
    public void A_cell_of_the_assembly_with_no_name_is_told_on_its_name()
    {
        Marked expected = Marked.Parse("[assembly: Unrolled.Cell(«\"a b\"», \"h[t] = x[t]\")]");
        Diagnostic diagnostic = Assert.Single(Run([expected.Text]).Diagnostics);
        Assert.Equal((DiagnosticIds.InvalidCellName, Assert.Single(expected.Spans)), (diagnostic.Id, diagnostic.Location.SourceSpan));
    }

    [Fact]
    public void A_misspelt_name_is_told_with_the_shared_cell_it_may_mean()
    {
        Assert.Contains("(did you mean 'leaky'?)", Told(Run([Attributes.Replace("\"leaky\"", "\"leeky\"")], ("leaky.cell", Leaky))), StringComparison.Ordinal);
        Assert.Contains("(did you mean 'leaky'?)", Told(Run([], ("leaky.cell", Leaky), ("a.rnn.json", Json.Replace("leaky", "leeky")))), StringComparison.Ordinal);
    }

    [Fact]
    public void A_cell_of_the_assembly_that_C_sharp_refuses_is_left_to_it()
    {
        GeneratorRunResult result = Run(["[assembly: Unrolled.Cell(\"leaky\", 5)]", Attributes], ("a.rnn.json", Json.Replace("Shared", "Other")));
        Assert.Null(result.Exception);
        Assert.Empty(result.Diagnostics);
        Assert.Empty(result.GeneratedSources);
    }
}

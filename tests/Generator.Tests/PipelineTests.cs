using System.Runtime.CompilerServices;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Unrolled.Generator.Frontend;
using Xunit;

namespace Unrolled.Generator.Tests;

public sealed class PipelineTests
{
    private const string First = """
        using Unrolled;
        [Model(Features = 3)]
        [Rnn(4)]
        [Dense(2)]
        public partial class First
        {
            public int Answer() => 42;
        }
        """;

    private const string Second = "using Unrolled; [Model(Tokens = 5), Lstm(4)] public partial class Second;";

    private const string Third = "public class Bystander { public int Value; }";

    private static IncrementalStepRunReason Reason(GeneratorRunResult result, string step, Func<object, bool> isMeant) =>
        result.TrackedSteps[step].SelectMany(run => run.Outputs).Single(output => isMeant(output.Value)).Reason;

    private static bool IsRequest(object value, string @class) => value is ModelRequest request && request.Spec.Class == @class;

    private static bool IsCompiled(object value, string @class) => value is CompiledModel compiled && compiled.HintName == @class + ".g.cs";

    private static IncrementalStepRunReason ModelReason(GeneratorRunResult result, string @class) =>
        Reason(result, StepNames.Model, value => IsRequest(value, @class));

    private static IncrementalStepRunReason CompileReason(GeneratorRunResult result, string @class) =>
        Reason(result, StepNames.Compile, value => IsCompiled(value, @class));

    // The reasons of everything that was written or reported.
    private static IEnumerable<IncrementalStepRunReason> OutputReasons(GeneratorRunResult result) =>
        result.TrackedOutputSteps.SelectMany(step => step.Value).SelectMany(run => run.Outputs).Select(output => output.Reason);

    // Runs, edits one file, runs again.
    private static (GeneratorRunResult Result, int Compilations) Edit(int file, Func<string, string> edit)
    {
        int compilations = 0;
        GeneratorDriver driver = FrontendHarness.Driver(model =>
        {
            compilations++;
            return FrontendHarness.Echo(model);
        });
        string[] sources = [First, Second, Third];
        CSharpCompilation compilation = FrontendHarness.Compilation(sources);
        driver = driver.Generate(compilation);
        Assert.Equal(2, compilations);
        SyntaxTree before = compilation.SyntaxTrees[file + 1];
        string text = edit(sources[file]);
        Assert.NotEqual(sources[file], text);
        driver = driver.Generate(compilation.ReplaceSyntaxTree(before, FrontendHarness.Tree(text, before.FilePath)));
        GeneratorRunResult result = driver.GetRunResult().Results.Single();
        Assert.Null(result.Exception);
        return (result, compilations - 2);
    }

    public static TheoryData<string, int, string, string> MeaninglessEdits => new()
    {
        { "an unrelated file", 2, "int Value", "long Value" },
        { "a body in the model's class", 0, "42", "43" },
        { "a new member", 0, "public int Answer()", "public int Other; public int Answer()" },
        { "a line shift", 0, "using Unrolled;", "using Unrolled;\n\n\n" },
        { "white space in an attribute", 0, "[Rnn(4)]", "[Rnn( 4 )]" },
        { "a comment between the layers", 0, "[Dense(2)]", "// the output\n[Dense(2)]" },
        { "the same value written otherwise", 0, "[Rnn(4)]", "[Rnn(2 + 2, Bias = true)]" },
        { "a modifier", 0, "public partial", "internal sealed partial" },
    };

    [Theory]
    [MemberData(nameof(MeaninglessEdits))]
    public void An_edit_without_meaning_for_a_model_compiles_and_writes_nothing(string edit, int file, string before, string after)
    {
        (GeneratorRunResult result, int compilations) = Edit(file, text => text.Replace(before, after));
        Assert.Equal(0, compilations);
        foreach (string @class in new[] { "First", "Second" })
        {
            Assert.True(ModelReason(result, @class) is IncrementalStepRunReason.Unchanged or IncrementalStepRunReason.Cached, edit);
            Assert.Equal(IncrementalStepRunReason.Cached, CompileReason(result, @class));
        }

        Assert.NotEmpty(OutputReasons(result));
        Assert.All(OutputReasons(result), reason => Assert.Equal(IncrementalStepRunReason.Cached, reason));
        Assert.Equal(2, result.GeneratedSources.Length);
    }

    [Fact]
    public void A_line_shift_moves_the_places_and_leaves_the_model_unchanged()
    {
        (GeneratorRunResult result, _) = Edit(0, text => "\n" + text);
        Assert.Equal(
            IncrementalStepRunReason.Modified,
            Reason(result, StepNames.Resolve, value => value is ParsedModel { HintName: "First.g.cs" }));
        Assert.Equal(IncrementalStepRunReason.Unchanged, ModelReason(result, "First"));
    }

    [Theory]
    [InlineData("[Rnn(4)]", "[Rnn(5)]")]
    [InlineData("[Rnn(4)]", "[Rnn(4, Name = \"memory\")]")]
    [InlineData("[Rnn(4)]", "[Rnn(4, Bias = false)]")]
    [InlineData("Features", "Tokens")]
    [InlineData("[Dense(2)]", "[Dense(2), Loss(Loss.MeanSquaredError)]")]
    [InlineData("[Rnn(4)]\n[Dense(2)]", "[Dense(2)]\n[Rnn(4)]")]
    public void A_change_of_meaning_compiles_that_model_alone(string before, string after)
    {
        (GeneratorRunResult result, int compilations) = Edit(0, text => text.ReplaceLineEndings("\n").Replace(before, after));
        Assert.Equal(1, compilations);
        Assert.Equal(IncrementalStepRunReason.Modified, ModelReason(result, "First"));
        Assert.True(CompileReason(result, "First") is IncrementalStepRunReason.Modified or IncrementalStepRunReason.Unchanged);
        Assert.Equal(IncrementalStepRunReason.Cached, CompileReason(result, "Second"));
    }

    [Fact]
    public void A_changed_source_is_written_and_the_other_one_is_not()
    {
        (GeneratorRunResult result, _) = Edit(0, text => text.Replace("[Rnn(4)]", "[Rnn(5)]"));
        Assert.Equal(IncrementalStepRunReason.Modified, CompileReason(result, "First"));
        Assert.Single(OutputReasons(result), IncrementalStepRunReason.Modified);
        Assert.Contains("rnn_0 rnn 5", result.GeneratedSources.Single(source => source.HintName == "First.g.cs").SourceText.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_removed_model_takes_its_file_with_it()
    {
        (GeneratorRunResult result, int compilations) = Edit(0, text => text.Replace("[Model(Features = 3)]", ""));
        Assert.Equal(0, compilations);
        Assert.Equal("Second.g.cs", Assert.Single(result.GeneratedSources).HintName);
    }

    // Models in three forms, two shared cells; the edit is to the first file.
    private static (GeneratorRunResult Result, List<string> Compiled) EditCell(Func<string, string> edit)
    {
        const string first = "# a leaky integrator\nparam leak = 0.5\nh[t] = (1 - leak) * h[t-1] + leak * tanh(W @ x[t] + b)\n";
        const string json = """{ "class": "InJson", "input": { "features": 3 }, "layers": [ { "leaky": 4 } ] }""";
        List<string> compiled = [];
        GeneratorDriver driver = FrontendHarness.Driver(model =>
        {
            compiled.Add(model.Class);
            return FrontendHarness.Echo(model);
        });
        var before = new TextFile("cells/leaky.cell", first);
        Compilation compilation = FrontendHarness.Compilation(
            "using Unrolled; [Model(Features = 3), Layer(\"leaky\", 4)] partial class User;",
            "using Unrolled; [Model(Features = 3), Layer(\"other\", 4)] partial class Other;",
            Second);
        driver = driver
            .AddAdditionalTexts([before, new TextFile("cells/other.cell", "h[t] = W @ x[t]"), new TextFile("m.rnn.json", json), new TextFile("n.rnn.json", json.Replace("InJson", "Json").Replace("leaky", "lstm"))])
            .Generate(compilation);
        Assert.Equal(["InJson", "Json", "Other", "Second", "User"], compiled.Order());
        Assert.Empty(driver.GetRunResult().Diagnostics);
        compiled.Clear();
        Assert.NotEqual(first, edit(first));
        driver = driver.ReplaceAdditionalText(before, new TextFile(before.Path, edit(first))).Generate(compilation);
        GeneratorRunResult result = driver.GetRunResult().Results.Single();
        Assert.Null(result.Exception);
        return (result, compiled);
    }

    [Fact]
    public void An_edit_of_a_cell_file_compiles_the_models_that_use_it_alone()
    {
        (GeneratorRunResult result, List<string> compiled) = EditCell(text => text.Replace("tanh", "relu"));
        Assert.Equal(["InJson", "User"], compiled.Order());

        // No attribute is read again, and no other file of cells.
        Assert.All(result.TrackedSteps[StepNames.Parse].SelectMany(run => run.Outputs).Where(output => output.Value is DeclaredModel), output =>
            Assert.Equal(IncrementalStepRunReason.Cached, output.Reason));
        Assert.Equal(
            [IncrementalStepRunReason.Modified, IncrementalStepRunReason.Cached],
            result.TrackedSteps[StepNames.Cells].SelectMany(run => run.Outputs).Select(output => output.Reason));
        Assert.Equal(IncrementalStepRunReason.Modified, ModelReason(result, "User"));
        Assert.Equal(IncrementalStepRunReason.Modified, ModelReason(result, "InJson"));
        foreach (string @class in new[] { "Other", "Second" })
        {
            Assert.Equal(IncrementalStepRunReason.Unchanged, Reason(result, StepNames.Resolve, value => value is ParsedModel model && model.HintName == @class + ".g.cs"));
            Assert.Equal(IncrementalStepRunReason.Cached, CompileReason(result, @class));
        }

        Assert.True(ModelReason(result, "Json") is IncrementalStepRunReason.Unchanged or IncrementalStepRunReason.Cached);
    }

    [Theory]
    [InlineData("\n", "\r\n")]
    public void Other_line_ends_of_a_cell_file_compile_nothing(string before, string after) =>
        Assert.Empty(EditCell(text => text.Replace(before, after)).Compiled);

    [Fact]
    public void A_diagnostic_follows_its_place()
    {
        GeneratorDriver driver = FrontendHarness.Driver(FrontendHarness.Echo);
        CSharpCompilation compilation = FrontendHarness.Compilation("using Unrolled; [Model(Features = 1), Rnn(0)] partial class M;");
        driver = driver.Generate(compilation);
        Assert.Equal(0, Assert.Single(driver.GetRunResult().Diagnostics).Location.GetLineSpan().StartLinePosition.Line);
        SyntaxTree tree = compilation.SyntaxTrees[1];
        driver = driver.Generate(compilation.ReplaceSyntaxTree(tree, FrontendHarness.Tree("\n\n" + tree, tree.FilePath)));
        Assert.Equal(2, Assert.Single(driver.GetRunResult().Diagnostics).Location.GetLineSpan().StartLinePosition.Line);
    }

    [Fact]
    public void Nothing_in_the_pipeline_keeps_the_old_compilation_alive()
    {
        (GeneratorDriver driver, WeakReference<Compilation> old) = RunTwice();
        for (int attempt = 0; attempt < 10 && IsAlive(old); attempt++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true);
            GC.WaitForPendingFinalizers();
        }

        Assert.False(IsAlive(old));
        GC.KeepAlive(driver);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool IsAlive(WeakReference<Compilation> reference) => reference.TryGetTarget(out _);

    // A method of its own, so that no local of the test holds what should be gone. Models with and without mistakes pass through.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static (GeneratorDriver Driver, WeakReference<Compilation> Old) RunTwice()
    {
        // Steps are not tracked here: the tracking itself would hold them.
        GeneratorDriver driver = CSharpGeneratorDriver.Create(
            [new ModelGenerator(FrontendHarness.Echo).AsSourceGenerator()],
            parseOptions: (CSharpParseOptions)FrontendHarness.Tree("", "").Options);
        CSharpCompilation first = FrontendHarness.Compilation(First, Second, "using Unrolled; [Model(Features = 1), Rnn(0)] class Wrong;");
        driver = driver.Generate(first);
        Assert.Equal(2, driver.GetRunResult().GeneratedTrees.Length);
        SyntaxTree[] trees = first.SyntaxTrees.Select(tree => FrontendHarness.Tree("// again\n" + tree, tree.FilePath)).ToArray();
        driver = driver.Generate(first.RemoveAllSyntaxTrees().AddSyntaxTrees(trees));
        Assert.Equal(2, driver.GetRunResult().GeneratedTrees.Length);
        return (driver, new WeakReference<Compilation>(first));
    }

    [Fact]
    public void The_public_generator_runs_the_real_compiler()
    {
        GeneratorDriver driver = CSharpGeneratorDriver.Create(
            [new ModelGenerator().AsSourceGenerator()],
            parseOptions: (CSharpParseOptions)FrontendHarness.Tree("", "").Options);
        GeneratorRunResult result = driver.Generate(FrontendHarness.Compilation(First)).GetRunResult().Results.Single();
        Assert.Empty(result.Diagnostics);
        Assert.Equal("First.g.cs", Assert.Single(result.GeneratedSources).HintName);
    }
}

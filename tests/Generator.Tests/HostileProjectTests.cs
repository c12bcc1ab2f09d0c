using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Unrolled.Generator.Diagnostics;
using Unrolled.Generator.Frontend;
using Unrolled.Generator.Frontend.Equations;
using Unrolled.Generator.Tests.Harness;
using Xunit;

namespace Unrolled.Generator.Tests;

/// <summary>
/// Models in projects that have the names which emitted code uses: each compiles without a warning, as C# 11, with overflow checked and
/// documentation required, or gives one diagnostic and no emitted file.
/// </summary>
public sealed partial class HostileProjectTests
{
    private const string Small = "/// <summary>A model.</summary>\n[Unrolled.Model(Features = 2), Unrolled.Dense(2)]";

    private static readonly HarnessOptions Options = new() { CheckOverflow = true, Documentation = true, Language = LanguageVersion.CSharp11 };

    /// <summary>What makes the class a network.</summary>
    private static readonly string[] Models =
    [
        "[Unrolled.Model(Tokens = 5), Unrolled.Lstm(3, Peepholes = true), Unrolled.Dense(5), Unrolled.Loss(Unrolled.Loss.SoftmaxCrossEntropy)]",
        "[Unrolled.Model(Features = 2), Unrolled.Layer(\"own\", 4), Unrolled.Cell(\"own\", \"start h = learned\\nh[t] = layer_norm(W @ x[t] + U @ h[t-2]) * softmax(V @ h[t-1])\")]",
    ];

    private static readonly string[] Keywords =
    [
        "class", "int", "record", "file", "required", "scoped", "var", "dynamic", "value", "field", "nint", "nuint", "async", "await", "partial",
        "where", "when", "with", "yield", "nameof", "notnull", "unmanaged", "managed", "extension", "allows", "init", "global", "_", "System", "Session0",
    ];

    /// <summary>The class of a model, N.Mo, and what else is in its project. [[MODEL]] is one of <see cref="Models"/>, or nothing where JSON says it; [[GLOBAL]] is the same by names from the root.</summary>
    private static readonly Dictionary<string, string> Projects = new()
    {
        ["a constructor"] = "namespace N { [[MODEL]] public partial class Mo { /// <summary>Reads a file.</summary>\npublic Mo(string file) { _ = file; } } }",
        ["constructors that call others"] = "namespace N { [[MODEL]] public partial class Mo { internal Mo(int a) : this((ulong)a) { } internal Mo(long a) : this((int)a) { } private Mo(in double a) { } } }",
        ["a static field"] = "namespace N { [[MODEL]] internal partial class Mo { internal static readonly Mo Default = new(); } }",
        ["a base class with the emitted names"] = """
            namespace N
            {
                internal class Base
                {
                    public int Layout => 1;
                    public virtual int Parameters => 1;
                    public class Session { }
                    public static int Trainer = 3;
                    public object CreateTrainer => 1;
                    protected void CreateSession() { }
                    internal object CreateSession(int a, int b, int c) => this;
                }
                [[MODEL]] internal partial class Mo : Base { }
            }
            """,
        ["a base class with constructors"] = "namespace N { internal class Base { protected Base(int n = 3, params int[] more) { } private protected Base(string s) { } } [[MODEL]] internal partial class Mo : Base { } }",
        ["an abstract base class, done with"] = "namespace N { internal abstract class Base { public abstract int Layout { get; } } internal class Done : Base { public override int Layout => 1; } [[MODEL]] internal partial class Mo : Done { } }",
        ["a model as base class"] = "namespace N { [[SMALL]] internal partial class Base { internal Base(string s) { } } [[MODEL]] internal partial class Mo : Base { } }",
        ["types of lower-case names"] = "#pragma warning disable CS8981\nclass nint { } class nuint { } class var { } class dynamic { } namespace N { class nint { } class var { } [[MODEL]] internal partial class Mo { class nint { } } }",
        ["a namespace System"] = "namespace N { namespace System { class Math { } } namespace Unrolled { class Session { } } [[GLOBAL]] internal partial class Mo { } }",
        ["members of other names"] = "namespace N { [[GLOBAL]] internal partial class Mo { static string nameof(int a) => \"\" + a; int Unrolled => nameof(1).Length; int System => Unrolled; class Kernels { } class V { } class Unsafe { } } }",
        ["aliases"] = "global using V = System.Int32; global using Unsafe = System.Int32; global using VectorMath = System.Int32; global using ProductShape = System.Int32; namespace N { [[MODEL]] internal partial class Mo { } }",
        ["a promise to other languages"] = "[assembly: System.CLSCompliant(true)] namespace N { [[MODEL]] public partial class Mo { } }",
        ["a class out of use"] = "namespace N { [[MODEL]] [System.Obsolete(\"Use another.\")] internal partial class Mo { } }",
        ["a namespace below the runtime's"] = "namespace Unrolled.Samples { class Math { } } namespace Unrolled.N { [[SMALL]] internal partial class Other { } } namespace N { [[MODEL]] internal partial class Mo { } }",
    };

    public static TheoryData<string> Names => [.. Projects.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_model_compiles_without_a_warning(string project)
    {
        foreach (string model in Models)
        {
            _ = ModelHarness.Compile([Source(project, "/// <summary>A model.</summary>\n" + model)], Options);
        }

        (ImmutableArray<Diagnostic> told, Compilation complete) = Generate(Project(Source(project, "")), ("mo.rnn.json", """{ "class": "N.Mo", "input": { "features": 2 }, "layers": [ { "lstm": 3 } ] }"""));
        Assert.Empty(told);
        Assert.Empty(Problems(complete));
    }

    [Fact]
    public void Classes_and_namespaces_may_be_called_by_any_keyword() => Assert.NotNull(ModelHarness.Compile(
        [string.Concat(Keywords.Select((keyword, index) => $"namespace @{keyword}.N{index} {{ {Small} internal partial class @{keyword} {{ }} }} "))], Options));

    private static string Source(string project, string model) => Projects[project]
        .Replace("[[MODEL]]", model, StringComparison.Ordinal)
        .Replace("[[GLOBAL]]", model.Replace("Unrolled.", "global::Unrolled.", StringComparison.Ordinal), StringComparison.Ordinal)
        .Replace("[[SMALL]]", Small, StringComparison.Ordinal);

    /// <summary>Projects in which no model can be compiled: the marked characters, the diagnostic and its first words.</summary>
    public static TheoryData<string, string, string> Hopeless => new()
    {
        { "class «System» { } namespace N { [[MODEL]] partial class Mo { } }", DiagnosticIds.NameHidden, "The type 'System' hides the namespace 'System', which emitted code names (rename it)" },
        { "namespace Unrolled.CompilerServices.«Session» { class X { } } namespace N { [[MODEL]] partial class Mo { } }", DiagnosticIds.NameHidden, "The namespace 'Unrolled.CompilerServices.Session' hides the runtime's type of that name" },
        { "namespace Unrolled.«IModel» { [[MODEL]] partial class Mo { } }", DiagnosticIds.NameHidden, "The namespace 'Unrolled.IModel' hides" },
        { "namespace Unrolled { class «CompilerServices» { } } namespace N { [[MODEL]] partial class Mo { } }", DiagnosticIds.NameHidden, "The type 'Unrolled.CompilerServices' hides the runtime's namespace" },
        { "namespace Unrolled.CompilerServices { class «WorkPart» { } } namespace N { [[MODEL]] partial class Mo { } }", DiagnosticIds.NameHidden, "The type 'Unrolled.CompilerServices.WorkPart' hides" },
        { "namespace Unrolled { class «ParameterBlock» { } } namespace N { [[MODEL]] partial class Mo { } }", DiagnosticIds.NameHidden, "The type 'Unrolled.ParameterBlock' hides" },
        { "namespace N { class Base { public Base(int n) { } } [[MODEL]] partial class «Mo» : Base { } }", DiagnosticIds.UnsupportedClass, "The class 'Mo' derives from 'Base', which has no constructor that can be called without arguments (give it one" },
        { "namespace N { class Base { Base() { } public static Base One => new(); } [[MODEL]] partial class «Mo» : Base { } }", DiagnosticIds.UnsupportedClass, "The class 'Mo' derives from 'Base'" },
        { "namespace N { abstract class Base { public abstract int Layout { get; } } [[MODEL]] partial class «Mo» : Base { } }", DiagnosticIds.UnsupportedClass, "The class 'Mo' inherits 'Layout' of 'Base', which is abstract" },
        { "namespace N { [[MODEL]] partial class Mo : Unrolled.IModel { Unrolled.ModelLayout Unrolled.IModel.«Layout» => null!; } }", DiagnosticIds.UnsupportedClass, "The class 'Mo' declares 'Unrolled.IModel.Layout', which the generator writes" },
        { "namespace N { [[MODEL]] partial class Mo { int «_createdParameters» = 3; } }", DiagnosticIds.UnsupportedClass, "The class 'Mo' declares '_createdParameters'" },
    };

    [Theory]
    [MemberData(nameof(Hopeless))]
    public void What_cannot_be_compiled_beside_a_model_is_one_diagnostic(string marked, string id, string message)
    {
        Marked expected = Marked.Parse(marked.Replace("[[MODEL]]", Small.Split('\n')[1], StringComparison.Ordinal));
        (ImmutableArray<Diagnostic> told, Compilation complete) = Generate(Project(expected.Text));
        expected.AssertTold(id, message, Assert.Single(told));
        Assert.Single(complete.SyntaxTrees);
    }

    [Fact]
    public void Without_a_model_the_same_projects_are_none_of_our_business()
    {
        foreach (string marked in Hopeless.Select(row => row.Data.Item1))
        {
            Assert.Empty(Generate(Project(Marked.Parse(marked.Replace("[[MODEL]]", "", StringComparison.Ordinal)).Text)).Told);
        }
    }

    /// <summary>What a project may have where a file of JSON wants the class N.Mo, and what is said of it: on C# where that is marked, else on the name in the file.</summary>
    public static TheoryData<string, string, string> BesideJson => new()
    {
        { "namespace N { class «Mo» { } }", DiagnosticIds.ClassNotPartial, "The class 'Mo' is not partial (add the 'partial' modifier)" },
        { "namespace N { static partial class «Mo» { } }", DiagnosticIds.UnsupportedClass, "The class 'Mo' is static (make it an ordinary partial class)" },
        { "namespace N { abstract partial class «Mo» { } }", DiagnosticIds.UnsupportedClass, "The class 'Mo' is abstract" },
        { "namespace N { partial record «Mo»; }", DiagnosticIds.UnsupportedClass, "The class 'Mo' is a record" },
        { "namespace N { partial class Mo { int «Layout» => 3; } }", DiagnosticIds.UnsupportedClass, "The class 'Mo' declares 'Layout', which the generator writes" },
        { "namespace N { partial class Mo { public «Mo»(ulong a) { } } }", DiagnosticIds.UnsupportedClass, "The class 'Mo' declares a constructor with a seed" },
        { "namespace N { class Base { public Base(int n) { } } partial class «Mo» : Base { } }", DiagnosticIds.UnsupportedClass, "The class 'Mo' derives from 'Base'" },
        { "namespace N { struct Mo { } }", DiagnosticIds.InvalidJsonModel, "'N.Mo' is a struct of the project and cannot be a model (choose another name)" },
        { "namespace N { interface Mo { } }", DiagnosticIds.InvalidJsonModel, "'N.Mo' is an interface of the project" },
        { "namespace N { enum Mo { } }", DiagnosticIds.InvalidJsonModel, "'N.Mo' is an enum of the project" },
        { "namespace N { delegate void Mo(); }", DiagnosticIds.InvalidJsonModel, "'N.Mo' is a delegate of the project" },
        { "namespace N.Mo { class X { } }", DiagnosticIds.InvalidJsonModel, "'N.Mo' is a namespace of the project (choose another name)" },
        { "class N { }", DiagnosticIds.InvalidJsonModel, "'N' is a class of the project and no namespace" },
        { "namespace N { internal partial class Mo { } }", DiagnosticIds.InvalidJsonModel, "'N.Mo' is internal where the project declares it, and public here (remove one of the two)" },
        { "class «System» { }", DiagnosticIds.NameHidden, "The type 'System' hides" },
    };

    [Theory]
    [MemberData(nameof(BesideJson))]
    public void What_stands_where_JSON_wants_a_class_is_one_diagnostic(string marked, string id, string message)
    {
        Marked source = Marked.Parse(marked);
        Marked file = Marked.Parse("""{ "class": «"N.Mo"», "public": true, "input": { "features": 2 }, "layers": [ { "dense": 3 } ] }""");
        (ImmutableArray<Diagnostic> told, Compilation complete) = Generate(Project(source.Text), ("mo.rnn.json", file.Text));
        (source.Spans.Count > 0 ? source : file).AssertTold(id, message, Assert.Single(told));
        Assert.Equal(source.Spans.Count > 0 ? "Source0.cs" : "mo.rnn.json", told[0].Location.GetLineSpan().Path);
        Assert.Single(complete.SyntaxTrees);
    }

    [Theory]
    [InlineData("N", "N.Mo", "N.Mo")]
    [InlineData("N.Mo", "N.Mo.Inner.Other", "N.Mo.Inner.Other")]
    public void A_class_is_no_namespace_of_another_models(string outer, string inner, string wrong)
    {
        string Json(string name) => $$"""{ "class": "{{name}}", "input": { "features": 2 }, "layers": [ { "dense": 3 } ] }""";
        (ImmutableArray<Diagnostic> told, Compilation complete) = Generate(Project(""), ("a.rnn.json", Json(inner)), ("b.rnn.json", Json(outer)));
        Assert.Equal("a.rnn.json", Assert.Single(told).Location.GetLineSpan().Path);
        Assert.StartsWith($"'{outer}' is a model's class and no namespace", told[0].GetMessage(), StringComparison.Ordinal);
        Assert.Equal(wrong, inner);
        Assert.Empty(Problems(complete));
        Assert.Equal(2, complete.SyntaxTrees.Count());
    }

    [Theory]
    [InlineData("Unrolled.IModel")]
    [InlineData("Unrolled.CompilerServices")]
    [InlineData("Unrolled.CompilerServices.Trainer.Mo")]
    [InlineData("Unrolled.Emitted")]
    [InlineData("System")]
    public void JSON_cannot_take_a_name_that_emitted_code_means(string name)
    {
        (ImmutableArray<Diagnostic> told, _) = Generate(Project(""), ("a.rnn.json", $$"""{ "class": "{{name}}", "input": { "features": 2 }, "layers": [ { "dense": 3 } ] }"""));
        Assert.Contains("is a name that the emitted code uses (choose another name)", Assert.Single(told).GetMessage(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("namespace N { partial class Mo { } }")]
    [InlineData("namespace N { public partial class Mo { } }")]
    [InlineData("namespace N { class Mo<T> { } }")]
    public void JSON_makes_a_class_public(string source)
    {
        (ImmutableArray<Diagnostic> told, Compilation complete) = Generate(
            Project(source), ("mo.rnn.json", """{ "public": true, "class": "N.Mo", "input": { "features": 2 }, "layers": [ { "dense": 3 } ] }"""));
        Assert.Empty(told);
        Assert.Empty(Problems(complete));
        Assert.Equal(Accessibility.Public, complete.GetTypeByMetadataName("N.Mo")!.DeclaredAccessibility);
    }

    [Fact]
    public void A_constructor_of_ones_own_gives_the_parameters_of_the_seed_0()
    {
        CompiledModels models = ModelHarness.Compile([Source("a constructor", Models[0])], Options with { Documentation = false });
        Type type = models.Assembly.GetType("N.Mo", throwOnError: true)!;
        var own = (IModel)Activator.CreateInstance(type, "file")!;
        IModel emitted = models.Create("N.Mo"), other = models.Create("N.Mo", seed: 1);
        Assert.Same(own.Parameters, own.Parameters);
        Assert.Equal(emitted.Parameters.Values.ToArray(), own.Parameters.Values.ToArray());
        Assert.NotEqual(other.Parameters.Values.ToArray(), own.Parameters.Values.ToArray());
        var blocks = new ParameterBlock[4];
        var raced = (IModel)Activator.CreateInstance(type, "file")!;
        Parallel.For(0, blocks.Length, new ParallelOptions { MaxDegreeOfParallelism = blocks.Length }, index => blocks[index] = raced.Parameters);
        Assert.All(blocks, block => Assert.Same(raced.Parameters, block));
    }

    [Fact]
    public void A_static_field_may_hold_a_model_of_its_own_class()
    {
        CompiledModels models = ModelHarness.Compile([Source("a static field", Models[0])], Options with { Documentation = false });
        IModel created = models.Create("N.Mo");
        var held = (IModel)created.GetType().GetField("Default", System.Reflection.BindingFlags.Static | System.Reflection.BindingFlags.NonPublic)!.GetValue(null)!;
        Assert.Same(created.Layout, held.Layout);
        Assert.Equal(created.Parameters.Values.ToArray(), held.Parameters.Values.ToArray());
    }

    [Fact]
    public void A_friend_assembly_may_have_a_model_of_the_same_name()
    {
        string source = $"namespace N {{ {Small} internal partial class Mo {{ }} }}";
        Compilation first = Generate(Project("[assembly: System.Runtime.CompilerServices.InternalsVisibleTo(\"Second\")] " + source).WithAssemblyName("First")).Complete;
        using var image = new MemoryStream();
        Assert.True(first.Emit(image, cancellationToken: TestContext.Current.CancellationToken).Success);
        (ImmutableArray<Diagnostic> told, Compilation second) = Generate(Project(source).WithAssemblyName("Second").AddReferences(MetadataReference.CreateFromImage(image.ToArray())));
        Assert.Empty(told);
        Assert.Empty(Problems(second));
    }

    [Theory]
    [InlineData(LanguageVersion.CSharp9, "9.0")]
    [InlineData(LanguageVersion.CSharp10, "10.0")]
    public void An_older_language_is_one_diagnostic_on_the_first_model(LanguageVersion language, string name)
    {
        Marked expected = Marked.Parse($"namespace N {{ {Small} partial class «First» {{ }} {Small} partial class Second {{ }} }}");
        (ImmutableArray<Diagnostic> told, Compilation complete) = Generate(
            ModelHarness.CreateCompilation([expected.Text], Options with { Language = language }),
            ("zuletzt.rnn.json", """{ "class": "N.Mo", "input": { "features": 2 }, "layers": [ { "dense": 3 } ] }"""));
        expected.AssertTold(DiagnosticIds.LanguageTooOld, $"The emitted code needs C# 11 or later, and this project is compiled as C# {name}", Assert.Single(told));
        Assert.Empty(Problems(complete));
        Assert.Single(complete.SyntaxTrees);
    }

    [Fact]
    public void Emitted_files_among_the_sources_are_one_diagnostic()
    {
        string source = $"namespace N {{ {Small} partial class Mo {{ }} {Small} partial class Other {{ }} }}";
        const string json = """{ "class": "N.FromJson", "input": { "features": 2 }, "layers": [ { "dense": 3 } ] }""";
        Compilation built = Generate(Project(source), ("mo.rnn.json", json)).Complete;
        SyntaxTree[] written = [.. built.SyntaxTrees.Skip(1).Select(tree => ModelHarness.Parse(tree.ToString(), "Emitted/" + Path.GetFileName(tree.FilePath), Options))];
        Assert.Equal(3, written.Length);
        (ImmutableArray<Diagnostic> told, Compilation again) = Generate((CSharpCompilation)Project(source).AddSyntaxTrees(written), ("mo.rnn.json", json));
        Diagnostic diagnostic = Assert.Single(told);
        Assert.Equal(DiagnosticIds.EmittedFileCompiled, diagnostic.Id);
        Assert.StartsWith("Emitted/N.FromJson_", diagnostic.Location.GetLineSpan().Path, StringComparison.Ordinal);
        Assert.EndsWith("(exclude the folder it was written to: <Compile Remove=\"$(CompilerGeneratedFilesOutputPath)/**\" />)", diagnostic.GetMessage(), StringComparison.Ordinal);
        Assert.Empty(Problems(again));
    }

    [Fact]
    public void Equations_may_use_every_name_of_the_emitted_code()
    {
        string emitted = string.Concat(ModelHarness.Generate(Models.Select((model, index) => $"{model} partial class M{index};")).Select(file => file.Text[file.Text.IndexOf("namespace Unrolled.Emitted", StringComparison.Ordinal)..]));
        string[] names = [.. Word().Matches(emitted).Select(match => match.Value).Concat(Keywords).Concat(SyntaxFacts.GetReservedKeywordKinds().Select(SyntaxFacts.GetText)).Distinct().Where(IsFree).Order(StringComparer.Ordinal)];
        Assert.Superset(new HashSet<string> { "nint", "System", "Unrolled", "V", "VectorMath", "ProductShape", "Avx2", "stride", "var", "scoped" }, names.ToHashSet());
        var cells = new List<string>();
        foreach (string[] group in names.Chunk(30))
        {
            // As values, as vectors, as matrices.
            cells.Add(string.Concat(group.Select((name, index) => $"{name}[t] = tanh(W{index} @ x[t] + {name}[t-1])\n")) + $"h[t] = {string.Join(" + ", group.Select(name => name + "[t]"))}");
            cells.Add($"h[t] = {string.Join(" + ", group.Select((name, index) => $"{name} * tanh(W{index} @ x[t])"))} + h[t-1]");
            cells.Add($"h[t] = tanh({string.Join(" + ", group.Select(name => $"{name} @ x[t]"))}) + h[t-1]");
        }

        TestNetwork[] networks = [.. cells.Select((cell, index) => new TestNetwork($"Cell{index}", 0, 2, [TestLayer.Own("own", cell, 3)]))];
        Assert.Empty(Problems(Project("").AddSyntaxTrees(networks.Select(network => ModelHarness.Parse(ModelHarness.CompileSpec(network.Spec), network.Class + ".cs", Options)))));
    }

    // Whether the language of equations leaves a name to its users.
    private static bool IsFree(string name) => Lexer.IsName(name) && !name.StartsWith('W') && name is not ("x" or "h")
        && Bind.Run(new TestNetwork("M", 0, 2, [TestLayer.Own("own", $"{name}[t] = tanh(W @ x[t])\nh[t] = {name}[t] + {name}[t-1]", 3)]).Spec, []) is not null;

    private static CSharpCompilation Project(string source) => ModelHarness.CreateCompilation([source], Options with { Documentation = false });

    private static (ImmutableArray<Diagnostic> Told, Compilation Complete) Generate(CSharpCompilation project, params (string Path, string Text)[] files)
    {
        GeneratorDriver driver = CSharpGeneratorDriver
            .Create([new ModelGenerator().AsSourceGenerator()], parseOptions: (CSharpParseOptions)project.SyntaxTrees[0].Options)
            .AddAdditionalTexts([.. files.Select(file => new TextFile(file.Path, file.Text))])
            .RunGeneratorsAndUpdateCompilation(project, out Compilation complete, out ImmutableArray<Diagnostic> told, TestContext.Current.CancellationToken);
        Assert.Null(driver.GetRunResult().Results.Single().Exception);
        return (told, complete);
    }

    private static IEnumerable<Diagnostic> Problems(Compilation complete) =>
        complete.Emit(Stream.Null, cancellationToken: TestContext.Current.CancellationToken).Diagnostics.Where(problem => problem.Severity >= DiagnosticSeverity.Warning);

    [GeneratedRegex(@"\b[A-Za-z_]\w*")]
    private static partial Regex Word();
}

using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;
using Unrolled.Generator.Diagnostics;
using Unrolled.Generator.Frontend;
using Unrolled.Generator.Frontend.Equations;
using Unrolled.Generator.Tests.Harness;
using Xunit;

namespace Unrolled.Generator.Tests;

public sealed class FrontendTests
{
    private static ModelSpec Model(string source)
    {
        (IReadOnlyList<ModelSpec> models, GeneratorRunResult result) = FrontendHarness.Run(source);
        Assert.Empty(result.Diagnostics);
        Assert.Null(result.Exception);
        return Assert.Single(models);
    }

    private static LayerSpec Layer(string attribute) =>
        Assert.Single(Model($"using Unrolled; [Model(Features = 3), {attribute}] partial class M;").Layers);

    private static string Settings(string attribute) => string.Join(" ", Layer(attribute).Settings.Select(setting => setting.Kind switch
    {
        CellSettingKind.Number => FormattableString.Invariant($"{setting.Name}={setting.Number}"),
        CellSettingKind.Init => FormattableString.Invariant($"init:{setting.Name}={setting.Number}"),
        CellSettingKind.Function => $"{setting.Name}={setting.Function}",
        _ => throw new InvalidOperationException(setting.Kind.ToString()),
    }));

    [Fact]
    public void A_model_is_read_from_its_attributes()
    {
        ModelSpec model = Model("""
            using Unrolled;
            namespace Samples.Text;
            [Model(Tokens = 65)]
            [Lstm(128, Peepholes = true)]
            [Gru(64, Name = "memory")]
            [Dense(65)]
            [Loss(Loss.SoftmaxCrossEntropy)]
            public sealed partial class CharModel;
            """);
        Assert.Equal("Samples.Text", model.Namespace);
        Assert.Equal("CharModel", model.Class);
        Assert.Equal("partial class CharModel", model.Declaration);
        Assert.Empty(model.ContainingTypes);
        Assert.Equal((65, 0), (model.Tokens, model.Features));
        Assert.Equal("SoftmaxCrossEntropy", model.Loss);
        Assert.Equal(["lstm_0", "memory", "dense_2"], model.Layers.Select(layer => layer.Name));
        Assert.Equal(["lstm", "gru_reset_after", "dense"], model.Layers.Select(layer => layer.Cell));
        Assert.Equal([128, 64, 65], model.Layers.Select(layer => layer.Units));
        Assert.Equal(CellFiles.Read("lstm"), model.Layers[0].Text);
    }

    [Fact]
    public void Without_a_loss_there_is_none_and_vectors_are_features()
    {
        ModelSpec model = Model("using Unrolled; [Model(Features = 7)] [Rnn(5)] partial class M { }");
        Assert.Equal(("", "None", 0, 7), (model.Namespace, model.Loss, model.Tokens, model.Features));
    }

    [Theory]
    [InlineData("Rnn(5)", "rnn", "activation=tanh")]
    [InlineData("Rnn(5, Nonlinearity = Activation.Relu, Bias = false)", "rnn", "activation=relu b=0")]
    [InlineData("Lstm(5)", "lstm", "init:b_f=1 w_ci=0 w_cf=0 w_co=0")]
    [InlineData("Lstm(5, Peepholes = true)", "lstm", "init:b_f=1")]
    [InlineData("Lstm(5, Peepholes = true, ForgetBias = 0.5)", "lstm", "init:b_f=0.5")]
    [InlineData("Lstm(5, Bias = false)", "lstm", "b_f=0 w_ci=0 b_i=0 w_cf=0 b_c=0 w_co=0 b_o=0")]
    [InlineData("Gru(5)", "gru_reset_after", "")]
    [InlineData("Gru(5, Bias = false)", "gru_reset_after", "b_r=0 b_z=0 b_xn=0 b_hn=0")]
    [InlineData("Gru(5, ResetAfter = false)", "gru", "")]
    [InlineData("Gru(5, ResetAfter = false, Bias = false)", "gru", "b_r=0 b_z=0 b_n=0")]
    [InlineData("Dense(5)", "dense", "activation=identity")]
    [InlineData("Dense(5, Activation = Activation.Sigmoid)", "dense", "activation=sigmoid")]
    public void Properties_are_settings_of_the_cell(string attribute, string cell, string settings)
    {
        Assert.Equal(cell, Layer(attribute).Cell);
        Assert.Equal(settings, Settings(attribute));
    }

    [Fact]
    public void Every_row_of_the_table_names_what_its_cells_have()
    {
        foreach (BuiltInLayer layer in BuiltInLayers.All)
        {
            string[] cells = [layer.Cell, .. layer.Options.OfType<CellOption>().Select(option => option.Cell)];
            HashSet<string> names = [];
            foreach (string cell in cells)
            {
                Assert.Empty(Parser.Parse(CellFiles.Read(cell)).Errors);
                names.UnionWith(Lexer.Tokenize(CellFiles.Read(cell)).Where(token => token.Kind == TokenKind.Name).Select(token => token.Text));
            }

            Assert.All(layer.Options.OfType<BindOption>().SelectMany(option => option.Parameters), name => Assert.Contains(name, names));
            Assert.All(layer.Options.OfType<InitOption>(), option => Assert.Contains(option.Parameter, names));
            Assert.All(layer.Options.OfType<FunctionOption>(), option => Assert.Contains(option.Param, names));
            Assert.All(layer.Options.OfType<FunctionOption>(), option => Assert.Contains(option.Default, BuiltInLayers.Activations));
        }

        Assert.All(BuiltInLayers.Activations, function => Assert.Contains(function, Vocabulary.Functions));
    }

    [Fact]
    public void The_table_knows_the_properties_and_defaults_of_the_runtimes_attributes()
    {
        System.Reflection.Assembly runtime = typeof(Padding).Assembly;
        Assert.NotNull(runtime.GetType(AttributeFrontend.ModelAttribute));
        Type layer = runtime.GetType("Unrolled.LayerAttribute", throwOnError: true)!;
        Assert.Equal(
            runtime.GetExportedTypes().Where(type => type.BaseType == layer).Select(type => type.Name).Order(StringComparer.Ordinal),
            BuiltInLayers.All.Select(row => row.Attribute + "Attribute").Order(StringComparer.Ordinal));
        foreach (BuiltInLayer row in BuiltInLayers.All)
        {
            Type type = runtime.GetType($"Unrolled.{row.Attribute}Attribute", throwOnError: true)!;
            object attribute = Activator.CreateInstance(type, 5)!;
            Assert.Equal(
                type.GetProperties(System.Reflection.BindingFlags.DeclaredOnly | System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.Public)
                    .Select(property => property.Name).Order(StringComparer.Ordinal),
                row.Options.Select(option => option.Property).Order(StringComparer.Ordinal));
            foreach (LayerOption option in row.Options)
            {
                object expected = option switch
                {
                    CellOption cell => cell.Default,
                    BindOption bind => bind.Default,
                    InitOption init => init.Default,
                    FunctionOption function => BuiltInLayers.Activations.IndexOf(function.Default),
                    _ => throw new InvalidOperationException(option.Property),
                };
                object actual = type.GetProperty(option.Property)!.GetValue(attribute)!;
                Assert.Equal(expected, actual is Enum ? Convert.ToInt32(actual, System.Globalization.CultureInfo.InvariantCulture) : actual);
            }
        }

        Type activation = runtime.GetType("Unrolled.Activation", throwOnError: true)!;
        Assert.Equal(BuiltInLayers.Activations, Enum.GetNames(activation).Select(Snake));
        Assert.Equal(["None", "SoftmaxCrossEntropy", "MeanSquaredError"], Enum.GetNames(runtime.GetType("Unrolled.Loss", throwOnError: true)!));
    }

    private static string Snake(string name) => string.Concat(name.Select((letter, index) => char.IsUpper(letter) ? $"{(index > 0 ? "_" : "")}{char.ToLowerInvariant(letter)}" : $"{letter}"));

    [Fact]
    public void A_nested_class_knows_what_surrounds_it()
    {
        (IReadOnlyList<ModelSpec> models, GeneratorRunResult result) = FrontendHarness.Run("""
            using Unrolled;
            namespace @event.Inner
            {
                public static partial class Outer
                {
                    internal partial record struct Middle
                    {
                        [Model(Features = 1), Rnn(2)]
                        private partial class @class { }
                    }
                }
            }
            """);
        ModelSpec model = Assert.Single(models);
        Assert.Equal("@event.Inner", model.Namespace);
        Assert.Equal(["partial class Outer", "partial record struct Middle"], model.ContainingTypes);
        Assert.Equal(("partial class @class", "@class"), (model.Declaration, model.Class));
        Assert.Equal("event.Inner.Outer.Middle.class.g.cs", Assert.Single(result.GeneratedSources).HintName);
    }

    [Fact]
    public void Classes_that_differ_in_case_have_files_that_differ_in_more()
    {
        (IReadOnlyList<ModelSpec> models, GeneratorRunResult result) = FrontendHarness.Run("""
            using Unrolled;
            namespace A { [Model(Features = 1), Rnn(2)] partial class Net; [Model(Features = 1), Rnn(2)] partial class NET; }
            namespace a { [Model(Features = 1), Rnn(2)] partial class Net; }
            namespace B { [Model(Features = 1), Rnn(2)] partial class Net; }
            """);
        Assert.Null(result.Exception);
        Assert.Equal(4, models.Count);
        string[] names = result.GeneratedSources.Select(source => source.HintName).ToArray();
        Assert.Equal(4, names.Distinct(StringComparer.OrdinalIgnoreCase).Count());
        Assert.Contains("B.Net.g.cs", names);
    }

    [Fact]
    public void Very_long_names_have_files_that_any_system_can_hold()
    {
        string start = new('N', 800);
        string source = $"using Unrolled; [Model(Features = 1), Rnn(2)] public partial class {start}1; [Model(Features = 1), Rnn(3)] public partial class {start}2;";
        ImmutableArray<GeneratedFile> files = ModelHarness.Generate([source]);
        Assert.All(files, file => Assert.InRange(file.HintName.Length, 1, 255));
        Assert.Equal(2, files.Select(file => file.HintName).Distinct().Count());
        CompiledModels models = ModelHarness.Compile([source]);
        Assert.Equal((2, 3), (models.Create(start + "1").Layout.OutputSize, models.Create(start + "2").Layout.OutputSize));
    }

    [Fact]
    public void Layers_may_stand_on_another_declaration_than_the_model()
    {
        (IReadOnlyList<ModelSpec> models, GeneratorRunResult result) = FrontendHarness.Run(
            "using Unrolled; [Model(Features = 1)] partial class M;",
            "using Unrolled; [Rnn(2), Dense(3)] partial class M;");
        Assert.Empty(result.Diagnostics);
        Assert.Equal(["rnn_0", "dense_1"], Assert.Single(models).Layers.Select(layer => layer.Name));
    }

    public static TheoryData<string, string, string> Mistakes => new()
    {
        { "[Model(Features = 3), Rnn(2)] class «M» { }", DiagnosticIds.ClassNotPartial, "The class 'M' is not partial (add the 'partial' modifier)" },
        { "[Model(Features = 3), Rnn(2)] partial class «M»<T> { }", DiagnosticIds.GenericClass, "The class 'M' is generic" },
        { "partial class O<T> { [Model(Features = 3), Rnn(2)] partial class «M» { } }", DiagnosticIds.GenericClass, "The class 'M' is generic or stands in a generic type" },
        { "[Model(Features = 3), Rnn(2)] static partial class «M» { }", DiagnosticIds.UnsupportedClass, "The class 'M' is static (make it an ordinary partial class)" },
        { "[Model(Features = 3), Rnn(2)] abstract partial class «M» { }", DiagnosticIds.UnsupportedClass, "The class 'M' is abstract" },
        { "[Model(Features = 3), Rnn(2)] partial record «M» { }", DiagnosticIds.UnsupportedClass, "The class 'M' is a record" },
        { "[Model(Features = 3), Rnn(2)] file partial class «M» { }", DiagnosticIds.UnsupportedClass, "The class 'M' is local to its file" },
        { "[global::Unrolled.LayerAttribute(\"gru\", 2)] partial class «M»;", DiagnosticIds.NoModel, "The class 'M' has layers but no [Model]" },
        { "[Unrolled.Rnn(2)] partial class «M»; class LstmAttribute : System.Attribute; [LstmAttribute] class Other;", DiagnosticIds.NoModel, "The class 'M' has layers but no [Model]" },
        { "[Model(Features = 3), Rnn(2)] partial class «Session»;", DiagnosticIds.UnsupportedClass, "The class 'Session' has the name of a member that the generator gives it (rename the class)" },
        { "[Model(Features = 3), Rnn(2)] partial class M { public int «Parameters» => 3; public int Layouts => 2; }", DiagnosticIds.UnsupportedClass, "The class 'M' declares 'Parameters', which the generator writes (give the member another name or other parameters)" },
        { "[Model(Features = 3), Rnn(2)] partial class M { public «M»(ulong start) { } public M(int a) : this(1UL) { } }", DiagnosticIds.UnsupportedClass, "The class 'M' declares a constructor with a seed, which the generator writes" },
        { "[Model(Features = 3), Rnn(2)] partial class M { void CreateSession(string name) { } void «CreateSession»(int a, int b, int c) { } }", DiagnosticIds.UnsupportedClass, "The class 'M' declares 'CreateSession', which the generator writes" },
        { "[Model(Features = 3), Rnn(2)] partial class «M»(int n) { int N => n; }", DiagnosticIds.UnsupportedClass, "The class 'M' has a primary constructor" },
        { "class «O» { [Model(Features = 3), Rnn(2)] partial class M { } }", DiagnosticIds.ContainingTypeNotPartial, "The type 'O' around the class 'M' is not partial" },
        { "[«Model», Rnn(2)] partial class M { }", DiagnosticIds.InputNotStated, "The model 'M' has neither tokens nor features as its input (set exactly one" },
        { "[«Model(Tokens = 2, Features = 3)», Rnn(2)] partial class M { }", DiagnosticIds.InputNotStated, "The model 'M' has both tokens and features" },
        { "[Model(Tokens = «0»), Rnn(2)] partial class M { }", DiagnosticIds.InvalidSize, "Tokens is 0 (a size is 1 to 1000000)" },
        { "[Model(Features = «-3»), Rnn(2)] partial class M { }", DiagnosticIds.InvalidSize, "Features is -3 (a size is 1 to 1000000)" },
        { "[Model(Features = 3), Rnn(«0»)] partial class M { }", DiagnosticIds.InvalidSize, "The number of units is 0 (a size is 1 to 1000000)" },
        { "[Model(Features = 3), Rnn(units: «1000001», Bias = true)] partial class M { }", DiagnosticIds.InvalidSize, "The number of units is 1000001" },
        { "[Model(Features = 3)] partial class «M» { }", DiagnosticIds.NoLayers, "The model 'M' has no layers (add at least one, for example [Lstm(128)])" },
        { "[Model(Features = 3), Rnn(2)] partial class M { } [«Dense(2)»] partial class M { }", DiagnosticIds.LayersInSeveralDeclarations, "The layers of 'M' stand on more than one partial declaration" },
        { "[Model(Features = 3), Rnn(2, Name = \"a\"), Rnn(2, Name = «\"a\"»)] partial class M { }", DiagnosticIds.DuplicateLayerName, "The layer name 'a' is used twice" },
        { "[Model(Features = 3), Rnn(2, Name = \"\\u00e9\"), Rnn(2, Name = «\"e\\u0301\"»)] partial class M { }", DiagnosticIds.DuplicateLayerName, "The layer name '\u00e9' is used twice" },
        { "[Model(Features = 3), Rnn(2, Name = \"rnn_1\"), «Rnn(2)»] partial class M { }", DiagnosticIds.DuplicateLayerName, "The layer name 'rnn_1' is used twice" },
        { "[Model(Features = 3), Rnn(2, Name = «\"a.b\"»)] partial class M { }", DiagnosticIds.InvalidLayerName, "'a.b' cannot name a layer" },
        { "[Model(Features = 3), Rnn(2, Name = «\"\"»)] partial class M { }", DiagnosticIds.InvalidLayerName, "'' cannot name a layer" },
        { "[Model(Features = 3), «Future(2)»] partial class M { }", DiagnosticIds.UnknownLayer, "The generator does not know the layer 'FutureAttribute'" },
        { "[Model(Features = 3), Rnn(2), Loss(«(Loss)7»)] partial class M { }", DiagnosticIds.UnknownLoss, "7 is no loss" },
        { "[Model(Features = 3), Rnn(1), «Loss(Loss.SoftmaxCrossEntropy)»] partial class M { }", DiagnosticIds.LossNeedsMoreOutputs, "SoftmaxCrossEntropy over one output is always 0" },
        { "[Model(Features = 3), Rnn(2, Nonlinearity = «(Activation)99»)] partial class M { }", DiagnosticIds.BadSetting, "99 is no function" },
        { "[Model(Features = 3), Lstm(2, ForgetBias = «double.NaN»)] partial class M { }", DiagnosticIds.BadSetting, "ForgetBias is NaN" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void A_mistake_is_a_diagnostic_on_the_exact_characters(string marked, string id, string message)
    {
        Marked expected = Marked.Parse("using Unrolled;\n" + marked);
        (IReadOnlyList<ModelSpec> models, GeneratorRunResult result) = FrontendHarness.Run(expected.Text);
        Assert.Null(result.Exception);
        Assert.Empty(models);
        Diagnostic diagnostic = Assert.Single(result.Diagnostics);
        Assert.Equal(DiagnosticSeverity.Error, diagnostic.Severity);
        expected.AssertTold(id, message, diagnostic);
        FileLinePositionSpan place = diagnostic.Location.GetLineSpan();
        Assert.Equal(("Model0.cs", 1), (place.Path, place.StartLinePosition.Line));
    }

    [Fact]
    public void Several_mistakes_are_reported_together()
    {
        (_, GeneratorRunResult result) = FrontendHarness.Run("using Unrolled; [Model, Rnn(0), Rnn(-1)] class M { }");
        Assert.Equal(
            [DiagnosticIds.ClassNotPartial, DiagnosticIds.InputNotStated, DiagnosticIds.InvalidSize, DiagnosticIds.InvalidSize],
            result.Diagnostics.Select(diagnostic => diagnostic.Id).Order());
    }

    [Theory]
    [InlineData("[Model(Features = 3), Rnn] partial class M { }")]
    [InlineData("[Model(Features = 3), Rnn(\"2\")] partial class M { }")]
    [InlineData("[Model(Features = 3), Rnn(2, Bias = 1)] partial class M { }")]
    [InlineData("[Model(Features = 3), Rnn(2, Wrong = 1), Loss] partial class M { }")]
    [InlineData("[Model(Features = 3), Model(Features = 4), Rnn(2), Loss()] partial class M { }")]
    public void What_the_C_sharp_compiler_refuses_is_left_to_it(string source)
    {
        (IReadOnlyList<ModelSpec> models, GeneratorRunResult result) = FrontendHarness.Run("using Unrolled; " + source);
        Assert.Null(result.Exception);
        Assert.Empty(result.Diagnostics);
        Assert.Empty(models);
        Assert.Contains(FrontendHarness.Compilation("using Unrolled; " + source).GetDiagnostics(TestContext.Current.CancellationToken), diagnostic => diagnostic.Severity == DiagnosticSeverity.Error);
    }

    [Fact]
    public void Two_models_on_one_class_give_one_file()
    {
        (IReadOnlyList<ModelSpec> models, GeneratorRunResult result) = FrontendHarness.Run(
            "using Unrolled; [Model(Features = 1), Rnn(2)] partial class M;",
            "using Unrolled; [Model(Features = 2)] partial class M;");
        Assert.Null(result.Exception);
        Assert.Single(result.GeneratedSources);
        Assert.Equal(1, Assert.Single(models).Features);
    }

    [Fact]
    public void Attributes_of_the_same_name_elsewhere_are_not_ours()
    {
        (IReadOnlyList<ModelSpec> models, GeneratorRunResult result) = FrontendHarness.Run("""
            namespace Other
            {
                class ModelAttribute : System.Attribute { }
                class LstmAttribute : System.Attribute { public LstmAttribute(int units) { } }
                [Model, Lstm(3)] class M { }
            }
            namespace Mixed
            {
                [Unrolled.Model(Features = 1), Other.Lstm(3), Unrolled.Rnn(2)] partial class M { }
            }
            """);
        Assert.Empty(result.Diagnostics);
        Assert.Equal("rnn_0", Assert.Single(Assert.Single(models).Layers).Name);
    }

    [Fact]
    public void A_mistake_in_a_cells_equations_is_told_on_the_layer_that_uses_it()
    {
        Marked expected = Marked.Parse("using Unrolled;\n[Model(Features = 1), Rnn(2), «Dense(3)»] partial class M;");
        GeneratorDriver driver = FrontendHarness.Driver(_ => new CompilationResult(
            null,
            new EquatableArray<LayerError>([new LayerError(1, new EquationError(DiagnosticIds.ShapeMismatch, "The shapes differ (make them one)", new TextSpan(CellFiles.Read("dense").IndexOf("W @", StringComparison.Ordinal), 1)))])));
        GeneratorRunResult result = driver.Generate(FrontendHarness.Compilation(expected.Text)).GetRunResult().Results[0];
        Diagnostic diagnostic = Assert.Single(result.Diagnostics);
        Assert.Equal(DiagnosticIds.ShapeMismatch, diagnostic.Id);
        Assert.Equal("Layer 'dense_1', dense.cell(5,19): The shapes differ (make them one)", diagnostic.GetMessage());
        Assert.Equal(Assert.Single(expected.Spans), diagnostic.Location.SourceSpan);
        Assert.Empty(result.GeneratedSources);
    }

    [Fact]
    public void A_fault_of_the_compiler_is_a_diagnostic_and_spares_other_models()
    {
        GeneratorDriver driver = FrontendHarness.Driver(model =>
            model.Class == "Bad" ? throw new InvalidOperationException("Out\nof order.") : FrontendHarness.Echo(model));
        GeneratorRunResult result = driver
            .Generate(FrontendHarness.Compilation("using Unrolled; [Model(Features = 1), Rnn(2)] partial class Bad; [Model(Features = 1), Rnn(2)] partial class Good;"))
            .GetRunResult().Results[0];
        Assert.Null(result.Exception);
        Diagnostic diagnostic = Assert.Single(result.Diagnostics);
        Assert.Equal(DiagnosticIds.InternalError, diagnostic.Id);
        Assert.StartsWith("The generator failed on 'Bad': InvalidOperationException: Out of order.", diagnostic.GetMessage(), StringComparison.Ordinal);
        Assert.Equal("Good.g.cs", Assert.Single(result.GeneratedSources).HintName);
    }

    [Fact]
    public void An_id_no_row_describes_is_a_fault_of_the_generator()
    {
        GeneratorDriver driver = FrontendHarness.Driver(_ => new CompilationResult(
            null, new EquatableArray<LayerError>([new LayerError(0, new EquationError("UNR999", "What?", default))])));
        Diagnostic diagnostic = Assert.Single(driver
            .Generate(FrontendHarness.Compilation("using Unrolled; [Model(Features = 1), Rnn(2)] partial class M;"))
            .GetRunResult().Diagnostics);
        Assert.Equal(DiagnosticIds.InternalError, diagnostic.Id);
        Assert.Contains("unknown diagnostic UNR999", diagnostic.GetMessage(), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_id_has_a_row_that_states_a_fact_and_a_remedy()
    {
        string[] ids = typeof(DiagnosticIds).GetFields().Select(field => (string)field.GetRawConstantValue()!).Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(ids, Descriptors.All.Select(descriptor => descriptor.Id));
        Assert.All(Descriptors.All, descriptor =>
        {
            string format = descriptor.MessageFormat.ToString();
            Assert.True(format == "{0}" || format.EndsWith(')'), descriptor.Id);
            Assert.Equal("generator/Diagnostics/README.md#" + descriptor.Id.ToLowerInvariant(), descriptor.HelpLinkUri);
        });
    }

    [Fact]
    public void Every_link_leads_to_a_heading_of_the_page()
    {
        string page = File.ReadAllText(Path.Combine(Repository.Root, "generator", "Diagnostics", "README.md"));
        string[] anchors = [.. page.ReplaceLineEndings("\n").Split('\n').Where(line => line.StartsWith("## ", StringComparison.Ordinal)).Select(line => line[3..].ToLowerInvariant())];
        Assert.All(Descriptors.All, descriptor => Assert.Contains(descriptor.HelpLinkUri.Split('#')[1], anchors));
        const string pages = "file:///packages/unrolled/docs/";
        Assert.All(Descriptors.All, descriptor => Assert.Equal(
            $"{pages}diagnostics.md#{descriptor.Id.ToLowerInvariant()}", HelpPages.WithLink(descriptor, pages).HelpLinkUri));
        Assert.All(Descriptors.All, descriptor => Assert.Same(descriptor, HelpPages.WithLink(descriptor, "")));
    }
}

using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Text;
using Unrolled.Generator.Frontend;
using Xunit;

namespace Unrolled.Generator.Tests;

/// <summary>Runs the generator on small sources, with a compiler of the test's own behind it.</summary>
internal static class FrontendHarness
{
    private static readonly CSharpParseOptions ParseOptions = new(LanguageVersion.CSharp12);

    private static readonly ImmutableArray<MetadataReference> References =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
            .Split(Path.PathSeparator)
            .Where(path => Path.GetFileName(path) is "System.Runtime.dll" or "System.Private.CoreLib.dll" or "netstandard.dll")
            .Select(path => MetadataReference.CreateFromFile(path)),
    ];

    private static readonly SyntaxTree Stubs = CSharpSyntaxTree.ParseText(AttributeStubs.Source, ParseOptions, "Stubs.cs");

    public static SyntaxTree Tree(string source, string path) => CSharpSyntaxTree.ParseText(source, ParseOptions, path);

    public static CSharpCompilation Compilation(params string[] sources) => CSharpCompilation.Create(
        "Models",
        [Stubs, .. sources.Select((source, index) => Tree(source, $"Model{index}.cs"))],
        References,
        new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));

    public static GeneratorDriver Driver(Func<ModelSpec, CompilationResult> compile) => CSharpGeneratorDriver.Create(
        [new ModelGenerator(compile).AsSourceGenerator()],
        parseOptions: ParseOptions,
        driverOptions: new GeneratorDriverOptions(IncrementalGeneratorOutputKind.None, trackIncrementalGeneratorSteps: true));

    /// <summary>Runs the driver, ending with the test.</summary>
    public static GeneratorDriver Generate(this GeneratorDriver driver, Compilation compilation) =>
        driver.RunGenerators(compilation, TestContext.Current.CancellationToken);

    /// <summary>A compiler whose output shows just enough of the model to tell whether it is the same.</summary>
    public static CompilationResult Echo(ModelSpec model) => new(
        string.Join("\n", model.Layers.Select(layer => $"// {layer.Name} {layer.Cell} {layer.Units}")),
        EquatableArray<LayerError>.Empty);

    /// <summary>What the front end makes of the sources: the models to compile, in the order of their files' names.</summary>
    public static (IReadOnlyList<ModelSpec> Models, GeneratorRunResult Result) Run(params string[] sources)
    {
        List<ModelSpec> models = [];
        GeneratorDriver driver = Driver(model =>
        {
            models.Add(model);
            return Echo(model);
        });
        return (models, driver.Generate(Compilation(sources)).GetRunResult().Results.Single());
    }

    /// <summary>Runs the generator on sources and additional files.</summary>
    public static GeneratorRunResult Run(Func<ModelSpec, CompilationResult> compile, string[] sources, params (string Path, string Text)[] files) =>
        Driver(compile)
            .AddAdditionalTexts([.. files.Select(file => new TextFile(file.Path, file.Text))])
            .Generate(Compilation(sources))
            .GetRunResult().Results.Single();

    /// <summary>Runs the generator on a project of its own and additional files.</summary>
    public static GeneratorRunResult Run(CSharpCompilation project, params (string Path, string Text)[] files) =>
        CSharpGeneratorDriver.Create([new ModelGenerator().AsSourceGenerator()], parseOptions: (CSharpParseOptions)project.SyntaxTrees[0].Options)
            .AddAdditionalTexts([.. files.Select(file => new TextFile(file.Path, file.Text))])
            .Generate(project)
            .GetRunResult().Results.Single();
}

/// <summary>A file of the project that is no source, as the compiler hands it to a generator.</summary>
internal sealed class TextFile(string path, string text) : AdditionalText
{
    public override string Path => path;

    public override SourceText GetText(CancellationToken cancellationToken = default) => SourceText.From(text);
}

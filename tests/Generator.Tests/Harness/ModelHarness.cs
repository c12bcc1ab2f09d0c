using System.Collections.Immutable;
using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Unrolled.Generator.Tests.Harness;

/// <summary>The project a network is compiled in.</summary>
internal sealed record HarnessOptions
{
    /// <summary><c>CheckForOverflowUnderflow</c> of the user's project.</summary>
    public bool CheckOverflow { get; init; }

    /// <summary>Whether missing and malformed XML documentation counts, as in a project with <c>GenerateDocumentationFile</c>.</summary>
    public bool Documentation { get; init; }

    /// <summary>Whether it is a program and not a library.</summary>
    public bool Program { get; init; }

    /// <summary>A file of the user's beside the models.</summary>
    public string? ExtraSource { get; init; }

    /// <summary>The C# that the project is written in.</summary>
    public LanguageVersion Language { get; init; } = LanguageVersion.CSharp12;

    public static HarnessOptions Default { get; } = new();
}

/// <summary>Compiles networks in-process as a user's build does, with the real generator, and loads them.</summary>
internal static partial class ModelHarness
{
    private static readonly ImmutableArray<MetadataReference> References = FindReferences();

    /// <summary>Compiles C# sources with the generator.</summary>
    public static CompiledModels Compile(IEnumerable<string> sources, HarnessOptions? options = null) =>
        Compile([.. sources], [], options ?? HarnessOptions.Default);

    /// <summary>Runs the generator alone.</summary>
    public static ImmutableArray<GeneratedFile> Generate(IEnumerable<string> sources)
    {
        _ = RunGenerator(CreateCompilation(sources, HarnessOptions.Default), out ImmutableArray<GeneratedFile> generated);
        return generated;
    }

    /// <summary>A project as the compiler sees it, for those who drive the generator themselves.</summary>
    public static CSharpCompilation Project(params string[] sources) => CreateCompilation(sources, HarnessOptions.Default);

    /// <summary>The driver of the generator, as a build starts it.</summary>
    public static GeneratorDriver Driver(Compilation project) => CSharpGeneratorDriver.Create(
        [new ModelGenerator().AsSourceGenerator()],
        parseOptions: (CSharpParseOptions)project.SyntaxTrees.First().Options);

    private static CompiledModels Compile(IReadOnlyList<string> sources, IReadOnlyList<GeneratedFile> emitted, HarnessOptions options) =>
        new(ImageCache.GetOrAdd(
            string.Join('\0', sources.Concat(emitted.Select(file => file.Text)).Append(options.ToString())),
            () => CompileImage(sources, emitted, options)));

    private static byte[] CompileImage(IReadOnlyList<string> sources, IReadOnlyList<GeneratedFile> emitted, HarnessOptions options)
    {
        CSharpCompilation compilation = CreateCompilation(options.ExtraSource is null ? sources : sources.Append(options.ExtraSource), options);
        Compilation complete = RunGenerator(compilation, out _);
        complete = complete.AddSyntaxTrees(emitted.Select(file => Parse(file.Text, file.HintName, options)));
        using var image = new MemoryStream();
        var result = complete.Emit(image);
        Diagnostic[] problems = result.Diagnostics.Where(diagnostic => diagnostic.Severity >= DiagnosticSeverity.Warning).ToArray();
        return problems.Length == 0 ? image.ToArray() : throw new InvalidOperationException(Describe(problems));
    }

    private static Compilation RunGenerator(CSharpCompilation compilation, out ImmutableArray<GeneratedFile> generated)
    {
        GeneratorDriver driver = Driver(compilation).RunGeneratorsAndUpdateCompilation(compilation, out Compilation complete, out ImmutableArray<Diagnostic> diagnostics);
        GeneratorRunResult result = driver.GetRunResult().Results.Single();
        if (result.Exception is { } exception)
        {
            throw new InvalidOperationException("The generator failed", exception);
        }

        Diagnostic[] problems = diagnostics.Where(diagnostic => diagnostic.Severity >= DiagnosticSeverity.Warning).ToArray();
        if (problems.Length > 0)
        {
            throw new InvalidOperationException(Describe(problems));
        }

        generated = result.GeneratedSources.Select(source => new GeneratedFile(source.HintName, source.SourceText.ToString())).ToImmutableArray();
        return complete;
    }

    /// <summary>The project of a user who lets no warning pass.</summary>
    internal static CSharpCompilation CreateCompilation(IEnumerable<string> sources, HarnessOptions options) => CSharpCompilation.Create(
        "GeneratedModels" + Guid.NewGuid().ToString("N"),
        sources.Select((source, index) => Parse(source, $"Source{index}.cs", options)),
        References,
        new CSharpCompilationOptions(
            options.Program ? OutputKind.ConsoleApplication : OutputKind.DynamicallyLinkedLibrary,
            optimizationLevel: OptimizationLevel.Release,
            checkOverflow: options.CheckOverflow,
            nullableContextOptions: NullableContextOptions.Enable,
            warningLevel: 9999,
            generalDiagnosticOption: ReportDiagnostic.Error,
            deterministic: true));

    internal static SyntaxTree Parse(string source, string path, HarnessOptions options) => CSharpSyntaxTree.ParseText(
        source,
        new CSharpParseOptions(options.Language, options.Documentation ? DocumentationMode.Diagnose : DocumentationMode.Parse),
        path,
        System.Text.Encoding.UTF8);

    private static string Describe(IReadOnlyCollection<Diagnostic> problems) =>
        $"{problems.Count} problems, the first of them:{Environment.NewLine}" + string.Join(Environment.NewLine, problems.Take(10).Select(problem =>
        {
            string line = problem.Location.SourceTree?.GetText().Lines[problem.Location.GetLineSpan().StartLinePosition.Line].ToString() ?? "";
            return $"{problem}{Environment.NewLine}    {line.Trim()}";
        }));

    private static ImmutableArray<MetadataReference> FindReferences()
    {
        string platform = (string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!;
        string runtime = typeof(IModel).Assembly.Location;
        return platform.Split(Path.PathSeparator)
            .Where(path => Path.GetFileName(path) is var name
                && (name.StartsWith("System.", StringComparison.Ordinal) || name is "netstandard.dll" or "mscorlib.dll"))
            .Append(runtime)
            .Select(path => (MetadataReference)MetadataReference.CreateFromFile(path))
            .ToImmutableArray();
    }
}

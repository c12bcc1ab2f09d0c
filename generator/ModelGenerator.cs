using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using System.Threading;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;
using Unrolled.Generator.Diagnostics;
using Unrolled.Generator.Frontend;
using Unrolled.Generator.Frontend.Json;

namespace Unrolled.Generator;

/// <summary>Writes the networks that attributes and JSON files describe. Only the pipeline; the work is in the front end and the compiler.</summary>
[Generator(LanguageNames.CSharp)]
public sealed class ModelGenerator : IIncrementalGenerator
{
    private readonly Func<ModelSpec, CompilationResult> _compile;

    /// <summary>Creates the generator.</summary>
    public ModelGenerator()
        : this(Compiler.Compile)
    {
    }

    /// <summary>Creates a generator over another compiler, for tests of the pipeline.</summary>
    internal ModelGenerator(Func<ModelSpec, CompilationResult> compile) => _compile = compile;

    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        // Cells that models share, from the attributes of the assembly and from files. Each source is read when it changes.
        IncrementalValuesProvider<SharedCellSource> assemblyCells = context.SyntaxProvider
            .ForAttributeWithMetadataName(
                AttributeFrontend.CellAttribute,
                static (node, _) => node is CompilationUnitSyntax,
                static (attributes, cancellation) => Guard(
                    () => SharedCells.FromAttributes(attributes.Attributes, cancellation),
                    LocationInfo.From(attributes.TargetNode.GetLocation()),
                    "[assembly: Cell]",
                    static fault => new SharedCellSource(EquatableArray<SharedCell>.Empty, fault, true)))
            .WithTrackingName(StepNames.Cells);
        IncrementalValuesProvider<SharedCellSource> cellFiles = context.AdditionalTextsProvider
            .Where(static file => file.Path.EndsWith(SharedCells.Extension, StringComparison.OrdinalIgnoreCase))
            .Select(static (file, cancellation) => Guard(
                () => SharedCells.FromFile(file.Path, file.GetText(cancellation) ?? SourceText.From("")),
                new LocationInfo(file.Path, default, default),
                file.Path,
                static fault => new SharedCellSource(EquatableArray<SharedCell>.Empty, fault, true)))
            .WithTrackingName(StepNames.Cells);
        IncrementalValueProvider<SharedCells> shared = assemblyCells.Collect().Combine(cellFiles.Collect())
            .Select(static (sources, _) => SharedCells.Of(sources.Left, sources.Right));
        context.RegisterSourceOutput(assemblyCells, static (output, source) => Report(output, source.Diagnostics));
        context.RegisterSourceOutput(cellFiles, static (output, source) => Report(output, source.Diagnostics));
        context.RegisterSourceOutput(shared, static (output, cells) => Report(output, cells.Diagnostics));

        // Cut 1, symbols to values. It runs after every edit of the project; nothing past it may hold a symbol, a syntax node or the
        // compilation, or the old compilation would stay in memory.
        IncrementalValuesProvider<ParsedModel> parsed = context.SyntaxProvider
            .ForAttributeWithMetadataName(AttributeFrontend.ModelAttribute, static (node, _) => node is TypeDeclarationSyntax, Parse)
            .Where(static model => model is not null)
            .Select(static (model, _) => model!)
            .WithTrackingName(StepNames.Parse)
            .Combine(shared)
            .Select(static (pair, _) => Guard(() => pair.Right.Resolve(pair.Left), pair.Left.Location, pair.Left.Spec.Class, fault => Fault(pair.Left.Location, fault)))
            .WithTrackingName(StepNames.Resolve);

        // Layers without a model give nothing, and nobody else would say why.
        IncrementalValuesProvider<DiagnosticInfo> orphans = context.SyntaxProvider
            .CreateSyntaxProvider(
                static (node, _) => MissingModel.IsCandidate(node),
                static (syntax, cancellation) => MissingModel.Find(syntax.Node, syntax.SemanticModel, cancellation))
            .Where(static diagnostic => diagnostic is not null)
            .Select(static (diagnostic, _) => diagnostic!);
        context.RegisterSourceOutput(orphans, static (output, diagnostic) => output.ReportDiagnostic(diagnostic.ToDiagnostic()));

        // A file of JSON is a value already; it is read again when its text or a shared cell changes.
        IncrementalValuesProvider<ParsedModel> json = context.AdditionalTextsProvider
            .Where(static file => file.Path.EndsWith(JsonFrontend.Extension, StringComparison.OrdinalIgnoreCase))
            .Combine(shared)
            .Select(static (pair, cancellation) => Parse(pair.Left, pair.Right, cancellation))
            .WithTrackingName(StepNames.Parse);

        // Two networks for one class would only give the C# compiler's errors in generated code. The names that come twice are
        // nearly always none, so that this cut ends what collecting every model sets off.
        IncrementalValueProvider<EquatableArray<string>> twice = parsed.Collect().Combine(json.Collect()).Select(static (models, _) =>
            new EquatableArray<string>(models.Left.Concat(models.Right)
                .Select(model => model.TopLevelClass)
                .OfType<string>()
                .GroupBy(name => name, StringComparer.Ordinal)
                .Where(group => group.Count() > 1)
                .Select(group => group.Key)
                .OrderBy(name => name, StringComparer.Ordinal)));
        Compile(context, parsed);
        Compile(context, json.Combine(twice).Select(static (pair, _) => RefuseTwice(pair.Left, pair.Right)));
    }

    private void Compile(IncrementalGeneratorInitializationContext context, IncrementalValuesProvider<ParsedModel> parsed)
    {
        // Cut 2, what to compile without where it stands: an edit that only moves the class ends here.
        IncrementalValuesProvider<ModelRequest> models = parsed
            .Where(static model => model.Request is not null)
            .Select(static (model, _) => model.Request!)
            .WithTrackingName(StepNames.Model);

        // Cut 3, the expensive one: runs for a model only when that model means something else.
        IncrementalValuesProvider<CompiledModel> compiled = models
            .Select((model, _) => CompiledModel.Compile(model, _compile))
            .WithTrackingName(StepNames.Compile);

        context.RegisterSourceOutput(compiled, static (output, model) =>
        {
            if (model.Source is not null)
            {
                output.AddSource(model.HintName, model.Source);
            }
        });

        // Cut 4, mistakes in equations back to their places, which cut 2 has taken away. Only models that have any are collected,
        // so that without them this never runs again for another model's sake.
        IncrementalValueProvider<EquatableArray<CompiledModel>> mistaken = compiled
            .Where(static model => model.Mistakes.Count > 0)
            .Collect()
            .Select(static (compiledModels, _) => new EquatableArray<CompiledModel>(compiledModels));
        IncrementalValuesProvider<EquatableArray<DiagnosticInfo>> diagnostics = parsed
            .Combine(mistaken)
            .Select(static (pair, _) => DiagnosticsOf(pair.Left, pair.Right))
            .WithTrackingName(StepNames.Diagnostics);

        // An output of its own: diagnostics follow their places with every line shift, the source does not.
        context.RegisterSourceOutput(diagnostics, static (output, found) => Report(output, found));
    }

    private static ParsedModel RefuseTwice(ParsedModel model, EquatableArray<string> twice) =>
        model.TopLevelClass is string name && twice.Contains(name)
            ? model with
            {
                Request = null,
                Diagnostics = new EquatableArray<DiagnosticInfo>(
                    model.Diagnostics.Append(DiagnosticInfo.Create(Descriptors.ModelDeclaredTwice, model.Location, name.TrimStart('.')))),
            }
            : model;

    private static ParsedModel Parse(AdditionalText file, SharedCells shared, CancellationToken cancellation)
    {
        var location = new LocationInfo(file.Path, default, default);
        return Guard(
            () => JsonFrontend.Parse(file.Path, file.GetText(cancellation) ?? SourceText.From(""), shared),
            location,
            file.Path,
            fault => Fault(location, fault));
    }

    private static DeclaredModel? Parse(GeneratorAttributeSyntaxContext context, CancellationToken cancellation)
    {
        var declaration = (TypeDeclarationSyntax)context.TargetNode;
        LocationInfo location = LocationInfo.From(declaration.Identifier.GetLocation());
        return Guard(
            () => AttributeFrontend.Parse(declaration, (INamedTypeSymbol)context.TargetSymbol, context.Attributes[0], cancellation),
            location,
            declaration.Identifier.ValueText,
            fault => DeclaredModel.Fault(location, fault));
    }

    // A fault of the generator is a diagnostic: it must not take the other models with it.
    private static T Guard<T>(Func<T> read, LocationInfo location, string what, Func<EquatableArray<DiagnosticInfo>, T> otherwise)
    {
        try
        {
            return read();
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            return otherwise(new EquatableArray<DiagnosticInfo>([exception is InsufficientExecutionStackException
                ? DiagnosticInfo.Create(Descriptors.LimitExceeded, location, CompiledModel.TooDeep(what))
                : DiagnosticInfo.Create(Descriptors.InternalError, location, what, CompiledModel.Describe(exception))]));
        }
    }

    private static ParsedModel Fault(LocationInfo location, EquatableArray<DiagnosticInfo> fault) =>
        new(null, "", location, EquatableArray<LayerPlace>.Empty, fault);

    private static void Report(SourceProductionContext output, EquatableArray<DiagnosticInfo> diagnostics)
    {
        foreach (DiagnosticInfo diagnostic in diagnostics)
        {
            output.ReportDiagnostic(diagnostic.ToDiagnostic());
        }
    }

    private static EquatableArray<DiagnosticInfo> DiagnosticsOf(ParsedModel model, EquatableArray<CompiledModel> mistaken)
    {
        IEnumerable<DiagnosticInfo> fromEquations = mistaken
            .Where(compiled => compiled.HintName == model.HintName)
            .SelectMany(compiled => compiled.Mistakes)
            .Select(mistake => mistake.At(model));
        return new EquatableArray<DiagnosticInfo>(model.Diagnostics.Concat(fromEquations));
    }
}

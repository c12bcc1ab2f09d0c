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
        IncrementalValueProvider<string> pages = context.AnalyzerConfigOptionsProvider.Select(static (options, _) => HelpPages.Of(options.GlobalOptions));
        context.RegisterSourceOutput(assemblyCells.Combine(pages), static (output, source) => Report(output, source.Left.Diagnostics, source.Right));
        context.RegisterSourceOutput(cellFiles.Combine(pages), static (output, source) => Report(output, source.Left.Diagnostics, source.Right));
        context.RegisterSourceOutput(shared.Combine(pages), static (output, cells) => Report(output, cells.Left.Diagnostics, cells.Right));

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
        context.RegisterSourceOutput(orphans.Combine(pages), static (output, orphan) => output.ReportDiagnostic(orphan.Left.ToDiagnostic(orphan.Right)));

        // A file of JSON is a value already; it is read again when its text or a shared cell changes.
        IncrementalValuesProvider<ParsedModel> json = context.AdditionalTextsProvider
            .Where(static file => file.Path.EndsWith(JsonFrontend.Extension, StringComparison.OrdinalIgnoreCase))
            .Combine(shared)
            .Select(static (pair, cancellation) => Parse(pair.Left, pair.Right, cancellation))
            .WithTrackingName(StepNames.Parse);

        // Two networks for one class would only give the C# compiler's errors in generated code, and so would a class beside something
        // else of its name. There is nearly always none, so that these cuts end what collecting every model and looking into every
        // compilation set off.
        IncrementalValueProvider<EquatableArray<DeclaredClass>> clashes = parsed.Collect().Combine(json.Collect()).Select(static (models, _) =>
            DeclaredClasses.Clashes(models.Left.Concat(models.Right).Select(model => model.NamedClass)));
        IncrementalValueProvider<EquatableArray<DeclaredClass>> declared = context.CompilationProvider
            .Combine(json.Select(static (model, _) => model.NamedClass).Collect())
            .Select(static (pair, cancellation) => Guard(
                () => DeclaredClasses.Find(pair.Left, pair.Right, cancellation),
                new LocationInfo("", default, default),
                pair.Left.AssemblyName ?? "",
                fault => new EquatableArray<DeclaredClass>(pair.Right.OfType<NamedClass>().Select(named => new DeclaredClass(named.Name, fault)))));
        json = json.Combine(clashes).Combine(declared)
            .Select(static (models, _) => Refuse(Refuse(models.Left.Left, models.Left.Right), models.Right));

        // What no model of the project could be compiled with. Without it this ends here, whatever moves.
        IncrementalValueProvider<EquatableArray<DiagnosticInfo>> project = context.CompilationProvider
            .Select(static (compilation, cancellation) => Guard(
                () => ProjectCheck.Find(compilation, cancellation), new LocationInfo("", default, default), compilation.AssemblyName ?? "", static fault => fault));
        IncrementalValueProvider<EquatableArray<DiagnosticInfo>> told = project
            .Combine(parsed.Collect()).Combine(json.Collect())
            .Select(static (found, _) => AtFirst(found.Left.Left, found.Left.Right.Concat(found.Right)));
        context.RegisterSourceOutput(told.Combine(pages), static (output, diagnostics) => Report(output, diagnostics.Left, diagnostics.Right));
        IncrementalValueProvider<bool> isFit = project.Select(static (found, _) => found.Count == 0);
        Compile(context, parsed, isFit, pages);
        Compile(context, json, isFit, pages);
    }

    private void Compile(
        IncrementalGeneratorInitializationContext context, IncrementalValuesProvider<ParsedModel> parsed, IncrementalValueProvider<bool> isFit, IncrementalValueProvider<string> pages)
    {
        // Cut 2, what to compile without where it stands: an edit that only moves the class ends here.
        IncrementalValuesProvider<ModelRequest> models = parsed
            .Combine(isFit)
            .Where(static pair => pair.Right && pair.Left.Request is not null)
            .Select(static (pair, _) => pair.Left.Request!)
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
        context.RegisterSourceOutput(diagnostics.Combine(pages), static (output, found) => Report(output, found.Left, found.Right));
    }

    private static ParsedModel Refuse(ParsedModel model, EquatableArray<DeclaredClass> declared) =>
        model.NamedClass is NamedClass named && declared.FirstOrDefault(found => found.Name == named.Name) is DeclaredClass wrong
            ? model with
            {
                Request = null,
                Diagnostics = new EquatableArray<DiagnosticInfo>(
                    model.Diagnostics.Concat(wrong.Diagnostics.Select(diagnostic => diagnostic.Location is null ? diagnostic with { Location = model.Location } : diagnostic))),
            }
            : model;

    // Diagnostics of the project, where it has a model; those without a place on the first.
    private static EquatableArray<DiagnosticInfo> AtFirst(EquatableArray<DiagnosticInfo> found, IEnumerable<ParsedModel> models) =>
        found.Count > 0 && models.Where(model => model.Request is not null).Select(model => model.Location)
            .OrderBy(place => place.Path, StringComparer.Ordinal).ThenBy(place => place.Span.Start).FirstOrDefault() is LocationInfo first
            ? new EquatableArray<DiagnosticInfo>(found.Select(diagnostic => diagnostic.Location is null ? diagnostic with { Location = first } : diagnostic))
            : EquatableArray<DiagnosticInfo>.Empty;

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

    private static void Report(SourceProductionContext output, EquatableArray<DiagnosticInfo> diagnostics, string pages)
    {
        foreach (DiagnosticInfo diagnostic in diagnostics)
        {
            output.ReportDiagnostic(diagnostic.ToDiagnostic(pages));
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

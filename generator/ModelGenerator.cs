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
        // Cut 1, symbols to values. It runs after every edit of the project; nothing past it may hold a symbol, a syntax node or the
        // compilation, or the old compilation would stay in memory.
        IncrementalValuesProvider<ParsedModel> parsed = context.SyntaxProvider
            .ForAttributeWithMetadataName(AttributeFrontend.ModelAttribute, static (node, _) => node is TypeDeclarationSyntax, Parse)
            .Where(static model => model is not null)
            .Select(static (model, _) => model!)
            .WithTrackingName(StepNames.Parse);

        // A file of JSON is a value already; it is read again when its text changes.
        IncrementalValuesProvider<ParsedModel> json = context.AdditionalTextsProvider
            .Where(static file => file.Path.EndsWith(JsonFrontend.Extension, StringComparison.OrdinalIgnoreCase))
            .Select(Parse)
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
        context.RegisterSourceOutput(diagnostics, static (output, found) =>
        {
            foreach (DiagnosticInfo diagnostic in found)
            {
                output.ReportDiagnostic(diagnostic.ToDiagnostic());
            }
        });
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

    private static ParsedModel Parse(AdditionalText file, CancellationToken cancellation)
    {
        try
        {
            return JsonFrontend.Parse(file.Path, file.GetText(cancellation) ?? SourceText.From(""));
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            var location = new LocationInfo(file.Path, default, default);
            return Fault(location, file.Path, exception);
        }
    }

    private static ParsedModel? Parse(GeneratorAttributeSyntaxContext context, CancellationToken cancellation)
    {
        var declaration = (TypeDeclarationSyntax)context.TargetNode;
        try
        {
            return AttributeFrontend.Parse(declaration, (INamedTypeSymbol)context.TargetSymbol, context.Attributes[0], cancellation);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            LocationInfo location = LocationInfo.From(declaration.Identifier.GetLocation());
            return Fault(location, declaration.Identifier.ValueText, exception);
        }
    }

    private static ParsedModel Fault(LocationInfo location, string what, Exception exception) => new(
        null,
        "",
        location,
        EquatableArray<LayerPlace>.Empty,
        new EquatableArray<DiagnosticInfo>([exception is InsufficientExecutionStackException
            ? DiagnosticInfo.Create(Descriptors.LimitExceeded, location, CompiledModel.TooDeep(what))
            : DiagnosticInfo.Create(Descriptors.InternalError, location, what, CompiledModel.Describe(exception))]));

    private static EquatableArray<DiagnosticInfo> DiagnosticsOf(ParsedModel model, EquatableArray<CompiledModel> mistaken)
    {
        IEnumerable<DiagnosticInfo> fromEquations = mistaken
            .Where(compiled => compiled.HintName == model.HintName)
            .SelectMany(compiled => compiled.Mistakes)
            .Select(mistake => mistake.At(model));
        return new EquatableArray<DiagnosticInfo>(model.Diagnostics.Concat(fromEquations));
    }
}

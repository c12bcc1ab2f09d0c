using System;
using System.Globalization;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;
using Unrolled.Generator.Diagnostics;
using Unrolled.Generator.Frontend;
using Unrolled.Generator.Frontend.Equations;

namespace Unrolled.Generator;

/// <summary>A model after compilation, as a value of the pipeline: its source, or what is wrong with its equations.</summary>
internal sealed record CompiledModel(string HintName, string? Source, EquatableArray<LayerMistake> Mistakes)
{
    /// <summary>Compiles a model. A fault of the compiler becomes a diagnostic: one model must not take the others with it.</summary>
    public static CompiledModel Compile(ModelRequest request, Func<ModelSpec, CompilationResult> compile)
    {
        try
        {
            CompilationResult result = compile(request.Spec);
            bool isRefused = result.Errors.Any(error => Descriptors.Find(error.Error.Id).DefaultSeverity == DiagnosticSeverity.Error);
            return new CompiledModel(
                request.HintName,
                isRefused ? null : result.Source,
                new EquatableArray<LayerMistake>(result.Errors.Select(error => LayerMistake.From(request.Spec, error))));
        }
        catch (InsufficientExecutionStackException)
        {
            // Thrown before the stack is exhausted, by what recurses into equations: how deep it may go is the host's to say.
            var tooDeep = new LayerMistake(-1, Descriptors.LimitExceeded.Id, default, "", "", new EquatableArray<string>([TooDeep(request.Spec.Class)]));
            return new CompiledModel(request.HintName, null, new EquatableArray<LayerMistake>([tooDeep]));
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            var fault = new LayerMistake(-1, Descriptors.InternalError.Id, default, "", "", new EquatableArray<string>([request.Spec.Class, Describe(exception)]));
            return new CompiledModel(request.HintName, null, new EquatableArray<LayerMistake>([fault]));
        }
    }

    /// <summary>What is said of equations that this thread's stack has no room to read.</summary>
    public static string TooDeep(string model) => $"The equations of '{model}' are deeper than this compiler's stack allows (give parts names of their own: p[t] = …)";

    /// <summary>An exception in one line; a diagnostic's message has no room for a stack.</summary>
    public static string Describe(Exception exception)
    {
        string where = exception.StackTrace?.Split('\n').FirstOrDefault()?.Trim() ?? "";
        return $"{exception.GetType().Name}: {exception.Message} {where}".Replace("\r", "").Replace('\n', ' ').TrimEnd();
    }
}

/// <summary>A diagnostic about one layer of a model, or with index -1 about the whole; its place is found later.</summary>
/// <param name="Span">The characters of the layer's equations it is about.</param>
/// <param name="Use">Which layer it is, to be told before a mistake in a cell the user wrote.</param>
/// <param name="LibraryUse">The same and the place in the cell's file, which is in the generator and has no location in the user's project.</param>
/// <param name="Arguments">The message, which one of the two goes before; or all arguments of a diagnostic about the whole.</param>
internal sealed record LayerMistake(int Layer, string Id, TextSpan Span, string Use, string LibraryUse, EquatableArray<string> Arguments)
{
    public static LayerMistake From(ModelSpec model, LayerError found)
    {
        EquationError error = found.Error;
        string id = Descriptors.Find(error.Id).Id;
        if (id == Descriptors.InternalError.Id)
        {
            return new LayerMistake(-1, id, default, "", "", new EquatableArray<string>([model.Class, $"unknown diagnostic {error.Id}: {error.Message}"]));
        }

        string use = "", libraryUse = "";
        if (id != Descriptors.ModelTooLarge.Id && found.Layer >= 0 && found.Layer < model.Layers.Count)
        {
            LayerSpec layer = model.Layers[found.Layer];
            string before = layer.Text.Substring(0, Math.Min(error.Span.Start, layer.Text.Length));
            int line = before.Count(character => character == '\n') + 1;
            int column = before.Length - before.LastIndexOf('\n');
            use = $"Layer '{layer.Name}' of '{model.Class}': ";
            libraryUse = string.Format(CultureInfo.InvariantCulture, "Layer '{0}', {1}.cell({2},{3}): ", layer.Name, layer.Cell, line, column);
        }

        return new LayerMistake(found.Layer, id, error.Span, use, libraryUse, new EquatableArray<string>([error.Message]));
    }

    /// <summary>
    /// The diagnostic, on the characters of the equations where these are the user's and it is about them, otherwise on the layer that
    /// uses them.
    /// </summary>
    public DiagnosticInfo At(ParsedModel model)
    {
        if (Layer < 0 || Layer >= model.Layers.Count)
        {
            return new DiagnosticInfo(Id, model.Location, Arguments);
        }

        LayerPlace place = model.Layers[Layer];
        return place.Equations is LiteralText equations && Id != Descriptors.ModelTooLarge.Id
            ? new DiagnosticInfo(Id, equations.At(Span), new EquatableArray<string>([Use + Arguments[0]]))
            : new DiagnosticInfo(Id, place.Location, new EquatableArray<string>([LibraryUse + Arguments[0]]));
    }
}

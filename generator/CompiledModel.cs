using System;
using System.Globalization;
using System.Linq;
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
            return new CompiledModel(
                request.HintName,
                result.Errors.Count == 0 ? result.Source : null,
                new EquatableArray<LayerMistake>(result.Errors.Select(error => LayerMistake.From(request.Spec, error))));
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            var fault = new LayerMistake(-1, Descriptors.InternalError.Id, new EquatableArray<string>([request.Spec.Class, Describe(exception)]));
            return new CompiledModel(request.HintName, null, new EquatableArray<LayerMistake>([fault]));
        }
    }

    /// <summary>An exception in one line; a diagnostic's message has no room for a stack.</summary>
    public static string Describe(Exception exception)
    {
        string where = exception.StackTrace?.Split('\n').FirstOrDefault()?.Trim() ?? "";
        return $"{exception.GetType().Name}: {exception.Message} {where}".Replace("\r", "").Replace('\n', ' ').TrimEnd();
    }
}

/// <summary>A diagnostic about one layer of a model, or with index -1 about the whole; its place is found later.</summary>
internal sealed record LayerMistake(int Layer, string Id, EquatableArray<string> Arguments)
{
    public static LayerMistake From(ModelSpec model, LayerError found)
    {
        EquationError error = found.Error;
        string message = error.Message;
        if (found.Layer >= 0 && found.Layer < model.Layers.Count)
        {
            // The characters stand in a file of the generator's, which has no location in the user's project.
            LayerSpec layer = model.Layers[found.Layer];
            string before = layer.Text.Substring(0, Math.Min(error.Span.Start, layer.Text.Length));
            int line = before.Count(character => character == '\n') + 1;
            int column = before.Length - before.LastIndexOf('\n');
            message = string.Format(
                CultureInfo.InvariantCulture, "Layer '{0}', {1}.cell({2},{3}): {4}", layer.Name, layer.Cell, line, column, error.Message);
        }

        return new LayerMistake(
            found.Layer,
            Descriptors.Find(error.Id).Id,
            Descriptors.Find(error.Id) == Descriptors.InternalError
                ? new EquatableArray<string>([model.Class, $"unknown diagnostic {error.Id}: {message}"])
                : new EquatableArray<string>([message]));
    }

    public DiagnosticInfo At(LocationInfo location) => new(Id, location, Arguments);
}

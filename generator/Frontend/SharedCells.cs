using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;
using Unrolled.Generator.Diagnostics;
using Unrolled.Generator.Frontend.Equations;
using Unrolled.Generator.Frontend.Json;

namespace Unrolled.Generator.Frontend;

/// <summary>A cell that any model may use by its name.</summary>
/// <param name="Place">Where the characters of <paramref name="Text"/> stand.</param>
/// <param name="NamePlace">What is told about the name is told here.</param>
/// <param name="File">The path of the <c>*.cell</c> file; empty for a <c>[assembly: Cell]</c>.</param>
/// <param name="IsReadable">Whether the text follows the grammar; if not, that is reported here once and not by each model.</param>
internal sealed record SharedCell(string Name, string Text, LiteralText Place, LocationInfo NamePlace, string File, bool IsReadable);

/// <summary>One source of shared cells, a file or the attributes of one: the cells it declares and what is wrong with them.</summary>
/// <param name="HasForeignErrors">Whether there are attributes that the C# compiler refuses: which cells they declare is unknown.</param>
internal sealed record SharedCellSource(EquatableArray<SharedCell> Cells, EquatableArray<DiagnosticInfo> Diagnostics, bool HasForeignErrors);

/// <summary>The cells that the models of a project share: <c>[assembly: Cell]</c> and <c>*.cell</c> files.</summary>
/// <param name="Cells">One of each name, in the order of the names.</param>
/// <param name="Diagnostics">Of names that come twice; each source has those of its own.</param>
internal sealed record SharedCells(EquatableArray<SharedCell> Cells, EquatableArray<DiagnosticInfo> Diagnostics, bool HasForeignErrors)
{
    /// <summary>How a cell's file is called.</summary>
    public const string Extension = ".cell";

    public static readonly SharedCells None = new(EquatableArray<SharedCell>.Empty, EquatableArray<DiagnosticInfo>.Empty, false);

    public IEnumerable<string> Names => Cells.Select(cell => cell.Name);

    public SharedCell? Find(string name)
    {
        foreach (SharedCell cell in Cells)
        {
            if (cell.Name == name)
            {
                return cell;
            }
        }

        return null;
    }

    /// <summary>As the names of the equation language, so that two spellings of one name are one; what is no name stays as it is written.</summary>
    public static string Normal(string name) => Lexer.IsName(name) ? name.Normalize(NormalizationForm.FormC) : name;

    /// <summary>The cell of a <c>{name}.cell</c> file.</summary>
    public static SharedCellSource FromFile(string path, SourceText source)
    {
        string name = Normal(Path.GetFileNameWithoutExtension(path));
        var start = new LocationInfo(path, default, default);
        string? reason = !Lexer.IsName(name) ? "use a letter or _, then letters, digits and _"
            : CellFiles.Names.Contains(name) || BuiltInLayers.All.Any(layer => layer.Attribute.ToLowerInvariant() == name) ? "the library has a cell of that name; rename the file"
            : JsonFrontend.IsLayerProperty(name) ? "in JSON it is a property of layers; rename the file"
            : null;
        if (reason is not null)
        {
            return new SharedCellSource(
                EquatableArray<SharedCell>.Empty,
                new EquatableArray<DiagnosticInfo>([DiagnosticInfo.Create(Descriptors.InvalidCellName, start, name, reason)]),
                false);
        }

        // One kind of line end, so that the same file means the same on every machine.
        var text = new StringBuilder();
        ImmutableArray<TextRun>.Builder runs = ImmutableArray.CreateBuilder<TextRun>();
        if (source.Length <= Limits.TextBytes)
        {
            foreach (TextLine line in source.Lines)
            {
                runs.Add(new TextRun(text.Length, line.Span.Length, line.Start, line.Span.Length, new LinePosition(line.LineNumber, 0)));
                text.Append(line.ToString());
                if (line.EndIncludingLineBreak > line.End)
                {
                    runs.Add(new TextRun(text.Length, 1, line.End, 0, new LinePosition(line.LineNumber, line.Span.Length)));
                    text.Append('\n');
                }
            }
        }
        else
        {
            text.Append(source);
        }

        var place = new LiteralText(start, new EquatableArray<TextRun>(runs.Where(run => run.Length > 0)));
        SharedCell cell = Read(name, text.ToString(), place, start, path, out EquatableArray<DiagnosticInfo> diagnostics);
        return new SharedCellSource(new EquatableArray<SharedCell>([cell]), diagnostics, false);
    }

    /// <summary>The cells of the <c>[assembly: Cell]</c> attributes of one file.</summary>
    public static SharedCellSource FromAttributes(ImmutableArray<AttributeData> attributes, CancellationToken cancellation)
    {
        var cells = new List<SharedCell>();
        var found = new List<DiagnosticInfo>();
        bool hasForeignErrors = false;
        foreach (AttributeData attribute in attributes)
        {
            if (attribute.ApplicationSyntaxReference?.GetSyntax(cancellation) is not AttributeSyntax { ArgumentList: { } arguments }
                || CellArguments.Read(attribute, arguments) is not CellArguments written)
            {
                hasForeignErrors = true;
                continue;
            }

            string name = Normal(written.Name);
            LocationInfo namePlace = LocationInfo.From(written.NameExpression);
            if (!Lexer.IsName(name))
            {
                found.Add(DiagnosticInfo.Create(Descriptors.InvalidCellName, namePlace, name, "use a letter or _, then letters, digits and _"));
            }

            LiteralText place = LiteralText.From(written.EquationsExpression, written.Equations, cancellation);
            SharedCell cell = Read(name, written.Equations, place, namePlace, "", out EquatableArray<DiagnosticInfo> diagnostics);
            cells.Add(Lexer.IsName(name) ? cell : cell with { IsReadable = false });
            found.AddRange(diagnostics);
        }

        return new SharedCellSource(new EquatableArray<SharedCell>(cells), new EquatableArray<DiagnosticInfo>(found), hasForeignErrors);
    }

    private static SharedCell Read(string name, string text, LiteralText place, LocationInfo namePlace, string file, out EquatableArray<DiagnosticInfo> diagnostics)
    {
        EquatableArray<EquationError> errors = Parser.Parse(text).Errors;
        diagnostics = new EquatableArray<DiagnosticInfo>(errors.Select(error =>
            new DiagnosticInfo(error.Id, place.At(error.Span), new EquatableArray<string>([$"Cell '{name}': {error.Message}"]))));
        return new SharedCell(name, text, place, namePlace, file, errors.Count == 0);
    }

    /// <summary>Brings the sources together; of cells with one name the first stays, and the others are told.</summary>
    public static SharedCells Of(ImmutableArray<SharedCellSource> attributes, ImmutableArray<SharedCellSource> files)
    {
        var cells = new SortedDictionary<string, SharedCell>(StringComparer.Ordinal);
        var diagnostics = new List<DiagnosticInfo>();
        foreach (SharedCell cell in attributes.SelectMany(source => source.Cells)
            .Concat(files.SelectMany(source => source.Cells).OrderBy(cell => cell.File, StringComparer.Ordinal)))
        {
            if (!cells.TryGetValue(cell.Name, out SharedCell first))
            {
                cells.Add(cell.Name, cell);
                continue;
            }

            string where = cell.File.Length == 0 ? "twice on the assembly"
                : first.File.Length == 0 ? "by a file and on the assembly"
                : $"by two files, this one and '{first.File}'";
            diagnostics.Add(DiagnosticInfo.Create(Descriptors.DuplicateCell, cell.NamePlace, cell.Name, where));
        }

        return new SharedCells(
            new EquatableArray<SharedCell>(cells.Values),
            new EquatableArray<DiagnosticInfo>(diagnostics),
            attributes.Any(source => source.HasForeignErrors));
    }

    /// <summary>Finds the cells that a model only names: among these, then in the library.</summary>
    public ParsedModel Resolve(DeclaredModel model)
    {
        var layers = model.Spec.Layers.ToList();
        var places = model.Layers.ToList();
        var diagnostics = model.Diagnostics.ToList();
        bool isComplete = model.IsComplete;
        foreach (NamedCell use in model.Named)
        {
            LayerSpec layer = layers[use.Layer];
            SharedCell? shared = Find(layer.Cell);
            if (shared is null && !CellFiles.Names.Contains(layer.Cell))
            {
                isComplete = false;
                if (!HasForeignErrors && !model.HasForeignCells)
                {
                    IEnumerable<string> known = model.OwnCells.Concat(Names).Concat(CellFiles.Names);
                    string declare = $"declare it with [Cell(\"name\", \"equations\")] on the class or the assembly, or in a file {(Lexer.IsName(layer.Cell) ? layer.Cell : "name")}.cell";
                    string remedy = Nearest.Advice(layer.Cell, known, declare, Aliases.Cells);
                    diagnostics.Add(DiagnosticInfo.Create(Descriptors.UnknownCell, use.Place, layer.Cell, remedy));
                }

                continue;
            }

            isComplete &= shared is not { IsReadable: false };
            string text = shared?.Text ?? CellFiles.Read(layer.Cell);
            int input = use.Layer == 0 ? model.Spec.Tokens + model.Spec.Features : layers[use.Layer - 1].Units;
            var errors = new List<EquationError>();
            List<CellSetting> own = UseSite.Resolve(layer.Cell, text, input, layer.Units, use.Settings, errors);
            diagnostics.AddRange(errors.Select(error =>
                new DiagnosticInfo(error.Id, use.SettingsPlace?.At(error.Span) ?? use.Place, new EquatableArray<string>([error.Message]))));
            layers[use.Layer] = layer with { Text = text, Settings = LayerSettings.Of(null, text, null, own) };
            places[use.Layer] = places[use.Layer] with { Equations = shared?.Place };
        }

        // A cell that no layer names may be the one that a layer with a mistake was meant to name.
        bool hasErrors = diagnostics.Any(diagnostic => diagnostic.IsError);
        return new ParsedModel(
            isComplete && !hasErrors
                ? new ModelRequest(model.HintName, model.Spec with { Layers = new EquatableArray<LayerSpec>(layers) })
                : null,
            model.HintName,
            model.Location,
            new EquatableArray<LayerPlace>(places),
            new EquatableArray<DiagnosticInfo>(diagnostics.Where(diagnostic => diagnostic.IsError || !hasErrors)));
    }
}

/// <summary>What a <c>[Cell]</c> says, and with which expressions.</summary>
internal sealed record CellArguments(
    string Name,
    Microsoft.CodeAnalysis.CSharp.Syntax.ExpressionSyntax NameExpression,
    string Equations,
    Microsoft.CodeAnalysis.CSharp.Syntax.ExpressionSyntax EquationsExpression)
{
    /// <summary>Reads the attribute; null where the C# compiler refuses it.</summary>
    public static CellArguments? Read(AttributeData attribute, AttributeArgumentListSyntax arguments) =>
        AttributeFrontend.Constant(attribute, 0) is string name && AttributeFrontend.Expression(attribute, arguments, 0) is { } nameExpression
        && AttributeFrontend.Constant(attribute, 1) is string equations && AttributeFrontend.Expression(attribute, arguments, 1) is { } equationsExpression
            ? new CellArguments(name, nameExpression, equations, equationsExpression)
            : null;
}

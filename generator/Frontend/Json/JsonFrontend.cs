using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Globalization;
using System.Linq;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Text;
using Unrolled.Generator.Diagnostics;
using Unrolled.Generator.Frontend.Equations;

namespace Unrolled.Generator.Frontend.Json;

/// <summary>Reads a model from a <c>*.rnn.json</c> file. The class need not exist; where it does, it is partial and is extended.</summary>
internal sealed class JsonFrontend
{
    /// <summary>How a model's file is called.</summary>
    public const string Extension = ".rnn.json";

    /// <summary>Characters of a class's name with its namespace.</summary>
    public const int LongestClassName = 500;

    private static readonly ImmutableArray<string> ModelMembers = ImmutableArray.Create("$schema", "class", "public", "input", "cells", "layers", "loss");
    private static readonly ImmutableArray<string> LayerMembers = ImmutableArray.Create("name", "set", "init");

    private readonly string _path;
    private readonly SourceText _source;
    private readonly List<DiagnosticInfo> _diagnostics = new();
    private readonly SharedCells _shared;
    private readonly Dictionary<string, (string Text, LiteralText Place, TextSpan Name)> _cells = new(StringComparer.Ordinal);
    private readonly HashSet<string> _usedCells = new(StringComparer.Ordinal);

    // A shared cell with mistakes has reported them itself.
    private bool _hasUnreadableCells;

    private JsonFrontend(string path, SourceText source, SharedCells shared)
    {
        _path = path;
        _source = source;
        _shared = shared;
    }

    /// <summary>Reads the model of a file, which may use cells that models share.</summary>
    public static ParsedModel Parse(string path, SourceText source, SharedCells shared) => new JsonFrontend(path, source, shared).Parse();

    /// <summary>Whether a layer has a property of this name, which therefore cannot be a cell's.</summary>
    public static bool IsLayerProperty(string name) => LayerMembers.Contains(name) || Options().Contains(name);

    private ParsedModel Parse()
    {
        (JsonValue? value, JsonMistake? mistake) = JsonTree.Parse(_source);
        if (mistake is not null)
        {
            Report(Descriptors.InvalidJson, mistake.Span, mistake.Message);
        }

        if (value is null || Expect<JsonObject>(value, "The file", "an object, { … }") is not JsonObject model)
        {
            return new ParsedModel(null, "", Place(default), EquatableArray<LayerPlace>.Empty, new EquatableArray<DiagnosticInfo>(_diagnostics));
        }

        CheckMembers(model, "a model", ModelMembers, Aliases.Model);
        var start = new TextSpan(model.Span.Start, 1);
        string? name = ClassName(model, start);
        bool isPublic = Find(model, "public") is JsonValue access && Expect<JsonSwitch>(access, "'public'", "true or false") is { Value: true };
        TextSpan namePlace = Find(model, "class")?.Span ?? start;
        (int tokens, int features) = Input(model, name ?? "", start);
        ReadCells(model);
        (List<LayerSpec> layers, List<LayerPlace> places) = Layers(model, start, tokens + features);
        string loss = Loss(model, layers);
        CheckUse();
        ModelRequest? request = null;
        string hintName = name is null ? "" : $"{CSharpName.Shortened(name)}_{CSharpName.Hash(name)}{Extension.Replace(".json", "")}.g.cs";
        if (!_hasUnreadableCells && !_diagnostics.Any(diagnostic => diagnostic.IsError) && name is not null)
        {
            string[] parts = name.Split('.').Select(CSharpName.Identifier).ToArray();
            string last = parts[parts.Length - 1];
            request = new ModelRequest(hintName, new ModelSpec(
                string.Join(".", parts.Take(parts.Length - 1)),
                EquatableArray<string>.Empty,
                (isPublic ? "public partial class " : "partial class ") + last,
                last,
                tokens,
                features,
                new EquatableArray<LayerSpec>(layers),
                loss));
        }

        return new ParsedModel(request, hintName, Place(namePlace), new EquatableArray<LayerPlace>(places), new EquatableArray<DiagnosticInfo>(_diagnostics));
    }

    private string? ClassName(JsonObject model, TextSpan start)
    {
        if (Find(model, "class") is not JsonValue value)
        {
            Report(Descriptors.InvalidJsonModel, start, "The model has no class (write \"class\": \"Namespace.Name\")");
            return null;
        }

        if (Expect<JsonText>(value, "'class'", "a string") is not JsonText text)
        {
            return null;
        }

        if (text.Value.Length <= LongestClassName && text.Value.Split('.').All(SyntaxFacts.IsValidIdentifier))
        {
            int dot = text.Value.LastIndexOf('.');
            if (TypeNames.IsTaken(dot < 0 ? "" : text.Value.Substring(0, dot), text.Value.Substring(dot + 1)))
            {
                Report(Descriptors.InvalidJsonModel, text.Span, $"'{text.Value}' is a name that the emitted code uses (choose another name)");
            }

            return text.Value.Normalize(NormalizationForm.FormC);
        }

        Report(
            Descriptors.InvalidJsonModel,
            text.Span,
            $"{(text.Value.Length <= LongestClassName ? $"'{text.Value}'" : "So long a text")} names no class (write Namespace.Name, or Name alone; a nested or generic class takes attributes instead)");
        return null;
    }

    private (int Tokens, int Features) Input(JsonObject model, string name, TextSpan start)
    {
        if (Find(model, "input") is not JsonValue value)
        {
            Report(Descriptors.InputNotStated, start, name, "has neither tokens nor features as its input");
            return (0, 0);
        }

        if (Expect<JsonObject>(value, "'input'", "an object, { \"tokens\": 65 } or { \"features\": 64 }") is not JsonObject input)
        {
            return (0, 0);
        }

        CheckMembers(input, "an input", ["tokens", "features"], Aliases.Model);
        JsonValue? tokens = Find(input, "tokens"), features = Find(input, "features");
        if ((tokens is null) == (features is null))
        {
            Report(Descriptors.InputNotStated, input.Span, name, $"has {(tokens is null ? "neither tokens nor" : "both tokens and")} features as its input");
            return (0, 0);
        }

        return tokens is not null ? (Size("tokens", tokens), 0) : (0, Size("features", features!));
    }

    private void ReadCells(JsonObject model)
    {
        if (Find(model, "cells") is not JsonValue value || Expect<JsonObject>(value, "'cells'", "an object, { \"name\": \"equations\" }") is not JsonObject cells)
        {
            return;
        }

        foreach (JsonMember cell in Members(cells))
        {
            if (!Lexer.IsName(cell.Name))
            {
                Report(Descriptors.InvalidCellName, cell.NameSpan, cell.Name, "use a letter or _, then letters, digits and _");
            }
            else if (IsLayerProperty(cell.Name))
            {
                Report(Descriptors.InvalidJsonModel, cell.NameSpan, $"'{cell.Name}' is a property of layers and cannot name a cell (choose another name)");
            }
            else if (cell.Value is JsonText text)
            {
                Add(cell, [text]);
            }
            else if (cell.Value is JsonArray array && array.Items.All(item => item is JsonText))
            {
                Add(cell, [.. array.Items.Cast<JsonText>()]);
            }
            else
            {
                Report(Descriptors.InvalidJsonModel, cell.Value.Span, $"The equations of '{cell.Name}' are no text (write a string, or an array of lines)");

                // The layers that name it make no mistake of their own.
                Add(cell, []);
            }
        }

        void Add(JsonMember cell, List<JsonText> lines) =>
            _cells[cell.Name.Normalize(NormalizationForm.FormC)] = (string.Join("\n", lines.Select(line => line.Value)), Text(cell.Value.Span, lines), cell.NameSpan);
    }

    // A model's cells are there for its layers alone. One that none names may be what a layer with a mistake was meant to name.
    private void CheckUse()
    {
        foreach (string name in _cells.Keys.Where(name => _diagnostics.Count == 0 && !_usedCells.Contains(name)).ToList())
        {
            Report(Descriptors.UnusedCell, _cells[name].Name, name);
        }
    }

    // Where the characters of lines of text stand; a character may be written as an escape sequence.
    private LiteralText Text(TextSpan whole, List<JsonText> lines)
    {
        ImmutableArray<TextRun>.Builder runs = ImmutableArray.CreateBuilder<TextRun>();
        int length = 0;
        foreach (JsonText line in lines)
        {
            int position = line.Span.Start + 1, end = line.Span.End - 1, plain = position;
            while (position < end)
            {
                if (_source[position] != '\\')
                {
                    position++;
                    continue;
                }

                Add(plain, position - plain, position - plain);
                int escape = _source[position + 1] == 'u' ? 6 : 2;
                Add(position, 1, escape);
                position += escape;
                plain = position;
            }

            Add(plain, end - plain, end - plain);
            if (line != lines[lines.Count - 1])
            {
                Add(end, 1, 0);
            }
        }

        return new LiteralText(Place(whole), length <= Limits.TextBytes ? runs.ToImmutable() : EquatableArray<TextRun>.Empty);

        void Add(int source, int characters, int sourceLength)
        {
            if (characters > 0)
            {
                runs.Add(new TextRun(length, characters, source, sourceLength, _source.Lines.GetLinePosition(source)));
                length += characters;
            }
        }
    }

    private (List<LayerSpec> Layers, List<LayerPlace> Places) Layers(JsonObject model, TextSpan start, int input)
    {
        var layers = new List<LayerSpec>();
        var places = new List<LayerPlace>();
        JsonValue? value = Find(model, "layers");
        if (value is null or JsonArray { Items.Count: 0 })
        {
            Report(Descriptors.InvalidJsonModel, value?.Span ?? start, "The model has no layers (write for example \"layers\": [ { \"lstm\": 128 } ])");
            return (layers, places);
        }

        if (Expect<JsonArray>(value, "'layers'", "an array of layers, [ { \"lstm\": 128 } ]") is not JsonArray array)
        {
            return (layers, places);
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        for (int index = 0; index < array.Items.Count; index++)
        {
            if (Expect<JsonObject>(array.Items[index], "A layer", "an object, { \"lstm\": 128 }") is JsonObject layer && Layer(layer, index, input, names, out LiteralText? place) is LayerSpec spec)
            {
                layers.Add(spec);
                places.Add(new LayerPlace(Place(layer.Span), place));
                input = spec.Units;
            }
        }

        return (layers, places);
    }

    private LayerSpec? Layer(JsonObject layer, int index, int input, HashSet<string> names, out LiteralText? place)
    {
        place = null;
        List<JsonMember> members = Members(layer);
        List<JsonMember> kinds = members.Where(member => IsCell(member.Name)).ToList();
        if (kinds.Count != 1)
        {
            IEnumerable<string> known = _cells.Keys.Concat(_shared.Names).Concat(BuiltInLayers.All.Select(row => row.Attribute.ToLowerInvariant())).Concat(CellFiles.Names).Distinct();
            if (kinds.Count > 1)
            {
                Report(Descriptors.InvalidJsonModel, kinds[1].NameSpan, $"The layer names two cells, '{kinds[0].Name}' and '{kinds[1].Name}' (give each a layer of its own)");
            }
            else if (members.FirstOrDefault(member => Aliases.CellProperties.Contains(member.Name) && member.Value is JsonText) is JsonMember property)
            {
                Report(Descriptors.InvalidJsonModel, property.NameSpan, $"'{property.Name}' is no property of layers (write the cell and its units: {Usage(members, ((JsonText)property.Value).Value, known)})");
            }
            else if (members.FirstOrDefault(member => !IsLayerProperty(member.Name)) is JsonMember unknown)
            {
                string remedy = Nearest.Advice(unknown.Name, known, "declare it under \"cells\", or in a file of its name, NAME.cell", Aliases.Cells);
                if (_shared.HasForeignErrors)
                {
                    _hasUnreadableCells = true;
                }
                else
                {
                    Report(Descriptors.UnknownCell, unknown.NameSpan, unknown.Name, remedy);
                }
            }
            else
            {
                Report(Descriptors.InvalidJsonModel, layer.Span, "The layer names no cell (write the cell and its units, as in { \"lstm\": 128 })");
            }

            return null;
        }

        string kind = kinds[0].Name.Normalize(NormalizationForm.FormC);
        _usedCells.Add(kind);
        (string? text, place) = _cells.TryGetValue(kind, out (string Text, LiteralText Place, TextSpan Name) own) ? (own.Text, own.Place)
            : _shared.Find(kind) is SharedCell shared ? (shared.Text, shared.Place)
            : default((string?, LiteralText?));
        _hasUnreadableCells |= text is not null && !_cells.ContainsKey(kind) && _shared.Find(kind) is { IsReadable: false };
        BuiltInLayer? builtIn = text is null ? BuiltIn(kind) : null;
        IEnumerable<string> options = builtIn?.Options.Select(option => Snake(option.Property)) ?? [];
        CheckMembers(layer, $"the layer '{kind}'", [kind, kinds[0].Name, .. LayerMembers, .. options], Aliases.Settings);
        var properties = new Properties(this, layer);
        string cell = builtIn is null ? kind : LayerSettings.CellOf(builtIn, properties);
        text ??= CellFiles.Read(cell);
        int units = Size("The number of units", kinds[0].Value);
        string name = LayerName(layer, kind, index);
        if (!names.Add(name))
        {
            Report(Descriptors.DuplicateLayerName, Find(layer, "name")?.Span ?? layer.Span, name);
        }

        return new LayerSpec(name, cell, text, units, LayerSettings.Of(builtIn, text, properties, OwnSettings(layer, cell, text, input, units)));
    }

    // A layer that names its cell as other formats do, as it is written here.
    private string Usage(List<JsonMember> members, string cell, IEnumerable<string> known)
    {
        double units = members.Where(member => Aliases.Find(Aliases.Settings, member.Name) == Aliases.Find(Aliases.Settings, "units"))
            .Select(member => member.Value).OfType<JsonNumber>().FirstOrDefault()?.Value ?? 128;
        string name = IsCell(cell) ? cell : Nearest.Find(cell, known) ?? "lstm";
        return $"{{ \"{name}\": {units.ToString("R", CultureInfo.InvariantCulture)} }}";
    }

    private bool IsCell(string name) =>
        !IsLayerProperty(name) && Lexer.IsName(name)
        && (_cells.ContainsKey(SharedCells.Normal(name)) || _shared.Find(SharedCells.Normal(name)) is not null || BuiltIn(name) is not null || CellFiles.Names.Contains(name));

    private static BuiltInLayer? BuiltIn(string kind) => BuiltInLayers.All.FirstOrDefault(row => row.Attribute.ToLowerInvariant() == kind);

    private static IEnumerable<string> Options() => BuiltInLayers.All.SelectMany(row => row.Options).Select(option => Snake(option.Property));

    private string LayerName(JsonObject layer, string kind, int index)
    {
        if (Find(layer, "name") is not JsonValue value || Expect<JsonText>(value, "'name'", "a string") is not JsonText name)
        {
            return kind + "_" + index.ToString(CultureInfo.InvariantCulture);
        }

        if (!Lexer.IsName(name.Value))
        {
            Report(Descriptors.InvalidLayerName, name.Span, name.Value);
            return name.Value;
        }

        return name.Value.Normalize(NormalizationForm.FormC);
    }

    private List<CellSetting> OwnSettings(JsonObject layer, string cell, string text, int input, int units)
    {
        int before = _diagnostics.Count;
        var written = new List<WrittenSetting>();
        foreach (string kind in new[] { "set", "init" })
        {
            if (Find(layer, kind) is not JsonValue value || Expect<JsonObject>(value, $"'{kind}'", $"an object, {{ \"{(kind == "set" ? "leak" : "b")}\": 0.5 }}") is not JsonObject settings)
            {
                continue;
            }

            foreach (JsonMember setting in Members(settings))
            {
                if (setting.Value is JsonNumber number)
                {
                    written.Add(new WrittenSetting(kind == "init", setting.Name, setting.NameSpan, number.Value, null, number.Span));
                }
                else if (setting.Value is JsonText word)
                {
                    written.Add(new WrittenSetting(kind == "init", setting.Name, setting.NameSpan, null, word.Value, word.Span));
                }
                else
                {
                    Report(Descriptors.InvalidJsonModel, setting.Value.Span, $"'{setting.Name}' is set to neither a number nor a function (write 0.5 or \"tanh\")");
                }
            }
        }

        var errors = new List<EquationError>();
        List<CellSetting> resolved = _diagnostics.Count == before ? UseSite.Resolve(cell, text, input, units, written, errors) : [];
        _diagnostics.AddRange(errors.Select(error => new DiagnosticInfo(error.Id, Place(error.Span), new EquatableArray<string>([error.Message]))));
        return resolved;
    }

    private string Loss(JsonObject model, List<LayerSpec> layers)
    {
        ImmutableArray<string> losses = AttributeFrontend.Losses;
        if (Find(model, "loss") is not JsonValue value || Expect<JsonText>(value, "'loss'", "a string") is not JsonText text)
        {
            return losses[0];
        }

        int index = losses.Select(Snake).ToImmutableArray().IndexOf(text.Value);
        if (index < 0)
        {
            Report(Descriptors.InvalidJsonModel, text.Span, $"'{text.Value}' is no loss {Nearest.Remedy(text.Value, losses.Select(Snake), $"use {string.Join(", ", losses.Select(Snake))}", Aliases.Losses)}");
            return losses[0];
        }

        if (losses[index] == "SoftmaxCrossEntropy" && layers.Count > 0 && layers[layers.Count - 1].Units == 1)
        {
            Report(Descriptors.LossNeedsMoreOutputs, text.Span);
        }

        return losses[index];
    }

    /// <summary>The members of a layer that are its built-in layer's properties.</summary>
    private sealed class Properties : ILayerProperties
    {
        private readonly JsonFrontend _frontend;
        private readonly JsonObject _layer;

        public Properties(JsonFrontend frontend, JsonObject layer)
        {
            _frontend = frontend;
            _layer = layer;
        }

        public bool Switch(string property, bool otherwise) =>
            Find(_layer, Snake(property)) is JsonValue value
                ? _frontend.Expect<JsonSwitch>(value, $"'{Snake(property)}'", "true or false")?.Value ?? otherwise
                : otherwise;

        public double Number(string property, double otherwise)
        {
            if (Find(_layer, Snake(property)) is not JsonValue value || _frontend.Expect<JsonNumber>(value, $"'{Snake(property)}'", "a number") is not JsonNumber number)
            {
                return otherwise;
            }

            if (!(Math.Abs(number.Value) <= float.MaxValue))
            {
                _frontend.Report(Descriptors.BadSetting, number.Span, $"'{Snake(property)}' is more than a 32-bit float holds (use a smaller number)");
            }

            return number.Value;
        }

        public FunctionValue Function(FunctionOption option)
        {
            if (Find(_layer, Snake(option.Property)) is not JsonValue value || _frontend.Expect<JsonText>(value, $"'{Snake(option.Property)}'", "a function, as in \"tanh\"") is not JsonText text)
            {
                return option.Default;
            }

            if (BuiltInLayers.Activations.Contains(text.Value))
            {
                return text.Value;
            }

            if (text.Value.Contains('('))
            {
                var errors = new List<EquationError>();
                FunctionValue? function = UseSite.Function(text.Value, text.Span, errors);
                _frontend._diagnostics.AddRange(errors.Select(error => new DiagnosticInfo(error.Id, _frontend.Place(error.Span), new EquatableArray<string>([error.Message]))));
                return function ?? option.Default;
            }

            string remedy = Aliases.FunctionRemedy(text.Value, BuiltInLayers.Activations, isCalled: false);
            _frontend.Report(Descriptors.BadSetting, text.Span, $"'{text.Value}' is no function {remedy}");
            return option.Default;
        }
    }

    // ---- JSON

    private static JsonValue? Find(JsonObject value, string name) => value.Members.FirstOrDefault(member => member.Name == name)?.Value;

    private void CheckMembers(JsonObject value, string what, IReadOnlyList<string> known, ImmutableDictionary<string, string> aliases)
    {
        foreach (JsonMember member in Members(value).Where(member => !known.Contains(member.Name)))
        {
            string remedy = Nearest.Remedy(member.Name, known, $"use {string.Join(", ", known.Distinct())}", aliases);
            Report(Descriptors.InvalidJsonModel, member.NameSpan, $"'{member.Name}' is no property of {what} {remedy}");
        }
    }

    // The members of an object; a name that comes again is reported once, wherever the object is looked at.
    private List<JsonMember> Members(JsonObject value)
    {
        var members = new List<JsonMember>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (JsonMember member in value.Members)
        {
            if (names.Add(member.Name))
            {
                members.Add(member);
                continue;
            }

            Report(Descriptors.InvalidJsonModel, member.NameSpan, $"'{member.Name}' is given twice (remove one of them)");
        }

        return members;
    }

    private T? Expect<T>(JsonValue value, string what, string expected)
        where T : JsonValue
    {
        if (value is T right)
        {
            return right;
        }

        string found = value switch
        {
            JsonText => "a string",
            JsonNumber => "a number",
            JsonSwitch => "true or false",
            JsonArray => "an array",
            JsonObject => "an object",
            _ => "null",
        };
        Report(Descriptors.InvalidJsonModel, value.Span, $"{what} is {found} (write {expected})");
        return null;
    }

    private int Size(string what, JsonValue value)
    {
        if (Expect<JsonNumber>(value, what.StartsWith("The", StringComparison.Ordinal) ? what : $"'{what}'", "a whole number") is not JsonNumber number)
        {
            return 0;
        }

        if (number.Value >= 1 && number.Value <= Limits.Size && number.Value == Math.Floor(number.Value))
        {
            return (int)number.Value;
        }

        Report(
            Descriptors.InvalidSize,
            number.Span,
            what,
            number.Value.ToString("R", CultureInfo.InvariantCulture),
            Limits.Size.ToString(CultureInfo.InvariantCulture));
        return 0;
    }

    /// <summary>Properties and values are called in JSON as in C#, but in snake case.</summary>
    public static string Snake(string name) => string.Concat(name.Select((character, index) =>
        char.IsUpper(character) ? (index > 0 ? "_" : "") + char.ToLowerInvariant(character) : character.ToString()));

    private LocationInfo Place(TextSpan span) => new(_path, span, _source.Lines.GetLinePositionSpan(span));

    private void Report(DiagnosticDescriptor descriptor, TextSpan span, params string[] arguments)
    {
        DiagnosticInfo diagnostic = DiagnosticInfo.Create(descriptor, Place(span), arguments);
        if (!_diagnostics.Contains(diagnostic))
        {
            _diagnostics.Add(diagnostic);
        }
    }
}

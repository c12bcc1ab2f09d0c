using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Unrolled.Generator.Diagnostics;
using Unrolled.Generator.Frontend;
using Unrolled.Generator.Frontend.Equations;
using Unrolled.Generator.Frontend.Json;
using JsonArray = System.Text.Json.Nodes.JsonArray;
using JsonObject = System.Text.Json.Nodes.JsonObject;
using JsonValue = System.Text.Json.Nodes.JsonValue;

namespace Unrolled.Generator.Tests;

/// <summary>
/// The JSON Schema of <c>*.rnn.json</c>, made of what the generator goes by: the table of layers, the library's cell files, the vocabulary
/// of the equation language. Its descriptions are the runtime's own documentation and the heads of the cell files. Draft 7, which
/// Visual Studio, Rider and VS Code all complete by.
/// </summary>
internal static partial class SchemaText
{
    private const double LargestFloat = float.MaxValue;

    private const string Name = @"^[\p{L}_][\p{L}\p{M}\p{Nd}_]*$";

    private const string Identifier = @"[\p{L}\p{Nl}_][\p{L}\p{Nl}\p{Mn}\p{Mc}\p{Nd}\p{Pc}\p{Cf}]*";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // The XML documentation that the compiler writes beside the runtime.
    private static readonly Dictionary<string, string> Documentation = XDocument.Load(Path.ChangeExtension(typeof(IModel).Assembly.Location, ".xml"))
        .Descendants("member")
        .Where(member => member.Element("summary") is not null)
        .ToDictionary(member => member.Attribute("name")!.Value, member => Prose(member.Element("summary")!));

    public static string Make()
    {
        string[] builtIn = [.. BuiltInLayers.All.Select(layer => layer.Attribute.ToLowerInvariant())];
        string[] library = [.. CellFiles.Names.Where(name => !builtIn.Contains(name))];
        string[] properties = [.. LayerMembers().Select(member => member.Key), .. BuiltInLayers.All.SelectMany(layer => layer.Options).Select(option => JsonFrontend.Snake(option.Property)).Distinct()];
        var definitions = new JsonObject();
        foreach (BuiltInLayer layer in BuiltInLayers.All)
        {
            definitions.Add(layer.Attribute.ToLowerInvariant(), BuiltIn(layer));
        }

        foreach (string cell in library)
        {
            definitions.Add(cell, Layer(cell, Head(cell), CellFiles.Read(cell), []));
        }

        definitions.Add("cell_of_ones_own", OwnLayer([.. properties, .. builtIn, .. library]));
        JsonNode[] layers = [.. definitions.Select(definition => Reference(definition.Key))];
        foreach ((string name, JsonObject schema) in SharedDefinitions())
        {
            definitions.Add(name, schema);
        }

        return new JsonObject
        {
            ["$schema"] = "http://json-schema.org/draft-07/schema#",
            ["title"] = "A recurrent network for Unrolled (*.rnn.json)",
            ["type"] = "object",
            ["properties"] = new JsonObject
            {
                ["$schema"] = new JsonObject { ["type"] = "string", ["description"] = "Where this schema lies, for the editor." },
                ["class"] = new JsonObject
                {
                    ["description"] = "The class to write, with its namespace: Namespace.Name. Where it exists already it is partial and is extended.",
                    ["type"] = "string",
                    ["maxLength"] = JsonFrontend.LongestClassName,
                    ["pattern"] = $@"^{Identifier}(\.{Identifier})*$",
                },
                ["public"] = new JsonObject
                {
                    ["description"] = "Whether other assemblies see the class. Where it is declared in C# too, the access stated there does as well.",
                    ["type"] = "boolean",
                    ["default"] = false,
                },
                ["input"] = new JsonObject
                {
                    ["description"] = "What the network reads at each step: tokens or vectors.",
                    ["type"] = "object",
                    ["properties"] = new JsonObject
                    {
                        ["tokens"] = Size("The number of different tokens, for a network that reads token ids.", 1),
                        ["features"] = Size("The number of elements of an input vector, for a network that reads real-valued vectors.", 1),
                    },
                    ["additionalProperties"] = false,
                    ["minProperties"] = 1,
                    ["maxProperties"] = 1,
                },
                ["cells"] = new JsonObject
                {
                    ["description"] = "Cells of the model's own, by their names: the equations, as a string or an array of lines.",
                    ["type"] = "object",
                    ["propertyNames"] = new JsonObject { ["pattern"] = Name, ["not"] = Enum(properties) },
                    ["additionalProperties"] = new JsonObject
                    {
                        ["anyOf"] = new JsonArray(
                            new JsonObject { ["type"] = "string" },
                            new JsonObject { ["type"] = "array", ["items"] = new JsonObject { ["type"] = "string" } }),
                    },
                },
                ["layers"] = new JsonObject
                {
                    ["description"] = "The layers, first to last. Each names its cell, with the number of elements of its output: { \"lstm\": 128 }.",
                    ["type"] = "array",
                    ["minItems"] = 1,
                    ["items"] = new JsonObject { ["anyOf"] = new JsonArray(layers) },
                },
                ["loss"] = Described(
                    string.Join(" ", AttributeFrontend.Losses.Select(loss => $"{JsonFrontend.Snake(loss)}: {Documentation["F:Unrolled.Loss." + loss]}")),
                    Enum(AttributeFrontend.Losses.Select(JsonFrontend.Snake))),
            },
            ["required"] = new JsonArray("class", "input", "layers"),
            ["additionalProperties"] = false,
            ["definitions"] = definitions,
        }.ToJsonString(Indented) + "\n";
    }

    private static Dictionary<string, JsonObject> LayerMembers() => new()
    {
        ["name"] = Reference("layer_name"),
        ["set"] = Reference("settings"),
        ["init"] = Reference("starts"),
    };

    // What every layer has, written once. Beside a reference draft 7 allows nothing, so a description of one's own goes around it.
    private static Dictionary<string, JsonObject> SharedDefinitions() => new()
    {
        ["layer_name"] = new JsonObject { ["description"] = Documentation["P:Unrolled.LayerAttribute.Name"], ["type"] = "string", ["pattern"] = Name },
        ["settings"] = Settings([]),
        ["starts"] = new JsonObject
        {
            ["description"] = "What parameters start at: a number, or an initialisation as in \"uniform(-1, 1)\".",
            ["type"] = "object",
            ["additionalProperties"] = new JsonObject { ["anyOf"] = new JsonArray(Number(null), Enum(Vocabulary.Initializers.Where(row => row.Fewest == 0).Select(row => row.Name)), Called(Vocabulary.Initializers.Select(row => row.Name))) },
        },
        ["setting"] = new JsonObject { ["anyOf"] = new JsonArray(Number(null), Reference("function")) },
        ["function"] = new JsonObject { ["anyOf"] = new JsonArray(Enum(Vocabulary.Functions), Called(Vocabulary.Functions)) },
    };

    private static JsonObject Settings(JsonObject known)
    {
        var settings = new JsonObject
        {
            ["description"] = "What the layer sets of its cell: a size takes a whole number, a param a number or a function; a parameter set to a number is that number and is not trained.",
            ["type"] = "object",
            ["additionalProperties"] = Reference("setting"),
        };
        if (known.Count > 0)
        {
            settings.Insert(2, "properties", known);
        }

        return settings;
    }

    /// <summary>One of some names with what stands between its brackets, which only the generator reads.</summary>
    private static JsonObject Called(IEnumerable<string> names) =>
        new() { ["type"] = "string", ["pattern"] = $@"^\s*({string.Join("|", names)})\s*\(.*\)\s*$" };

    private static JsonObject Reference(string definition) => new() { ["$ref"] = "#/definitions/" + definition };

    private static JsonObject BuiltIn(BuiltInLayer layer)
    {
        string attribute = $"Unrolled.{layer.Attribute}Attribute";
        return Layer(layer.Attribute.ToLowerInvariant(), Documentation["T:" + attribute], null, layer.Options.Select(option =>
        {
            string description = Documentation[$"P:{attribute}.{option.Property}"];
            return (JsonFrontend.Snake(option.Property), option switch
            {
                CellOption cell => Switch(description, cell.Default),
                BindOption bind => Switch(description, bind.Default),
                InitOption init => With(Number(description), init.Default),
                FunctionOption function => With(
                    Described(description, new JsonObject { ["anyOf"] = new JsonArray(Enum(BuiltInLayers.Activations), Called(Vocabulary.Functions)) }), function.Default),
                _ => throw new NotSupportedException(option.GetType().Name),
            });
        }));
    }

    // A layer of a known cell; of a cell file, also what the layer may set by name.
    private static JsonObject Layer(string cell, string description, string? text, IEnumerable<(string Name, JsonObject Schema)> options)
    {
        Dictionary<string, JsonObject> members = LayerMembers();
        if (text is not null)
        {
            var settings = new JsonObject();
            foreach (StatementSyntax statement in Parser.Parse(text).Cell!.Statements)
            {
                switch (statement)
                {
                    case SizeDeclaration size:
                        settings.Add(size.Name, Size($"{SyntaxPrinter.Print(size)}", 0));
                        break;
                    case ParamDeclaration { Function: not null } param:
                        settings.Add(param.Name, With(Described(SyntaxPrinter.Print(param), new JsonObject { ["allOf"] = new JsonArray(Reference("function")) }), SyntaxPrinter.Print(param.Function)));
                        break;
                    case ParamDeclaration { Number: double number } param:
                        settings.Add(param.Name, With(Number(SyntaxPrinter.Print(param)), number));
                        break;
                }
            }

            if (settings.Count > 0)
            {
                members["set"] = Settings(settings);
            }
        }

        var properties = new JsonObject { [cell] = Size(description + " " + Documentation["P:Unrolled.LayerAttribute.Units"], 1) };
        foreach ((string name, JsonObject schema) in options.Concat(members.Select(member => (member.Key, member.Value))))
        {
            properties.Add(name, schema);
        }

        return new JsonObject
        {
            ["description"] = description,
            ["type"] = "object",
            ["properties"] = properties,
            ["required"] = new JsonArray(cell),
            ["additionalProperties"] = false,
        };
    }

    // A layer of a cell that the model, the assembly or a file declares: beside name, set and init exactly one property, the cell.
    private static JsonObject OwnLayer(string[] known)
    {
        string[] members = [.. LayerMembers().Keys];
        var properties = new JsonObject();
        foreach ((string name, JsonObject schema) in LayerMembers())
        {
            properties.Add(name, schema);
        }

        var counts = new JsonArray();
        for (int count = 0; count <= members.Length; count++)
        {
            JsonObject[] sets = [.. Subsets(members, count).Select(set => new JsonObject { ["required"] = new JsonArray([.. set.Select(name => JsonValue.Create(name))]) })];
            counts.Add(count == 0
                ? new JsonObject { ["maxProperties"] = 1 }
                : new JsonObject { ["maxProperties"] = count + 1, ["anyOf"] = new JsonArray([.. sets]) });
        }

        return new JsonObject
        {
            ["description"] = "A layer of a cell that the model declares under \"cells\", the assembly with [assembly: Cell], or a file NAME.cell.",
            ["type"] = "object",
            ["properties"] = properties,
            ["propertyNames"] = new JsonObject { ["anyOf"] = new JsonArray(Enum(members), new JsonObject { ["pattern"] = Name, ["not"] = Enum(known) }) },
            ["additionalProperties"] = Size(Documentation["P:Unrolled.LayerAttribute.Units"], 1),
            ["not"] = new JsonObject { ["propertyNames"] = Enum(members) },
            ["anyOf"] = counts,
        };
    }

    private static IEnumerable<string[]> Subsets(string[] members, int count) => Enumerable.Range(0, 1 << members.Length)
        .Select(bits => members.Where((_, index) => (bits >> index & 1) == 1).ToArray())
        .Where(set => set.Length == count);

    private static JsonObject Size(string description, int least) =>
        new() { ["description"] = description, ["type"] = "integer", ["minimum"] = least, ["maximum"] = Limits.Size };

    private static JsonObject Number(string? description)
    {
        JsonObject number = description is null ? [] : new JsonObject { ["description"] = description };
        number.Add("type", "number");
        number.Add("minimum", -LargestFloat);
        number.Add("maximum", LargestFloat);
        return number;
    }

    private static JsonObject Switch(string description, bool otherwise) => new() { ["description"] = description, ["type"] = "boolean", ["default"] = otherwise };

    private static JsonObject Enum(IEnumerable<string> values) => new() { ["enum"] = new JsonArray([.. values.Select(value => JsonValue.Create(value))]) };

    private static JsonObject Described(string description, JsonObject schema)
    {
        schema.Insert(0, "description", description);
        return schema;
    }

    private static JsonObject With(JsonObject schema, JsonNode otherwise)
    {
        schema.Add("default", otherwise);
        return schema;
    }

    // The comment a cell file opens with.
    private static string Head(string cell) => string.Join(" ", CellFiles.Read(cell).Split('\n').TakeWhile(line => line.StartsWith('#')).Select(line => line.TrimStart('#').Trim()));

    // Documentation without its markup: a reference reads as its last name, a parameter's as its own.
    private static string Prose(XElement summary) => White().Replace(
        string.Concat(summary.Nodes().Select(node => node switch
        {
            XText text => text.Value,
            XElement element when element.Attribute("cref") is { } reference => reference.Value.Split('(')[0].Split('.', ':')[^1],
            XElement element when element.Attribute("name") is { } name => name.Value,
            XElement element => element.Value,
            _ => "",
        })), " ").Trim();

    [GeneratedRegex(@"\s+")]
    private static partial Regex White();
}

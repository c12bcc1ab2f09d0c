using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;
using Unrolled.Generator.Diagnostics;
using Unrolled.Generator.Frontend;
using Unrolled.Generator.Frontend.Json;
using Unrolled.Generator.Tests.Harness;
using Xunit;

namespace Unrolled.Generator.Tests;

/// <summary>Models written as JSON.</summary>
public sealed class JsonTests
{
    private const string Path = "folder/char-model.rnn.json";

    private const string Own = """
        {
          "$schema": "unrolled.schema.json",
          "class": "Samples.CharModel",
          "input": { "features": 5 },
          "cells": {
            "leaky": "size n = 1\nparam leak = 0.5\nparam f = tanh\nh[t] = (1 - leak) * h[t-1] + leak * f(W{n} @ x[t] + b)",
            "gated": [
              "f[t] = sigmoid(W_f @ x[t] + U_f @ h[t-1] + b_f)",
              "h[t] = f[t] * h[t-1] + (1 - f[t]) * tanh(W_h @ x[t] + b_h)"
            ]
          },
          "layers": [
            { "leaky": 4, "set": { "leak": 0.25, "f": "relu", "n": 3 }, "init": { "b": 2 } },
            { "gated": 3, "name": "top", "set": { "b_h": 0 } }
          ],
          "loss": "mean_squared_error"
        }
        """;

    private const string OwnAttributes = """
        using Unrolled;
        namespace Samples;
        [Model(Features = 5)]
        [Cell("leaky", "size n = 1\nparam leak = 0.5\nparam f = tanh\nh[t] = (1 - leak) * h[t-1] + leak * f(W{n} @ x[t] + b)")]
        [Cell("gated", "f[t] = sigmoid(W_f @ x[t] + U_f @ h[t-1] + b_f)\nh[t] = f[t] * h[t-1] + (1 - f[t]) * tanh(W_h @ x[t] + b_h)")]
        [Layer("leaky", 4, Set = "n = 3, f = relu, leak = 0.25, init b = 2")]
        [Layer("gated", 3, Name = "top", Set = "b_h = 0")]
        [Loss(Loss.MeanSquaredError)]
        public partial class CharModel;
        """;

    public static TheoryData<string, string> BothForms => new()
    {
        { OwnAttributes, Own },
        {
            "using Unrolled; namespace Samples { [Model(Tokens = 65), Lstm(8, Peepholes = true), Lstm(8, Bias = false, Name = \"b\"), Dense(65), Loss(Loss.SoftmaxCrossEntropy)] partial class CharModel; }",
            """{ "class": "Samples.CharModel", "input": { "tokens": 65 }, "layers": [ { "lstm": 8, "peepholes": true }, { "name": "b", "bias": false, "lstm": 8 }, { "dense": 65 } ], "loss": "softmax_cross_entropy" }"""
        },
        {
            "using Unrolled; namespace Samples { [Model(Features = 3), Cell(\"own\", \"start h = learned\\nstart x = learned\\nh[t] = tanh(W @ x[t] + V @ x[t-1] + U @ (w * h[t-1]) + Q @ v)\"), Layer(\"own\", 2, Set = \"init h_start = normal(0, 0.5), x_start = 0\")] partial class CharModel; }",
            """{ "class": "Samples.CharModel", "input": { "features": 3 }, "cells": { "own": [ "start h = learned", "start x = learned", "h[t] = tanh(W @ x[t] + V @ x[t-1] + U @ (w * h[t-1]) + Q @ v)" ] }, "layers": [ { "own": 2, "init": { "h_start": "normal(0, 0.5)" }, "set": { "x_start": 0 } } ] }"""
        },
        {
            "using Unrolled; [Model(Features = 2), Lstm(3, Set = \"gate_activation = hard_sigmoid(0.2, 0.5)\\n cell_activation = tanh( clip(-3, 3) )\"), Rnn(3, Nonlinearity = Activation.LeakyRelu), Rnn(2, Set = \"activation = elu(0.5)\")] partial class M;",
            """{ "class": "M", "input": { "features": 2 }, "layers": [ { "lstm": 3, "set": { "gate_activation": "hard_sigmoid(0.2, 0.5)", "cell_activation": "tanh(clip(-3, 3))" } }, { "rnn": 3, "nonlinearity": "leaky_relu" }, { "rnn": 2, "nonlinearity": "elu(0.5)" } ] }"""
        },
        {
            "using Unrolled; namespace @event { [Model(Features = 2), Gru(3), Gru(3, ResetAfter = false, Bias = false), Rnn(4, Nonlinearity = Activation.Relu), Lstm(2, ForgetBias = 0.5, Set = \"w_ci = 1\"), Layer(\"gru_reset_after\", 2), Dense(2, Activation = Activation.Sigmoid)] partial class @class; }",
            """{ "layers": [ { "gru": 3 }, { "gru": 3, "reset_after": false, "bias": false }, { "rnn": 4, "nonlinearity": "relu" }, { "lstm": 2, "forget_bias": 5e-1, "set": { "w_ci": 1 } }, { "gru_reset_after": 2 }, { "dense": 2, "activation": "sigmoid" } ], "input": { "features": 2 }, "class": "event.class", "loss": "none" }"""
        },
    };

    private static ParsedModel Parse(string json) => JsonFrontend.Parse(Path, SourceText.From(json), SharedCells.None);

    [Theory]
    [MemberData(nameof(BothForms))]
    public void The_two_forms_of_a_network_are_one_model_and_one_code(string attributes, string json)
    {
        (IReadOnlyList<ModelSpec> models, GeneratorRunResult result) = FrontendHarness.Run(attributes);
        Assert.Empty(result.Diagnostics);
        ParsedModel parsed = Parse(json);
        Assert.Empty(parsed.Diagnostics);
        Assert.Equal(Assert.Single(models), parsed.Request!.Spec);
        Assert.Equal(
            FrontendHarness.Run(Compiler.Compile, [attributes]).GeneratedSources.Single().SourceText.ToString(),
            Run(Compiler.Compile, [], (Path, json)).GeneratedSources.Single().SourceText.ToString());
    }

    /// <summary>A model with a layer for every value of every property of every built-in layer, and one with all of them changed.</summary>
    internal static (string Attributes, string Json) EverySetting()
    {
        List<string> attributes = [], json = [];
        foreach (BuiltInLayer layer in BuiltInLayers.All)
        {
            List<(string Attribute, string Json)[]> layers = [[]];
            List<(string Attribute, string Json)> changed = [];
            foreach (LayerOption option in layer.Options)
            {
                (string, string)[] values = option switch
                {
                    CellOption or BindOption => [("true", "true"), ("false", "false")],
                    InitOption => [("0.5", "0.5"), ("-2", "-2e0"), ("3e38", "3e38")],
                    FunctionOption => [.. BuiltInLayers.Activations.Select((function, index) => ($"(Activation){index}", $"\"{function}\""))],
                    _ => throw new NotSupportedException(option.GetType().Name),
                };
                (string Attribute, string Json)[] written = [.. values.Select(value => ($"{option.Property} = {value.Item1}", $"\"{JsonFrontend.Snake(option.Property)}\": {value.Item2}"))];
                layers.AddRange(written.Select(value => new[] { value }));
                changed.Add(written[^1]);
            }

            layers.Add([.. changed, ($"Name = \"named_{layer.Attribute}\"", $"\"name\": \"named_{layer.Attribute}\"")]);
            foreach ((string Attribute, string Json)[] options in layers)
            {
                int units = 2 + attributes.Count % 3;
                attributes.Add($"{layer.Attribute}({string.Join(", ", options.Select(option => option.Attribute).Prepend($"{units}"))})");
                json.Add($"{{ {string.Join(", ", options.Select(option => option.Json).Prepend($"\"{layer.Attribute.ToLowerInvariant()}\": {units}"))} }}");
            }
        }

        foreach (string cell in CellFiles.Names.Where(name => BuiltInLayers.All.All(layer => layer.Attribute.ToLowerInvariant() != name)))
        {
            attributes.Add($"Layer(\"{cell}\", 3)");
            json.Add($"{{ \"{cell}\": 3 }}");
        }

        attributes.Add("Layer(\"recurrent_highway\", 3, Set = \"depth = 2, activation = relu, b_h_1 = 0.25, init b_t_2 = -1\")");
        json.Add("""{ "recurrent_highway": 3, "set": { "depth": 2, "activation": "relu", "b_h_1": 0.25 }, "init": { "b_t_2": -1 } }""");
        return (
            $"using Unrolled; namespace Samples; [Model(Features = 3)] [{string.Join(", ", attributes)}] [Loss(Loss.MeanSquaredError)] partial class All;",
            $$"""{ "class": "Samples.All", "input": { "features": 3 }, "layers": [ {{string.Join(",\n", json)}} ], "loss": "mean_squared_error" }""");
    }

    [Fact]
    public void Every_setting_of_every_layer_says_the_same_in_both_forms()
    {
        (string attributes, string json) = EverySetting();
        The_two_forms_of_a_network_are_one_model_and_one_code(attributes, json);
        foreach (string loss in AttributeFrontend.Losses)
        {
            The_two_forms_of_a_network_are_one_model_and_one_code(
                $"using Unrolled; [Model(Tokens = 3), Rnn(2), Loss(Loss.{loss})] partial class M;",
                $$"""{ "class": "M", "input": { "tokens": 3 }, "layers": [ { "rnn": 2 } ], "loss": "{{JsonFrontend.Snake(loss)}}" }""");
        }
    }

    [Fact]
    public void The_class_need_not_exist_and_is_extended_where_it_does()
    {
        string code = Run(Compiler.Compile, [], (Path, Own)).GeneratedSources.Single().SourceText.ToString();
        Assert.Equal(4 + 3, ModelHarness.Compile([code]).Create("Samples.CharModel").Layout.StateLength);
        IModel extended = ModelHarness.Compile([code, "namespace Samples; public partial class CharModel { public int More => 1; }"]).Create("Samples.CharModel");
        Assert.Equal(1, extended.GetType().GetProperty("More")!.GetValue(extended));
    }

    [Theory]
    [InlineData("layers")] // what the compiler warns of
    [InlineData("Step")] // a session's own member
    [InlineData("Equals")] // everyone's
    public void The_class_may_have_any_name_that_types_have(string name)
    {
        string code = Run(Compiler.Compile, [], (Path, Own.Replace("CharModel", name, StringComparison.Ordinal))).GeneratedSources.Single().SourceText.ToString();
        Assert.Equal(4 + 3, ModelHarness.Compile([code]).Create("Samples." + name).Layout.StateLength);
    }

    // A model with a part replaced by a marked one.
    private static string With(string part, string marked)
    {
        const string model = """{ "class": "M", "input": { "features": 3 }, "cells": { "a": "h[t] = W @ x[t] + b" }, "layers": [ { "a": 4 }, { "rnn": 2 } ], "loss": "none" }""";
        Assert.Contains(part, model, StringComparison.Ordinal);
        return "\n" + model.Replace(part, marked);
    }

    public static TheoryData<string, string, string> Mistakes => new()
    {
        { "«[ ]»", DiagnosticIds.InvalidJsonModel, "The file is an array (write an object" },
        { With("{ \"class\": \"M\",", "«{» "), DiagnosticIds.InvalidJsonModel, "The model has no class" },
        { With("\"M\"", "«\"A.1B\"»"), DiagnosticIds.InvalidJsonModel, "'A.1B' names no class" },
        { With("\"M\"", "«\"A<T>\"»"), DiagnosticIds.InvalidJsonModel, "'A<T>' names no class" },
        { With("\"M\"", "«null»"), DiagnosticIds.InvalidJsonModel, "'class' is null (write a string)" },
        { With("\"M\"", "\"M\", \"public\": «\"true\"»"), DiagnosticIds.InvalidJsonModel, "'public' is a string (write true or false)" },
        { With("\"loss\"", "«\"lost\"»"), DiagnosticIds.InvalidJsonModel, "'lost' is no property of a model (did you mean 'loss'?)" },
        { With("\"loss\"", "\"loss\": \"none\", «\"loss\"»"), DiagnosticIds.InvalidJsonModel, "'loss' is given twice" },
        { With("\"none\"", "«\"nome\"»"), DiagnosticIds.InvalidJsonModel, "'nome' is no loss (did you mean 'none'?)" },
        { With("{ \"features\": 3 }", "«{ }»"), DiagnosticIds.InputNotStated, "The model 'M' has neither tokens nor features" },
        { With("{ \"features\": 3 }", "«{ \"features\": 3, \"tokens\": 2 }»"), DiagnosticIds.InputNotStated, "The model 'M' has both tokens and features" },
        { With("3 }", "«0» }"), DiagnosticIds.InvalidSize, "features is 0 (a size is 1 to 1000000)" },
        { With("3 }", "«1.5» }"), DiagnosticIds.InvalidSize, "features is 1.5" },
        { With("3 }", "«1e999» }"), DiagnosticIds.InvalidSize, "features is Infinity" },
        { With("3 }", "«\"3\"» }"), DiagnosticIds.InvalidJsonModel, "'features' is a string (write a whole number)" },
        { With("[ { \"a\": 4 }, { \"rnn\": 2 } ]", "«[ ]»"), DiagnosticIds.InvalidJsonModel, "The model has no layers" },
        { With("{ \"rnn\": 2 }", "«7»"), DiagnosticIds.InvalidJsonModel, "A layer is a number" },
        { With("{ \"rnn\": 2 }", "«{ \"name\": \"x\" }»"), DiagnosticIds.InvalidJsonModel, "The layer names no cell" },
        { With("\"rnn\"", "«\"rmn\"»"), DiagnosticIds.UnknownCell, "No cell is called 'rmn' (did you mean 'rnn'?)" },
        { With("\"rnn\": 2", "«\"type\"»: \"lstm\", \"units\": 64"), DiagnosticIds.InvalidJsonModel, "'type' is no property of layers (write the cell and its units: { \"lstm\": 64 })" },
        { With("\"rnn\": 2", "«\"type\"»: \"lstm\""), DiagnosticIds.InvalidJsonModel, "'type' is no property of layers (write the cell and its units: { \"lstm\": 128 })" },
        { With("\"rnn\": 2", "\"hidden_size\": 8, «\"class_name\"»: \"GRU\""), DiagnosticIds.InvalidJsonModel, "'class_name' is no property of layers (write the cell and its units: { \"gru\": 8 })" },
        { With("\"rnn\": 2", "«\"LSTM\"»: 2"), DiagnosticIds.UnknownCell, "No cell is called 'LSTM' (did you mean 'lstm'?)" },
        { With("\"rnn\": 2", "«\"SimpleRNN\"»: 2"), DiagnosticIds.UnknownCell, "No cell is called 'SimpleRNN' (write rnn)" },
        { With("\"rnn\": 2", "«\"bidirectional\"»: 2"), DiagnosticIds.UnknownCell, "No cell is called 'bidirectional' (layers run forward only" },
        { With("\"rnn\": 2", "\"rnn\": 2, «\"num_layers\"»: 2"), DiagnosticIds.InvalidJsonModel, "'num_layers' is no property of the layer 'rnn' (write the layer once for each)" },
        { With("\"rnn\": 2", "\"rnn\": 2, «\"hidden_size\"»: 2"), DiagnosticIds.InvalidJsonModel, "'hidden_size' is no property of the layer 'rnn' (the number of units stands beside the cell's name)" },
        { With("\"rnn\": 2", "\"rnn\": 2, \"nonlinearity\": «\"swish\"»"), DiagnosticIds.BadSetting, "'swish' is no function (write silu)" },
        { With("\"rnn\": 2", "\"rnn\": 2, \"nonlinearity\": «\"ReLU\"»"), DiagnosticIds.BadSetting, "'ReLU' is no function (did you mean 'relu'?)" },
        { With("\"none\"", "«\"mse\"»"), DiagnosticIds.InvalidJsonModel, "'mse' is no loss (write mean_squared_error)" },
        { With("\"none\"", "«\"CrossEntropyLoss\"»"), DiagnosticIds.InvalidJsonModel, "'CrossEntropyLoss' is no loss (write softmax_cross_entropy)" },
        { With("\"loss\"", "«\"optimizer\"»"), DiagnosticIds.InvalidJsonModel, "'optimizer' is no property of a model (training is code: new Adam(model))" },
        { With("\"rnn\": 2", "\"rnn\": 2, «\"gru\"»: 3"), DiagnosticIds.InvalidJsonModel, "The layer names two cells, 'rnn' and 'gru'" },
        { With("\"rnn\": 2", "\"rnn\": «-2»"), DiagnosticIds.InvalidSize, "The number of units is -2" },
        { With("\"rnn\": 2", "\"rnn\": 2, «\"peepholes\"»: true"), DiagnosticIds.InvalidJsonModel, "'peepholes' is no property of the layer 'rnn'" },
        { With("\"rnn\": 2", "\"rnn\": 2, \"bias\": «0»"), DiagnosticIds.InvalidJsonModel, "'bias' is a number (write true or false)" },
        { With("\"rnn\": 2", "\"rnn\": 2, \"nonlinearity\": «\"rely\"»"), DiagnosticIds.BadSetting, "'rely' is no function (did you mean 'relu'?)" },
        { With("\"rnn\": 2", "\"rnn\": 2, \"nonlinearity\": \"elu(«rely»)\""), DiagnosticIds.UnknownName, "'rely' is no function (did you mean 'relu'?)" },
        { With("\"rnn\": 2", "\"rnn\": 2, \"set\": { \"activation\": \"«clip(1)»\" }"), DiagnosticIds.SyntaxError, "'clip' takes 2 numbers after its value, not 1" },
        { With("\"rnn\": 2", "\"rnn\": 2, \"set\": { \"activation\": «\"clip(\\u0031)\"» }"), DiagnosticIds.SyntaxError, "'clip' takes 2 numbers after its value, not 1" },
        { With("\"rnn\": 2", "\"rnn\": 2, \"name\": «\"a.b\"»"), DiagnosticIds.InvalidLayerName, "'a.b' cannot name a layer" },
        { With("\"rnn\": 2", "\"rnn\": 2, \"name\": «\"a_0\"»"), DiagnosticIds.DuplicateLayerName, "The layer name 'a_0' is used twice" },
        { With("\"a\": 4", "\"a\": 4, \"set\": { «\"c\"»: 0 }"), DiagnosticIds.BadSetting, "The cell 'a' has no size, param or parameter 'c' (did you mean '" },
        { With("\"a\": 4", "\"a\": 4, \"init\": { \"b\": «1e39» }"), DiagnosticIds.BadSetting, "'b' is set to 1E+39, which no 32-bit float holds" },
        { With("\"a\": 4", "\"a\": 4, \"set\": { \"b\": «[]» }"), DiagnosticIds.InvalidJsonModel, "'b' is set to neither a number nor a function" },
        { With("\"a\": 4", "\"a\": 4, \"set\": «3»"), DiagnosticIds.InvalidJsonModel, "'set' is a number (write an object" },
        { With("\"h[t] = W @ x[t] + b\"", "«[ 1 ]»"), DiagnosticIds.InvalidJsonModel, "The equations of 'a' are no text" },
        { With("\"cells\": { \"a\"", "\"cells\": { «\"1\"»: \"\", \"a\""), DiagnosticIds.InvalidCellName, "'1' cannot name a cell" },
        { With("\"cells\": { \"a\"", "\"cells\": { «\"bias\"»: \"\", \"a\""), DiagnosticIds.InvalidJsonModel, "'bias' is a property of layers and cannot name a cell" },
        { With("\"rnn\": 2 } ], \"loss\": \"none\"", "\"rnn\": 1 } ], \"loss\": «\"softmax_cross_entropy\"»"), DiagnosticIds.LossNeedsMoreOutputs, "SoftmaxCrossEntropy over one output" },

        // Not JSON.
        { "«»", DiagnosticIds.InvalidJson, "The file is empty" },
        { "«»  \n", DiagnosticIds.InvalidJson, "The file is empty" },
        { "{ «x»: 1 }", DiagnosticIds.InvalidJson, "This is not JSON: 'x' is an invalid start of a property name" },
        { "{ \"é\": \"\U0001F600\", \"b\": 1, «}»", DiagnosticIds.InvalidJson, "This is not JSON: The JSON object contains a trailing comma" },
        { "{ }\n«/»/ no", DiagnosticIds.InvalidJson, "This is not JSON: '/' is invalid after a single JSON value" },
        { "{ \"class\": «\"»\\ud800\" }", DiagnosticIds.InvalidJson, "This is not JSON: the string holds half" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void A_mistake_is_one_diagnostic_on_the_exact_characters(string marked, string id, string message)
    {
        Marked expected = Marked.Parse(marked);
        GeneratorRunResult result = Run(Compiler.Compile, [], (Path, expected.Text));
        Assert.Null(result.Exception);
        Assert.Empty(result.GeneratedSources);
        Diagnostic diagnostic = Assert.Single(result.Diagnostics);
        expected.AssertToldIn(Path, id, message, diagnostic);
    }

    public static TheoryData<string, string, int> TooMuch => new()
    {
        { new string('[', 10_000), "This is not JSON: The maximum configured depth of 64 has been exceeded", 64 },
        { string.Concat(Enumerable.Repeat("{\"a\":", 10_000)), "This is not JSON: The maximum configured depth of 64 has been exceeded", 64 * 5 },
        { new string(' ', 10_000_000) + "{}", "The file has more than 1 MiB (a network needs a few hundred characters)", 0 },
        { "{ \"class\": \"" + new string('a', 10_000_000), "The file has more than 1 MiB", 0 },
    };

    [Theory]
    [MemberData(nameof(TooMuch), DisableDiscoveryEnumeration = true)]
    public void What_is_too_deep_or_too_long_is_one_diagnostic_at_once(string text, string message, int start)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        Diagnostic diagnostic = Assert.Single(Run(FrontendHarness.Echo, [], (Path, text)).Diagnostics);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        TestContext.Current.TestOutputHelper!.WriteLine($"{allocated:N0} bytes");
        Assert.Equal(DiagnosticIds.InvalidJson, diagnostic.Id);
        Assert.StartsWith(message, diagnostic.GetMessage(), StringComparison.Ordinal);
        Assert.Equal(new LinePosition(0, start), diagnostic.Location.GetLineSpan().StartLinePosition);

        // At once: nothing is made of a text that takes 20 MB as it is. What a process makes once, in its first test, takes 6.
        Assert.InRange(allocated, 0, 10_000_000);
    }

    [Fact]
    public void A_model_too_large_is_told_on_its_layer()
    {
        Marked expected = Marked.Parse("""{ "class": "M", "input": { "features": 40000 }, "layers": [ { "dense": 999 }, «{ "dense": 1000000, "bias": false }», { "dense": 1000000 } ] }""");
        Diagnostic diagnostic = Assert.Single(Run(Compiler.Compile, [], (Path, expected.Text)).Diagnostics);
        Assert.Equal(DiagnosticIds.ModelTooLarge, diagnostic.Id);
        Assert.StartsWith("The model 'M' is too large: the parameters take 4,155,843,996 bytes with 'dense_1.W'", diagnostic.GetMessage(), StringComparison.Ordinal);
        Assert.Equal(Assert.Single(expected.Spans), diagnostic.Location.SourceSpan);
    }

    [Theory]
    [InlineData("\"h[t] = «tahn»(W @ x[t])\"")]
    [InlineData("\"# \\\"\\u00e9\\\\\\/\\n\\t h[t] = «t\\u0061hn»(W @ x[t])\"")]
    [InlineData("[ \"# é\",\n  \"\", \"h[t] = «tahn»(W @ x[t])\" ]")]
    [InlineData("[ \"h[t] = b +\",\n  \"«tahn»(W @ x[t])\" ]")]
    public void A_mistake_in_equations_is_told_on_its_characters(string equations)
    {
        Marked expected = Marked.Parse(With("\"h[t] = W @ x[t] + b\"", equations));
        Diagnostic diagnostic = Assert.Single(Run(Compiler.Compile, [], (Path, expected.Text)).Diagnostics);
        Assert.Equal(DiagnosticIds.UnknownName, diagnostic.Id);
        Assert.Equal(Assert.Single(expected.Spans), diagnostic.Location.SourceSpan);
        Assert.Equal(SourceText.From(expected.Text).Lines.GetLinePositionSpan(expected.Spans[0]), diagnostic.Location.GetLineSpan().Span);
    }

    [Fact]
    public void Two_networks_of_one_class_are_refused_and_attributes_come_first()
    {
        GeneratorRunResult files = Run(FrontendHarness.Echo, [], ("a.rnn.json", Own), ("b.rnn.json", Own));
        Assert.Empty(files.GeneratedSources);
        Assert.Equal(["a.rnn.json", "b.rnn.json"], files.Diagnostics.Select(diagnostic => diagnostic.Location.GetLineSpan().Path).Order());
        Assert.All(files.Diagnostics, diagnostic => Assert.Equal(DiagnosticIds.ModelDeclaredTwice, diagnostic.Id));
        Assert.All(files.Diagnostics, diagnostic => Assert.Equal(2, diagnostic.Location.GetLineSpan().StartLinePosition.Line));

        GeneratorRunResult both = Run(FrontendHarness.Echo, [OwnAttributes], ("a.rnn.json", Own));
        Assert.Equal("Samples.CharModel.g.cs", Assert.Single(both.GeneratedSources).HintName);
        Assert.StartsWith("The class 'Samples.CharModel' is a model elsewhere too", Assert.Single(both.Diagnostics).GetMessage(), StringComparison.Ordinal);

        GeneratorRunResult cases = Run(FrontendHarness.Echo, [OwnAttributes], ("a.rnn.json", Own.Replace("CharModel", "Charmodel")), ("b.rnn.json", Own.Replace("CharModel", "CHARMODEL")), ("c.json", Own));
        Assert.Null(cases.Exception);
        Assert.Empty(cases.Diagnostics);
        Assert.Equal(3, cases.GeneratedSources.Length);
    }

    [Fact]
    public void White_space_compiles_nothing_and_a_change_of_meaning_its_model_alone()
    {
        List<string> compiled = [];
        GeneratorDriver driver = FrontendHarness.Driver(model =>
        {
            compiled.Add(model.Class);
            return FrontendHarness.Echo(model);
        });
        Compilation compilation = FrontendHarness.Compilation("using Unrolled; [Model(Features = 3), Rnn(4)] partial class Other;");
        AdditionalText first = new TextFile(Path, Own), second = new TextFile(Path, "\n\n" + Own), third = new TextFile(Path, Own.Replace("\"gated\": 3", "\"gated\": 2"));
        driver = driver.AddAdditionalTexts([first]).Generate(compilation);
        Assert.Equal(["CharModel", "Other"], compiled.Order());
        driver = driver.ReplaceAdditionalText(first, second).Generate(compilation);
        Assert.Equal(2, compiled.Count);
        driver = driver.ReplaceAdditionalText(second, third).Generate(compilation);
        Assert.Equal("CharModel", Assert.Single(compiled.Skip(2)));
        Assert.Empty(driver.GetRunResult().Diagnostics);
    }

    [Fact]
    public void A_change_of_an_assemblys_cell_reaches_the_models_in_other_files()
    {
        List<string> texts = [];
        GeneratorDriver driver = FrontendHarness.Driver(model =>
        {
            texts.Add(model.Layers[0].Text);
            return FrontendHarness.Echo(model);
        });
        const string cell = "[assembly: Unrolled.Cell(\"a\", \"h[t] = W @ x[t]\")]";
        Compilation compilation = FrontendHarness.Compilation(cell, "using Unrolled; [Model(Features = 3), Layer(\"a\", 4)] partial class M;");
        driver = driver.Generate(compilation);
        SyntaxTree tree = compilation.SyntaxTrees.Single(tree => tree.FilePath == "Model0.cs");
        driver.Generate(compilation.ReplaceSyntaxTree(tree, FrontendHarness.Tree(cell.Replace("W @", "V @"), tree.FilePath)));
        Assert.Equal(["h[t] = W @ x[t]", "h[t] = V @ x[t]"], texts);
    }

    [Fact]
    public void Mutated_files_give_a_model_or_a_diagnostic()
    {
        const string characters = "{}[]\",:0-1e.\\utn/ aét\U0001F600";
        var random = new Random(20261121);
        HashSet<ModelSpec> models = [];
        for (int run = 0; run < 1000; run++)
        {
            var text = new StringBuilder(Own);
            for (int edit = random.Next(1, 4); edit > 0; edit--)
            {
                int at = random.Next(text.Length), length = Math.Min(random.Next(4), text.Length - at);
                text.Remove(at, length).Insert(at, characters.AsSpan(random.Next(characters.Length), 1));
            }

            string mutated = text.ToString();
            ParsedModel parsed = Parse(mutated);
            Assert.True((parsed.Request is null) == parsed.Diagnostics.Any(diagnostic => diagnostic.IsError), mutated);
            Assert.All(parsed.Diagnostics, diagnostic => Assert.InRange(diagnostic.Location!.Span.End, 0, mutated.Length));
            if (parsed.Request is { } request && models.Add(request.Spec))
            {
                CompilationResult result = Compiler.Compile(request.Spec);
                Assert.True((result.Source is null) == (result.Errors.Count > 0), mutated);
            }
        }

        Assert.InRange(models.Count, 50, 900);
    }

    private static GeneratorRunResult Run(Func<ModelSpec, CompilationResult> compile, string[] sources, params (string Path, string Text)[] files) =>
        FrontendHarness.Run(compile, sources, files);
}

using System.Globalization;
using System.Text;
using Unrolled.Generator.Frontend;
using Unrolled.Generator.Frontend.Equations;
using Unrolled.Generator.Tests.Oracle;

namespace Unrolled.Generator.Tests.Harness;

/// <summary>A layer as a user writes it and as the oracle reads it.</summary>
/// <param name="Attribute">The attribute, or null for a cell given to the compiler as text.</param>
/// <param name="Spec">The cell's text and what the use site sets of it, written down here independently of the front end.</param>
internal sealed record TestLayer(string? Attribute, LayerSpec Spec)
{
    public static TestLayer Rnn(string name, int units, string activation = "tanh", bool bias = true) => new(
        $"[Rnn({Text(units)}, Nonlinearity = Activation.{Member(activation)}, Bias = {Text(bias)}, Name = \"{name}\")]",
        Cell(name, "rnn", units, bias ? [] : ["b"], activation));

    public static TestLayer Lstm(string name, int units, bool peepholes = false, bool bias = true) => new(
        $"[Lstm({Text(units)}, Peepholes = {Text(peepholes)}, Bias = {Text(bias)}, Name = \"{name}\")]",
        Cell(name, "lstm", units, [.. peepholes ? Array.Empty<string>() : ["w_ci", "w_cf", "w_co"], .. bias ? Array.Empty<string>() : ["b_i", "b_f", "b_c", "b_o"]]));

    public static TestLayer Gru(string name, int units, bool resetAfter = true, bool bias = true) => new(
        $"[Gru({Text(units)}, ResetAfter = {Text(resetAfter)}, Bias = {Text(bias)}, Name = \"{name}\")]",
        Cell(name, resetAfter ? "gru_reset_after" : "gru", units, bias ? [] : resetAfter ? ["b_r", "b_z", "b_xn", "b_hn"] : ["b_r", "b_z", "b_n"]));

    public static TestLayer Dense(string name, int units, string activation = "identity", bool bias = true) => new(
        $"[Dense({Text(units)}, Activation = Activation.{Member(activation)}, Bias = {Text(bias)}, Name = \"{name}\")]",
        Cell(name, "dense", units, bias ? [] : ["b"], activation));

    /// <summary>The same layer with functions in the place of its cell's own.</summary>
    public TestLayer With(params (string Param, FunctionValue Function)[] functions) => functions.Length == 0 ? this : new(
        $"{Attribute![..^2]}, Set = \"{string.Join(", ", functions.Select(function => $"{function.Param} = {function.Function}"))}\")]",
        Spec with
        {
            Settings = new EquatableArray<CellSetting>(Spec.Settings.Where(setting => !functions.Any(function => function.Param == setting.Name))
                .Concat(functions.Select(function => new CellSetting(function.Param, CellSettingKind.Function, 0, function.Function)))),
        });

    /// <summary>A cell of one's own.</summary>
    public static TestLayer Own(string name, string text, int units, params CellSetting[] settings) => new(
        null, new LayerSpec(name, name, text, units, new EquatableArray<CellSetting>(settings)));

    private static LayerSpec Cell(string name, string cell, int units, string[] absent, string? activation = null)
    {
        IEnumerable<CellSetting> settings = absent.Select(parameter => new CellSetting(parameter, CellSettingKind.Number, 0, null));
        if (activation is not null)
        {
            settings = settings.Prepend(new CellSetting("activation", CellSettingKind.Function, 0, activation));
        }

        return new LayerSpec(name, cell, ParsedCells.BuiltIn(cell), units, new EquatableArray<CellSetting>(settings));
    }

    private static string Member(string function) => char.ToUpperInvariant(function[0]) + function[1..];

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Text(bool value) => value ? "true" : "false";
}

/// <summary>A network to compile, run and compare.</summary>
/// <param name="Class">The class's name, unique among the networks compiled together.</param>
/// <param name="Tokens">Number of tokens, 0 for vectors.</param>
/// <param name="Features">Elements of an input vector, 0 for tokens.</param>
/// <param name="Layers">From the input on.</param>
/// <param name="Loss">A member of <see cref="Unrolled.Loss"/>.</param>
internal sealed record TestNetwork(string Class, int Tokens, int Features, IReadOnlyList<TestLayer> Layers, Loss Loss = Loss.None)
{
    public const string Namespace = "Networks";

    public IReadOnlyList<LayerSpec> Specs => Layers.Select(layer => layer.Spec).ToArray();

    /// <summary>Whether the network can be written with attributes; otherwise its equations go straight to the compiler.</summary>
    public bool HasAttributes => Layers.All(layer => layer.Attribute is not null);

    public string FullName => Namespace + "." + Class;

    /// <summary>The user's source.</summary>
    public string AttributeSource
    {
        get
        {
            var source = new StringBuilder("using Unrolled;\n\nnamespace Networks;\n\n/// <summary>A network under test.</summary>\n");
            source.Append(CultureInfo.InvariantCulture, $"[Model({(Tokens > 0 ? $"Tokens = {Tokens}" : $"Features = {Features}")})]\n");
            foreach (TestLayer layer in Layers)
            {
                source.Append(layer.Attribute).Append('\n');
            }

            if (Loss != Loss.None)
            {
                source.Append(CultureInfo.InvariantCulture, $"[Loss(Loss.{Loss})]\n");
            }

            return source.Append(CultureInfo.InvariantCulture, $"public sealed partial class {Class};\n").ToString();
        }
    }

    /// <summary>The same as the value the compiler starts from.</summary>
    public ModelSpec Spec => new(
        Namespace, EquatableArray<string>.Empty, $"public sealed partial class {Class}", Class, Tokens, Features,
        new EquatableArray<LayerSpec>(Specs), Loss.ToString());

    public override string ToString() => Class;
}

using System.Globalization;
using Unrolled.Generator.Frontend;
using Unrolled.Generator.Tests.Harness;
using Unrolled.Generator.Tests.Oracle;
using Xunit;

namespace Unrolled.Generator.Tests;

/// <summary>
/// One element, wherever a vector may stand: what a shape line makes one constrains its equation and broadcasts, and a size that happens to be 1
/// is a vector like any other. Shapes by hand, values and gradients against the equations.
/// </summary>
public sealed class OneElementTests(ITestOutputHelper output)
{
    private const int Seed = 20261127;

    private const string Plain = "\nh[t] = a[t] * h[t-1] + tanh(W @ x[t])";

    private static readonly Dictionary<string, Case> Cases = List().ToDictionary(test => test.Network.Class);

    internal static readonly ModelSet Models = new(Cases.Values.Select(test => test.Network));

    /// <param name="Shapes">Parameters and their shapes, as many as say what is tested: <c>W_a 1x3, b_a 1</c>.</param>
    private sealed record Case(TestNetwork Network, string Shapes, double Conditioning);

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    [Trait("Category", "Emitted")]
    public void AgreesWithItsEquations(string name)
    {
        Case test = Cases[name];
        IModel model = Models.Create(name);
        string shapes = string.Join(", ", model.Layout.Parameters
            .Where(parameter => parameter.Name.StartsWith("cell.", StringComparison.Ordinal))
            .Select(parameter => $"{parameter.Name["cell.".Length..]} {string.Join('x', parameter.Shape.Select(size => size.ToString(CultureInfo.InvariantCulture)))}"));
        Assert.True(test.Shapes.Length == 0 || test.Shapes == shapes, $"expected {test.Shapes}\nbut {shapes}");
        GradientCheck.Run(test.Network, model, rows: 3, steps: 4, Seed, test.Conditioning, output);
    }

    private static IEnumerable<Case> List()
    {
        // A shape line of 1 constrains its equation.
        yield return Own("Gate", "shape a : 1\na[t] = sigmoid(W_a @ x[t] + b_a)" + Plain, "W_a 1x3, b_a 1, W 5x3");
        yield return Own("GateOfAState", "shape a : 1\na[t] = sigmoid(W_a @ x[t] + U_a @ h[t-1] + w_a * a[t-1] + b_a)" + Plain, "W_a 1x3, U_a 1x5, w_a 1, b_a 1, W 5x3");
        yield return Own("GateThroughAnotherValue", "shape a : 1\np[t] = W_a @ x[t]\na[t] = sigmoid(p[t] + b_a)" + Plain, "W_a 1x3, b_a 1, W 5x3");
        yield return Own("GateWithAGain", "shape a, g : 1\na[t] = sigmoid(g * (W_a @ x[t]) + b_a)" + Plain, "g 1, W_a 1x3, b_a 1, W 5x3");
        yield return Own("GateOfAMean", "shape a : 1\na[t] = sigmoid(w_a * mean(h[t-1]) + b_a)" + Plain, "w_a 1, b_a 1, W 5x3");
        yield return Own("Gates", """
            for k in 1..3 {
                shape a{k} : 1
                a{k}[t] = sigmoid(W_a{k} @ x[t] + b_a{k})
            }
            h[t] = 0.3 * sum{k in 1..3}(a{k}[t] * tanh(W{k} @ x[t] + h[t-1]))
            """, "W_a_1 1x3, b_a_1 1, W_a_2 1x3, b_a_2 1, W_a_3 1x3, b_a_3 1, W_1 5x3, W_2 5x3, W_3 5x3");
        yield return Own("GateOfAToken", "shape a : 1\na[t] = sigmoid(W_a @ x[t] + b_a)" + Plain, "W_a 1x7, b_a 1, W 5x7", tokens: 7);
        yield return Own("GateOfTheOnlyToken", "shape a : 1\na[t] = sigmoid(W_a @ x[t] + b_a)" + Plain, "W_a 1x1, b_a 1, W 5x1", tokens: 1);
        yield return Own("GateOfOneUnit", "shape a : 1\na[t] = sigmoid(W_a @ x[t] + b_a)" + Plain, "W_a 1x3, b_a 1, W 1x3", units: 1);
        yield return Own("GateOfOneUnitAndInput", "shape a : 1\na[t] = sigmoid(W_a @ x[t] + b_a)" + Plain, "W_a 1x1, b_a 1, W 1x1", features: 1, units: 1);

        // A matrix with one row gives one element, and one with one column takes it.
        yield return Own("Row", "shape w : 1, input\na[t] = sigmoid(w @ x[t])" + Plain, "w 1x3, W 5x3");
        yield return Own("RowWithABiasOfItsOwn", "shape w : 1, input\nshape b_a : 1\na[t] = sigmoid(w @ x[t] + b_a)" + Plain, "w 1x3, b_a 1, W 5x3");
        yield return Own("RowInPlace", "shape w : 1, input\nh[t] = sigmoid(w @ x[t]) * h[t-1] + tanh(W @ x[t])", "w 1x3, W 5x3");
        yield return Own("RowOfAVector", "shape w : units, 1\nh[t] = sigmoid(transpose(w) @ h[t-1]) * h[t-1] + tanh(W @ x[t])", "w 5x1, W 5x3");
        yield return Own("VectorTransposed", "shape w : units\nh[t] = sigmoid(transpose(w) @ h[t-1]) * h[t-1] + tanh(W @ x[t])", "w 5x1, W 5x3");
        yield return Own("RowOfAToken", "shape w : 1, input\nh[t] = sigmoid(w @ x[t]) * h[t-1] + W @ x[t]", "w 1x7, W 5x7", tokens: 7);
        yield return Own("RowAndColumn", "shape w : 1, units\nshape v : units, 1\na[t] = tanh(w @ h[t-1])\nh[t] = tanh(W @ x[t] + v @ a[t])", "w 1x5, W 5x3, v 5x1");
        yield return Own("DeclaredOperand", "shape a : 1\na[t] = tanh(W_a @ x[t])\nh[t] = tanh(W @ x[t] + v @ tanh(a[t]))", "W_a 1x3, W 5x3, v 5x1");
        yield return Own("RowBothWays", "shape w : 1, units\na[t] = tanh(w @ h[t-1])\nh[t] = tanh(W @ x[t] + transpose(w) @ a[t])", "w 1x5, W 5x3");
        yield return Own("ColumnOfAMean", "shape v : units, 1\nh[t] = tanh(W @ x[t] + v @ mean(h[t-1]))", "W 5x3, v 5x1");
        yield return Own("RowOfASum", "shape v : 1, 1\nh[t] = tanh(W @ x[t] + (v @ sum(h[t-1])) * h[t-1])", "W 5x3, v 1x1");

        // States of one element, at several ages, with starts.
        yield return Own("State", "shape a : 1\nstart a = learned\na[t] = tanh(W_a @ x[t] + w_a * a[t-1] - 0.5 * a[t-2])" + Plain, "W_a 1x3, w_a 1, W 5x3, a_start 1");
        yield return Own("StateStartsInitialised", "shape a : 1\nstart a = learned\ninit a_start = 0.5\ninit W_a = normal(0, 1)\na[t] = tanh(W_a @ x[t] + a[t-1])" + Plain, "W_a 1x3, W 5x3, a_start 1");

        // Functions of one element.
        yield return Own("Concatenated", "shape a : 1\na[t] = tanh(W_a @ x[t] + b_a)\nh[t] = tanh(W @ concat(a[t], h[t-1], a[t-1]))", "W_a 1x3, b_a 1, W 5x7");
        yield return Own("ConcatenatedAlone", "shape a : 1\na[t] = tanh(W_a @ x[t] + b_a)\nh[t] = tanh(W @ concat(a[t]) + U @ h[t-1])", "W_a 1x3, b_a 1, W 5x1, U 5x5");
        yield return Own("Reduced", "shape a : 1\na[t] = tanh(W_a @ x[t])\nh[t] = tanh((sum(a[t]) + mean(a[t]) * max(a[t])) * h[t-1] + W @ x[t])", "W_a 1x3, W 5x3");
        yield return Own("Compared", "shape a : 1\na[t] = 0.2 * tanh(W_a @ x[t])\nh[t] = tanh(max(h[t-1], a[t]) + clip(W @ x[t], a[t] - 1, a[t] + 1))", "W_a 1x3, W 5x3");
        yield return Own("Divided", "shape a : 1\na[t] = W_a @ x[t]\nh[t] = tanh(W @ x[t] / (2 + exp(-square(a[t]))) + h[t-1])", "W_a 1x3, W 5x3");

        // Of one element softmax is 1 and layer_norm 0, whatever it is: what it is made of has no effect, and a gradient that cancels to 0, of terms
        // that layer_norm divides by the root of its 1e-5.
        yield return Own("Softmax", "shape a : 1\na[t] = W_a @ x[t] + b_a\nh[t] = tanh(softmax(a[t]) * h[t-1] + W @ x[t] + a[t])", "W_a 1x3, b_a 1, W 5x3");
        yield return Own("LayerNorm", "shape a : 1\na[t] = W_a @ x[t] + b_a\nh[t] = tanh(layer_norm(a[t]) * h[t-1] + W @ x[t] + a[t])", "W_a 1x3, b_a 1, W 5x3", conditioning: 16);
        yield return Own("SoftmaxOfOneUnit", "h[t] = tanh(softmax(W @ x[t]) * h[t-1] + V @ x[t])", "W 1x3, V 1x3", units: 1);
        yield return Own("LayerNormOfOneUnit", "h[t] = tanh(g * layer_norm(W @ x[t] + U @ h[t-1]) + b + V @ x[t])", "g 1, W 1x3, U 1x1, b 1, V 1x3", units: 1, conditioning: 16);

        // One element as the output of a layer of one unit.
        yield return Own("OutputIsAMean", "shape V : 4, input\nh[t] = 0.5 * h[t-1] + mean(tanh(V @ x[t]))", "V 4x3", units: 1);
        yield return Own("OutputIsASum", "h[t] = tanh(sum(w * x[t]))", "w 3", units: 1);
        yield return Own("OutputIsDeclared", "shape h : 1\nstart h = learned\nh[t] = tanh(W @ x[t] + U @ h[t-1] + b)", "W 1x3, U 1x1, b 1, h_start 1", units: 1);
        yield return Own("OutputIsARow", "shape w : 1, input\nh[t] = w @ x[t]", "w 1x3", units: 1);
        yield return Own("OutputIsAnElementThatIsReadLater", "shape y : 1\noutput y\nc[t] = tanh(W @ x[t] + y[t-1] * c[t-1])\ny[t] = sigmoid(V @ c[t])\nshape c : 4", "W 4x3, V 1x4", units: 1);

        // Sizes of 1 are vectors: the cell is the one of any other size.
        const string sized = """
            size n = 2
            shape s : n
            f[t] = sigmoid(W_f @ x[t] + w_f * s[t-1] + b_f)
            s[t] = f[t] * s[t-1] + (1 - f[t]) * tanh(W_s @ x[t] + U_s @ s[t-1] + V_s @ h[t-1])
            o[t] = sigmoid(W_o @ x[t] + b_o)
            h[t] = tanh(V @ (o[t] * s[t]) + transpose(V_s) @ s[t])
            """;
        yield return Own("SizeOfOne", sized, "W_f 1x3, w_f 1, b_f 1, W_s 1x3, U_s 1x1, V_s 1x5, W_o 1x3, b_o 1, V 5x1", settings: [Size("n", 1)]);
        yield return Own("SizeOfTwo", sized, "W_f 2x3, w_f 2, b_f 2, W_s 2x3, U_s 2x2, V_s 2x5, W_o 2x3, b_o 2, V 5x2");
        yield return Own("SizeOfOneFromAMean", "size n = 1\nshape s : n\ns[t] = mean(x[t])\nh[t] = tanh(V @ s[t] + U @ h[t-1])", "V 5x1, U 5x5");
        yield return Own("SizeOfOneAndItsMatrix", "size n = 1\nshape V : n, input\nh[t] = tanh(W @ tanh(V @ x[t] + b) + U @ h[t-1])", "V 1x3, b 1, W 5x1, U 5x5");
        yield return Library("clockwork", 1, "", conditioning: 8);
        yield return Library("clockwork", 4, "", conditioning: 8, Size("module", 1), Size("modules", 3));
        yield return Library("lstm_projected", 4, "W_xi 1x3, W_ri 1x4, w_ci 1, b_i 1, W_xf 1x3, W_rf 1x4, w_cf 1, b_f 1, W_xc 1x3, W_rc 1x4, b_c 1, W_xo 1x3, W_ro 1x4, w_co 1, b_o 1, W_rm 4x1", 1, Size("cells", 1));
        foreach (string cell in CellFiles.Names.Except(["clockwork", "highway"]))
        {
            yield return Library(cell, 1, "", conditioning: 4);
        }

        yield return Library("highway", 1, "", conditioning: 4) with { Network = LibraryNetwork("highway", 1, features: 1) };
        foreach (string cell in (string[])["lstm", "gru_reset_after", "clockwork", "leaky_integrator"])
        {
            yield return new Case(
                new TestNetwork($"OneElement_{cell}_token", 1, 0, [new TestLayer(null, new LayerSpec("cell", cell, ParsedCells.BuiltIn(cell), 1, EquatableArray<CellSetting>.Empty))]), "", 8);
        }
    }

    private static Case Own(string name, string text, string shapes, int features = 3, int tokens = 0, int units = 5, double conditioning = 2, CellSetting[]? settings = null) => new(
        new TestNetwork("OneElement_" + name, tokens, tokens > 0 ? 0 : features, [TestLayer.Own("cell", text, units, settings ?? [])]), shapes, conditioning);

    private static Case Library(string cell, int units, string shapes, double conditioning, params CellSetting[] settings) =>
        new(LibraryNetwork(cell, units, 3, settings), shapes, conditioning);

    private static TestNetwork LibraryNetwork(string cell, int units, int features, params CellSetting[] settings) => new(
        $"OneElement_{cell}_{units}", 0, features,
        [new TestLayer(null, new LayerSpec("cell", cell, ParsedCells.BuiltIn(cell), units, new EquatableArray<CellSetting>(settings))), TestLayer.Dense("head", 2)]);

    private static CellSetting Size(string name, int value) => new(name, CellSettingKind.Size, value, null);
}

using Unrolled.Generator.Frontend;
using Unrolled.Generator.Graph;
using Unrolled.Generator.Passes;
using Xunit;

namespace Unrolled.Generator.Tests.PassTests;

/// <summary>Small networks that between them use every construct the passes know.</summary>
public static class Networks
{
    private const string Delays = """
        h[t] = tanh(W_x @ x[t] + W_p @ x[t-1] + W_1 @ h[t-1] + W_2 @ h[t-2] + b)
        """;

    private const string Readout = """
        output y
        h[t] = tanh(W_x @ x[t] + W_h @ h[t-1] + b_h)
        y[t] = W_y @ h[t] + b_y
        """;

    private const string TiedTwice = "h[t] = tanh(W_x @ x[t] + U @ tanh(U @ h[t-1] + b) + b)";

    private const string Autoencoder = """
        size inner = 5
        shape W : inner, input
        output y
        c[t] = tanh(W @ x[t] + W_c @ c[t-1] + b_c)
        y[t] = transpose(W) @ c[t] + b_y
        """;

    private const string Projection = """
        size cells = 6
        shape c : cells
        i[t] = sigmoid(W_xi @ x[t] + W_hi @ h[t-1] + b_i)
        c[t] = (1 - i[t]) * c[t-1] + i[t] * tanh(W_xc @ x[t] + W_hc @ h[t-1] + b_c)
        h[t] = W_p @ c[t]
        """;

    private const string MinimalGated = """
        f[t] = sigmoid(W_f @ x[t] + U_f @ h[t-1] + b_f)
        h[t] = (1 - f[t]) * h[t-1] + f[t] * tanh(W_h @ x[t] + U_h @ (f[t] * h[t-1]) + b_h)
        """;

    private const string FiveGates = """
        a[t] = sigmoid(W_a @ x[t] + U_a @ h[t-1] + b_a)
        b[t] = sigmoid(W_b @ x[t] + U_b @ h[t-1] + b_b)
        c[t] = tanh(W_c @ x[t] + U_c @ h[t-1])
        d[t] = tanh(W_d @ x[t] + U_d @ h[t-1] + b_d)
        e[t] = sigmoid(W_e @ x[t] + U_e @ h[t-1] + b_e)
        h[t] = a[t] * c[t] + b[t] * d[t] + e[t] * h[t-1]
        """;

    private const string DepthTwo = """
        s_1[t] = tanh(W_x @ x[t] + R_1 @ h[t-1] + b_1)
        g_1[t] = sigmoid(W_g @ x[t] + G_1 @ h[t-1] + c_1)
        m[t] = g_1[t] * s_1[t] + (1 - g_1[t]) * h[t-1]
        s_2[t] = tanh(R_2 @ m[t] + b_2)
        g_2[t] = sigmoid(G_2 @ m[t] + c_2)
        h[t] = g_2[t] * s_2[t] + (1 - g_2[t]) * m[t]
        """;

    private const string Functions = """
        a[t] = softplus(W_a @ x[t]) + silu(U_a @ h[t-1]) / (2 + abs(w_a * h[t-1]))
        b[t] = exp(-square(W_b @ x[t])) * softsign(h[t-1]) - log(3 + x_1[t] * x_1[t])
        x_1[t] = W_1 @ x[t]
        h[t] = tanh(max(a[t], b[t]) + min(a[t], 0.3) + sqrt(1 + square(b[t])) - elu(a[t], 0.5) + leaky_relu(b[t], 0.1))
        """;

    /// <summary>By name; all networks of the tests.</summary>
    private static readonly Dictionary<string, ModelSpec> Specs = new()
    {
        ["rnn"] = Features(3, BuiltIn("rnn", 4)),
        ["rnn without bias"] = Features(3, BuiltIn("rnn", 4, Bound("b"))),
        ["rnn of sigmoids"] = Features(3, BuiltIn("rnn", 4, new CellSetting("activation", CellSettingKind.Function, 0, "sigmoid"))),
        ["lstm"] = Features(3, Lstm(4)),
        ["lstm without bias"] = Features(3, BuiltIn("lstm", 4, Bound("w_ci"), Bound("w_cf"), Bound("w_co"), Bound("b_i"), Bound("b_f"), Bound("b_c"), Bound("b_o"))),
        ["peephole lstm"] = Features(3, BuiltIn("lstm", 4)),
        ["wide peephole lstm"] = Features(18, BuiltIn("lstm", 33)),
        ["gru"] = Features(3, BuiltIn("gru", 4)),
        ["gru reset after"] = Features(3, BuiltIn("gru_reset_after", 4)),
        ["wide gru reset after"] = Features(2, BuiltIn("gru_reset_after", 35)),
        ["gru reset after without bias"] = Features(3, BuiltIn("gru_reset_after", 4, Bound("b_r"), Bound("b_z"), Bound("b_xn"), Bound("b_hn"))),
        ["dense"] = Features(3, BuiltIn("dense", 4, new CellSetting("activation", CellSettingKind.Function, 0, "tanh"))),
        ["linear dense"] = Features(3, BuiltIn("dense", 4)),
        ["stack"] = Features(3, Lstm(4), BuiltIn("dense", 2)),
        ["deep stack"] = Features(3, BuiltIn("lstm", 4, "lower"), BuiltIn("gru", 5, "upper"), BuiltIn("dense", 2)),
        ["stack of dense"] = Features(3, BuiltIn("dense", 4, "first", new CellSetting("activation", CellSettingKind.Function, 0, "tanh")), BuiltIn("dense", 5, "second")),
        ["tokens"] = Tokens(5, BuiltIn("lstm", 4, "lower"), BuiltIn("lstm", 4, "upper"), BuiltIn("dense", 5)),
        ["tokens, gru"] = Tokens(5, BuiltIn("gru", 4), BuiltIn("dense", 5)),
        ["tokens, gru reset after"] = Tokens(5, BuiltIn("gru_reset_after", 4), BuiltIn("dense", 5)),
        ["tokens, dense"] = Tokens(5, BuiltIn("dense", 4), BuiltIn("rnn", 3)),
        ["delays"] = Features(3, Cell(Delays, 4)),
        ["delayed state only"] = Features(3, Cell("h[t] = tanh(W @ x[t] + U @ h[t-2])", 4)),
        ["delayed input only"] = Features(3, Cell("h[t] = tanh(W @ x[t-1] + b)", 4)),
        ["delays above delays"] = Features(3, Cell(Delays, 4, "lower"), Cell(Delays, 3, "upper")),
        ["output not the state"] = Features(3, Cell(Readout, 4)),
        ["linear state"] = Features(3, Cell("h[t] = W_h @ h[t-1] + W_x @ x[t]", 4)),
        ["linear state with bias"] = Features(3, Cell("h[t] = W_h @ h[t-1] + W_x @ x[t] + b", 4)),
        ["integrator"] = Features(3, Cell("h[t] = h[t-1] + W_x @ x[t]", 4)),
        ["leaky integrator"] = Features(3, Cell("h[t] = 0.9 * h[t-1] + tanh(W_x @ x[t])", 4)),
        ["running sum beside the output"] = Features(4, Cell("output p\nh[t] = h[t-1] + x[t]\np[t] = W @ x[t]", 4)),
        ["running sum of the input"] = Features(4, Cell("h[t] = h[t-1] + x[t]", 4)),
        ["residual"] = Features(4, Cell("h[t] = x[t] + tanh(W_x @ x[t] + W_h @ h[t-1] + b)", 4)),
        ["tied parameter"] = Features(3, Cell(TiedTwice, 4)),
        ["one matrix for two values"] = Features(4, Cell("h[t] = tanh(W @ x[t] + W @ h[t-1] + b)", 4)),
        ["two gates of one sum"] = Features(3, Cell("p[t] = W_x @ x[t] + W_h @ h[t-1] + b\nh[t] = sigmoid(p[t]) * tanh(p[t])", 4)),
        ["transposed"] = Features(4, Cell(Autoencoder, 4)),
        ["transposed in the recurrence"] = Features(4, Cell("h[t] = tanh(W_x @ x[t] + transpose(W) @ h[t-1] + W @ h[t-1])", 4)),
        ["projection"] = Features(3, Cell(Projection, 4)),
        ["minimal gated"] = Features(3, Cell(MinimalGated, 4)),
        ["five gates"] = Features(3, Cell(FiveGates, 4)),
        ["recurrent highway of depth two"] = Features(3, Cell(DepthTwo, 4)),
        ["input product used twice"] = Features(3, Cell("p[t] = W @ x[t]\nh[t] = tanh(p[t] + U @ h[t-1]) * softplus(p[t])", 4)),
        ["input product as output"] = Features(3, Cell("output p\np[t] = W @ x[t] + b\nh[t] = tanh(p[t] + U @ h[t-1])", 4), BuiltIn("dense", 2)),
        ["input product as output of two layers"] = Features(3, Cell("output p\np[t] = W @ x[t]\nh[t] = tanh(p[t] + U @ h[t-1])", 4), Cell(Delays, 4, "upper")),
        ["output is the state before"] = Features(3, Cell("output p\np[t] = h[t-1]\nh[t] = tanh(W @ x[t] + U @ h[t-1])", 4)),
        ["two names for one state"] = Features(3, Cell("h[t] = tanh(W @ x[t] + U @ h[t-1] + V @ g[t-1])\ng[t] = h[t]", 4)),
        ["delayed input by name"] = Features(3, Cell("g[t] = x[t]\nh[t] = tanh(W @ g[t-1] + U @ h[t-1])", 4)),
        ["delayed value that is no output"] = Features(3, Cell("g[t] = tanh(V @ x[t])\nh[t] = tanh(W @ g[t-2] + U @ h[t-1])", 4)),
        ["constant state"] = Features(3, Cell("h[t] = tanh(W @ x[t] + U @ c[t-1])\nc[t] = 0 * h[t]", 4)),
        ["independent recurrence"] = Features(3, Cell("h[t] = tanh(W @ x[t] + u * h[t-1] + b)", 4)),
        ["vectors only"] = Features(4, Cell("h[t] = tanh(w * x[t] + u * h[t-1])", 4)),
        ["differences of products"] = Features(3, Cell("h[t] = tanh(W @ x[t] - U @ h[t-1] - b)", 4)),
        ["scaled products"] = Features(3, Cell("h[t] = tanh(2 * (W @ x[t]) + a * (U @ h[t-1]) - 0.5)", 4)),
        ["product of a product"] = Features(3, Cell("shape A : units, 5\nh[t] = tanh(W @ x[t] + A @ (B @ h[t-1]) + b)", 4)),
        ["sum within a sum"] = Features(3, Cell("p[t] = W @ x[t] + U @ h[t-1] + b\nq[t] = p[t] + V @ sigmoid(p[t])\nh[t] = tanh(q[t]) + p[t] * h[t-1]", 4)),
        ["one bias in two places"] = Features(3, Cell("h[t] = tanh(W @ x[t] + U @ h[t-1] + b) + b * h[t-1]", 4)),
        ["wide transposed"] = Features(18, Cell("size inner = 35\nshape W : inner, input\noutput y\nc[t] = tanh(W @ x[t] + u * c[t-1])\ny[t] = transpose(W) @ c[t]", 18)),
        ["output of one state, carried by another"] = Features(3, Cell("s[t] = 0.5 * s[t-1] + h[t]\nh[t] = tanh(W @ x[t] + U @ s[t-1])", 4)),
        ["softmax gate"] = Features(3, Cell("a[t] = softmax(W_a @ x[t] + U_a @ h[t-1] + b)\nh[t] = a[t] * tanh(W @ x[t]) + (1 - a[t]) * h[t-1]", 4)),
        ["softmax readout"] = Features(3, Cell("output y\nh[t] = tanh(W @ x[t] + U @ h[t-1])\ny[t] = softmax(W_y @ h[t] + b_y)", 4)),
        ["normalised gates"] = Features(3, Cell("z[t] = sigmoid(g * layer_norm(W @ x[t] + U @ h[t-1]) + b)\nh[t] = z[t] * h[t-1] + (1 - z[t]) * tanh(layer_norm(V @ x[t]))", 4)),
        ["wide normalised gates"] = Features(3, Cell("z[t] = sigmoid(g * layer_norm(W @ x[t] + U @ h[t-1]) + b)\nh[t] = z[t] * h[t-1] + (1 - z[t]) * tanh(layer_norm(V @ x[t]))", 21)),
        ["normalised input"] = Features(3, Cell("h[t] = tanh(W @ layer_norm(x[t]) + U @ h[t-1])", 4)),
        ["sums and maxima"] = Features(3, Cell("s[t] = sum(x[t]) + max(h[t-1])\nh[t] = tanh(W @ x[t] + mean(h[t-1]) * w + s[t])", 4)),
        ["scalar parameter"] = Features(3, Cell("shape a, c : 1\nh[t] = tanh(a * (W @ x[t]) + c * h[t-1] + a)", 4)),
        ["scalar state"] = Features(3, Cell("m[t] = 0.5 * m[t-1] + mean(h[t-1])\nh[t] = tanh(W @ x[t] + m[t] * h[t-1])", 4)),
        ["concatenated"] = Features(3, Cell("h[t] = tanh(W @ concat(x[t], h[t-1]) + b)", 4)),
        ["concatenated output"] = Features(3, Cell("output y\nshape a : 2\nshape b : 3\na[t] = tanh(W_a @ x[t] + U_a @ b[t-1])\nb[t] = sigmoid(W_b @ x[t] + U_b @ a[t-1])\ny[t] = concat(a[t], b[t])", 5)),
        ["gaussian unit"] = Features(3, Cell("h[t] = gelu(W @ x[t] + U @ h[t-1] + b)", 4)),
        ["trained slope of a function"] = Features(3, Cell("h[t] = elu(W @ x[t] + U @ h[t-1], a) + leaky_relu(V @ x[t], b)", 4)),
        ["trained bounds of a function"] = Features(3, Cell("h[t] = clip(W @ x[t] + U @ h[t-1], a - 0.4, a + 0.4)", 4)),
        ["product of parameters"] = Features(3, Cell("h[t] = tanh(W @ x[t] + U @ (w * h[t-1]) + V @ b)", 4)),
        ["product of parameters that also meet values"] = Features(4, Cell("h[t] = tanh(W @ x[t] + U @ h[t-1] + U @ b + b)", 4)),
        ["transposed product of parameters"] = Features(3, Cell("shape V : 5, units\nh[t] = tanh(W @ x[t] + (transpose(V) @ (V @ v)) * h[t-1])", 4)),
        ["gate of parameters"] = Features(3, Cell("h[t] = sigmoid(a) * h[t-1] + (1 - sigmoid(a)) * tanh(W @ x[t])", 4)),
        ["value of parameters alone"] = Features(3, Cell("z[t] = sigmoid(V @ v + b)\nh[t] = z[t] * tanh(W @ x[t] + U @ h[t-1]) + z[t-1]", 4)),
        ["softmax of parameters"] = Features(3, Cell("h[t] = softmax(a) * tanh(W @ x[t]) + layer_norm(b) * h[t-1] + max(c) * mean(a)", 4)),
        ["concatenated parameters"] = Features(3, Cell("shape a : 2\nshape b : 3\nh[t] = tanh(W @ concat(x[t], a) + U @ concat(a, b))", 4)),
        ["output of parameters"] = Features(3, Cell("output y\nh[t] = tanh(W @ x[t] + U @ h[t-1])\ny[t] = 0 * h[t] + V @ v", 4), BuiltIn("dense", 2)),
        ["product of a product of parameters and the input"] = Features(4, Cell("h[t] = tanh(W @ ((V @ v) * x[t]) + U @ h[t-1])", 4)),
        ["scalar times a product of parameters"] = Features(3, Cell("shape s : 1\nh[t] = tanh(W @ x[t] + s * (V @ v) + exp(s) * h[t-1])", 4)),
        ["wide product of parameters"] = Features(18, Cell("shape v : 21\nh[t] = tanh(W @ x[t] + sigmoid(V @ v) * h[t-1])", 35)),
        ["tokens, product of parameters"] = Tokens(5, Cell("h[t] = tanh(W @ x[t] + U @ h[t-1] + W @ v)", 4)),
        ["learned start"] = Features(3, Cell("start h = learned\nh[t] = tanh(W @ x[t] + U @ h[t-1] + b)", 4)),
        ["learned starts of delays"] = Features(3, Cell("start h = learned\nstart x = learned\nh[t] = tanh(W_x @ x[t] + W_p @ x[t-1] + W_1 @ h[t-1] + W_2 @ h[t-2] + b)", 4)),
        ["learned start in two places"] = Features(3, Cell("start h = learned\nh[t] = tanh(W @ x[t] + U @ (h[t-1] - h_start) + V @ h_start)", 4)),
        ["learned start of one of two states"] = Tokens(5, BuiltIn("lstm", 4, "lower"), Cell("start c = learned\nc[t] = 0.9 * c[t-1] + tanh(W @ x[t] + U @ h[t-1])\nh[t] = tanh(c[t])", 4), BuiltIn("dense", 5)),
        ["learned start of one element"] = Features(3, Cell("start m = learned\nm[t] = 0.5 * m[t-1] + mean(h[t-1])\nh[t] = tanh(W @ x[t] + m[t] * h[t-1])", 4)),
        ["wide learned start"] = Features(18, Cell("start h = learned\nh[t] = tanh(W @ x[t] + U @ h[t-1])", 35)),
        ["many functions"] = Features(3, Cell(Functions, 4)),
    };

    public static TheoryData<string> Names => new(Specs.Keys);

    internal static ModelSpec Spec(string name) => Specs[name];

    internal static ModelGraph Graph(string name) => Bind(Specs[name]);

    /// <summary>A network of one layer of a cell's equations.</summary>
    internal static ModelGraph BindCell(string text, int units, int features = 3, params CellSetting[] settings) =>
        Bind(Features(features, new LayerSpec("cell", "cell", text, units, new EquatableArray<CellSetting>(settings))));

    internal static ModelGraph Bind(ModelSpec spec)
    {
        var errors = new List<LayerError>();
        ModelGraph? graph = Generator.Frontend.Bind.Run(spec, errors);
        Assert.True(graph is not null && errors.Count == 0, string.Join("; ", errors.Select(error => error.Error.Message)));
        return graph;
    }

    internal static ModelSpec Features(int features, params LayerSpec[] layers) => Spec(0, features, layers);

    internal static ModelSpec Tokens(int tokens, params LayerSpec[] layers) => Spec(tokens, 0, layers);

    internal static LayerSpec BuiltIn(string cell, int units, params CellSetting[] settings) => BuiltIn(cell, units, cell, settings);

    internal static LayerSpec BuiltIn(string cell, int units, string name, params CellSetting[] settings) =>
        new(name, cell, CellFiles.Read(cell), units, new EquatableArray<CellSetting>(settings));

    internal static LayerSpec Lstm(int units) => BuiltIn("lstm", units, Bound("w_ci"), Bound("w_cf"), Bound("w_co"));

    /// <summary>A parameter set to a number.</summary>
    internal static CellSetting Bound(string parameter, double number = 0) => new(parameter, CellSettingKind.Number, number, null);

    private static LayerSpec Cell(string text, int units, string name = "cell") => new(name, name, text, units, EquatableArray<CellSetting>.Empty);

    private static ModelSpec Spec(int tokens, int features, LayerSpec[] layers) => new(
        "Tests", EquatableArray<string>.Empty, "partial class Network", "Network", tokens, features, new EquatableArray<LayerSpec>(layers), "None");
}

using Unrolled.Generator.Frontend;
using Unrolled.Generator.Tests.Harness;
using Xunit;

namespace Unrolled.Generator.Tests;

/// <summary>Compiled networks against the first oracle: their own equations in double precision, differentiated by central differences.</summary>
public sealed class GradientTests(ITestOutputHelper output)
{
    private const int Seed = 20261121;

    private static readonly int[] Sizes = [1, 3, 5, 8, 16, 17, 31, 64, 100];
    private static readonly int[] Batches = [1, 3, 16, 17, 33];
    private static readonly int[] Steps = [1, 2, 3, 7, 16, 50];

    private static readonly Kind[] Kinds =
    [
        new("rnn_tanh", (name, units, bias) => TestLayer.Rnn(name, units, "tanh", bias)),
        new("rnn_relu", (name, units, bias) => TestLayer.Rnn(name, units, "relu", bias)),
        new("rnn_sigmoid", (name, units, bias) => TestLayer.Rnn(name, units, "sigmoid", bias)),
        new("rnn_identity", (name, units, bias) => TestLayer.Rnn(name, units, "identity", bias)),
        new("lstm", (name, units, bias) => TestLayer.Lstm(name, units, peepholes: false, bias)),
        new("lstm_peephole", (name, units, bias) => TestLayer.Lstm(name, units, peepholes: true, bias)),
        new("gru_reset_after", (name, units, bias) => TestLayer.Gru(name, units, resetAfter: true, bias)),
        new("gru_reset_before", (name, units, bias) => TestLayer.Gru(name, units, resetAfter: false, bias)),
        new("dense_tanh", (name, units, bias) => TestLayer.Dense(name, units, "tanh", bias)),
    ];

    private enum Stack
    {
        /// <summary>The layer alone.</summary>
        One,

        /// <summary>Two of them, the second of another size.</summary>
        Two,

        /// <summary>A dense layer on top.</summary>
        Headed,
    }

    private sealed record Kind(string Name, Func<string, int, bool, TestLayer> Create);

    private sealed record Case(TestNetwork Network, int Rows, int Steps, double Conditioning = 1);

    private static readonly Dictionary<string, Case> BuiltIn = SelectBuiltIn();

    private static readonly Dictionary<string, Case> Own = ListOwn();

    internal static readonly ModelSet Models = new(BuiltIn.Values.Concat(Own.Values).Select(test => test.Network));

    public static TheoryData<string> BuiltInCells => [.. BuiltIn.Keys];

    public static TheoryData<string> OwnCells => [.. Own.Keys];

    [Theory]
    [MemberData(nameof(BuiltInCells))]
    [Trait("Category", "Emitted")]
    public void BuiltInCellsAgreeWithTheirEquations(string name) => Check(BuiltIn[name]);

    [Theory]
    [MemberData(nameof(OwnCells))]
    [Trait("Category", "Emitted")]
    public void CellsOfOnesOwnAgreeWithTheirEquations(string name) => Check(Own[name]);

    [Theory]
    [InlineData("rnn_tanh")]
    [InlineData("lstm_peephole")]
    [InlineData("gru_reset_after")]
    [InlineData("gru_reset_before")]
    [Trait("Category", "Emitted")]
    [Trait("Category", "EmittedSmall")]
    public void SmallNetworksAgreeWithTheirEquations(string kind)
    {
        TestNetwork network = SmallModels["Small_" + kind];
        GradientCheck.Run(network, SmallModels.Create(network.Class), rows: 3, steps: 3, Seed, output: output);
    }

    internal static readonly ModelSet SmallModels = new(
        Kinds.Select(kind => new TestNetwork("Small_" + kind.Name, 0, 5, [kind.Create("first", 17, true), TestLayer.Dense("head", 3)])));

    private void Check(Case test) =>
        GradientCheck.Run(test.Network, Models.Create(test.Network.Class), test.Rows, test.Steps, Seed, test.Conditioning, output);

    private static Dictionary<string, Case> SelectBuiltIn()
    {
        // Factors: cell, stack, tokens or features, bias, loss, input size, units, batch, steps.
        int[] levels = [Kinds.Length, 3, 2, 2, 3, Sizes.Length, Sizes.Length, Batches.Length, Steps.Length];
        var cases = new Dictionary<string, Case>();
        foreach (int[] pick in Pairwise.Select(levels, pick => Cost(Read(pick)), Seed))
        {
            Case test = Read(pick);
            cases.Add(test.Network.Class, test);
        }

        // Pairs alone never put a wide cell, a large batch and many steps together.
        foreach (int[] pick in (int[][])[[5, 0, 0, 0, 0, 7, 8, 3, 3], [6, 2, 0, 0, 1, 6, 7, 4, 4], [7, 1, 1, 0, 2, 8, 6, 2, 5], [0, 0, 0, 0, 0, 8, 8, 1, 5]])
        {
            Case test = Read(pick);
            cases.TryAdd(test.Network.Class, test);
        }

        return cases;

        static Case Read(int[] pick)
        {
            Kind kind = Kinds[pick[0]];
            var stack = (Stack)pick[1];
            bool tokens = pick[2] == 1;
            bool bias = pick[3] == 0;
            var loss = (Loss)pick[4];
            int size = Sizes[pick[5]];
            int units = Sizes[pick[6]];
            TestLayer[] layers = stack switch
            {
                Stack.One => [kind.Create("first", units, bias)],
                Stack.Two => [kind.Create("first", units, bias), kind.Create("second", (units + 3) / 2, bias)],
                _ => [kind.Create("first", units, bias), TestLayer.Dense("head", 11, bias: bias)],
            };
            string name = $"{kind.Name}_{stack}_{(tokens ? "tokens" : "features")}{size}_{units}{(bias ? "" : "_unbiased")}_{loss}_batch{Batches[pick[7]]}_steps{Steps[pick[8]]}";
            return new Case(new TestNetwork(name, tokens ? size : 0, tokens ? 0 : size, layers, loss), Batches[pick[7]], Steps[pick[8]]);
        }
    }

    /// <summary>Multiplications the oracle does for a case, its runs times their work, and what compiling it costs in the same unit.</summary>
    private static double Cost(Case test)
    {
        if (test.Network.Loss == Loss.SoftmaxCrossEntropy && test.Network.Layers[^1].Spec.Units == 1)
        {
            // The one class there is always right, and the generator says so.
            return double.PositiveInfinity;
        }

        double parameters = 0;
        int tensors = 0;
        int size = test.Network.Tokens + test.Network.Features;
        foreach (TestLayer layer in test.Network.Layers)
        {
            int units = layer.Spec.Units;
            int gates = layer.Spec.Cell switch { "lstm" => 4, "dense" or "rnn" => 1, _ => 3 };
            parameters += gates * units * (size + (layer.Spec.Cell == "dense" ? 0 : units) + 1.0);
            tensors += gates * 3;
            size = units;
        }

        double runs = parameters <= GradientCheck.EveryCoordinate ? parameters : tensors * 23;
        return 1e9 + 2 * runs * test.Rows * test.Steps * (parameters + 50 * size);
    }

    private static Dictionary<string, Case> ListOwn()
    {
        var cases = new Dictionary<string, Case>();

        // Zhou et al. 2016: one gate, which also acts before the product.
        Add("minimal_gated", """
            f[t] = sigmoid(W_f @ x[t] + U_f @ h[t-1] + b_f)
            h[t] = (1 - f[t]) * h[t-1] + f[t] * tanh(W_h @ x[t] + U_h @ (f[t] * h[t-1]) + b_h)
            """, features: 5, units: 17, rows: 3, steps: 7);

        // The output's equation first, as papers print; reads of several ages, of the input too.
        Add("delays", """
            h[t] = tanh(a[t] + U_1 @ h[t-1] + U_3 @ h[t-3] + w * x[t-2] + b)
            a[t] = W @ x[t] + V @ x[t-1] - v * a[t-2]
            """, features: 8, units: 8, rows: 3, steps: 7);

        // The same, one kind of delay at a time.
        Add("delayed_state", "h[t] = tanh(W @ x[t] + U @ h[t-2])", features: 8, units: 8, rows: 3, steps: 7);
        Add("delayed_input", "h[t] = tanh(W @ x[t] + V @ x[t-1])", features: 8, units: 8, rows: 3, steps: 7);
        Add("delayed_value", """
            a[t] = W @ x[t]
            h[t] = tanh(a[t] + v * a[t-1])
            """, features: 8, units: 8, rows: 3, steps: 7);

        // Zilly et al. 2017: the state climbs through several highway layers within a step.
        Add("recurrent_highway", """
            size depth = 3
            output s{depth}
            s{0}[t] = s{depth}[t-1]
            for k in 1..1 {
                p{k}[t] = tanh(W_h @ x[t] + R_h{k} @ s{k-1}[t] + b_h{k})
                g{k}[t] = sigmoid(W_g @ x[t] + R_g{k} @ s{k-1}[t] + b_g{k})
                s{k}[t] = p{k}[t] * g{k}[t] + s{k-1}[t] * (1 - g{k}[t])
            }
            for k in 2..depth {
                p{k}[t] = tanh(R_h{k} @ s{k-1}[t] + b_h{k})
                g{k}[t] = sigmoid(R_g{k} @ s{k-1}[t] + b_g{k})
                s{k}[t] = p{k}[t] * g{k}[t] + s{k-1}[t] * (1 - g{k}[t])
            }
            """, features: 3, units: 16, rows: 5, steps: 7, settings: [new CellSetting("depth", CellSettingKind.Size, 2, null)]);

        // Ba et al. 2016: normalised sums, each with its own gain and bias.
        Add("layer_norm_gates", """
            z[t] = sigmoid(g_1 * layer_norm(W_z @ x[t]) + g_2 * layer_norm(U_z @ h[t-1]) + b_z)
            n[t] = tanh(g_3 * layer_norm(W_n @ x[t] + U_n @ h[t-1]) + b_n)
            h[t] = h[t-1] + z[t] * (n[t] - h[t-1])
            """, features: 5, units: 17, rows: 3, steps: 4, conditioning: 4);

        // Sak et al. 2014: the output is a projection of a wider cell.
        Add("projection", """
            size cells = 2 * units + 3
            shape c : cells
            i[t] = sigmoid(W_i @ x[t] + U_i @ h[t-1] + b_i)
            f[t] = sigmoid(W_f @ x[t] + U_f @ h[t-1] + b_f)
            c[t] = f[t] * c[t-1] + i[t] * tanh(W_c @ x[t] + U_c @ h[t-1] + b_c)
            o[t] = sigmoid(W_o @ x[t] + U_o @ h[t-1] + b_o)
            h[t] = P @ (o[t] * tanh(c[t]))
            """, features: 5, units: 8, rows: 3, steps: 5);

        // Tied weights: one matrix both ways, and one read by two equations.
        Add("transpose_tied", """
            h[t] = tanh(e[t] + U @ h[t-1])
            e[t] = W @ x[t]
            y[t] = transpose(W) @ h[t] + U_2 @ (transpose(U_2) @ x[t-1]) + b
            output y
            shape h : 13
            """, features: 5, units: 5, rows: 3, steps: 4);

        Add("tied", "h[t] = tanh(W @ x[t] + W @ h[t-1])", features: 8, units: 8, rows: 3, steps: 5);
        Add("transposed", "h[t] = tanh(transpose(W) @ x[t] + transpose(U) @ h[t-1])", features: 5, units: 17, rows: 3, steps: 5);

        // Reductions, softmax, division, a parameter of one element.
        Add("reductions", """
            shape s : 1
            a[t] = softmax(W_a @ x[t] + U_a @ h[t-1])
            m[t] = mean(square(h[t-1])) + s
            h[t] = tanh(a[t] * sum(x[t]) + W @ x[t] / (1 + m[t] * m[t]) - mean(x[t]) + b)
            """, features: 7, units: 17, rows: 3, steps: 5, conditioning: 4);

        // Families over layers: every layer sees every layer's state (Chung et al. 2015).
        Add("gated_feedback", """
            size depth = 2
            output h{depth}
            h{1}[t] = tanh(W @ x[t] + sum{j in 1..depth}(sigmoid(w{1,j} * h{j}[t-1] + b{1,j}) * (U{1,j} @ h{j}[t-1])))
            for k in 2..depth {
                h{k}[t] = tanh(V{k} @ h{k-1}[t] + sum{j in 1..depth}(sigmoid(w{k,j} * h{j}[t-1] + b{k,j}) * (U{k,j} @ h{j}[t-1])))
            }
            """, features: 3, units: 9, rows: 3, steps: 4, settings: [new CellSetting("depth", CellSettingKind.Size, 3, null)]);

        // One product over operands side by side, as many papers write it.
        Add("concatenated", """
            z[t] = sigmoid(W_z @ concat(x[t], h[t-1]) + b_z)
            c[t] = tanh(W_c @ concat(x[t], z[t] * h[t-1], x[t-1]) + b_c)
            h[t] = z[t] * h[t-1] + (1 - z[t]) * c[t]
            """, features: 5, units: 17, rows: 3, steps: 4);

        // The smooth functions of the table, each on a path of its own.
        Add("smooth_functions", """
            a[t] = W @ x[t] + U @ h[t-1] + b
            h[t] = 0.2 * (softplus(a[t]) + softsign(a[t]) + silu(a[t]) + exp(-square(a[t])) + log(1 + square(a[t])) + sqrt(1 + a[t] * a[t])) + elu(a[t], 0.7) - identity(a[t])
            """, features: 5, units: 17, rows: 3, steps: 3, conditioning: 4);

        Add("usual_slopes", "h[t] = leaky_relu(W @ x[t] + b) + elu(U @ h[t-1])", features: 5, units: 17, rows: 3, steps: 3);

        Add("gelu", "h[t] = gelu(W @ x[t] + U @ h[t-1] + b)", features: 5, units: 17, rows: 3, steps: 3, conditioning: 2);

        // The functions with kinks.
        Add("piecewise_functions", """
            a[t] = W @ x[t] + U @ h[t-1] + b
            c[t] = V @ x[t]
            h[t] = 0.3 * (leaky_relu(a[t], 0.1) + hard_sigmoid(4 * a[t]) + hard_tanh(2 * a[t]) + abs(a[t]) + min(a[t], c[t]) + max(2 * a[t], c[t]) + clip(a[t], -0.3, 0.4))
            """, features: 5, units: 5, rows: 2, steps: 3);

        // A parameter bound to a number, a param that is a number, negation.
        Add("bindings", """
            param rate = 0.5
            param act = tanh
            h[t] = (1 - rate) * h[t-1] + rate * act(W @ x[t] - (-(U @ h[t-1])) + w * h[t-1] + b)
            """, features: 5, units: 16, rows: 3, steps: 5, settings:
            [
                new CellSetting("rate", CellSettingKind.Number, 0.25, null),
                new CellSetting("act", CellSettingKind.Function, 0, "softsign"),
                new CellSetting("w", CellSettingKind.Number, 0, null),
            ]);

        // Small shapes of equations, each of which the compiler must see through in its own way: parameters alone, values that
        // pass unchanged, delayed values as outputs, numbers that vanish.
        Add("leaky_learned", "h[t] = sigmoid(a) * h[t-1] + (1 - sigmoid(a)) * tanh(W @ x[t] + U @ h[t-1])", features: 5, units: 17, rows: 3, steps: 5);
        Add("autonomous", "h[t] = tanh(U @ h[t-1] + b)", features: 5, units: 17, rows: 3, steps: 5);
        Add("diagonal_input", "h[t] = tanh(w * x[t] + U @ h[t-1])", features: 17, units: 17, rows: 3, steps: 5);
        Add("residual", "h[t] = x[t] + tanh(W @ x[t] + U @ h[t-1] + b)", features: 17, units: 17, rows: 3, steps: 5);
        Add("integrator", "h[t] = W @ x[t] + h[t-1]", features: 5, units: 17, rows: 3, steps: 5);
        Add("state_enters_whole", "h[t] = tanh(W @ x[t] + h[t-1])", features: 5, units: 17, rows: 3, steps: 5);
        Add("chained_products", "h[t] = tanh(U @ tanh(V @ tanh(W @ x[t] + h[t-1])))", features: 17, units: 17, rows: 3, steps: 5);
        Add("shared_vector", """
            z[t] = sigmoid(W @ x[t] + U @ h[t-1] + b)
            h[t] = z[t] * h[t-1] + b * tanh(V @ x[t] + b)
            """, features: 5, units: 17, rows: 3, steps: 5);
        Add("product_of_a_parameter", "h[t] = tanh(W @ x[t] + U @ (w * h[t-1]) + V @ b)", features: 5, units: 17, rows: 3, steps: 5);
        Add("output_is_delayed", """
            h[t] = c[t-1]
            c[t] = tanh(W @ x[t] + U @ c[t-1])
            """, features: 5, units: 17, rows: 3, steps: 5);
        Add("input_delayed_only", "h[t] = x[t-1]", features: 5, units: 5, rows: 3, steps: 5);
        Add("output_reads_two_ages", """
            c[t] = tanh(W @ x[t] + U @ c[t-1])
            h[t] = c[t] + c[t-1]
            """, features: 5, units: 17, rows: 3, steps: 5);
        Add("products_in_a_row", """
            a[t] = tanh(W @ x[t] + U @ h[t-1])
            c[t] = tanh(V @ a[t])
            h[t] = tanh(Q @ c[t] + P @ a[t] + h[t-1])
            """, features: 5, units: 17, rows: 3, steps: 5);
        Add("product_of_sums", "h[t] = (W @ x[t] + b) * (U @ h[t-1] + c)", features: 5, units: 17, rows: 3, steps: 5);
        Add("quotient", "h[t] = (W @ x[t]) / (1 + square(U @ h[t-1]))", features: 5, units: 17, rows: 3, steps: 5);
        Add("negated_and_scaled", "h[t] = tanh(-(W @ x[t]) - U @ h[t-1] + 2 * V @ h[t-1] - b)", features: 5, units: 17, rows: 3, steps: 5);
        Add("product_read_twice", """
            a[t] = W @ x[t]
            h[t] = tanh(a[t] + U @ h[t-1]) * sigmoid(a[t])
            """, features: 5, units: 17, rows: 3, steps: 5);
        Add("numbers_that_vanish", "h[t] = 0.5 + 0 * x[t] + 1 * tanh(W @ x[t]) - 0", features: 17, units: 17, rows: 3, steps: 5);
        Add("feed_forward_gate", "h[t] = W @ x[t] * sigmoid(V @ x[t])", features: 5, units: 17, rows: 3, steps: 5);
        Add("cascade", """
            c[t] = tanh(w * c[t-1] + W @ x[t])
            d[t] = tanh(v * d[t-1] + c[t])
            h[t] = tanh(u * h[t-1] + d[t])
            """, features: 5, units: 17, rows: 3, steps: 5);
        Add("crossed_states", """
            a[t] = tanh(W @ x[t] + U @ c[t-1])
            c[t] = tanh(V @ x[t] + Q @ a[t-1])
            h[t] = a[t] * c[t]
            """, features: 5, units: 17, rows: 3, steps: 5);
        Add("value_of_one_element", """
            shape m : 1
            m[t] = 0.9 * m[t-1] + mean(x[t])
            h[t] = tanh(W @ x[t] + m[t] * (U @ h[t-1]))
            """, features: 5, units: 17, rows: 3, steps: 5);
        Add("bound_to_one", "h[t] = tanh(W @ x[t] + w * h[t-1] + b)", features: 5, units: 17, rows: 3, steps: 5, settings: [new CellSetting("w", CellSettingKind.Number, 1, null)]);
        // What parameters alone decide.
        Add("parameters_through_products", """
            shape V : 7, input
            shape v : 5
            h[t] = tanh(W @ x[t] + (transpose(V) @ tanh(V @ v)) * (U @ h[t-1]) + Q @ (P @ b) + b)
            """, features: 5, units: 5, rows: 3, steps: 5);
        Add("softmax_of_parameters", "h[t] = softmax(a) * tanh(W @ x[t]) + layer_norm(b) * h[t-1] + sum(c) * mean(a)", features: 5, units: 17, rows: 3, steps: 5, conditioning: 4);
        Add("concatenated_parameters", """
            shape a : 3
            shape b : 14
            h[t] = tanh(W @ concat(x[t], a) + U @ concat(a, b) + V @ concat(b, h[t-1]))
            """, features: 5, units: 17, rows: 3, steps: 5);
        Add("matrix_for_values_and_parameters", "h[t] = tanh(W @ x[t] + W @ b + W @ h[t-1] - sigmoid(b))", features: 17, units: 17, rows: 3, steps: 5);
        Add("output_of_parameters", "output y\nh[t] = tanh(W @ x[t] + U @ h[t-1])\ny[t] = V @ v + 0 * h[t]", features: 5, units: 17, rows: 3, steps: 5);
        Add("state_of_parameters", "z[t] = sigmoid(V @ v + b)\nh[t] = z[t] * tanh(W @ x[t] + U @ h[t-1]) + z[t-1]", features: 5, units: 17, rows: 3, steps: 5);
        Add("large_product_of_parameters", "h[t] = tanh(W @ x[t] + U @ h[t-1] + V @ sigmoid(v))", features: 8, units: 100, rows: 5, steps: 16);

        Add("concatenated_elements", "shape s : 1\nh[t] = tanh(W @ concat(x[t], 1, sum(h[t-1])) + U @ concat(s, mean(b), b))", features: 5, units: 17, rows: 3, steps: 4);
        Add("output_that_is_a_parameter", "output y\nh[t] = tanh(W @ x[t] + U @ h[t-1])\ny[t] = b + 0 * h[t]", features: 5, units: 17, rows: 3, steps: 4);

        // Rows that begin start from what was learned; GradientCheck leaves some of them fresh.
        Add("learned_start", "start h = learned\nh[t] = tanh(W @ x[t] + U @ h[t-1] + b)", features: 5, units: 17, rows: 3, steps: 5);
        Add("learned_starts_of_delays", """
            start h = learned
            start x = learned
            h[t] = tanh(W @ x[t] + V @ x[t-2] + U @ h[t-1] + w * h[t-3])
            """, features: 5, units: 17, rows: 4, steps: 5);
        Add("learned_start_of_a_cell", """
            start c = learned
            i[t] = sigmoid(W_i @ x[t] + U_i @ h[t-1] + b_i)
            c[t] = (1 - i[t]) * c[t-1] + i[t] * tanh(W_c @ x[t] + U_c @ h[t-1] + b_c)
            h[t] = tanh(c[t])
            """, features: 5, units: 16, rows: 5, steps: 7);
        Add("learned_start_used_again", "start h = learned\nh[t] = h_start + tanh(W @ x[t] + U @ (h[t-1] - h_start) + V @ h_start)", features: 5, units: 8, rows: 3, steps: 4);
        Add("learned_start_of_one_element", """
            shape m : 1
            start m = learned
            start h = learned
            m[t] = 0.9 * m[t-1] + mean(x[t])
            h[t] = tanh(W @ x[t] + m[t] * (U @ h[t-1]))
            """, features: 5, units: 17, rows: 3, steps: 5);
        Add("learned_starts_of_a_family", """
            size depth = 2
            output h{depth}
            for k in 1..depth {
                start h{k} = learned
            }
            h{1}[t] = tanh(W @ x[t] + U{1} @ h{1}[t-1])
            for k in 2..depth {
                h{k}[t] = tanh(V{k} @ h{k-1}[t] + U{k} @ h{k}[t-1])
            }
            """, features: 3, units: 9, rows: 3, steps: 4, settings: [new CellSetting("depth", CellSettingKind.Size, 3, null)]);
        Add("start_bound_to_a_number", "start h = learned\nh[t] = tanh(W @ x[t] + U @ h[t-1])", features: 5, units: 17, rows: 3, steps: 5, settings: [new CellSetting("h_start", CellSettingKind.Number, 0.5, null)]);
        Add("clip_to_a_parameter", "h[t] = clip(W @ x[t] + U @ h[t-1], -0.5, b)", features: 5, units: 5, rows: 2, steps: 3);

        return cases;

        void Add(string name, string text, int features, int units, int rows, int steps, double conditioning = 1, CellSetting[]? settings = null)
        {
            TestLayer[] layers = [TestLayer.Own("cell", text, units, settings ?? []), TestLayer.Dense("head", 3)];
            cases.Add(name, new Case(new TestNetwork("Own_" + name, 0, features, layers), rows, steps, conditioning));
        }
    }
}

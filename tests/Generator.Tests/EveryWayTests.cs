using Unrolled.Generator.Frontend.Equations;
using Unrolled.Generator.Tests.Harness;
using Xunit;

namespace Unrolled.Generator.Tests;

/// <summary>Cells that once were other networks in a step of one row, and such as fold to numbers: every way of running them, and their gradients.</summary>
public sealed class EveryWayTests(ITestOutputHelper output)
{
    private static readonly Dictionary<string, TestNetwork> Networks = List();

    internal static readonly ModelSet Models = new(Networks.Values);

    public static TheoryData<string> Names => [.. Networks.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    [Trait("Category", "Emitted")]
    public void Every_way_of_running_a_network_has_the_same_bits(string name) => EveryWay.Check(Models.Create(name, seed: 1));

    [Theory]
    [MemberData(nameof(Names))]
    [Trait("Category", "Emitted")]
    public void Networks_agree_with_their_equations(string name) => GradientCheck.Run(Networks[name], Models.Create(name), rows: 3, steps: 4, seed: 7, conditioning: 4, output);

    private static Dictionary<string, TestNetwork> List()
    {
        var networks = new Dictionary<string, TestNetwork>();

        // One product in two sums; one product read twice; values shared along a family of delays.
        Cell("product_in_two_sums", """
            p[t] = tanh(U @ x[t] + W @ h[t-1])
            q[t] = tanh(U @ x[t] + V @ h[t-1])
            h[t] = p[t] * q[t]
            """);
        Cell("product_read_twice", """
            a[t] = V @ x[t]
            h[t] = tanh(a[t] + W @ h[t-1]) * a[t]
            """);
        Cell("family_of_delays", """
            b{1}[t] = relu(A @ x[t] + B @ x[t-1])
            b{2}[t] = relu(A @ x[t-1] + B @ x[t-2])
            b{3}[t] = relu(A @ x[t-2] + B @ x[t-3])
            h[t] = b{1}[t] + b{2}[t] + b{3}[t]
            """);
        Cell("sums_from_a_state", """
            p[t] = tanh(h[t-1] + W @ h[t-1])
            q[t] = tanh(h[t-1] + V @ h[t-1])
            h[t] = p[t] * q[t] + U @ x[t] * h[t-1]
            """);
        Cell("sums_from_a_bias", """
            p[t] = tanh(b + W @ h[t-1]) * b
            q[t] = tanh(b + transpose(W) @ h[t-1])
            h[t] = p[t] * q[t] + U @ x[t]
            """);

        // Four columns are few enough for a split sum, alone or among others.
        Cell("transposed_beside_transposed", """
            shape T : 4, 33
            shape a : 4
            a[t] = tanh(A @ x[t])
            h[t] = tanh(W @ x[t] + transpose(T) @ a[t] + transpose(R) @ h[t-1]) + 0.1 * R @ h[t-2] + 0.1 * transpose(T) @ a[t-1]
            """, 33);
        Cell("panels_of_two_widths", """
            q[t] = sigmoid(U @ x[t] + V @ h[t-1] + b)
            g[t] = sigmoid(W @ x[t] + S @ h[t-1])
            h[t] = q[t] * g[t] * h[t-1] + tanh(0.7 * (h[t-4] + R @ h[t-4]))
            """, 33);

        // What folds to a number keeps its elements: it fills a vector, and a sum counts them.
        Cell("all_zero", "h[t] = 0 * tanh(W @ x[t])");
        Cell("a_number", "h[t] = 0.5 + 0 * tanh(W @ x[t] + U @ h[t-1])");
        Cell("sum_of_numbers", """
            shape v : 5
            v[t] = 0 * (W @ x[t]) + 0.25
            h[t] = tanh(U @ x[t]) + sum(v[t]) * concat(v[t]) + V @ v[t]
            """);
        Cell("sum_of_one_element", """
            shape m : 1
            shape v : 5
            m[t] = mean(x[t])
            v[t] = 0 * (W @ x[t]) + m[t]
            h[t] = tanh(U @ x[t]) * sum(v[t]) + Q @ concat(v[t], x[t]) + mean(v[t]) + R @ v[t]
            """);
        Cell("numbered_state", """
            s[t] = 0 * (W @ x[t]) + 0.5
            h[t] = tanh(U @ x[t] + V @ s[t-1]) + s[t-2]
            """);
        Cell("state_of_zeros", """
            h[t] = tanh(W @ x[t] + U @ c[t-1])
            c[t] = 0 * h[t]
            """);
        Cell("normalised_numbers", """
            v[t] = 0 * (W @ x[t]) + 2
            h[t] = softmax(v[t]) + layer_norm(v[t]) + U @ x[t]
            """);
        foreach ((string name, FunctionValue function) in new[] { ("affine", Of("affine", 0, 1)), ("scaled_tanh", Of("scaled_tanh", 0, 1)), ("hard_sigmoid", Of("hard_sigmoid", 0, 0.5)) })
        {
            // Above the layer, below it and between two.
            TestLayer constant = TestLayer.Dense("constant", 4).With(("activation", function));
            Add(new TestNetwork(name + "_last", 0, 3, [TestLayer.Rnn("first", 5), constant]));
            Add(new TestNetwork(name + "_between", 0, 3, [TestLayer.Dense("first", 6), constant, TestLayer.Lstm("last", 5)]));
        }

        Add(new TestNetwork("numbers_between", 5, 0, [TestLayer.Own("first", "h[t] = 0 * (W @ x[t]) + 1", 4), TestLayer.Gru("last", 5)], Loss.SoftmaxCrossEntropy));
        return networks;

        void Cell(string name, string text, int units = 5) => Add(new TestNetwork(name, 0, 3, [TestLayer.Own("cell", text, units)]));

        void Add(TestNetwork network) => networks.Add(network.Class, network);

        static FunctionValue Of(string name, params double[] numbers) => new(name, null, new EquatableArray<double>(numbers));
    }
}

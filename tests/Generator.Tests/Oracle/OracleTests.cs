using Unrolled.Generator.Frontend;
using Unrolled.Generator.Tests.Harness;
using Xunit;

namespace Unrolled.Generator.Tests.Oracle;

/// <summary>The oracle itself, against formulas worked out by hand.</summary>
public sealed class OracleTests
{
    [Fact]
    public void RunsAnLstmLikeOneWrittenByHand()
    {
        const int Features = 3;
        const int Units = 2;
        const int Rows = 2;
        const int Steps = 4;
        TestLayer layer = TestLayer.Lstm("lstm", Units, peepholes: true);
        string[] gates = ["i", "f", "c", "o"];
        var layout = Layout(
            Features,
            Units,
            [.. gates.SelectMany(gate => new[] { Matrix($"lstm.W_x{gate}", Units, Features), Matrix($"lstm.W_h{gate}", Units, Units), Vector($"lstm.b_{gate}", Units) }),
                Vector("lstm.w_ci", Units), Vector("lstm.w_cf", Units), Vector("lstm.w_co", Units)],
            [new StateInfo("lstm.h", Units), new StateInfo("lstm.c", Units)]);
        var oracle = new EquationOracle([layer.Spec], layout);
        var random = new Random(1);
        foreach (double[] values in oracle.Parameters.Values)
        {
            Fill(values, random);
        }

        var inputs = new double[Steps * Rows * Features];
        var states = new double[Rows * 2 * Units];
        Fill(inputs, random);
        Fill(states, random);
        OracleRun run = oracle.Run(inputs, states, Rows);

        for (int row = 0; row < Rows; row++)
        {
            double[] h = states[(row * 4)..(row * 4 + 2)];
            double[] c = states[(row * 4 + 2)..(row * 4 + 4)];
            for (int step = 0; step < Steps; step++)
            {
                double[] x = inputs[((step * Rows + row) * Features)..((step * Rows + row + 1) * Features)];
                double[] newH = new double[Units];
                double[] newC = new double[Units];
                for (int u = 0; u < Units; u++)
                {
                    double i = Logistic(Sum("i", u) + Of("w_ci", u) * c[u]);
                    double f = Logistic(Sum("f", u) + Of("w_cf", u) * c[u]);
                    newC[u] = f * c[u] + i * Math.Tanh(Sum("c", u));
                    double o = Logistic(Sum("o", u) + Of("w_co", u) * newC[u]);
                    newH[u] = o * Math.Tanh(newC[u]);
                    Assert.Equal(newH[u], run.Outputs[(step * Rows + row) * Units + u], 1e-14);
                }

                (h, c) = (newH, newC);

                double Sum(string gate, int u)
                {
                    double sum = Of("b_" + gate, u);
                    for (int k = 0; k < Features; k++)
                    {
                        sum += oracle.Parameters["lstm.W_x" + gate][u * Features + k] * x[k];
                    }

                    for (int k = 0; k < Units; k++)
                    {
                        sum += oracle.Parameters["lstm.W_h" + gate][u * Units + k] * h[k];
                    }

                    return sum;
                }
            }

            Assert.Equal([.. h, .. c], run.FinalStates[(row * 4)..(row * 4 + 4)], (a, b) => Math.Abs(a - b) < 1e-14);
        }

        double Of(string name, int unit) => oracle.Parameters["lstm." + name][unit];

        static double Logistic(double a) => 1 / (1 + Math.Exp(-a));
    }

    [Fact]
    public void DifferencesOfALinearRecurrenceAreItsPowers()
    {
        // h[t] = w h[t-1] + v x[t]: after T steps d h / d h0 = w^T, d h / d x_1 = v w^(T-1), d h / d w = T w^(T-1) h0 + v sum (T-1-k) w^(T-2-k) x_k.
        TestLayer layer = TestLayer.Own("line", "h[t] = w * h[t-1] + v * x[t]", 1);
        var oracle = new EquationOracle([layer.Spec], Layout(1, 1, [Vector("line.w", 1), Vector("line.v", 1)], [new StateInfo("line.h", 1)]));
        const double W = 0.9;
        const double V = 0.7;
        oracle.Parameters["line.w"][0] = W;
        oracle.Parameters["line.v"][0] = V;
        double[] inputs = [0.3, -0.2, 0.5, 0.1];
        double[] initial = [0.4];
        double[] outputGradients = [0, 0, 0, 1];
        var differences = new CentralDifferences(oracle, new LinearLoss(outputGradients, [0], 1), inputs, initial, 1);

        Assert.Equal(Math.Pow(W, 4), differences.InitialState(0).Values[0], 1e-9);
        Assert.Equal(V * Math.Pow(W, 3), differences.Input(0, 0).Values[0], 1e-9);
        double byW = 4 * Math.Pow(W, 3) * initial[0];
        for (int k = 0; k < 3; k++)
        {
            byW += V * (3 - k) * Math.Pow(W, 2 - k) * inputs[k];
        }

        Assert.Equal(byW, differences.Parameter("line.w", 0).Values[0], 1e-9);
        Assert.Equal(2 * byW, differences.Parameter("line.w", [2.0]).Values[0], 1e-8);
        Assert.Equal(W, oracle.Parameters["line.w"][0]);
    }

    [Fact]
    public void RowsOfABatchAreIndependent()
    {
        TestLayer layer = TestLayer.Own("line", "h[t] = tanh(w * h[t-1] + x[t])", 1);
        var oracle = new EquationOracle([layer.Spec], Layout(1, 1, [Vector("line.w", 1)], [new StateInfo("line.h", 1)]));
        oracle.Parameters["line.w"][0] = 0.8;
        double[] inputs = [0.3, -0.2, 0.5, 0.1];
        double[] both = oracle.Run(inputs, [0.1, 0.2], 2).Outputs;
        Assert.Equal(oracle.Run([0.3, 0.5], [0.1], 1).Outputs, new[] { both[0], both[2] });
        Assert.Equal(oracle.Run([-0.2, 0.1], [0.2], 1).Outputs, new[] { both[1], both[3] });

        double[] ofBoth = new CentralDifferences(oracle, new LinearLoss([1, 1, 1, 1], [0, 0], 1), inputs, [0.1, 0.2], 2).Input(0, 0).Values;
        double ofFirst = new CentralDifferences(oracle, new LinearLoss([1, 1], [0], 1), [0.3, 0.5], [0.1], 1).Input(0, 0).Values[0];
        Assert.Equal(ofFirst, ofBoth[0], 1e-9);
        Assert.NotEqual(ofBoth[0], ofBoth[1], 1e-3);
    }

    [Fact]
    public void DelaysRememberSeveralSteps()
    {
        TestLayer layer = TestLayer.Own("echo", "h[t] = x[t-2] + 10 * h[t-3]", 1);
        var oracle = new EquationOracle(
            [layer.Spec],
            Layout(
                1, 1, [],
                [new StateInfo("echo.h", 1), new StateInfo("echo.h[t-2]", 1), new StateInfo("echo.h[t-3]", 1), new StateInfo("echo.x", 1), new StateInfo("echo.x[t-2]", 1)]));
        OracleRun run = oracle.Run([1, 2, 3, 4, 5], [0.1, 0.2, 0.3, 0.4, 0.5], 1);
        double[] expected = [0.5 + 3, 0.4 + 2, 1 + 1, 2 + 35, 3 + 24];
        Assert.Equal(expected, run.Outputs, (a, b) => Math.Abs(a - b) < 1e-12);
        Assert.Equal([expected[4], expected[3], expected[2], 5, 4], run.FinalStates, (a, b) => Math.Abs(a - b) < 1e-12);
    }

    [Fact]
    public void AStepAcrossAKinkIsNoticed()
    {
        TestLayer layer = TestLayer.Own("ramp", "h[t] = relu(w * x[t])", 1);
        var oracle = new EquationOracle([layer.Spec], Layout(1, 1, [Vector("ramp.w", 1)], []));
        oracle.Parameters["ramp.w"][0] = 0;
        Assert.True(new CentralDifferences(oracle, new LinearLoss([1], [], 1), [1.0], [], 1).Parameter("ramp.w", 0).CrossesKink);
        oracle.Parameters["ramp.w"][0] = 3e-6;
        Quotient quotient = new CentralDifferences(oracle, new LinearLoss([1], [], 1), [1.0], [], 1).Parameter("ramp.w", 0);
        Assert.False(quotient.CrossesKink);
        Assert.Equal(1, quotient.Values[0], 1e-6);
    }

    [Fact]
    public void OutputsThatPrecedeTheirOperandsAndTiesBetweenLayersWork()
    {
        TestLayer first = TestLayer.Own("first", "h[t] = 2 * a[t]\na[t] = transpose(W) @ (W @ x[t])", 2);
        TestLayer second = TestLayer.Own("second", "h[t] = concat(sum(x[t]) * x[t], b)", 3);
        var oracle = new EquationOracle([first.Spec, second.Spec], Layout(2, 3, [Matrix("first.W", 1, 2), Vector("second.b", 1)], []));
        oracle.Parameters["first.W"][0] = 2;
        oracle.Parameters["first.W"][1] = 3;
        oracle.Parameters["second.b"][0] = 7;

        // W x = 2 - 3 = -1; a = (-2, -3); h = (-4, -6), sum -10.
        Assert.Equal([40.0, 60.0, 7.0], oracle.Run([1.0, -1.0], [], 1).Outputs);
    }

    /// <summary>What a compiler that took a shape line for something else would be caught by.</summary>
    [Theory]
    [InlineData("shape a : 1\na[t] = sigmoid(W_a @ x[t])\nh[t] = a[t] * x[t]", 1, null)]
    [InlineData("shape a : 1\na[t] = sigmoid(W_a @ x[t])\nh[t] = a[t] * x[t]", 3, "'a' of 'cell' is 3 x 1 against its shape line")]
    [InlineData("shape W_a : 1, input\nh[t] = (W_a @ x[t]) * x[t]", 1, null)]
    [InlineData("shape W_a : 1, input\nh[t] = (W_a @ x[t]) * x[t]", 3, "'W_a' of 'cell' is 3 x 3 against its shape line")]
    [InlineData("a[t] = W_a @ x[t]\nh[t] = a[t] * x[t]", 1, "a vector of one element is taken 3 times in 'cell': a[t]")]
    [InlineData("size n = 1\nshape a : n\na[t] = W_a @ x[t]\nh[t] = max(a[t], x[t])", 1, "a vector of one element is taken 3 times in 'cell': a[t]")]
    public void HoldsShapesToWhatTheTextSays(string text, int rows, string? mistake)
    {
        TestLayer layer = TestLayer.Own("cell", text, 3);
        Exception? thrown = Record.Exception(() => new EquationOracle([layer.Spec], Layout(3, 3, [Matrix("cell.W_a", rows, 3)], [])));
        Assert.Equal(mistake, thrown?.Message);
    }

    [Theory]
    [InlineData(0.5, 0.5204998778130465)]
    [InlineData(1.0, 0.8427007929497149)]
    [InlineData(-2.0, -0.9953222650189527)]
    [InlineData(3.0, 0.9999779095030014)]
    [InlineData(1e-5, 1.1283791670578999e-5)]
    public void ErrorFunctionHasItsTabulatedValues(double argument, double expected) =>
        Assert.Equal(expected, OracleFunctions.ErrorFunction(argument), 1e-15);

    [Fact]
    public void LossesAreTheirDefinitions()
    {
        var run = new OracleRun([1, 2, 3, 0, 0, 0], []);
        double first = Math.Log(Math.Exp(1 - 2) + 1 + Math.Exp(3 - 2));
        Assert.Equal(first, new CrossEntropyLoss([1, 0], 3, mean: false).RowTerms(run, 2)[0], 1e-12);
        Assert.Equal((first + Math.Log(3)) / 2, new CrossEntropyLoss([1, 0], 3, mean: true).Value(run, 2), 1e-12);
        Assert.Equal((1 + 4 + 9) / 6.0, new SquaredErrorLoss(new double[6], 3, mean: true).Value(run, 2), 1e-12);
    }

    [Fact]
    public void PairwiseSelectionCoversEveryPair()
    {
        int[] levels = [3, 4, 2, 5];
        List<int[]> selection = Pairwise.Select(levels, values => 1 + values[0], 5);
        int pairs = selection.SelectMany(Pairwise.Pairs).Distinct().Count();
        Assert.Equal(3 * 4 + 3 * 2 + 3 * 5 + 4 * 2 + 4 * 5 + 2 * 5, pairs);
        Assert.InRange(selection.Count, 20, 40);
    }

    private static ModelLayout Layout(int features, int outputs, (string Name, int Rows, int Columns)[] parameters, StateInfo[] states)
    {
        int offset = 0;
        var infos = new List<ParameterInfo>();
        foreach ((string name, int rows, int columns) in parameters)
        {
            infos.Add(new ParameterInfo(name, rows, columns, new Initializer(InitializerKind.Zero), new PackedSegment(offset)));
            offset += Padding.Of(rows) * Math.Max(1, columns);
        }

        return new ModelLayout("Oracle", 0, features, outputs, Loss.None, offset, [.. infos], states);
    }

    private static (string Name, int Rows, int Columns) Matrix(string name, int rows, int columns) => (name, rows, columns);

    private static (string Name, int Rows, int Columns) Vector(string name, int length) => (name, length, 0);

    private static void Fill(double[] values, Random random)
    {
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = 2 * random.NextDouble() - 1;
        }
    }
}

using System.Runtime.InteropServices;

namespace Unrolled.Tests;

[Trait("Category", "InstructionSet")]
public class LossTests
{
    public static TheoryData<int, int> Shapes()
    {
        var data = new TheoryData<int, int>();
        foreach (int rows in (int[])[1, 2, 7])
        {
            foreach (int classes in (int[])[1, 2, 15, 16, 17, 31, 32, 33, 65, 1000])
            {
                data.Add(rows, classes);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Cross_entropy_and_its_gradient_are_those_of_double_precision(int rows, int classes)
    {
        foreach (float spread in (float[])[0, 1, 30, 1000])
        {
            float[] logits = Numbers.Normal(rows * classes, 1, spread);
            int[] targets = Numbers.Integers(rows, classes, 2);
            const float Scale = 0.375f;
            float[] gradients = Dirty(rows, classes);
            double sum = SoftmaxCrossEntropy.Forward(Padded(logits, rows, classes), targets, classes, Scale, gradients);
            Assert.Equal(sum, SoftmaxCrossEntropy.Forward(Padded(logits, rows, classes), targets, classes, Scale, []));

            double expected = 0;
            for (int row = 0; row < rows; row++)
            {
                double[] x = [.. logits.Skip(row * classes).Take(classes).Select(value => (double)value)];
                double greatest = x.Max();
                double total = x.Sum(value => Math.Exp(value - greatest));
                expected += Math.Log(total) + greatest - x[targets[row]];
                for (int k = 0; k < classes; k++)
                {
                    double gradient = Scale * (Math.Exp(x[k] - greatest) / total - (k == targets[row] ? 1 : 0));
                    Numbers.AssertClose(gradient, gradients[row * Padding.Of(classes) + k], 2e-6, 1e-7);
                }

                AssertPadding(gradients, row, classes);
            }

            Numbers.AssertClose(expected, sum, 1e-6, 1e-6 * rows);
        }
    }

    [Fact]
    public void Extreme_logits_give_finite_losses_and_gradients()
    {
        // Differences of 1e30 and more: probabilities are 0 and 1 exactly.
        float[] logits = [1e30f, -1e30f, float.MaxValue, -3e38f, 0];
        float[] gradients = Dirty(1, 5);
        Assert.Equal(0, SoftmaxCrossEntropy.Forward(Padded(logits, 1, 5), [2], 5, 1, gradients));
        Assert.All(gradients, value => Assert.Equal(0, value));
        double sum = SoftmaxCrossEntropy.Forward(Padded(logits, 1, 5), [3], 5, 1, gradients);
        Numbers.AssertClose((double)float.MaxValue + 3e38f, sum, 1e-12);
        Assert.Equal([0, 0, 1, -1, 0], gradients[..5]);

        // The same large number everywhere cancels.
        logits = [.. Enumerable.Repeat(3e38f, 20)];
        gradients = Dirty(1, 20);
        Numbers.AssertClose(Math.Log(20), SoftmaxCrossEntropy.Forward(Padded(logits, 1, 20), [7], 20, 1, gradients), 1e-6);
        Assert.All(gradients[..20].Index(), item => Numbers.AssertClose(item.Index == 7 ? -0.95 : 0.05, item.Item, 1e-6));

        // Classes that cannot be
        logits = [float.NegativeInfinity, 0, float.NegativeInfinity, 0];
        gradients = Dirty(1, 4);
        Numbers.AssertClose(Math.Log(2), SoftmaxCrossEntropy.Forward(Padded(logits, 1, 4), [1], 4, 1, gradients), 1e-7);
        Assert.Equal([0, -0.5f, 0, 0.5f], gradients[..4]);
        Assert.Equal(double.PositiveInfinity, SoftmaxCrossEntropy.Forward(Padded(logits, 1, 4), [0], 4, 1, gradients));
        Assert.Equal([-1, 0.5f, 0, 0.5f], gradients[..4]);
    }

    [Fact]
    public void A_logit_that_is_no_number_shows_in_the_loss()
    {
        for (int place = 0; place < 20; place++)
        {
            float[] logits = new float[20];
            logits[place] = float.NaN;
            Assert.True(double.IsNaN(SoftmaxCrossEntropy.Forward(Padded(logits, 1, 20), [5], 20, 1, [])));
        }
    }

    [Fact]
    public void A_row_s_gradient_does_not_depend_on_its_neighbours()
    {
        const int Rows = 5;
        const int Classes = 37;
        float[] logits = Padded(Numbers.Normal(Rows * Classes, 1, 3), Rows, Classes);
        int[] targets = Numbers.Integers(Rows, Classes, 2);
        float[] together = Dirty(Rows, Classes);
        SoftmaxCrossEntropy.Forward(logits, targets, Classes, 0.1f, together);
        int stride = Padding.Of(Classes);
        for (int row = 0; row < Rows; row++)
        {
            float[] alone = Dirty(1, Classes);
            SoftmaxCrossEntropy.Forward(logits.AsSpan(row * stride, stride), targets.AsSpan(row, 1), Classes, 0.1f, alone);
            Assert.Equal(together[(row * stride)..((row + 1) * stride)], alone);
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Squared_error_and_its_gradient_are_those_of_double_precision(int rows, int elements)
    {
        foreach (float spread in (float[])[1e-20f, 1, 1e25f])
        {
            float[] outputs = Numbers.Normal(rows * elements, 1, spread);
            float[] targets = Numbers.Normal(rows * elements, 2, spread);
            const float Scale = 0.375f;
            float[] gradients = Dirty(rows, elements);
            double sum = SquaredError.Forward(Padded(outputs, rows, elements), targets, rows, elements, Scale, gradients);
            Assert.Equal(sum, SquaredError.Forward(Padded(outputs, rows, elements), targets, rows, elements, Scale, []));
            double expected = 0;
            for (int row = 0; row < rows; row++)
            {
                for (int k = 0; k < elements; k++)
                {
                    // The difference is rounded to float, as everything the network computes is.
                    float error = outputs[row * elements + k] - targets[row * elements + k];
                    expected += (double)error * error;
                    Assert.Equal(error * 0.75f, gradients[row * Padding.Of(elements) + k]);
                }

                AssertPadding(gradients, row, elements);
            }

            Numbers.AssertClose(expected, sum, 1e-13);
        }
    }

    [Fact]
    public void Sums_have_one_order_on_every_machine()
    {
        const int Rows = 9;
        const int Elements = 77;
        float[] outputs = Padded(Numbers.Normal(Rows * Elements, 1), Rows, Elements);
        double sum = SquaredError.Forward(outputs, Numbers.Normal(Rows * Elements, 2), Rows, Elements, 1, []);
        Assert.Equal(SumInVirtualLanes(), sum);

        double SumInVirtualLanes()
        {
            float[] targets = Padded(Numbers.Normal(Rows * Elements, 2), Rows, Elements);
            double[] lanes = new double[16];
            for (int i = 0; i < outputs.Length; i++)
            {
                double error = i % Padding.Of(Elements) < Elements ? outputs[i] - targets[i] : 0;
                lanes[i % 16] += error * error;
            }

            for (int half = 8; half > 0; half /= 2)
            {
                for (int lane = 0; lane < half; lane++)
                {
                    lanes[lane] += lanes[lane + half];
                }
            }

            return lanes[0];
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void On_spans_losses_are_those_of_a_trainer(int rows, int elements)
    {
        float[] outputs = Numbers.Normal(rows * elements, 1, 3), values = Numbers.Normal(rows * elements, 2, 3), gradients = new float[rows * elements];
        int[] classes = Numbers.Integers(rows, elements, 2);
        foreach (LossReduction reduction in Enum.GetValues<LossReduction>())
        {
            float scale = reduction == LossReduction.Mean ? 1f / rows : 1;
            float[] expected = Dirty(rows, elements);
            double sum = SoftmaxCrossEntropy.Forward(Padded(outputs, rows, elements), classes, elements, scale, expected);
            float loss = (float)(reduction == LossReduction.Mean ? sum * (1.0 / rows) : sum);
            Assert.Equal(loss, SoftmaxCrossEntropy.Evaluate(outputs, classes, reduction));
            Assert.Equal(loss, SoftmaxCrossEntropy.ForwardBackward(outputs, classes, gradients, reduction));
            Assert.Equal(Dense(expected, rows, elements), gradients);
            float[] replaced = [.. outputs];
            Assert.Equal(loss, SoftmaxCrossEntropy.ForwardBackward(replaced, classes, replaced, reduction));
            Assert.Equal(gradients, replaced);

            scale = reduction == LossReduction.Mean ? 1f / (rows * elements) : 1;
            sum = SquaredError.Forward(Padded(outputs, rows, elements), values, rows, elements, scale, expected);
            loss = (float)(reduction == LossReduction.Mean ? sum * (1.0 / (rows * elements)) : sum);

            // Rows of a trainer are summed lane by lane; here they run on. Both orders are of doubles.
            Numbers.AssertClose(loss, SquaredError.Evaluate(outputs, values, reduction), 2e-7);
            Numbers.AssertClose(loss, SquaredError.ForwardBackward(outputs, values, gradients, reduction), 2e-7);
            Assert.Equal(Dense(expected, rows, elements), gradients);
            replaced = [.. outputs];
            SquaredError.ForwardBackward(replaced, values, replaced, reduction);
            Assert.Equal(gradients, replaced);
            replaced = [.. values];
            SquaredError.ForwardBackward(outputs, replaced, replaced, reduction);
            Assert.Equal(gradients, replaced);
        }
    }

    [Fact]
    public void On_spans_losses_refuse_what_does_not_fit()
    {
        float[] memory = new float[12];
        Assert.Throws<ArgumentException>(() => SoftmaxCrossEntropy.Evaluate([], []));
        Assert.Throws<ArgumentException>(() => SoftmaxCrossEntropy.Evaluate([], [0]));
        Assert.Throws<ArgumentException>(() => SoftmaxCrossEntropy.Evaluate(new float[7], [0, 1]));
        Assert.Throws<ArgumentException>(() => SoftmaxCrossEntropy.ForwardBackward(new float[6], [0, 1], new float[5]));
        Assert.Throws<ArgumentException>(() => SoftmaxCrossEntropy.ForwardBackward(memory.AsSpan(0, 6), [0, 1], memory.AsSpan(1, 6)));
        Assert.Throws<ArgumentException>(() => SoftmaxCrossEntropy.ForwardBackward(new float[6], MemoryMarshal.Cast<float, int>(memory.AsSpan(5, 2)), memory.AsSpan(0, 6)));
        Assert.Throws<ArgumentOutOfRangeException>(() => SoftmaxCrossEntropy.Evaluate(new float[6], [0, 1], (LossReduction)7));
        var id = Assert.Throws<ArgumentOutOfRangeException>(() => SoftmaxCrossEntropy.Evaluate(new float[6], [0, 3]));
        Assert.StartsWith("The class id at 1 is 3; it must be 0 to 2.", id.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => SquaredError.Evaluate([], []));
        Assert.Throws<ArgumentException>(() => SquaredError.Evaluate(new float[6], new float[5]));
        Assert.Throws<ArgumentException>(() => SquaredError.ForwardBackward(new float[6], new float[6], new float[7]));
        Assert.Throws<ArgumentException>(() => SquaredError.ForwardBackward(memory.AsSpan(1, 6), new float[6], memory.AsSpan(0, 6)));
        Assert.Throws<ArgumentException>(() => SquaredError.ForwardBackward(new float[6], memory.AsSpan(1, 6), memory.AsSpan(0, 6)));
        Assert.Throws<ArgumentOutOfRangeException>(() => SquaredError.Evaluate(new float[6], new float[6], (LossReduction)7));
        Assert.All(memory, value => Assert.Equal(0, value));
    }

    /// <summary>Rows without their padding.</summary>
    private static float[] Dense(float[] padded, int rows, int length) =>
        [.. Enumerable.Range(0, rows).SelectMany(row => padded.Skip(row * Padding.Of(length)).Take(length))];

    /// <summary>Rows with NaN in the padding, which must not matter.</summary>
    private static float[] Padded(float[] values, int rows, int length)
    {
        float[] padded = Dirty(rows, length);
        for (int row = 0; row < rows; row++)
        {
            values.AsSpan(row * length, length).CopyTo(padded.AsSpan(row * Padding.Of(length)));
        }

        return padded;
    }

    private static float[] Dirty(int rows, int length)
    {
        float[] values = new float[rows * Padding.Of(length)];
        values.AsSpan().Fill(float.NaN);
        return values;
    }

    private static void AssertPadding(float[] values, int row, int length)
    {
        for (int i = length; i < Padding.Of(length); i++)
        {
            Assert.Equal(0f, values[row * Padding.Of(length) + i]);
        }
    }
}

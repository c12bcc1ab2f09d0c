namespace Unrolled.Tests;

/// <summary>The losses against PyTorch's numbers, and the reader against files another program wrote.</summary>
[Trait("Category", "InstructionSet")]
public class TorchLossTests
{
    [Fact]
    public void Cross_entropy_is_PyTorch_s()
    {
        SafetensorsFile file = Open("loss_ce_1_n17_i16_k11");
        int[] targets = file.ReadInt32("target");
        (int rows, int classes, float[] logits, float[] gradients) = Prepare(file);
        double sum = SoftmaxCrossEntropy.Forward(logits, targets, classes, 1f / rows, gradients);
        Numbers.AssertClose(file.ReadSingle("loss")[0], sum / rows, 5e-7);
        AssertGradients(file, rows, classes, gradients);
    }

    [Fact]
    public void Mean_squared_error_is_PyTorch_s()
    {
        SafetensorsFile file = Open("loss_mse_1_n17_i16_k11");
        (int rows, int elements, float[] outputs, float[] gradients) = Prepare(file);
        double sum = SquaredError.Forward(outputs, file.ReadSingle("target"), rows, elements, 1f / (rows * elements), gradients);
        Numbers.AssertClose(file.ReadSingle("loss")[0], sum / (rows * elements), 5e-7);
        AssertGradients(file, rows, elements, gradients);
    }

    private static SafetensorsFile Open(string name) =>
        SafetensorsFile.Open(Path.Combine(AppContext.BaseDirectory, "Torch", name + ".safetensors"));

    private static (int Rows, int Elements, float[] Outputs, float[] Gradients) Prepare(SafetensorsFile file)
    {
        (int rows, int elements) = ((int)file.Shape("logits")[0], (int)file.Shape("logits")[1]);
        float[] outputs = new float[rows * Padding.Of(elements)];
        PaddedRows.Write(file.ReadSingle("logits"), outputs, rows, elements);
        return (rows, elements, outputs, new float[outputs.Length]);
    }

    /// <summary>The dense layer before the loss adds up what the loss sends back: by itself for the bias, times its inputs for the weight.</summary>
    private static void AssertGradients(SafetensorsFile file, int rows, int elements, float[] gradients)
    {
        float[] x = file.ReadSingle("x");
        float[] weight = file.ReadSingle("grad.weight");
        float[] bias = file.ReadSingle("grad.bias");
        int inputs = (int)file.Shape("x")[1];
        for (int u = 0; u < elements; u++)
        {
            double Gradient(int row) => gradients[row * Padding.Of(elements) + u];
            Numbers.AssertClose(bias[u], Enumerable.Range(0, rows).Sum(Gradient), 1e-6, 1e-7);
            for (int k = 0; k < inputs; k++)
            {
                double expected = Enumerable.Range(0, rows).Sum(row => Gradient(row) * x[row * inputs + k]);
                Numbers.AssertClose(weight[u * inputs + k], expected, 1e-6, 2e-7);
            }
        }
    }
}

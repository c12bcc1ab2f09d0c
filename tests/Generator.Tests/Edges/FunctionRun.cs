using Unrolled.Generator.Tests.Harness;
using Xunit;

namespace Unrolled.Generator.Tests.Edges;

/// <summary>Runs the model of one function on a batch: what it gives, and what its slopes are.</summary>
internal sealed class FunctionRun : IDisposable
{
    private readonly IModel _model;
    private readonly ITrainer _trainer;
    private readonly int _elements;
    private readonly int _rows;

    public FunctionRun(IModel model, int rows)
    {
        _model = model;
        _elements = model.Layout.InputSize;
        _rows = rows;
        _trainer = model.CreateTrainer(rows, 1, new TrainerOptions { InputGradients = true });
    }

    public void SetParameter(int index, float[] values) => _model.Parameters.Set($"use.p{index}", values);

    /// <summary>The outputs, <c>[rows, elements]</c>: the same bits from a trainer, a session's run and its steps of one row.</summary>
    public float[] Values(float[] inputs)
    {
        var trained = new float[inputs.Length];
        _trainer.Forward(inputs);
        _trainer.GetOutputs(trained);

        var run = new float[inputs.Length];
        _model.CreateSession(_rows, 1).Run(inputs, run);
        AssertSame(trained, run, "a run");

        ISession single = _model.CreateSession();
        var stepped = new float[inputs.Length];
        for (int row = 0; row < _rows; row++)
        {
            single.Step(inputs.AsSpan(row * _elements, _elements), stepped.AsSpan(row * _elements, _elements));
        }

        AssertSame(trained, stepped, "steps");
        return trained;
    }

    /// <summary>Gradients of the inputs, <c>[rows, elements]</c>, for those of the outputs; of what <see cref="Values"/> computed last.</summary>
    public float[] Slopes(float[] outputGradients)
    {
        _trainer.Backward(outputGradients);
        var slopes = new float[outputGradients.Length];
        _trainer.GetInputGradients(slopes);
        return slopes;
    }

    /// <summary>The gradient of a parameter that <see cref="Slopes"/> computed, summed over rows.</summary>
    public float[] ParameterSlopes(int index)
    {
        var slopes = new float[_elements];
        _trainer.Gradients.Get($"use.p{index}", slopes);
        return slopes;
    }

    public void Dispose() => _trainer.Dispose();

    private static void AssertSame(float[] expected, float[] actual, string way)
    {
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(
                BitConverter.SingleToInt32Bits(expected[i]) == BitConverter.SingleToInt32Bits(actual[i]) || (float.IsNaN(expected[i]) && float.IsNaN(actual[i])),
                $"{way} give {actual[i]:R} where a trainer gives {expected[i]:R}, element {i}");
        }
    }
}

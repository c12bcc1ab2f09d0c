using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Unrolled;

/// <summary>
/// Changes a model's parameters by their gradients, in one pass over the packed block. A step allocates nothing, and gives the same bits
/// on every machine. Padding stays zero: what is zero in parameters and gradients stays zero.
/// </summary>
public abstract class Optimizer
{
    private float _learningRate;

    /// <summary>An optimizer of a model's parameters.</summary>
    /// <param name="model">The model.</param>
    /// <param name="learningRate">The learning rate, zero or positive.</param>
    /// <exception cref="ArgumentOutOfRangeException">The learning rate is negative or not a number.</exception>
    protected Optimizer(IModel model, float learningRate)
    {
        ArgumentNullException.ThrowIfNull(model);
        Parameters = model.Parameters;
        LearningRate = learningRate;
    }

    /// <summary>The learning rate, zero or positive; it may change from step to step.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The learning rate is negative or not a finite number.</exception>
    public float LearningRate
    {
        get => _learningRate;
        set
        {
            RequireNotNegative(value, nameof(LearningRate));
            _learningRate = value;
        }
    }

    /// <summary>The parameters it changes.</summary>
    protected ParameterBlock Parameters { get; }

    /// <summary>Changes the parameters once.</summary>
    /// <param name="gradients">The gradients of the loss to make smaller: a trainer's.</param>
    /// <exception cref="ArgumentException">The gradients belong to another model class.</exception>
    public abstract void Step(ParameterBlock gradients);

    /// <summary>Checks that gradients belong to the parameters.</summary>
    /// <exception cref="ArgumentException">They belong to another model class.</exception>
    protected void RequireLayout(ParameterBlock gradients) => ParameterBlock.RequireLayout(gradients, Parameters.Layout, nameof(gradients));

    private protected static void RequireNotNegative(float value, string name)
    {
        if (!(value >= 0 && float.IsFinite(value)))
        {
            throw new ArgumentOutOfRangeException(name, value, $"{name} must be zero or positive, and finite.");
        }
    }

    private protected static void RequireFraction(float value, string name)
    {
        if (!(value >= 0 && value < 1))
        {
            throw new ArgumentOutOfRangeException(name, value, $"{name} must be at least 0 and less than 1.");
        }
    }

    /// <summary>
    /// The number as it was written: 0.999f is 0.999 and not 0.99900001287. Coefficients close to 1 are subtracted from 1, where
    /// the difference would show.
    /// </summary>
    private protected static double AsWritten(float value) =>
        double.Parse(value.ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    // Blocks are whole multiples of 16 floats, and so of any vector.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private protected static Vector<float> Load(ref float block, int index) => Vector.LoadUnsafe(ref block, (nuint)index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private protected static void Store(Vector<float> values, ref float block, int index) => values.StoreUnsafe(ref block, (nuint)index);
}

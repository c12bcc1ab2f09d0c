using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Unrolled;

/// <summary>
/// Changes a model's parameters by their gradients, in one pass over the packed block. A step allocates nothing, and gives the same bits
/// on every machine. Padding stays zero: what is zero in parameters and gradients stays zero.
/// </summary>
/// <remarks>
/// What a step multiplies and what comes of it is a normal number or zero: below the smallest normal number, 1.2e-38, it is zero. Moments of
/// parameters that get no gradient, and parameters under weight decay, would come to denormal numbers, with which a step takes up to a
/// hundred times longer.
/// <see cref="OptimizerFiles"/> saves and loads an optimizer's state.
/// </remarks>
public abstract class Optimizer
{
    private readonly List<(string Name, ParameterBlock Block)> _states = [];
    private readonly List<(string Name, float Value)> _hyperparameters = [];
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

    /// <summary>How many steps were taken, those before a load included.</summary>
    public long StepCount { get; private set; }

    /// <summary>The parameters it changes.</summary>
    protected ParameterBlock Parameters { get; }

    /// <summary>The layout of the model whose parameters it changes.</summary>
    internal ModelLayout Layout => Parameters.Layout;

    /// <summary>What it remembers from step to step.</summary>
    internal IReadOnlyList<(string Name, ParameterBlock Block)> States => _states;

    /// <summary>The numbers it was made with, but for the learning rate.</summary>
    internal IReadOnlyList<(string Name, float Value)> Hyperparameters => _hyperparameters;

    /// <summary>Changes the parameters once.</summary>
    /// <param name="gradients">The gradients of the loss to make smaller: a trainer's.</param>
    /// <exception cref="ArgumentException">The gradients belong to another model class.</exception>
    public void Step(ParameterBlock gradients)
    {
        ParameterBlock.RequireLayout(gradients, Layout, nameof(gradients));
        StepCount++;
        Update(gradients);
    }

    /// <summary>Changes the parameters once; <see cref="StepCount"/> counts this step already.</summary>
    /// <param name="gradients">The gradients, of the parameters' layout.</param>
    protected abstract void Update(ParameterBlock gradients);

    /// <summary>A number for every parameter element that is remembered from step to step, zero at first; saved and loaded with the rest.</summary>
    /// <param name="name">What it is called in files, behind the parameter's name.</param>
    protected ParameterBlock AddState(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        var block = new ParameterBlock(Layout);
        _states.Add((name, block));
        return block;
    }

    /// <summary>Tells of a number the steps depend on and that stays what it is: a file with another one is refused.</summary>
    /// <param name="name">What it is called in files.</param>
    /// <param name="value">The number.</param>
    protected void AddHyperparameter(string name, float value)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        _hyperparameters.Add((name, value));
    }

    /// <summary>Goes on where another optimizer stopped, whose states have been taken over.</summary>
    internal void Resume(long stepCount, float learningRate)
    {
        StepCount = stepCount;
        LearningRate = learningRate;
    }

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

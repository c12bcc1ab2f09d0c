using System.Numerics;
using System.Runtime.CompilerServices;

namespace Unrolled;

/// <summary>
/// Adam (Kingma and Ba 2015, algorithm 1), with weight decay as PyTorch's Adam adds it, to the gradient:
/// <code>
/// g = gradient + weightDecay * p
/// m = beta1 * m + (1 - beta1) * g
/// v = beta2 * v + (1 - beta2) * g²
/// p = p - learningRate / (1 - beta1ᵗ) * m / (√v / √(1 - beta2ᵗ) + epsilon)
/// </code>
/// </summary>
public sealed class Adam : Optimizer
{
    private readonly double _beta1;
    private readonly double _beta2;
    private readonly float _epsilon;
    private readonly float _weightDecay;
    private readonly ParameterBlock _mean;
    private readonly ParameterBlock _square;
    private double _beta1Power = 1;
    private double _beta2Power = 1;

    /// <summary>Adam for a model's parameters.</summary>
    /// <param name="model">The model.</param>
    /// <param name="learningRate">The learning rate: about how far a parameter moves in a step.</param>
    /// <param name="beta1">How much of the gradients' running mean is kept, 0 to less than 1.</param>
    /// <param name="beta2">How much of their squares' running mean is kept, 0 to less than 1.</param>
    /// <param name="epsilon">What is added to the denominator, positive.</param>
    /// <param name="weightDecay">The factor of the parameters that is added to their gradients.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its range.</exception>
    public Adam(
        IModel model, float learningRate = 1e-3f, float beta1 = .9f, float beta2 = .999f, float epsilon = 1e-8f, float weightDecay = 0)
        : base(model, learningRate)
    {
        RequireFraction(beta1, nameof(beta1));
        RequireFraction(beta2, nameof(beta2));
        RequireNotNegative(epsilon, nameof(epsilon));
        RequireNotNegative(weightDecay, nameof(weightDecay));

        // At 0, a gradient that has always been zero would give 0 / 0, in the padding too.
        ArgumentOutOfRangeException.ThrowIfZero(epsilon);
        _beta1 = AsWritten(beta1);
        _beta2 = AsWritten(beta2);
        _epsilon = epsilon;
        _weightDecay = weightDecay;
        _mean = new ParameterBlock(model.Layout);
        _square = new ParameterBlock(model.Layout);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Step(ParameterBlock gradients)
    {
        RequireLayout(gradients);
        _beta1Power *= _beta1;
        _beta2Power *= _beta2;
        ref float parameter = ref Parameters.Reference;
        ref float gradient = ref gradients.Reference;
        ref float mean = ref _mean.Reference;
        ref float square = ref _square.Reference;
        int length = Parameters.Layout.BlockLength;
        var decay = new Vector<float>(_weightDecay);
        var epsilon = new Vector<float>(_epsilon);
        var keepMean = new Vector<float>((float)_beta1);
        var takeMean = new Vector<float>((float)(1 - _beta1));
        var keepSquare = new Vector<float>((float)_beta2);
        var takeSquare = new Vector<float>((float)(1 - _beta2));
        var rate = new Vector<float>((float)(LearningRate / (1 - _beta1Power)));
        var correction = new Vector<float>((float)(1 / Math.Sqrt(1 - _beta2Power)));
        for (int i = 0; i < length; i += Vector<float>.Count)
        {
            Vector<float> p = Load(ref parameter, i);
            Vector<float> g = Load(ref gradient, i) + decay * p;
            Vector<float> m = keepMean * Load(ref mean, i) + takeMean * g;
            Vector<float> v = keepSquare * Load(ref square, i) + takeSquare * (g * g);
            Store(m, ref mean, i);
            Store(v, ref square, i);
            Store(p - rate * m / (Vector.SquareRoot(v) * correction + epsilon), ref parameter, i);
        }
    }
}

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
/// <remarks>
/// A gradient beyond ±2⁶³ (9.2e18), an infinite one too, counts as ±2⁶³: its square would make v infinite for ever. NaN makes its parameter
/// NaN. v forgets slowly: after one gradient a times as large as the others, the parameter hardly moves for some 2 ln(a) / (1 - beta2) steps
/// (18,000 where a is 1e4, 88,000 from 9.2e18 on). <see cref="Clip.ByGlobalNorm"/> before the step keeps such gradients from Adam, and returns the
/// norm, by which a caller can leave the step out.
/// </remarks>
public sealed class Adam : Optimizer
{
    /// <summary>What gradients are brought within: their squares, and means of squares, are finite.</summary>
    private const float GreatestGradient = 9.223372e18f;

    private readonly double _beta1;
    private readonly double _beta2;
    private readonly float _epsilon;
    private readonly float _weightDecay;

    private readonly ParameterBlock _mean;
    private readonly ParameterBlock _square;

    /// <summary>The smallest gradient whose part in v is a normal number; with an epsilon below it, m might be divided by next to nothing.</summary>
    private readonly float _smallestGradient;

    /// <summary>Adam for a model's parameters.</summary>
    /// <param name="model">The model.</param>
    /// <param name="learningRate">The learning rate: about how far a parameter moves in a step.</param>
    /// <param name="beta1">How much of the gradients' running mean is kept, 0 to less than 1.</param>
    /// <param name="beta2">How much of their squares' running mean is kept, 0 to less than 1.</param>
    /// <param name="epsilon">
    /// What is added to the denominator, positive; less than √(1.2e-38 / (1 - beta2)), 3.4e-18 for 0.999, counts as that.
    /// </param>
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
        _smallestGradient = (float)Math.Sqrt(NormalFactor.Smallest / (1 - _beta2));
        _epsilon = epsilon;
        _weightDecay = weightDecay;
        _mean = AddState("first_moment");
        _square = AddState("second_moment");
        AddHyperparameter("beta1", beta1);
        AddHyperparameter("beta2", beta2);
        AddHyperparameter("epsilon", epsilon);
        AddHyperparameter("weight_decay", weightDecay);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Update(ParameterBlock gradients)
    {
        ref float parameter = ref Parameters.Reference;
        ref float gradient = ref gradients.Reference;
        ref float mean = ref _mean.Reference;
        ref float square = ref _square.Reference;
        int length = Parameters.Layout.BlockLength;
        bool decays = _weightDecay != 0;
        var decay = new NormalFactor(_weightDecay);
        var epsilon = new Vector<float>(Math.Max(_epsilon, _smallestGradient));
        var keepMean = new Vector<float>((float)_beta1);
        var takeMean = new NormalFactor((float)(1 - _beta1));
        var keepSquare = new Vector<float>((float)_beta2);
        var takeSquare = new Vector<float>((float)(1 - _beta2));
        var rate = new Vector<float>((float)(LearningRate / (1 - Power(_beta1, StepCount))));
        var correction = new Vector<float>((float)(1 / Math.Sqrt(1 - Power(_beta2, StepCount))));
        var smallest = new Vector<float>(NormalFactor.Smallest);
        var smallestGradient = new Vector<float>(_smallestGradient);
        var greatestGradient = new Vector<float>(GreatestGradient);
        for (int i = 0; i < length; i += Vector<float>.Count)
        {
            Vector<float> p = Load(ref parameter, i);
            Vector<float> g = Load(ref gradient, i);
            if (decays)
            {
                p = decay.Flush(p);
                g += decay.Plain * p;
            }

            g = Clip.Within(g, greatestGradient);
            Vector<float> m = Load(ref mean, i);
            Vector<float> v = Load(ref square, i);
            if (Vector.LessThanAny(Vector.Abs(g), smallestGradient))
            {
                m = NormalFactor.ZeroBelow(keepMean * m + takeMean * g, smallest);
                g = NormalFactor.ZeroBelow(g, smallestGradient);
                v = NormalFactor.ZeroBelow(keepSquare * v + takeSquare * g * g, smallest);
            }
            else
            {
                // Nothing to make zero: a moment with such a part is far from the smallest number, even where a difference makes it small.
                m = keepMean * m + takeMean.Plain * g;
                v = keepSquare * v + takeSquare * g * g;
            }

            Store(m, ref mean, i);
            Store(v, ref square, i);
            Store(p - rate * (m / (Vector.SquareRoot(v) * correction + epsilon)), ref parameter, i);
        }
    }

    /// <summary>A power, of the same bits on every machine.</summary>
    private static double Power(double number, long exponent)
    {
        double power = 1;
        for (; exponent > 0; exponent >>= 1, number *= number)
        {
            if ((exponent & 1) != 0)
            {
                power *= number;
            }
        }

        return power;
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;

namespace Unrolled;

/// <summary>
/// Stochastic gradient descent, with momentum and Nesterov's momentum as PyTorch defines them (the learning rate outside the momentum,
/// Sutskever et al. 2013):
/// <code>
/// g = gradient + weightDecay * p
/// v = momentum * v + (1 - dampening) * g        (v = g at the first step)
/// p = p - learningRate * v                      (Nesterov: p - learningRate * (g + momentum * v))
/// </code>
/// </summary>
public sealed class Sgd : Optimizer
{
    private readonly float _momentum;
    private readonly bool _nesterov;
    private readonly float _dampening;
    private readonly float _weightDecay;
    private readonly ParameterBlock? _velocity;

    /// <summary>Gradient descent of a model's parameters.</summary>
    /// <param name="model">The model.</param>
    /// <param name="learningRate">The learning rate.</param>
    /// <param name="momentum">How much of the last step's direction is kept; 0 is plain gradient descent.</param>
    /// <param name="nesterov">Whether to look ahead along the momentum; it then must be positive, and dampening 0.</param>
    /// <param name="dampening">How much less than the whole gradient enters the momentum.</param>
    /// <param name="weightDecay">The factor of the parameters that is added to their gradients.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative or not finite.</exception>
    /// <exception cref="ArgumentException">Nesterov's momentum without momentum, or with dampening.</exception>
    public Sgd(IModel model, float learningRate, float momentum = 0, bool nesterov = false, float dampening = 0, float weightDecay = 0)
        : base(model, learningRate)
    {
        RequireNotNegative(momentum, nameof(momentum));
        RequireNotNegative(weightDecay, nameof(weightDecay));
        if (!float.IsFinite(dampening))
        {
            throw new ArgumentOutOfRangeException(nameof(dampening), dampening, "dampening must be finite.");
        }

        if (nesterov && (momentum == 0 || dampening != 0))
        {
            throw new ArgumentException("Nesterov's momentum needs a positive momentum and no dampening.", nameof(nesterov));
        }

        _momentum = momentum;
        _nesterov = nesterov;
        _dampening = dampening;
        _weightDecay = weightDecay;
        _velocity = momentum > 0 ? AddState("velocity") : null;
        AddHyperparameter("momentum", momentum);
        AddHyperparameter("nesterov", nesterov ? 1 : 0);
        AddHyperparameter("dampening", dampening);
        AddHyperparameter("weight_decay", weightDecay);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Update(ParameterBlock gradients)
    {
        ref float parameter = ref Parameters.Reference;
        ref float gradient = ref gradients.Reference;
        int length = Parameters.Layout.BlockLength;
        var rate = new NormalFactor(LearningRate);
        var decay = new NormalFactor(_weightDecay);
        bool decays = _weightDecay != 0;
        if (_velocity is null)
        {
            for (int i = 0; i < length; i += Vector<float>.Count)
            {
                Vector<float> p = Load(ref parameter, i);
                Vector<float> g = Load(ref gradient, i);
                if (decays)
                {
                    p = decay.Flush(p);
                    g += decay.Plain * p;
                }

                Store(p - rate * g, ref parameter, i);
            }

            return;
        }

        ref float velocity = ref _velocity.Reference;
        var momentum = new Vector<float>(_momentum);
        var share = new NormalFactor(StepCount > 1 ? 1 - _dampening : 1);
        var smallest = new Vector<float>(NormalFactor.Smallest);
        for (int i = 0; i < length; i += Vector<float>.Count)
        {
            Vector<float> p = Load(ref parameter, i);
            Vector<float> g = Load(ref gradient, i);
            if (decays)
            {
                p = decay.Flush(p);
                g += decay.Plain * p;
            }

            Vector<float> v = NormalFactor.ZeroBelow(momentum * Load(ref velocity, i) + share * g, smallest);
            Store(v, ref velocity, i);
            Store(p - rate * (_nesterov ? g + momentum * v : v), ref parameter, i);
        }
    }
}

namespace Unrolled;

/// <summary>What a trainer's <c>ForwardBackward</c> and <c>Evaluate</c> measure.</summary>
public enum Loss
{
    /// <summary>No built-in loss: train with <see cref="ITrainer.Forward(ReadOnlySpan{float}, int)"/> and <see cref="ITrainer.Backward"/>.</summary>
    None,

    /// <summary>-log softmax(outputs)[class]: the outputs are logits, the targets class ids. In nats.</summary>
    SoftmaxCrossEntropy,

    /// <summary>(output - target)², the targets real-valued vectors.</summary>
    MeanSquaredError,
}

/// <summary>The loss a network is trained with; without it, only upstream gradients of the caller's own are possible.</summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class LossAttribute : Attribute
{
    /// <summary>Trains with <paramref name="loss"/>.</summary>
    public LossAttribute(Loss loss) => Loss = loss;

    /// <summary>The loss.</summary>
    public Loss Loss { get; }
}

namespace Unrolled;

/// <summary>How the losses of single elements become one number.</summary>
public enum LossReduction
{
    /// <summary>Their mean: over tokens for softmax cross-entropy, over every element for squared error.</summary>
    Mean,

    /// <summary>Their sum.</summary>
    Sum,
}

/// <summary>What is asked of a trainer beyond the loss and the gradients of the parameters.</summary>
public sealed record TrainerOptions
{
    /// <summary>Whether gradients of the inputs are computed; without effect for token models, whose inputs have none.</summary>
    public bool InputGradients { get; init; }

    /// <summary>Whether gradients of the parameters add to those there are; otherwise they replace them.</summary>
    public bool AccumulateGradients { get; init; }

    /// <summary>How the losses of single elements become one number.</summary>
    public LossReduction Reduction { get; init; } = LossReduction.Mean;
}

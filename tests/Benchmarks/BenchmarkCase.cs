namespace Unrolled.Benchmarks;

/// <summary>One measured piece of work.</summary>
/// <param name="Name">As in <c>step-lstm-64-128</c>: printed, filtered and compared by it.</param>
/// <param name="Demand">What one call cannot do without.</param>
/// <param name="Prepare">Allocates what the work needs and returns the work: only the cases that run pay for it.</param>
internal sealed record BenchmarkCase(string Name, Demand Demand, Func<Action> Prepare)
{
    /// <summary>For streaming steps: creates the model whose step it is.</summary>
    public Func<IModel>? StepOf { get; init; }
}

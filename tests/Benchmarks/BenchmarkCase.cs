namespace Unrolled.Benchmarks;

/// <summary>One measured piece of work.</summary>
/// <param name="Name">As in <c>step-lstm-64-128</c>: printed, filtered and compared by it.</param>
/// <param name="Flops">Floating-point operations of one call, a multiply-add counting two; 0 where no rate makes sense.</param>
/// <param name="Prepare">Allocates what the work needs and returns the work: only the cases that run pay for it.</param>
internal sealed record BenchmarkCase(string Name, double Flops, Func<Action> Prepare);

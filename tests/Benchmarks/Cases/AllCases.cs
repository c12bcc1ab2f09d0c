namespace Unrolled.Benchmarks;

/// <summary>Every case there is, in the order they are printed; a new group of cases is added here.</summary>
internal static class AllCases
{
    public static IEnumerable<BenchmarkCase> List() => ModelCases.List().Concat(FunctionCases.List());
}

using System.Globalization;
using System.Text.RegularExpressions;
using Spectre.Console;

namespace Unrolled.Benchmarks;

/// <summary>Holds cases against what the machine allows: the time their multiply-adds or their weights' bytes take at least.</summary>
internal static class LimitReport
{
    public static void Run(Regex filter)
    {
        var multiplyAdd = MachineLimits.MultiplyAdd() * 1e9;
        var levels = MemoryLevel.Measure();
        AnsiConsole.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Fused multiply-adds: {multiplyAdd / 1e9:F0} GFLOP/s. ")
            + $"Loads: {string.Join(", ", levels.Select(level => string.Create(CultureInfo.InvariantCulture, $"{level.Name} {level.BytesPerSecond / 1e9:F0} GB/s")))}.");
        var cases = AllCases.List().Where(benchmark => benchmark.Demand.Flops > 0 && filter.IsMatch(benchmark.Name)).ToArray();
        if (cases.Length > 0)
        {
            Shares(cases, multiplyAdd, levels);
        }

        var steps = cases.Where(benchmark => benchmark.StepOf is not null).ToArray();
        if (steps.Length > 0)
        {
            Steps(steps);
        }
    }

    private static void Shares(BenchmarkCase[] cases, double multiplyAdd, MemoryLevel[] levels)
    {
        var table = Tables.New("case", "µs", "limit", "µs at the limit", "share reached");
        var works = Array.ConvertAll(cases, benchmark => benchmark.Prepare());
        Stopclock.WarmUp(works);
        foreach (var (benchmark, work) in cases.Zip(works))
        {
            var demand = benchmark.Demand;
            var level = levels.First(level => demand.WeightBytes <= level.Bytes);
            var arithmetic = demand.Flops / multiplyAdd;
            var loads = demand.LoadedBytes / level.BytesPerSecond;
            var least = Math.Max(arithmetic, loads);
            var seconds = Stopclock.Median(work);
            table.AddRow(
                benchmark.Name, Tables.Microseconds(seconds), arithmetic > loads ? "multiply-adds" : $"loads from {level.Name}",
                Tables.Microseconds(least), Tables.Share(least / seconds));
        }

        Tables.Show(table);
    }

    // Loads and whole steps take turns, on the same weights at the same addresses. A step's products and equations are one kernel:
    // neither can be timed apart.
    private static void Steps(BenchmarkCase[] cases)
    {
        var table = Tables.New("step", "bytes", "µs, load loop over them", "µs, whole step", "step / load loop");
        var prepared = Array.ConvertAll(cases, Prepare);
        Stopclock.WarmUp([.. prepared.SelectMany(step => step.Works)]);
        foreach (var (name, bytes, works) in prepared)
        {
            var times = Stopclock.Medians(works);
            table.AddRow(name, Tables.Count(bytes), Tables.Microseconds(times[0]), Tables.Microseconds(times[1]), Tables.Ratio(times[1] / times[0]));
        }

        Tables.Show(table);
    }

    private static (string Name, int Bytes, Action[] Works) Prepare(BenchmarkCase benchmark)
    {
        var model = benchmark.StepOf!();
        var load = MachineLimits.LoadLoop(model.Parameters, out var bytes);
        return (benchmark.Name, bytes, [load, ModelCases.StepOf(model)]);
    }
}

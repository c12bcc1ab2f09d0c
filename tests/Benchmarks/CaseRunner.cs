using System.Globalization;
using System.Text.RegularExpressions;

namespace Unrolled.Benchmarks;

/// <summary>Runs cases and prints a line each: <c>NAME VALUE UNIT</c>, medians, for other programs to read.</summary>
internal static class CaseRunner
{
    public static void Run(Regex filter, bool details, TextWriter output)
    {
        var multiplyAdd = MachineLimits.MultiplyAdd();
        Print(output, "limit-fma", multiplyAdd, "F1", "GFLOP/s");
        Print(output, "limit-l2", MachineLimits.L2Load(), "F1", "GB/s");
        Print(output, "limit-l3", MachineLimits.L3Load(), "F1", "GB/s");
        var cases = AllCases.List().Where(benchmark => filter.IsMatch(benchmark.Name)).ToArray();
        var works = Array.ConvertAll(cases, benchmark => benchmark.Prepare());
        Stopclock.WarmUp(works);
        foreach (var (benchmark, work) in cases.Zip(works))
        {
            var seconds = Stopclock.Median(work);
            Print(output, benchmark.Name, seconds * 1e6, "F4", "us");
            if (details && benchmark.Demand.Flops > 0)
            {
                var rate = benchmark.Demand.Flops / seconds / 1e9;
                output.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"# {rate:F1} GFLOP/s, {rate / multiplyAdd:P0} of limit-fma"));
            }
        }

        if (Stopclock.Disturbance() is { } disturbance)
        {
            output.WriteLine("# " + disturbance);
        }
    }

    private static void Print(TextWriter output, string name, double value, string format, string unit) =>
        output.WriteLine($"{name} {value.ToString(format, CultureInfo.InvariantCulture)} {unit}");
}

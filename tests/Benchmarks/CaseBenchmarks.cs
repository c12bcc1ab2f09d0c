using System.Text.RegularExpressions;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace Unrolled.Benchmarks;

/// <summary>The cases under BenchmarkDotNet, for its statistics; in this process, since it cannot build projects for this runtime.</summary>
[Config(typeof(InProcess))]
[MemoryDiagnoser]
public class CaseBenchmarks
{
    // BenchmarkDotNet asks for the names by itself.
    private static Regex _filter = new("");

    private Action _work = () => { };

    /// <summary>The case.</summary>
    [ParamsSource(nameof(Names))]
    public string Name { get; set; } = "";

    /// <summary>The cases asked for.</summary>
    public static IEnumerable<string> Names =>
        AllCases.List().Select(benchmark => benchmark.Name).Where(name => _filter.IsMatch(name));

    /// <summary>Runs the cases whose names match.</summary>
    public static void Run(Regex filter)
    {
        _filter = filter;
        BenchmarkRunner.Run<CaseBenchmarks>();
    }

    /// <summary>Prepares the case.</summary>
    [GlobalSetup]
    public void Prepare() => _work = AllCases.List().First(benchmark => benchmark.Name == Name).Prepare();

    /// <summary>One call.</summary>
    [Benchmark]
    public void Call() => _work();

    private sealed class InProcess : ManualConfig
    {
        public InProcess()
        {
            AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance));
            ArtifactsPath = Path.Combine(AppContext.BaseDirectory, "BenchmarkDotNet.Artifacts");
        }
    }
}

using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace Unrolled.Benchmarks;

/// <summary>The cases under BenchmarkDotNet, for its statistics; in this process, since it cannot build projects for this runtime.</summary>
[Config(typeof(InProcess))]
public class CaseBenchmarks
{
    private Action _work = () => { };

    /// <summary>The case.</summary>
    [ParamsSource(nameof(Names))]
    public string Name { get; set; } = "";

    /// <summary>All cases.</summary>
    public static IEnumerable<string> Names => AllCases.List().Select(benchmark => benchmark.Name);

    /// <summary>Prepares the case.</summary>
    [GlobalSetup]
    public void Prepare() => _work = AllCases.List().First(benchmark => benchmark.Name == Name).Prepare();

    /// <summary>One call.</summary>
    [Benchmark]
    public void Call() => _work();

    private sealed class InProcess : ManualConfig
    {
        public InProcess() => AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance));
    }
}

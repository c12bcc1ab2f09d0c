using System.Diagnostics;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using System.Text.RegularExpressions;
using Xunit;

namespace Unrolled.Tests;

/// <summary>
/// Runs the tests of category InstructionSet again in processes that have fewer instruction sets. The runtime reads its switches
/// once, at the start: DOTNET_EnableAVX512 (.NET 10; EnableAVX512F before) leaves AVX2 and FMA, DOTNET_EnableAVX2 takes FMA along.
/// </summary>
public sealed partial class InstructionSetTests(ITestOutputHelper output)
{
    private const string ExpectedVariable = "UNROLLED_TESTS_EXPECTED_INSTRUCTION_SETS";

    public static TheoryData<string, string> Switches => new()
    {
        { "DOTNET_EnableAVX512", "avx2+fma+sse2" },
        { "DOTNET_EnableAVX2", "sse2" },
        { "DOTNET_EnableHWIntrinsic", "none" },
    };

    [Theory]
    [MemberData(nameof(Switches))]
    public async Task TestsPassWithout(string variable, string expected)
    {
        Assert.SkipUnless(X86Base.IsSupported, "The switches are those of x86.");
        if (!Avx2.IsSupported && expected.Contains("avx2", StringComparison.Ordinal))
        {
            Assert.Skip($"This machine has no AVX2 (it has {VectorWidths.Describe()}).");
        }

        var start = new ProcessStartInfo { RedirectStandardOutput = true, RedirectStandardError = true };
        var assembly = typeof(InstructionSetTests).Assembly.Location;
        var host = Environment.ProcessPath!;
        if (Path.GetFileNameWithoutExtension(host) == Path.GetFileNameWithoutExtension(assembly))
        {
            start.FileName = host;
        }
        else
        {
            start.FileName = Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet";
            start.ArgumentList.Add(assembly);
        }

        foreach (var argument in (string[])["-trait", "Category=InstructionSet", "-noColor", "-noLogo"])
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment[variable] = "0";
        start.Environment[ExpectedVariable] = expected;
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var report = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        var summary = Summary().Match(report);
        Assert.True(process.ExitCode == 0 && summary.Success, $"{report}\n{await errors}");
        output.WriteLine($"{variable}=0 ({expected}): {summary.Value}");
        var run = int.Parse(summary.Groups["total"].ValueSpan, null) - int.Parse(summary.Groups["skipped"].ValueSpan, null);
        Assert.True(run > 20, $"Only {run} tests ran.\n{report}");
    }

    [Fact]
    [Trait("Category", "InstructionSet")]
    public void ProcessHasTheExpectedSets()
    {
        output.WriteLine($"Instruction sets: {VectorWidths.Describe()}");
        var expected = Environment.GetEnvironmentVariable(ExpectedVariable);
        Assert.SkipWhen(expected is null, $"Not a child process; this one has {VectorWidths.Describe()}.");
        Assert.Equal(expected, VectorWidths.Describe());
        Assert.Equal(expected != "none", Vector128.IsHardwareAccelerated);
        Assert.Equal(expected!.Contains("avx2", StringComparison.Ordinal), Vector256.IsHardwareAccelerated);
        Assert.Equal(expected.Contains("avx512", StringComparison.Ordinal), Vector512.IsHardwareAccelerated);
    }

    [GeneratedRegex(@"Total: (?<total>\d+), Errors: 0, Failed: 0, Skipped: (?<skipped>\d+)")]
    private static partial Regex Summary();
}

using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Unrolled.Generator.Tests.Harness;
using Xunit;

namespace Unrolled.Tests;

/// <summary>
/// Runs the tests of category InstructionSet again in processes that have fewer instruction sets. The runtime reads its switches
/// once, at the start: DOTNET_EnableAVX512 (.NET 10; EnableAVX512F before) leaves AVX2 and FMA, DOTNET_EnableAVX2 takes FMA along.
/// </summary>
public sealed class InstructionSetTests(ITestOutputHelper output)
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
    public void TestsPassWithout(string variable, string expected)
    {
        Assert.SkipUnless(X86Base.IsSupported, "The switches are those of x86.");
        if (!Avx2.IsSupported && expected.Contains("avx2", StringComparison.Ordinal))
        {
            Assert.Skip($"This machine has no AVX2 (it has {VectorWidths.Describe()}).");
        }

        var run = ChildRun.Start("InstructionSet", new Dictionary<string, string> { [variable] = "0", [ExpectedVariable] = expected });
        output.WriteLine($"{variable}=0 ({expected}): {run}");

        // Wider vectors than a child has are this process's to test.
        run.AssertPassed(20, VectorWidths.NoVectors);
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
}

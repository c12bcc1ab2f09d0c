using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Unrolled.Generator.Tests.Harness;

namespace Unrolled.Tests;

/// <summary>
/// Runs the tests of category InstructionSet again in processes that have fewer instruction sets: the runtime reads its switches once,
/// at the start. What those tests expect to the bit is so the same on all of them.
/// </summary>
public sealed class InstructionSetTests(ITestOutputHelper output)
{
    private const string ExpectedVariable = "UNROLLED_TESTS_EXPECTED_VECTOR_BITS";

    [Theory]
    [InlineData("DOTNET_EnableAVX512", 256)]
    [InlineData("DOTNET_EnableAVX2", 128)]
    [InlineData("DOTNET_EnableHWIntrinsic", 0)]
    public void Tests_pass_without(string variable, int bits)
    {
        Assert.SkipUnless(X86Base.IsSupported, "The switches are those of x86.");
        Assert.SkipUnless(VectorBits() >= bits, $"This machine has vectors of {VectorBits()} bits only.");
        ChildRun run = ChildRun.Start("InstructionSet", new Dictionary<string, string> { [variable] = "0", [ExpectedVariable] = $"{bits}" });
        output.WriteLine($"{variable}=0: {run}");
        run.AssertPassed(50);
    }

    [Fact]
    [Trait("Category", "InstructionSet")]
    public void The_process_has_the_vectors_it_should()
    {
        string? expected = Environment.GetEnvironmentVariable(ExpectedVariable);
        Assert.SkipWhen(expected is null, $"Not a child process; this one has vectors of {VectorBits()} bits.");
        Assert.Equal(expected, $"{VectorBits()}");
    }

    private static int VectorBits() =>
        Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : Vector128.IsHardwareAccelerated ? 128 : 0;
}

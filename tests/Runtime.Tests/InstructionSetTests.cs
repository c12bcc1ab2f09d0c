using System.Diagnostics;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using System.Text.RegularExpressions;

namespace Unrolled.Tests;

/// <summary>
/// Runs the tests of category InstructionSet again in processes that have fewer instruction sets: the runtime reads its switches once,
/// at the start. What those tests expect to the bit is so the same on all of them.
/// </summary>
public sealed partial class InstructionSetTests(ITestOutputHelper output)
{
    private const string ExpectedVariable = "UNROLLED_TESTS_EXPECTED_VECTOR_BITS";

    [Theory]
    [InlineData("DOTNET_EnableAVX512", 256)]
    [InlineData("DOTNET_EnableAVX2", 128)]
    [InlineData("DOTNET_EnableHWIntrinsic", 0)]
    public async Task Tests_pass_without(string variable, int bits)
    {
        Assert.SkipUnless(X86Base.IsSupported, "The switches are those of x86.");
        Assert.SkipUnless(VectorBits() >= bits, $"This machine has vectors of {VectorBits()} bits only.");
        string assembly = typeof(InstructionSetTests).Assembly.Location;
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        if (Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet")
        {
            start.FileName = host;
        }

        foreach (string argument in (string[])[assembly, "-trait", "Category=InstructionSet", "-noColor", "-noLogo"])
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment[variable] = "0";
        start.Environment[ExpectedVariable] = $"{bits}";
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string report = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        Match summary = Summary().Match(report);
        Assert.True(process.ExitCode == 0 && summary.Success, $"{report}\n{await errors}");
        Assert.True(int.Parse(summary.Groups["total"].ValueSpan, null) > 50, report);
        output.WriteLine($"{variable}=0: {summary.Value}");
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

    [GeneratedRegex(@"Total: (?<total>\d+), Errors: 0, Failed: 0")]
    private static partial Regex Summary();
}

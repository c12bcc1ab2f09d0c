using System.Globalization;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Xunit;

namespace Unrolled.Generator.Tests;

/// <summary>What this process has of instruction sets, and whether that is what it was started with.</summary>
public sealed class InstructionSets(ITestOutputHelper output)
{
    /// <summary>Names the set the process is to have: Avx512, Avx2, Portable or Scalar.</summary>
    public const string Expected = "UNROLLED_EXPECTED_SET";

    /// <summary>Names a file that takes what it had.</summary>
    public const string Report = "UNROLLED_SET_REPORT";

    /// <summary>The widest set emitted code can choose in this process.</summary>
    public static string Widest =>
        Avx512F.IsSupported ? "Avx512"
        : Avx2.IsSupported && Fma.IsSupported ? "Avx2"
        : Vector128.IsHardwareAccelerated ? "Portable"
        : "Scalar";

    /// <summary>All of it in a line.</summary>
    public static string Description => string.Create(
        CultureInfo.InvariantCulture,
        $"{Widest}: Avx512F {Avx512F.IsSupported}, Avx2 {Avx2.IsSupported}, Fma {Fma.IsSupported}, Vector128 {Vector128.IsHardwareAccelerated}");

    [Fact]
    [Trait("Category", "Emitted")]
    [Trait("Category", "EmittedSmall")]
    public void AreTheExpectedOnes()
    {
        output.WriteLine(Description);
        if (Environment.GetEnvironmentVariable(Report) is { Length: > 0 } report)
        {
            File.WriteAllText(report, Description);
        }

        string? expected = Environment.GetEnvironmentVariable(Expected);
        Assert.SkipWhen(string.IsNullOrEmpty(expected), $"No set was asked for; this process has {Description}");
        Assert.Equal(expected, Widest);
    }
}

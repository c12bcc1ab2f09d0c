using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Aot.Tests;

/// <summary>
/// A program with generated models, compiled ahead of time: without one warning, and with the same bits as under the JIT on the
/// same instruction set.
/// </summary>
public sealed class NativeAotTests(ProbeBuild probe) : IClassFixture<ProbeBuild>
{
    [Fact]
    public Task On_AVX_512_the_bits_are_those_of_the_JIT()
    {
        if (!Avx512F.IsSupported)
        {
            Assert.Skip("This machine or this run has no AVX-512.");
        }

        return Compare("avx512f", "avx512=True avx2=True fma=True");
    }

    [Fact]
    public Task On_AVX2_and_FMA_the_bits_are_those_of_the_JIT()
    {
        if (!Avx2.IsSupported || !Fma.IsSupported)
        {
            Assert.Skip("This machine or this run has no AVX2 with FMA.");
        }

        return Compare("avx2,fma,bmi,bmi2,lzcnt,movbe,popcnt", "avx512=False avx2=True fma=True", ("DOTNET_EnableAVX512", "0"));
    }

    [Fact]
    public Task On_128_bit_vectors_the_bits_are_those_of_the_JIT() =>
        Compare("", "avx512=False avx2=False fma=False", ("DOTNET_EnableAVX2", "0"));

    private async Task Compare(string instructionSet, string sets, params (string Name, string Value)[] jit)
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            Assert.Skip("The instruction sets named here are those of x64, and the linker looked for that of Linux.");
        }

        foreach (var tool in new[] { "clang", "ld.lld" })
        {
            if (!Command.Exists(tool))
            {
                Assert.Skip($"NativeAOT links with clang and lld, and there is no {tool} here (on Debian: apt-get install clang lld zlib1g-dev).");
            }
        }

        var expected = Lines(await Command.Run("dotnet", [await probe.Build()], jit));
        var actual = Lines(await Command.Run(await probe.Publish(instructionSet), []));

        Assert.Equal("compiled just in time", expected[0]);
        Assert.Equal("compiled ahead of time", actual[0]);
        Assert.Equal("sets " + sets, expected[1]);
        Assert.Equal("file True", actual[^1]);
        Assert.Contains(actual, line => line.StartsWith("loss ", StringComparison.Ordinal));
        Assert.Equal(expected[1..], actual[1..]);
    }

    private static string[] Lines(string output) => output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>Builds the probe for the JIT and publishes it for an instruction set, in a folder of its own.</summary>
public sealed class ProbeBuild : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("unrolled-aot-");
    private readonly string _project = typeof(ProbeBuild).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(attribute => attribute.Key == "ProbeProject").Value!;

    private string? _built;

    /// <summary>The assembly to start with <c>dotnet</c>.</summary>
    internal async Task<string> Build() => _built ??= await Make("build", "jit", "Aot.Probe.dll");

    /// <summary>The executable. Warnings of the trimmer and the compiler are errors, in the project.</summary>
    internal Task<string> Publish(string instructionSet) => Make(
        "publish",
        "aot-" + instructionSet.Split(',')[0],
        "Aot.Probe",
        "--runtime",
        "linux-x64",
        $"-p:ProbeInstructionSet={instructionSet.Replace(",", "%2c", StringComparison.Ordinal)}");

    public void Dispose() => _folder.Delete(recursive: true);

    private async Task<string> Make(string verb, string name, string file, params string[] more)
    {
        var output = Path.Combine(_folder.FullName, name);
        var log = await Command.Run(
            "dotnet",
            [
                verb, _project, "--configuration", "Release", "--output", output, "--artifacts-path", Path.Combine(_folder.FullName, "artifacts"),
                "-nodeReuse:false", "-p:UseSharedCompilation=false", .. more,
            ]);
        Assert.DoesNotContain("warning ", log, StringComparison.OrdinalIgnoreCase);
        return Path.Combine(output, file);
    }
}

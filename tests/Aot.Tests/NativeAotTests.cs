using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text.RegularExpressions;

namespace Aot.Tests;

/// <summary>
/// A program with generated models, compiled ahead of time with each name that the README gives for an instruction set: without one
/// warning, and with the same bits as under the JIT on the same instruction set.
/// </summary>
public sealed partial class NativeAotTests(ProbeBuild probe) : IClassFixture<ProbeBuild>
{
    /// <summary>The columns of the README's table, and the framework that each is tested on.</summary>
    private static readonly (string Column, string Framework)[] s_frameworks = [(".NET 10", "net10.0"), (".NET 8 and 9", "net8.0")];

    private static readonly Lazy<string> s_section = new(() =>
    {
        var page = File.ReadAllText(Path.Combine(Path.GetDirectoryName(ProbeBuild.Project)!, "..", "..", "README.md"));
        return Section().Match(page).Value;
    });

    /// <summary>Framework, what to compile for, the name of that.</summary>
    public static TheoryData<string, string, string> Names
    {
        get
        {
            var rows = TableRow().Matches(s_section.Value).Select(row => row.Groups["cell"].Captures.Select(cell => cell.Value.Trim().Trim('`')).ToArray()).ToArray();
            Assert.Equal(["compile for", .. s_frameworks.Select(framework => framework.Column)], rows[0]);
            var names = new TheoryData<string, string, string>();
            foreach (var (column, framework) in s_frameworks.Index())
            {
                foreach (var row in rows[2..])
                {
                    names.Add(framework.Framework, row[0], row[1 + column]);
                }
            }

            return names;
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public Task The_bits_are_those_of_the_JIT(string framework, string compileFor, string name)
    {
        switch (compileFor)
        {
            case "this machine":
                return Compare(framework, name, $"avx512={Avx512F.IsSupported} avx2={Avx2.IsSupported} fma={Fma.IsSupported}");
            case "AVX-512":
                Assert.SkipUnless(Avx512F.IsSupported, "This machine or this run has no AVX-512.");
                return Compare(framework, name, "avx512=True avx2=True fma=True");
            case "AVX2 with FMA":
                Assert.SkipUnless(Avx2.IsSupported && Fma.IsSupported, "This machine or this run has no AVX2 with FMA.");
                return Compare(framework, name, "avx512=False avx2=True fma=True", ("DOTNET_EnableAVX512", "0"));
            default:
                throw new InvalidDataException($"The README's table has the row '{compileFor}', which is not tested.");
        }
    }

    [Fact]
    public Task Without_a_name_they_are_those_of_the_JIT_on_128_bit_vectors() =>
        Compare("net10.0", "", "avx512=False avx2=False fma=False", ("DOTNET_EnableAVX2", "0"));

    [Fact]
    public void The_lines_to_copy_have_names_of_the_table()
    {
        string[] copied = [.. LineToCopy().Matches(s_section.Value).Select(line => line.Groups[1].Value)];
        Assert.NotEmpty(copied);
        Assert.Subset(Names.Where(row => row.Data.Item1 == "net10.0").Select(row => row.Data.Item3).ToHashSet(), copied.ToHashSet());
    }

    private async Task Compare(string framework, string instructionSet, string sets, params (string Name, string Value)[] jit)
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
        var actual = Lines(await Command.Run(await probe.Publish(framework, instructionSet), []));

        Assert.Equal("compiled just in time", expected[0]);
        Assert.Equal("compiled ahead of time", actual[0]);
        Assert.Equal("sets " + sets, expected[1]);
        Assert.Equal("file True", actual[^1]);
        Assert.Contains(actual, line => line.StartsWith("loss ", StringComparison.Ordinal));
        Assert.Equal(expected[1..], actual[1..]);
    }

    private static string[] Lines(string output) => output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    [GeneratedRegex("^## NativeAOT\n.*?(?=^## )", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Section();

    [GeneratedRegex(@"^\|((?<cell>[^|\n]+)\|)+$", RegexOptions.Multiline)]
    private static partial Regex TableRow();

    [GeneratedRegex("<IlcInstructionSet>(.*?)</IlcInstructionSet>")]
    private static partial Regex LineToCopy();
}

/// <summary>Builds the probe for the JIT and publishes it for an instruction set, in a folder of its own.</summary>
public sealed class ProbeBuild : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("unrolled-aot-");
    private string? _built;

    /// <summary>The probe's project file.</summary>
    internal static string Project { get; } = typeof(ProbeBuild).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(attribute => attribute.Key == "ProbeProject").Value!;

    /// <summary>The assembly to start with <c>dotnet</c>.</summary>
    internal async Task<string> Build() => _built ??= await Make("build", "jit", "Aot.Probe.dll");

    /// <summary>The executable. Warnings of the trimmer and the compiler are errors, in the project.</summary>
    internal Task<string> Publish(string framework, string instructionSet) => Make(
        "publish",
        $"aot-{framework}-{instructionSet.Split(',')[0]}",
        "Aot.Probe",
        "-p:ProbeFramework=" + framework,
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
                verb, Project, "--configuration", "Release", "--output", output, "--artifacts-path", Path.Combine(_folder.FullName, "artifacts"),
                "-nodeReuse:false", "-p:UseSharedCompilation=false", .. more,
            ]);
        Assert.DoesNotContain("warning ", log, StringComparison.OrdinalIgnoreCase);
        return Path.Combine(output, file);
    }
}

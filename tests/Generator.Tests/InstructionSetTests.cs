using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Xml.Linq;
using Xunit;

namespace Unrolled.Generator.Tests;

/// <summary>
/// Runs every test of emitted code again in processes that hide instruction sets. The names of the switches are
/// CoreCLR's: without AVX-512 the AVX2 kernels run, without AVX2 the portable ones, and without any the portable ones' own fallback.
/// </summary>
public sealed class InstructionSetTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(30);

    [Theory]
    [InlineData("DOTNET_EnableAVX512", "Avx2", "Emitted")]
    [InlineData("DOTNET_EnableAVX2", "Portable", "Emitted")]
    [InlineData("DOTNET_EnableHWIntrinsic", "Scalar", "EmittedSmall")]
    public void EmittedCodeIsRightWithout(string hidden, string left, string category)
    {
        Assert.SkipUnless(RuntimeInformation.ProcessArchitecture == Architecture.X64, "The switches are those of x64");
        Assert.SkipWhen(
            Environment.GetEnvironmentVariable(InstructionSets.Expected) is { Length: > 0 }, "This is a child process already");
        Assert.SkipWhen(left == "Avx2" && InstructionSets.Widest is not ("Avx512" or "Avx2"), $"This machine has no AVX2 ({InstructionSets.Widest})");

        string folder = Directory.CreateTempSubdirectory("unrolled-").FullName;
        try
        {
            string results = Path.Combine(folder, "results.xml");
            string report = Path.Combine(folder, "sets.txt");
            string log = Run(
                ["-trait", "Category=" + category, "-xml", results, "-noColor"],
                new Dictionary<string, string>
                {
                    [hidden] = "0",
                    [InstructionSets.Expected] = left,
                    [InstructionSets.Report] = report,
                });
            Assert.True(File.Exists(results), log);
            Assert.True(File.Exists(report), log);
            output.WriteLine(File.ReadAllText(report));

            XElement assembly = XDocument.Load(results).Root!.Element("assembly")!;
            int total = Count(assembly, "total");
            int passed = Count(assembly, "passed");
            string failed = string.Join(Environment.NewLine, assembly.Descendants("test").Where(test => (string?)test.Attribute("result") == "Fail").Select(Describe));
            output.WriteLine($"{passed} of {total} tests passed, {Count(assembly, "skipped")} were skipped");
            Assert.True(failed.Length == 0, failed);
            Assert.Equal(0, Count(assembly, "failed"));
            Assert.Equal(0, Count(assembly, "errors"));
            Assert.True(passed >= (category == "Emitted" ? 50 : 4), $"Only {passed} tests ran");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Run(string[] arguments, Dictionary<string, string> environment)
    {
        string assembly = typeof(InstructionSetTests).Assembly.Location;
        var start = new ProcessStartInfo(Host) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(assembly);
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        using Process process = Process.Start(start)!;
        Task<string> standardOutput = process.StandardOutput.ReadToEndAsync();
        Task<string> standardError = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(Limit))
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            Assert.Fail($"Still running after {Limit}");
        }

        return standardOutput.Result + standardError.Result;
    }

    /// <summary>The dotnet this process runs on: a test host may be an executable of its own.</summary>
    private static string Host
    {
        get
        {
            string name = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
            string? own = Environment.ProcessPath;
            if (own is not null && Path.GetFileName(own) == name)
            {
                return own;
            }

            // <root>/shared/Microsoft.NETCore.App/<version>/
            string root = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
            string host = Path.Combine(root, name);
            return File.Exists(host) ? host : name;
        }
    }

    private static int Count(XElement assembly, string name) => int.Parse(assembly.Attribute(name)!.Value, CultureInfo.InvariantCulture);

    private static string Describe(XElement test) =>
        (string?)test.Attribute("name") + ": " + (string?)test.Element("failure")?.Element("message");
}

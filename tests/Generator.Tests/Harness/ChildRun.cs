using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Xml.Linq;
using Xunit;

namespace Unrolled.Generator.Tests.Harness;

/// <summary>A run of some of this assembly's own tests in a process with other settings of the runtime.</summary>
/// <param name="Passed">Tests that ran and passed.</param>
/// <param name="Skipped">Tests that were skipped.</param>
/// <param name="Failures">Every failed test with its message, and errors outside tests.</param>
internal sealed record ChildRun(int Passed, int Skipped, IReadOnlyList<string> Failures)
{
    /// <summary>Marks a child, which must start none of its own.</summary>
    private const string Mark = "UNROLLED_CHILD";

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(30);

    /// <summary>Whether this process is one.</summary>
    public static bool IsChild => Environment.GetEnvironmentVariable(Mark) is { Length: > 0 };

    /// <summary>Runs the tests of a category.</summary>
    /// <param name="category">The value of the trait Category.</param>
    /// <param name="environment">Variables to set.</param>
    public static ChildRun Start(string category, IReadOnlyDictionary<string, string> environment)
    {
        string results = Path.GetTempFileName();
        try
        {
            var start = new ProcessStartInfo(Host) { RedirectStandardOutput = true, RedirectStandardError = true };
            foreach (string argument in new[] { typeof(ChildRun).Assembly.Location, "-trait", "Category=" + category, "-xml", results, "-noColor" })
            {
                start.ArgumentList.Add(argument);
            }

            start.Environment[Mark] = "1";
            foreach ((string name, string value) in environment)
            {
                start.Environment[name] = value;
            }

            string log = Wait(start);
            Assert.True(new FileInfo(results).Length > 0, log);
            XElement assembly = XDocument.Load(results).Root!.Element("assembly") ?? throw new InvalidOperationException(log);
            string[] failures =
            [
                .. assembly.Descendants("test").Where(test => (string?)test.Attribute("result") == "Fail").Select(Describe),
                .. assembly.Descendants("error").Select(error => error.Value.Trim()),
            ];
            Assert.Equal(Count(assembly, "failed") + Count(assembly, "errors"), failures.Length);
            return new ChildRun(Count(assembly, "passed"), Count(assembly, "skipped"), failures);
        }
        finally
        {
            File.Delete(results);
        }
    }

    private static string Wait(ProcessStartInfo start)
    {
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
    internal static string Host
    {
        get
        {
            string name = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
            string? own = Environment.ProcessPath;
            if (own is not null && Path.GetFileName(own) == name)
            {
                return own;
            }

            // The runtime lies in <root>/shared/Microsoft.NETCore.App/<version>.
            string host = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", name));
            return File.Exists(host) ? host : name;
        }
    }

    private static int Count(XElement assembly, string name) => int.Parse(assembly.Attribute(name)!.Value, CultureInfo.InvariantCulture);

    private static string Describe(XElement test) =>
        (string?)test.Attribute("name") + ": " + ((string?)test.Element("failure")?.Element("message"))?.Trim();
}

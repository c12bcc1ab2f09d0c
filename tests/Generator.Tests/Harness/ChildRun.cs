using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Xml.Linq;
using Xunit;

namespace Unrolled.Generator.Tests.Harness;

/// <summary>A run of some of this assembly's own tests in a process with other settings of the runtime.</summary>
/// <param name="Passed">Tests that ran and passed.</param>
/// <param name="Skipped">Every skipped test with its reason.</param>
/// <param name="Failures">Every failed test with its message, and errors outside tests.</param>
internal sealed record ChildRun(int Passed, IReadOnlyList<(string Name, string Reason)> Skipped, IReadOnlyList<string> Failures)
{
    /// <summary>Marks a child, which must start none of its own.</summary>
    private const string Mark = "UNROLLED_CHILD";

    // Against a run that never ends; on a machine that does much else, one of minutes may take an hour.
    private static readonly TimeSpan Limit = TimeSpan.FromHours(3);

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
            foreach (string argument in new[] { typeof(ChildRun).Assembly.Location, "-trait", "Category=" + category, "-result-xml", results, "-noColor" })
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
            (string, string)[] skipped =
            [
                .. assembly.Descendants("test").Where(test => (string?)test.Attribute("result") == "Skip")
                    .Select(test => (test.Attribute("name")!.Value, test.Element("reason")!.Value.Trim())),
            ];
            Assert.Equal(Count(assembly, "failed") + Count(assembly, "errors"), failures.Length);
            Assert.Equal(Count(assembly, "skipped"), skipped.Length);
            return new ChildRun(Count(assembly, "passed"), skipped, failures);
        }
        finally
        {
            File.Delete(results);
        }
    }

    /// <summary>How many passed, failed and were skipped, and why.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Passed} passed, {Failures.Count} failed, {Skipped.Count} skipped")
        + string.Concat(Skipped.GroupBy(test => test.Reason).Select(group => string.Create(CultureInfo.InvariantCulture, $"\n  {group.Count()}: {group.Key}")));

    /// <summary>
    /// Fails the test that started the run unless tests enough passed and none failed. A summary counts the tests of its own process only:
    /// so none may be skipped here but for reasons that are told there.
    /// </summary>
    /// <param name="atLeast">How many must have passed.</param>
    /// <param name="toldElsewhere">How the reasons begin for which a test may be skipped.</param>
    public void AssertPassed(int atLeast, params string[] toldElsewhere)
    {
        Assert.True(Failures.Count == 0, $"{this}\n{string.Join('\n', Failures.Take(20))}");
        Assert.True(Passed >= atLeast, $"Of at least {atLeast} tests: {this}");
        string[] untold = [.. Skipped.Where(test => !toldElsewhere.Any(reason => test.Reason.StartsWith(reason, StringComparison.Ordinal))).Select(test => $"{test.Name}: {test.Reason}")];
        Assert.True(untold.Length == 0, $"Skipped, and told nowhere:\n{string.Join('\n', untold)}");
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

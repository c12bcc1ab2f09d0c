using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace Unrolled.Generator.Tests.Harness;

/// <summary>A user's program with models in it, compiled by the harness and run in a process of its own.</summary>
internal sealed class FreshProgram : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("unrolled-").FullName;
    private readonly string _assembly;

    public FreshProgram(string source)
    {
        CompiledModels program = ModelHarness.Compile([source], new HarnessOptions { Program = true });
        _assembly = Path.Combine(_folder, "program.dll");
        File.WriteAllBytes(_assembly, program.Image);
        string runtime = typeof(IModel).Assembly.Location;
        File.Copy(runtime, Path.Combine(_folder, Path.GetFileName(runtime)));
        Version version = Environment.Version;
        File.WriteAllText(Path.ChangeExtension(_assembly, ".runtimeconfig.json"), string.Create(CultureInfo.InvariantCulture, $$"""
            { "runtimeOptions": { "tfm": "net{{version.Major}}.0", "framework": { "name": "Microsoft.NETCore.App", "version": "{{version.Major}}.0.0" } } }
            """));
    }

    /// <summary>Runs it and gives what it printed.</summary>
    public string Run()
    {
        using Process process = Process.Start(new ProcessStartInfo(ChildRun.Host, [_assembly])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string printed = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, errors.Result);
        return printed;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}

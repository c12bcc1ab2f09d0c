using System.Diagnostics;

namespace Aot.Tests;

/// <summary>Programs started by the tests.</summary>
internal static class Command
{
    // Against programs that never end; on a machine that does much else, compiling ahead of time may take many minutes.
    private static readonly TimeSpan s_patience = TimeSpan.FromHours(1);

    /// <summary>Whether a program of this name lies on the path.</summary>
    public static bool Exists(string name) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Any(folder => File.Exists(Path.Combine(folder, name)));

    /// <summary>Runs a program to its end and returns what it wrote; fails the test with all of it where the exit code is not 0.</summary>
    public static async Task<string> Run(string program, string[] arguments, params (string Name, string Value)[] environment)
    {
        var (exitCode, log, error) = await Start(program, arguments, environment);
        Assert.True(exitCode == 0, $"{program} {string.Join(' ', arguments)}\nexit code {exitCode}\n{log}{error}");
        return log;
    }

    /// <summary>The same for a program that must fail.</summary>
    public static async Task<string> Fail(string program, string[] arguments, params (string Name, string Value)[] environment)
    {
        var (exitCode, log, error) = await Start(program, arguments, environment);
        Assert.True(exitCode != 0, $"{program} {string.Join(' ', arguments)}\nended well\n{log}{error}");
        return log;
    }

    private static async Task<(int ExitCode, string Output, string Error)> Start(string program, string[] arguments, (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var name in Environment.GetEnvironmentVariables().Keys.Cast<string>())
        {
            // The settings of the build and of the instruction sets this test runs under are not meant for the program it starts.
            if (name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase) || name.StartsWith("DOTNET_Enable", StringComparison.OrdinalIgnoreCase))
            {
                start.Environment.Remove(name);
            }
        }

        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        using var patience = new CancellationTokenSource(s_patience);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        return (process.ExitCode, await output, await error);
    }
}

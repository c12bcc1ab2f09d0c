using System.Diagnostics;
using System.Text;

namespace Samples.Tests;

/// <summary>What a run of the sample left behind.</summary>
internal sealed record Outcome(int ExitCode, string Output, string Error)
{
    public string[] Lines => Output.Split('\n');

    /// <summary>The one line that starts so.</summary>
    public string Line(string start) => Assert.Single(Lines, line => line.StartsWith(start, StringComparison.Ordinal));
}

/// <summary>The built program, started as a user starts it.</summary>
internal sealed class SampleProcess : IDisposable
{
    // Against a program that never ends; on a machine that does much else a run of seconds may take minutes.
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(30);

    // Sent to itself, a signal ends the shell, unless it was started with the signal ignored: `sh` cannot undo that.
    private const string TellIfIgnored = "kill -$0 $$; echo ignored";

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly Task<string> _error;
    private readonly Task _reading;
    private readonly TaskCompletionSource _firstReport = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private SampleProcess(string[] launcher, string[] arguments)
    {
        var dotnet = Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";
        string[] command = [.. launcher, dotnet, Path.Combine(AppContext.BaseDirectory, "CharRnn.dll"), .. arguments];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        _process = Process.Start(start)!;
        _process.StandardInput.Close();
        _error = _process.StandardError.ReadToEndAsync();
        _reading = ReadOutput();
    }

    public int Id => _process.Id;

    /// <summary>Ends when the program has told for the first time how its training goes.</summary>
    public Task FirstReport => _firstReport.Task.WaitAsync(s_patience);

    /// <summary>
    /// Starts the program so that a signal reaches it. What a shell starts in the background ignores SIGINT, and so does all that this
    /// starts, these tests and their children: then <c>env</c> of the GNU tools gives the signal its meaning back.
    /// </summary>
    public static SampleProcess StartToSignal(string signal, params string[] arguments)
    {
        string[] launcher = [];
        if (IsIgnored(launcher, signal))
        {
            launcher = ["env", "--default-signal=" + signal];
            Assert.SkipWhen(IsIgnored(launcher, signal), $"This run ignores SIG{signal}, and there is no env here that could undo it for a child.");
        }

        return new SampleProcess(launcher, arguments);
    }

    private static bool IsIgnored(string[] launcher, string signal)
    {
        string[] command = [.. launcher, "sh", "-c", TellIfIgnored, signal];
        using var shell = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var told = shell.StandardOutput.ReadToEnd();
        shell.WaitForExit();

        // An env that does not know the option ends with 125 and runs nothing.
        return told.Length > 0 || shell.ExitCode == 125;
    }

    public static async Task<Outcome> Run(params string[] arguments)
    {
        using var process = new SampleProcess([], arguments);
        return await process.Finish();
    }

    public async Task<Outcome> Finish()
    {
        using var patience = new CancellationTokenSource(s_patience);
        await _process.WaitForExitAsync(patience.Token);
        await _reading;
        return new Outcome(_process.ExitCode, _output.ToString(), await _error);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }

    private async Task ReadOutput()
    {
        var buffer = new char[4096];
        int count;
        while ((count = await _process.StandardOutput.ReadAsync(buffer)) > 0)
        {
            _output.Append(buffer, 0, count);
            if (_output.ToString().Contains("characters a second", StringComparison.Ordinal))
            {
                _firstReport.TrySetResult();
            }
        }

        _firstReport.TrySetException(new InvalidOperationException("The program ended without a report of its training."));
    }
}

/// <summary>A folder that goes with its test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("unrolled-sample-");

    public string this[string name] => Path.Combine(_folder.FullName, name);

    public string[] Files => [.. _folder.EnumerateFiles().Select(file => file.Name)];

    public string Write(string name, byte[] bytes)
    {
        File.WriteAllBytes(this[name], bytes);
        return this[name];
    }

    public void Dispose() => _folder.Delete(recursive: true);
}

using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using CharRnn;

namespace Samples.Tests;

/// <summary>The sample trained for moments: it learns, measures, saves and writes.</summary>
public sealed partial class TrainingTests
{
    /// <summary>What a model that knows nothing loses: every byte value is as likely as every other.</summary>
    private static readonly double s_ignorance = Math.Log(256);

    [Theory]
    [InlineData("rnn")]
    [InlineData("lstm")]
    [InlineData("peephole-lstm")]
    [InlineData("gru")]
    public async Task Every_cell_learns_its_own_source(string cell)
    {
        var outcome = await SampleProcess.Run("--cell", cell, "--updates", "40", "--length", "300");
        Assert.Equal("", outcome.Error);
        Assert.Equal(0, outcome.ExitCode);
        Assert.Matches(TrainedLine(), outcome.Line("trained for"));
        Assert.True(HeldOutLoss(outcome) < s_ignorance - 1.5, outcome.Output);

        var sample = outcome.Output[outcome.Output.IndexOf("held-out", StringComparison.Ordinal)..];
        sample = sample[(sample.IndexOf("\n\n", StringComparison.Ordinal) + 2)..];
        Assert.InRange(sample.Length, 150, 301);
        Assert.DoesNotContain(sample, character => char.IsControl(character) && character is not ('\n' or '\t'));
    }

    [Fact]
    public async Task Saved_weights_come_back_with_the_same_loss_and_the_same_sample()
    {
        using var folder = new TemporaryFolder();
        var path = folder["weights.safetensors"];
        var trained = await SampleProcess.Run("--updates", "20", "--length", "200", "--seed", "7", "--save", path);
        Assert.Equal(0, trained.ExitCode);
        trained.Line("saved the weights to " + path);
        Assert.Equal(["weights.safetensors"], folder.Files);

        var loaded = await SampleProcess.Run("--seconds", "0", "--length", "200", "--seed", "7", "--load", path);
        Assert.Equal(0, loaded.ExitCode);
        Assert.Equal(FromHeldOut(trained), FromHeldOut(loaded));

        var other = await SampleProcess.Run("--seconds", "0", "--length", "200", "--seed", "8", "--threads", "3", "--load", path);
        Assert.Equal(HeldOutLoss(loaded), HeldOutLoss(other));
        Assert.NotEqual(FromHeldOut(loaded), FromHeldOut(other));

        var prompted = await SampleProcess.Run("--seconds", "0", "--length", "20", "--load", path, "--prompt", "namespace Größe\u001b[2J");
        Assert.Contains("\n\nnamespace Größe\u241b[2J", prompted.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public async Task A_signal_ends_the_training_and_still_saves_and_writes(string signal)
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("A process on Windows cannot send another one Ctrl-C.");
        }

        using var folder = new TemporaryFolder();
        using var sample = SampleProcess.StartToSignal(signal, "--seconds", "360000", "--length", "100", "--save", folder["weights.safetensors"]);
        await sample.FirstReport;
        using (var kill = Process.Start("kill", ["-" + signal, sample.Id.ToString(CultureInfo.InvariantCulture)]))
        {
            await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        var outcome = await sample.Finish();
        Assert.Equal("", outcome.Error);
        Assert.Equal(0, outcome.ExitCode);
        outcome.Line("stopped after");
        Assert.Matches(ReportLine(), outcome.Output);
        Assert.Equal(["weights.safetensors"], folder.Files);
        Assert.True(HeldOutLoss(outcome) < s_ignorance);
    }

    [Fact]
    public void The_learning_rate_falls_to_a_twentieth()
    {
        var first = Training.LearningRateAt(0);
        Assert.True(first > 0);
        Assert.Equal(0.525f * first, Training.LearningRateAt(0.5), 1e-8f);
        Assert.Equal(0.05f * first, Training.LearningRateAt(1), 1e-8f);
        Assert.Equal(0.05f * first, Training.LearningRateAt(1.5), 1e-8f);
    }

    private static double HeldOutLoss(Outcome outcome)
    {
        var match = HeldOutLine().Match(outcome.Line("held-out "));
        Assert.True(match.Success, outcome.Output);
        var nats = double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
        var bits = double.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture);
        Assert.Equal(nats / Math.Log(2), bits, 0.002);
        return nats;
    }

    private static string FromHeldOut(Outcome outcome) => outcome.Output[outcome.Output.IndexOf("held-out", StringComparison.Ordinal)..];

    [GeneratedRegex(@"^held-out (\d\.\d{3}) nats/char \((\d\.\d{3}) bits\)$")]
    private static partial Regex HeldOutLine();

    [GeneratedRegex(@"^trained for \d+\.\d s: 100,000 characters, [\d,]+ a second, loss \d\.\d{3}$")]
    private static partial Regex TrainedLine();

    // The first of them after a second, or where an update takes longer, after that: of 100 hours at least 99 are left.
    [GeneratedRegex(@"\n +\d+ s  loss \d\.\d{3}, [\d,]+ characters a second, (100:00:00|99:\d\d:\d\d) left\n")]
    private static partial Regex ReportLine();
}

using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace CharRnn;

/// <summary>Shows a training under way: a bar on a terminal, a plain line every few seconds where the output goes to a file.</summary>
internal static class Progress
{
    /// <summary>Seconds between two plain lines.</summary>
    private const double Interval = 5;

    /// <summary>Runs a training and shows how it goes.</summary>
    /// <param name="train">The training, given what to call after every update.</param>
    public static TrainingState Show(Func<Action<TrainingState>, TrainingState> train)
    {
        var capabilities = AnsiConsole.Profile.Capabilities;
        var terminal = !Console.IsOutputRedirected && capabilities is { Ansi: true, Interactive: true };
        return terminal ? ShowBar(train) : ShowLines(train);
    }

    /// <summary>The figures of a training as one line.</summary>
    internal static string Describe(TrainingState state) => string.Create(
        CultureInfo.InvariantCulture,
        $"loss {state.Loss:F3}, {state.CharactersPerSecond:N0} characters a second, {FormatTime(state.Left)} left");

    internal static string FormatTime(double seconds)
    {
        var whole = (long)Math.Ceiling(seconds);
        return whole < 3600 ? $"{whole / 60}:{whole % 60:00}" : $"{whole / 3600}:{whole / 60 % 60:00}:{whole % 60:00}";
    }

    private static TrainingState ShowBar(Func<Action<TrainingState>, TrainingState> train)
    {
        var figures = new FiguresColumn();
        return AnsiConsole.Progress()
            .Columns(new ProgressBarColumn(), new PercentageColumn(), figures)
            .Start(context =>
            {
                var task = context.AddTask("training", maxValue: 1);
                return train(state =>
                {
                    task.Value = state.Progress;
                    figures.Text = Describe(state);
                });
            });
    }

    private static TrainingState ShowLines(Func<Action<TrainingState>, TrainingState> train)
    {
        // The first line comes early, to show that something happens.
        var next = Math.Min(1, Interval);
        return train(state =>
        {
            if (state.Elapsed >= next)
            {
                next = state.Elapsed + Interval;
                Console.WriteLine($"{state.Elapsed,6:F0} s  {Describe(state)}");
            }
        });
    }

    /// <summary>The figures beside the bar; the bar is drawn on another thread than the training's.</summary>
    private sealed class FiguresColumn : ProgressColumn
    {
        private volatile string _text = "";

        public string Text
        {
            set => _text = value;
        }

        protected override bool NoWrap => true;

        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) => new Text(_text);
    }
}

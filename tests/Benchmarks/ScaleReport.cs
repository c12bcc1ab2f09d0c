using System.Diagnostics;
using System.Globalization;
using Spectre.Console;

namespace Unrolled.Benchmarks;

/// <summary>How a whole training step's time and memory grow, one axis at a time from 128 units, 50 rows, 50 steps and 2 layers.</summary>
internal static class ScaleReport
{
    private sealed record Axis(string Name, int[] Values, Func<int, CharacterSize> Size);

    private static readonly Axis[] Axes =
    [
        new("units", [8, 16, 32, 64, 128, 256, 512, 1024, 2048], value => new CharacterSize { Units = value }),
        new("steps", [1, 4, 16, 64, 256, 1024, 4096], value => new CharacterSize { Steps = value }),
        new("batch", [1, 2, 4, 8, 16, 32, 64, 128, 256], value => new CharacterSize { Batch = value }),
        new("layers", [1, 2, 4, 8], value => new CharacterSize { Layers = value }),
    ];

    public static IEnumerable<string> Names => Axes.Select(axis => axis.Name);

    public static void Run(string name)
    {
        var axis = Axes.Single(axis => axis.Name == name);
        var multiplyAdd = MachineLimits.MultiplyAdd() * 1e9;
        var table = Tables.New(axis.Name, "parameters", "ms, new model", "ms, training step", "GFLOP/s", "of the peak", "MB, model", "MB, trainer");
        foreach (var value in axis.Values)
        {
            Measure(table, value, axis.Size(value), multiplyAdd);
        }

        AnsiConsole.Write(table);
    }

    private static void Measure(Table table, int value, CharacterSize size, double multiplyAdd)
    {
        var compiled = size.Compile();
        var start = Stopwatch.GetTimestamp();
        var model = CharacterSize.Create(compiled);
        var creation = Stopwatch.GetElapsedTime(start).TotalSeconds;

        // Initialisation uses arrays of its own, which are gone again: the block is what stays.
        var modelBytes = (double)model.Layout.BlockLength * sizeof(float);
        var before = GC.GetAllocatedBytesForCurrentThread();
        using var trainer = size.CreateTrainer(model);
        var trainerBytes = GC.GetAllocatedBytesForCurrentThread() - before;
        var work = ModelCases.TrainingStep(model, trainer, size.Batch, size.Steps);
        Stopclock.WarmUp(work);
        var seconds = Stopclock.Median(work);
        var rate = size.Demand.Flops / seconds;
        table.AddRow(
            value.ToString(CultureInfo.InvariantCulture), Tables.Count(model.Layout.ParameterCount), Tables.Milliseconds(creation), Tables.Milliseconds(seconds),
            (rate / 1e9).ToString("F0", CultureInfo.InvariantCulture), Tables.Share(rate / multiplyAdd), Tables.Megabytes(modelBytes), Tables.Megabytes(trainerBytes));
    }
}

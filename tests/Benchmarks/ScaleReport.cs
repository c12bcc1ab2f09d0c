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

        // Two threads want two processors: an affinity to one makes them take turns.
        new("threads", [1, 2], value => new CharacterSize { Threads = value }),
    ];

    public static IEnumerable<string> Names => Axes.Select(axis => axis.Name);

    /// <summary>Measures along an axis.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="upTo">The last value: the largest models take minutes.</param>
    public static void Run(string name, int upTo)
    {
        var axis = Axes.Single(axis => axis.Name == name);
        var multiplyAdd = MachineLimits.MultiplyAdd() * 1e9;
        var sizes = Array.ConvertAll(Array.FindAll(axis.Values, value => value <= upTo), value => new Prepared(value, axis.Size(value)));
        Stopclock.WarmUp(Array.ConvertAll(sizes, size => size.Work));
        var table = Tables.New(axis.Name, "parameters", "ms, new model", "ms, training step", "GFLOP/s", "of the peak", "MB, model", "MB, trainer");
        foreach (var size in sizes)
        {
            var seconds = Stopclock.Median(size.Work);
            var rate = size.Demand.Flops / seconds;
            table.AddRow(
                size.Value.ToString(CultureInfo.InvariantCulture), Tables.Count(size.Parameters), Tables.Milliseconds(size.Creation),
                Tables.Milliseconds(seconds), (rate / 1e9).ToString("F0", CultureInfo.InvariantCulture), Tables.Share(rate / multiplyAdd),
                Tables.Megabytes(size.ModelBytes), Tables.Megabytes(size.TrainerBytes));
        }

        Tables.Show(table);
    }

    /// <summary>A model of a size, ready to be trained, and what it took to get there.</summary>
    private sealed class Prepared
    {
        public Prepared(int value, CharacterSize size)
        {
            Value = value;
            Demand = size.Demand;
            var compiled = size.Compile();
            var start = Stopwatch.GetTimestamp();
            var model = CharacterSize.Create(compiled);
            Creation = Stopwatch.GetElapsedTime(start).TotalSeconds;
            Parameters = model.Layout.ParameterCount;

            // Initialisation uses arrays of its own, which are gone again: the block is what stays.
            ModelBytes = (double)model.Layout.BlockLength * sizeof(float);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var trainer = size.CreateTrainer(model);
            TrainerBytes = GC.GetAllocatedBytesForCurrentThread() - before;
            Work = ModelCases.TrainingStep(model, trainer, size.Batch, size.Steps);
        }

        public int Value { get; }

        public Demand Demand { get; }

        public long Parameters { get; }

        /// <summary>Seconds to create the model: initial values, and the JIT's first look at its code.</summary>
        public double Creation { get; }

        public double ModelBytes { get; }

        public double TrainerBytes { get; }

        public Action Work { get; }
    }
}

using System.Diagnostics;
using System.Globalization;
using System.Runtime;
using System.Runtime.CompilerServices;

namespace Unrolled.Benchmarks;

/// <summary>Times pieces of work on the calling thread.</summary>
internal static class Stopclock
{
    private const double WarmUpSeconds = 0.05;
    private const double RoundSeconds = 0.02;
    private const int RoundCalls = 40;

    // What takes so long is made of many calls of what is worth compiling better, which happens while it runs.
    private const double LongCallSeconds = 0.5;

    private const int MostRounds = 12;
    private const int QuietRounds = 3;

    private const double BatchSeconds = 0.002;
    private const double TotalSeconds = 0.4;
    private const double LongSeconds = 3;
    private const int FewestBatches = 7;
    private const int FewestLongBatches = 3;
    private const int MostBatches = 101;

    private const double QuietShare = 0.97;

    // Longer than the JIT waits for new methods before it counts calls: 100 ms, ten times that on one processor.
    private static readonly int PauseMilliseconds = Environment.ProcessorCount == 1 ? 1100 : 150;

    private static TimeSpan _measured;
    private static TimeSpan _processor;

    /// <summary>
    /// Calls all the work until the JIT has nothing left to compile better: methods are counted, instrumented and optimised after 30 calls
    /// each, on a thread that waits for a pause in which no new method turns up.
    /// </summary>
    public static void WarmUp(params Action[] works)
    {
        var quiet = 0;
        var seconds = new double[works.Length];
        for (var round = 0; round < MostRounds && quiet < QuietRounds; round++)
        {
            var before = JitInfo.GetCompiledMethodCount();
            for (var i = 0; i < works.Length; i++)
            {
                if (seconds[i] < LongCallSeconds)
                {
                    seconds[i] = Round(works[i]);
                }
            }

            if (Array.TrueForAll(seconds, one => one >= LongCallSeconds))
            {
                return;
            }

            Thread.Sleep(PauseMilliseconds);
            quiet = JitInfo.GetCompiledMethodCount() == before ? quiet + 1 : 0;
        }
    }

    // Calls the work for a short while and gives the time of one call.
    private static double Round(Action work)
    {
        var start = Stopwatch.GetTimestamp();
        var calls = 0;
        do
        {
            work();
            calls++;
        }
        while (calls < RoundCalls && Stopwatch.GetElapsedTime(start).TotalSeconds < RoundSeconds);

        return Stopwatch.GetElapsedTime(start).TotalSeconds / calls;
    }

    /// <summary>
    /// The median time of one call in seconds, over batches of calls long enough for the clock, after warming caches and clock speed.
    /// The work is warmed up before.
    /// </summary>
    public static double Median(Action work) => Medians(work)[0];

    /// <summary>The same of several pieces of work, a batch of each in turn: their ratios hold though the machine's clock drifts.</summary>
    public static double[] Medians(params Action[] works)
    {
        var batches = Array.ConvertAll(works, Batch);
        var times = Array.ConvertAll(works, _ => new List<double>(MostBatches));
        var processor = Environment.CpuUsage.TotalTime;
        var total = Stopwatch.StartNew();
        while (!IsEnough(times[0].Count, total.Elapsed.TotalSeconds / works.Length))
        {
            for (var i = 0; i < works.Length; i++)
            {
                times[i].Add(Once(works[i], batches[i]));
            }
        }

        _measured += total.Elapsed;
        _processor += Environment.CpuUsage.TotalTime - processor;
        return Array.ConvertAll(times, Middle);
    }

    /// <summary>
    /// How far to trust the figures, or null where nothing disturbed them: with less than a whole core, they hold other programs' work too.
    /// </summary>
    public static string? Disturbance() => _measured > TimeSpan.Zero && _processor / _measured is var share && share < QuietShare
        ? string.Create(CultureInfo.InvariantCulture, $"Disturbed: other programs left {share:P0} of a core while this was measured.")
        : null;

    private static bool IsEnough(int batches, double seconds) =>
        batches >= MostBatches || (batches >= FewestBatches && seconds >= TotalSeconds) || (batches >= FewestLongBatches && seconds >= LongSeconds);

    // Warms up, and learns how many calls make a batch.
    private static int Batch(Action work)
    {
        long calls = 0;
        var warmUp = Stopwatch.StartNew();
        do
        {
            work();
            calls++;
        }
        while (warmUp.Elapsed.TotalSeconds < WarmUpSeconds);

        return (int)Math.Clamp(BatchSeconds * calls / warmUp.Elapsed.TotalSeconds, 1, int.MaxValue);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double Once(Action work, int calls)
    {
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < calls; i++)
        {
            work();
        }

        return Stopwatch.GetElapsedTime(start).TotalSeconds / calls;
    }

    private static double Middle(List<double> times)
    {
        times.Sort();
        return times[times.Count / 2];
    }
}

using System.Diagnostics;

namespace Unrolled.Benchmarks;

/// <summary>Times a piece of work on the calling thread.</summary>
internal static class Stopclock
{
    private const double WarmUpSeconds = 0.1;
    private const double BatchSeconds = 0.002;
    private const double TotalSeconds = 0.4;
    private const int FewestBatches = 7;
    private const int MostBatches = 101;

    /// <summary>
    /// The median time of one call in seconds, over batches of calls long enough for the clock, after warming caches, clock speed
    /// and the tiers of the JIT.
    /// </summary>
    public static double Median(Action work)
    {
        long calls = 0;
        var warmUp = Stopwatch.StartNew();
        do
        {
            work();
            calls++;
        }
        while (warmUp.Elapsed.TotalSeconds < WarmUpSeconds);

        var batch = (int)Math.Clamp(BatchSeconds * calls / warmUp.Elapsed.TotalSeconds, 1, int.MaxValue);
        var times = new List<double>(MostBatches);
        var total = Stopwatch.StartNew();
        while (times.Count < FewestBatches || (times.Count < MostBatches && total.Elapsed.TotalSeconds < TotalSeconds))
        {
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < batch; i++)
            {
                work();
            }

            times.Add(Stopwatch.GetElapsedTime(start).TotalSeconds / batch);
        }

        times.Sort();
        return times[times.Count / 2];
    }
}

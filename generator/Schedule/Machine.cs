namespace Unrolled.Generator.Schedule;

/// <summary>What is assumed of the processors that emitted code runs on: sizes between which one order of work or another is faster.</summary>
internal static class Machine
{
    /// <summary>Floats that stay in the second-level cache beside what else is there: half a megabyte, half of what today's processors have.</summary>
    public const int CacheFloats = 128 * 1024;

    /// <summary>Floats that stay in the first-level cache beside what else is there: half of the least that today's processors have.</summary>
    public const int NearFloats = 4 * 1024;

    /// <summary>Steps of one row that a sequence's products are worked on at a time, where nobody says how many: with fewer the weights are read too often.</summary>
    public const int FewestStepsOfOneRow = 8;

    /// <summary>As many as gain anything, even where the weights lie in a far cache.</summary>
    public const int MostStepsOfOneRow = 32;

    /// <summary>The same for several rows, whose threads meet once for each such piece.</summary>
    public const int StepsOfRows = 64;

    /// <summary>Bytes of weights beyond which the load units wait for a farther cache, not the adders for each other.</summary>
    public const long NearBytes = 256 << 10;

    /// <summary>Bytes of weights that leave the second-level cache from one step to the next; what was read last is still there.</summary>
    public const long FarBytes = 768 << 10;
}

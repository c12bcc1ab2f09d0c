namespace Unrolled.Generator.Schedule;

/// <summary>What is assumed of the processors that emitted code runs on: sizes between which one order of work or another is faster.</summary>
internal static class Machine
{
    /// <summary>Floats that stay in the second-level cache beside what else is there: half a megabyte, half of what today's processors have.</summary>
    public const int CacheFloats = 128 * 1024;

    /// <summary>Bytes of weights beyond which the load units wait for a farther cache, not the adders for each other.</summary>
    public const long NearBytes = 256 << 10;

    /// <summary>Bytes of weights that leave the second-level cache from one step to the next; what was read last is still there.</summary>
    public const long FarBytes = 768 << 10;
}

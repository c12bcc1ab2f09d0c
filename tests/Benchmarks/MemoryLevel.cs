using System.Globalization;

namespace Unrolled.Benchmarks;

/// <summary>A level of memory of one core.</summary>
/// <param name="Name">As people say it: L1.</param>
/// <param name="Bytes">What it holds.</param>
/// <param name="BytesPerSecond">What a plain load loop gets from it.</param>
internal sealed record MemoryLevel(string Name, double Bytes, double BytesPerSecond)
{
    private const string Caches = "/sys/devices/system/cpu/cpu0/cache";

    /// <summary>The levels of this machine from the nearest on, their bandwidths measured now.</summary>
    public static MemoryLevel[] Measure() =>
    [
        new("L1", SizeOf(1, 32 << 10), MachineLimits.L1Load() * 1e9),
        new("L2", SizeOf(2, 1 << 20), MachineLimits.L2Load() * 1e9),
        new("L3", SizeOf(3, 32 << 20), MachineLimits.L3Load() * 1e9),
        new("memory", double.PositiveInfinity, MachineLimits.MemoryLoad() * 1e9),
    ];

    // Linux says; elsewhere a common size stands in.
    private static double SizeOf(int level, double otherwise)
    {
        if (!Directory.Exists(Caches))
        {
            return otherwise;
        }

        foreach (var cache in Directory.EnumerateDirectories(Caches, "index*"))
        {
            var size = Read(cache, "size");
            if (Read(cache, "level") == level.ToString(CultureInfo.InvariantCulture) && Read(cache, "type") != "Instruction"
                && size.EndsWith('K') && int.TryParse(size[..^1], CultureInfo.InvariantCulture, out var kilobytes))
            {
                return kilobytes * 1024.0;
            }
        }

        return otherwise;
    }

    private static string Read(string folder, string file)
    {
        var path = Path.Combine(folder, file);
        return File.Exists(path) ? File.ReadAllText(path).Trim() : "";
    }
}

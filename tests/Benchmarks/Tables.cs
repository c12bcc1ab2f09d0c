using System.Globalization;
using Spectre.Console;

namespace Unrolled.Benchmarks;

/// <summary>How reports look: the first column names, the others are numbers.</summary>
internal static class Tables
{
    private const int WidthOfFiles = 160;

    /// <summary>A file has no width of its own.</summary>
    public static void Widen()
    {
        if (Console.IsOutputRedirected)
        {
            AnsiConsole.Profile.Width = WidthOfFiles;
        }
    }

    public static Table New(string name, params string[] numbers)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn(name);
        foreach (var number in numbers)
        {
            table.AddColumn(number, column => column.RightAligned());
        }

        return table;
    }

    public static void Show(Table table)
    {
        AnsiConsole.Write(table);
        if (Stopclock.Disturbance() is { } disturbance)
        {
            AnsiConsole.WriteLine(disturbance);
        }
    }

    public static string Microseconds(double seconds) =>
        (seconds * 1e6).ToString(seconds < 1e-6 ? "F4" : seconds < 1e-4 ? "F3" : "N1", CultureInfo.InvariantCulture);

    public static string Milliseconds(double seconds) => (seconds * 1e3).ToString(seconds < 0.1 ? "F2" : "N0", CultureInfo.InvariantCulture);

    public static string Megabytes(double bytes) => (bytes / 1e6).ToString(bytes < 1e8 ? "F2" : "N0", CultureInfo.InvariantCulture);

    public static string Share(double share) => share.ToString("P0", CultureInfo.InvariantCulture);

    public static string Ratio(double ratio) => ratio.ToString("F2", CultureInfo.InvariantCulture);

    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);
}

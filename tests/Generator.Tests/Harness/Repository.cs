namespace Unrolled.Generator.Tests.Harness;

/// <summary>Where the tests' files are: found from the test assembly upwards, so that a clone works wherever it lies.</summary>
internal static class Repository
{
    /// <summary>The folder of the solution.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>This project's folder.</summary>
    public static string TestProject => Path.Combine(Root, "tests", "Generator.Tests");

    /// <summary>
    /// The folder with the whole of the recorded oracles, or null where it is absent: <c>shared/oracle</c> beside the repository, or
    /// what the environment variable UNROLLED_ORACLE names.
    /// </summary>
    public static string? Oracle
    {
        get
        {
            string? named = Environment.GetEnvironmentVariable("UNROLLED_ORACLE");
            string folder = string.IsNullOrEmpty(named) ? Path.Combine(Root, "..", "shared", "oracle") : named;
            return Directory.Exists(folder) ? Path.GetFullPath(folder) : null;
        }
    }

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "CodeGen.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"No CodeGen.sln above {AppContext.BaseDirectory}");
    }
}

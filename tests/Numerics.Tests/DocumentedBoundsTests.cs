using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Xunit;

namespace Unrolled.Tests;

/// <summary>What the documentation of <see cref="VectorMath"/> promises in ulp is what <see cref="AccuracyTests"/> hold, on each instruction set.</summary>
public sealed partial class DocumentedBoundsTests
{
    private const int Promises = 11;

    [Fact]
    public void Every_promise_is_held_by_a_test()
    {
        string[] sources = Directory.GetFiles(Path.Combine(Root(), "runtime", "Numerics"), "VectorMath*.cs");
        int found = 0;
        foreach (Match method in sources.SelectMany(source => DocumentedMethods().Matches(File.ReadAllText(source).ReplaceLineEndings("\n"))))
        {
            string documentation = method.Groups["documentation"].Value, name = method.Groups["name"].Value;
            if (!documentation.Contains("ulp", StringComparison.Ordinal))
            {
                continue;
            }

            found++;
            Match promise = Promise().Match(documentation);
            Assert.True(promise.Success, $"{name} promises no whole number of ulp");
            Type function = typeof(Exp).Assembly.GetType("Unrolled.Tests." + name) ?? throw new InvalidOperationException($"{name} is tried by no test");
            Assert.NotNull(typeof(AccuracyTests).GetMethod(name, BindingFlags.Public | BindingFlags.Instance));

            // At 1 no function of these is in a region with a bound of its own.
            object exact = function.GetMethod("Exact")!.Invoke(null, [1.0])!;
            Assert.Equal(double.Parse(promise.Groups[1].ValueSpan, CultureInfo.InvariantCulture), function.GetMethod("AllowedUlp")!.Invoke(null, [1.0, exact]));
        }

        Assert.Equal(Promises, found);
    }

    [GeneratedRegex(@"(?<documentation>(?:[ ]*///[^\n]*\n)+)[ ]*\[MethodImpl[^\n]*\n[ ]*public static Vector512<float> (?<name>\w+)\(")]
    private static partial Regex DocumentedMethods();

    [GeneratedRegex(@"at most (\d+)\s+ulp")]
    private static partial Regex Promise();

    private static string Root()
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

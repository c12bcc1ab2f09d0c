using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Unrolled.Generator.Tests.Harness;
using Xunit;

namespace Unrolled.Generator.Tests;

/// <summary>What models cost their user before they do any work: in every build, in every keystroke, at the first call.</summary>
public sealed class BuildCostTests(ITestOutputHelper output)
{
    // Other programs take turns on the machine: the quickest of several runs is the nearest to what the work itself takes.
    private const int MostRuns = 60;

    private static string Model(int units, int layers) => string.Create(CultureInfo.InvariantCulture, $"""
        using Unrolled;

        namespace Networks;

        [Model(Tokens = 65)]
        {string.Concat(Enumerable.Repeat(string.Create(CultureInfo.InvariantCulture, $"[Lstm({units}, Peepholes = true)]\n"), layers - 1))}[Dense(65)]
        [Loss(Loss.SoftmaxCrossEntropy)]
        public sealed partial class CharModel;

        """);

    // Runs until one is quick enough, and gives the quickest.
    private static TimeSpan Quickest(TimeSpan limit, Action<int> work)
    {
        TimeSpan quickest = TimeSpan.MaxValue;
        for (int run = 0; run < MostRuns && quickest >= limit; run++)
        {
            long start = Stopwatch.GetTimestamp();
            work(run);
            TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
            quickest = elapsed < quickest ? elapsed : quickest;
        }

        return quickest;
    }

    [Fact]
    public void FourLayersAreGeneratedInATenthOfASecond()
    {
        TimeSpan limit = TimeSpan.FromMilliseconds(100);
        CSharpCompilation project = ModelHarness.Project(Model(128, layers: 4));
        TimeSpan quickest = Quickest(limit, _ =>
        {
            GeneratorDriver driver = ModelHarness.Driver(project).RunGenerators(project, TestContext.Current.CancellationToken);
            Assert.Single(driver.GetRunResult().GeneratedTrees);
        });
        output.WriteLine($"{quickest.TotalMilliseconds:F1} ms");
        Assert.True(quickest < limit, $"The generator took {quickest.TotalMilliseconds:F1} ms at best");
    }

    [Fact]
    public void NothingIsDoneAgainWhereNothingChanged()
    {
        TimeSpan limit = TimeSpan.FromMilliseconds(1);
        CSharpCompilation project = ModelHarness.Project(Model(128, layers: 4));
        GeneratorDriver driver = ModelHarness.Driver(project).RunGenerators(project, TestContext.Current.CancellationToken);
        TimeSpan quickest = Quickest(limit, _ => driver = driver.RunGenerators(project, TestContext.Current.CancellationToken));
        output.WriteLine($"{quickest.TotalMilliseconds:F3} ms");
        Assert.True(quickest < limit, $"The generator took {quickest.TotalMilliseconds:F3} ms at best");
        Assert.Single(driver.GetRunResult().GeneratedTrees);
    }

    [Fact]
    public void AnEditElsewhereCostsFiveMilliseconds()
    {
        // The compiler binds the model's attributes anew, which takes most of it; nothing is compiled.
        TimeSpan limit = TimeSpan.FromMilliseconds(5);
        CSharpCompilation project = ModelHarness.Project(Model(128, layers: 4), "class Elsewhere;");
        GeneratorDriver driver = ModelHarness.Driver(project).RunGenerators(project, TestContext.Current.CancellationToken);
        SyntaxTree elsewhere = project.SyntaxTrees[1];

        // As an editor does it: the edit makes a compilation of its own, which has bound nothing yet.
        TimeSpan quickest = Quickest(limit, run =>
        {
            SyntaxTree edited = elsewhere.WithChangedText(Microsoft.CodeAnalysis.Text.SourceText.From($"class Elsewhere{run};"));
            driver = driver.RunGenerators(project.ReplaceSyntaxTree(elsewhere, edited), TestContext.Current.CancellationToken);
        });
        output.WriteLine($"{quickest.TotalMilliseconds:F3} ms");
        Assert.True(quickest < limit, $"The generator took {quickest.TotalMilliseconds:F3} ms at best");
    }

    [Theory]
    [InlineData(1024, 2048)]
    [InlineData(1096, 1992)]
    [InlineData(1064, 1128)]
    public void TheSourceDoesNotGrowWithTheUnits(int few, int many)
    {
        // The same but for its numbers and their columns: both sizes leave the same rest after whole panels of 64 units.
        string small = WithoutNumbers(Model(few, layers: 3));
        string large = WithoutNumbers(Model(many, layers: 3));
        Assert.Contains("class CharModel", small, StringComparison.Ordinal);
        Assert.Equal(small, large);
    }

    [Fact]
    public void WeightsBeyondTheNearCachesCostALineEach()
    {
        // They are fetched ahead, and fewer units go together: a few lines in kernels of a hundred.
        int near = WithoutNumbers(Model(128, layers: 3)).Length, far = WithoutNumbers(Model(2048, layers: 3)).Length;
        Assert.InRange(far, 0.95 * near, 1.05 * near);
    }

    private static string WithoutNumbers(string model) =>
        Regex.Replace(Assert.Single(ModelHarness.Generate([model])).Text, "[0-9][0-9,]*]? *", "#");

    [Fact]
    public void TheFirstCallTakesATwentiethOfASecond()
    {
        TimeSpan limit = TimeSpan.FromMilliseconds(50);
        using var program = new FreshProgram(Model(128, layers: 3).Replace("namespace Networks;", "", StringComparison.Ordinal) + """
            public static class Program
            {
                public static void Main()
                {
                    CharModel? model = null;
                    CharModel.Session? session = null;
                    CharModel.Trainer? trainer = null;
                    var output = new float[65];
                    Measure("nothing", () => { });
                    Measure("model", () => model = new CharModel(seed: 1));
                    Measure("session", () => session = model!.CreateSession());
                    Measure("step", () => session!.Step(1, output));
                    Measure("trainer", () => trainer = model!.CreateTrainer(batchSize: 1, steps: 1));
                    Measure("training", () => trainer!.ForwardBackward(new[] { 1 }, new[] { 2 }));
                }

                private static void Measure(string name, System.Action work)
                {
                    System.TimeSpan processor = System.Environment.CpuUsage.TotalTime;
                    System.TimeSpan jit = System.Runtime.JitInfo.GetCompilationTime();
                    long methods = System.Runtime.JitInfo.GetCompiledMethodCount();
                    long start = System.Diagnostics.Stopwatch.GetTimestamp();
                    work();
                    System.TimeSpan elapsed = System.Diagnostics.Stopwatch.GetElapsedTime(start);
                    System.Console.WriteLine(System.FormattableString.Invariant(
                        $"{name} {(System.Environment.CpuUsage.TotalTime - processor).TotalMilliseconds:F1} {elapsed.TotalMilliseconds:F1} {(System.Runtime.JitInfo.GetCompilationTime() - jit).TotalMilliseconds:F1} {System.Runtime.JitInfo.GetCompiledMethodCount() - methods}"));
                }
            }
            """);
        // In processor time, which other programs lengthen less than the clock's.
        foreach (string name in new[] { "model", "step", "training" })
        {
            double quickest = double.MaxValue;
            for (int run = 0; run < 10 && quickest >= limit.TotalMilliseconds; run++)
            {
                string printed = program.Run();
                output.WriteLine(printed);
                Match line = Regex.Match(printed, $"^{name} ([0-9.]+) ", RegexOptions.Multiline);
                Assert.True(line.Success, printed);
                quickest = Math.Min(quickest, double.Parse(line.Groups[1].Value, CultureInfo.InvariantCulture));
            }

            Assert.True(quickest < limit.TotalMilliseconds, $"The first {name} took {quickest:F1} ms at best");
        }
    }
}

using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Unrolled.Generator.Tests.Harness;
using Xunit;

namespace Unrolled.Generator.Tests;

/// <summary>
/// What models cost their user before they do any work: in every build, in every keystroke, at the first call. Counted, not timed: the work
/// of the generator in bytes it allocates, that of the JIT in methods and their IL. What they take in time shows <c>scale code</c> of the benchmarks.
/// </summary>
public sealed class BuildCostTests(ITestOutputHelper output)
{
    private static string Model(int units, int layers) => string.Create(CultureInfo.InvariantCulture, $"""
        using Unrolled;

        namespace Networks;

        [Model(Tokens = 65)]
        {string.Concat(Enumerable.Repeat(string.Create(CultureInfo.InvariantCulture, $"[Lstm({units}, Peepholes = true)]\n"), layers - 1))}[Dense(65)]
        [Loss(Loss.SoftmaxCrossEntropy)]
        public sealed partial class CharModel;

        """);

    // The least of three: a collection that another test's thread starts adds what is left of this thread's buffer, and the first run of
    // all fills what later ones find: the library's cells, the compiler's tables.
    private static long Allocated(Action<int> work)
    {
        long least = long.MaxValue;
        for (int run = 0; run < 3; run++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            work(run);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }

    private static long AllocatedToGenerate(int units, int layers)
    {
        CSharpCompilation project = ModelHarness.Project(Model(units, layers));
        return Allocated(_ => Assert.Single(ModelHarness.Driver(project).RunGenerators(project, TestContext.Current.CancellationToken).GetRunResult().GeneratedTrees));
    }

    [Fact]
    public void TheGeneratorsWorkGrowsEvenlyWithTheLayersAndNotWithTheUnits()
    {
        long four = AllocatedToGenerate(128, 4), eight = AllocatedToGenerate(128, 8), sixteen = AllocatedToGenerate(128, 16), wide = AllocatedToGenerate(2048, 4);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"4 layers {four:N0}, 8 layers {eight:N0}, 16 layers {sixteen:N0} bytes; of 2048 units {wide:N0}"));

        // 18 MB, and a half more.
        Assert.InRange(four, 0, 27_000_000);

        // Eight more layers took 2.5 times as much as four more did; it would be 4 times if every layer looked at every other.
        Assert.InRange(sixteen - eight, 0, 3 * (eight - four));
        Assert.InRange(wide, 0.9 * four, 1.1 * four);
    }

    [Fact]
    public void NothingIsDoneAgainWhereNothingChanged()
    {
        CSharpCompilation project = ModelHarness.Project(Model(128, layers: 4));
        GeneratorDriver driver = ModelHarness.Driver(project).RunGenerators(project, TestContext.Current.CancellationToken);
        long again = Allocated(_ => driver = driver.RunGenerators(project, TestContext.Current.CancellationToken));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{again:N0} bytes"));
        Assert.Single(driver.GetRunResult().GeneratedTrees);

        // 15 KB: the driver looks at its tables. The first run took a thousand times that.
        Assert.InRange(again, 0, 50_000);
    }

    [Fact]
    public void AnEditElsewhereBindsTheModelsAttributesAndCompilesNothing()
    {
        CSharpCompilation project = ModelHarness.Project(Model(128, layers: 4), "class Elsewhere;");
        GeneratorDriver driver = ModelHarness.Driver(project).RunGenerators(project, TestContext.Current.CancellationToken);
        SyntaxTree elsewhere = project.SyntaxTrees[1];

        // As an editor does it: the edit makes a compilation of its own, which has bound nothing yet.
        long edited = Allocated(run =>
        {
            SyntaxTree tree = elsewhere.WithChangedText(Microsoft.CodeAnalysis.Text.SourceText.From($"class Elsewhere{run};"));
            driver = driver.RunGenerators(project.ReplaceSyntaxTree(elsewhere, tree), TestContext.Current.CancellationToken);
        });
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{edited:N0} bytes"));
        Assert.Single(driver.GetRunResult().GeneratedTrees);

        // 170 KB, nearly all of it the compiler's; compiling the model would be a hundred times that.
        Assert.InRange(edited, 0, 500_000);
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
    public void TheFirstCallsCompileAFewMethods()
    {
        using var program = new FreshProgram(Model(128, layers: 3).Replace("namespace Networks;", "", StringComparison.Ordinal) + """
            public static class Program
            {
                public static void Main()
                {
                    CharModel? model = null;
                    CharModel.Session? session = null;
                    CharModel.Trainer? trainer = null;
                    var output = new float[65];
                    Count("nothing", () => { });
                    Count("model", () => model = new CharModel(seed: 1));
                    Count("session", () => session = model!.CreateSession());
                    Count("step", () => session!.Step(1, output));
                    Count("trainer", () => trainer = model!.CreateTrainer(batchSize: 1, steps: 1));
                    Count("training", () => trainer!.ForwardBackward(new[] { 1 }, new[] { 2 }));
                }

                private static void Count(string name, System.Action work)
                {
                    long methods = System.Runtime.JitInfo.GetCompiledMethodCount(currentThread: true);
                    long bytes = System.Runtime.JitInfo.GetCompiledILBytes(currentThread: true);
                    work();
                    System.Console.WriteLine($"{name} {System.Runtime.JitInfo.GetCompiledMethodCount(currentThread: true) - methods} {System.Runtime.JitInfo.GetCompiledILBytes(currentThread: true) - bytes}");
                }
            }
            """);
        string printed = program.Run();
        output.WriteLine(printed);

        // They took 69 methods of 7.7 KB together, 14 of 1.3, 6 of 2.5, 10 of 1.1, and 81 of 24.2: half as much again may come.
        foreach ((string name, int methods, int bytes) in ((string, int, int)[])[("model", 105, 12_000), ("session", 21, 2_000), ("step", 9, 3_750), ("trainer", 15, 1_700), ("training", 120, 36_000)])
        {
            Match line = Regex.Match(printed, $"^{name} ([0-9]+) ([0-9]+)", RegexOptions.Multiline);
            Assert.True(line.Success, printed);
            Assert.True(
                int.Parse(line.Groups[1].Value, CultureInfo.InvariantCulture) <= methods && int.Parse(line.Groups[2].Value, CultureInfo.InvariantCulture) <= bytes,
                $"Of at most {methods} methods and {bytes} bytes of IL: {line.Value}");
        }
    }
}

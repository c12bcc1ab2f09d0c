using System.Globalization;
using System.Runtime;
using Spectre.Console;
using Unrolled.Generator.Tests.Harness;

namespace Unrolled.Benchmarks;

/// <summary>What emitted code costs before it does its work: the generator's time, the code's size, and compiling it for the processor.</summary>
internal static class CodeReport
{
    public static void Run()
    {
        var table = Tables.New(
            "units × layers", "ms, generator", "KB of C#", "methods", "KB of IL", "IL bytes, largest", "ms of JIT, first step", "ms of JIT, first training call");
        foreach (var size in Sizes())
        {
            Measure(table, size);
        }

        Tables.Show(table);
    }

    private static IEnumerable<CharacterSize> Sizes() =>
        new[] { 8, 128, 2048 }.Select(units => new CharacterSize { Units = units })
            .Concat(new[] { 1, 4, 8 }.Select(layers => new CharacterSize { Layers = layers }));

    private static void Measure(Table table, CharacterSize size)
    {
        var project = ModelHarness.Project(size.Source);
        void Generate() => ModelHarness.Driver(project).RunGenerators(project);
        Stopclock.WarmUp(Generate);
        var generator = Stopclock.Median(Generate);
        var text = ModelHarness.Generate([size.Source]).Single().Text;
        var compiled = size.Compile();
        var methods = IlReader.Read(compiled);
        var model = CharacterSize.Create(compiled);
        var output = new float[CharacterSize.Tokens];
        var session = model.CreateSession();
        var step = Jit(() => session.Step(0, output));
        using var trainer = model.CreateTrainer(1, 1);
        var training = Jit(() => trainer.ForwardBackward([0], [1]));
        table.AddRow(
            string.Create(CultureInfo.InvariantCulture, $"{size.Units} × {size.Layers}"),
            Tables.Milliseconds(generator), Tables.Count(text.Length / 1000), Tables.Count(methods.Length),
            Tables.Count(methods.Sum(method => method.Bytes) / 1000), Tables.Count(methods.Max(method => method.Bytes)),
            Tables.Milliseconds(step), Tables.Milliseconds(training));
    }

    // Time this thread spends compiling.
    private static double Jit(Action work)
    {
        var before = JitInfo.GetCompilationTime(currentThread: true);
        work();
        return (JitInfo.GetCompilationTime(currentThread: true) - before).TotalSeconds;
    }
}

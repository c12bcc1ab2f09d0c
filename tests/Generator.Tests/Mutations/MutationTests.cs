using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;
using Unrolled.Generator.Diagnostics;
using Unrolled.Generator.Emit;
using Unrolled.Generator.Tests.Harness;
using Xunit;

namespace Unrolled.Generator.Tests.Mutations;

/// <summary>
/// Valid specs, damaged at random: the generator answers each with a diagnostic or with a model, without much work and on a small stack, and every
/// model compiles. UNROLLED_MUTATIONS says how many; 20,000 are the whole run. It may also say from which to before which: 4500-5000.
/// </summary>
public sealed class MutationTests(ITestOutputHelper output)
{
    private const int Usual = 1_000;
    private const int Seed = 20261121;

    // Smaller than any that compilers run on: 512 KB are what macOS gives to threads other than the first.
    private const int StackBytes = 512 * 1024;

    private const int ModelsToACompilation = 24;
    private const int MutationsToABatch = 500;

    // What a spec of a page may take of the generator: sixty times what it allocates for four LSTM layers (BuildCostTests).
    private const long MostBytes = 1L << 30;

    // The same for loops that allocate nothing. In time that the thread works, whatever else the machine does meanwhile.
    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(20);

    private static readonly ImmutableArray<string> KernelClasses = [.. InstructionSet.All.Select(set => set.Name)];

    private static readonly CSharpCompilation Empty = ModelHarness.CreateCompilation([], new HarnessOptions { CheckOverflow = true });

    /// <summary>The numbers of the mutations: the first, and the one after the last.</summary>
    private static (int First, int End) Range
    {
        get
        {
            string[] numbers = Environment.GetEnvironmentVariable("UNROLLED_MUTATIONS") is { Length: > 0 } asked ? asked.Split('-') : [Usual.ToString(CultureInfo.InvariantCulture)];
            int end = int.Parse(numbers[^1], CultureInfo.InvariantCulture);
            return (numbers.Length > 1 ? int.Parse(numbers[0], CultureInfo.InvariantCulture) : 0, end);
        }
    }

    /// <summary>What the generator made of a file.</summary>
    private sealed record Outcome(int Number, Form Form, string File, ImmutableArray<string> Ids, ImmutableArray<GeneratedSourceResult> Sources, string? Failure, long Bytes, TimeSpan Time);

    [Fact]
    public void Every_damaged_spec_gives_a_diagnostic_or_a_model_that_compiles()
    {
        var outcomes = new List<Outcome>();
        var failures = new List<string>();
        var known = new HashSet<string>(StringComparer.Ordinal);
        var kernels = new ConcurrentDictionary<string, bool>();
        int models = 0, distinct = 0, reported = 0;
        (int begin, int end) = Range;
        if (end - begin == 1)
        {
            output.WriteLine(Mutation(begin).File);
        }

        for (int first = begin; first < end; first += MutationsToABatch)
        {
            List<Outcome> batch = GenerateAll(first, Math.Min(first + MutationsToABatch, end));
            failures.AddRange(batch.Where(outcome => outcome.Failure is not null).Select(outcome => $"{outcome.Failure}\n{Shown(outcome)}"));
            Outcome[] toCompile = [.. batch.Where(outcome => outcome.Sources.Length > 0 && known.Add(Fingerprint(Code(outcome))))];
            failures.AddRange(CompileAll(toCompile, kernels));
            models += batch.Count(outcome => outcome.Sources.Length > 0);
            distinct += toCompile.Length;

            // A long run says at once what it found.
            foreach (string failure in failures.Skip(reported))
            {
                output.WriteLine(failure);
            }

            reported = failures.Count;

            // Emitted sources and their trees take gigabytes of a long run.
            outcomes.AddRange(batch.Select(outcome => outcome with { Sources = [] }));
            output.WriteLine(
                $"{first + batch.Count} of {end}: {distinct} distinct models, {failures.Count} failures, {Environment.WorkingSet >> 20} MB, "
                + $"{Process.GetCurrentProcess().TotalProcessorTime.TotalMinutes:F1} minutes of processor time");
        }

        output.WriteLine($"{outcomes.Count} mutations, {models} models, {distinct} of them distinct; the worst allocated {outcomes.Max(outcome => outcome.Bytes) >> 20} MB and worked for {outcomes.Max(outcome => outcome.Time).TotalMilliseconds:F0} ms");
        foreach (IGrouping<string, string> id in outcomes.SelectMany(outcome => outcome.Ids.Distinct()).GroupBy(id => id).OrderBy(id => id.Key, StringComparer.Ordinal))
        {
            output.WriteLine($"{id.Key}: {id.Count()}");
        }

        Assert.True(failures.Count == 0, $"{failures.Count} failures:\n{string.Join("\n\n", failures.Take(10))}");

        // Mutations that are all refused, or all alike, would prove nothing.
        Assert.InRange(distinct, outcomes.Count / 10, outcomes.Count);
        Assert.True(outcomes.SelectMany(outcome => outcome.Ids).Distinct().Count() > 15);
    }

    /// <summary>The outcomes of mutations, made on a small stack.</summary>
    private static List<Outcome> GenerateAll(int first, int end)
    {
        var outcomes = new List<Outcome>();
        Exception? fault = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    for (int number = first; number < end; number++)
                    {
                        outcomes.Add(Generate(number));
                    }
                }
                catch (Exception exception)
                {
                    fault = exception;
                }
            },
            StackBytes);
        thread.Start();
        thread.Join();
        Assert.Null(fault);
        return outcomes;
    }

    private static string Fingerprint(string text) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>A mutation by its number, so that one can be repeated alone.</summary>
    private static (Form Form, string File) Mutation(int number)
    {
        var random = new Random(HashCode(Seed, number));
        var form = (Form)(number % 4);
        IReadOnlyList<string> texts = ValidSpecs.Texts(form);
        string text = new Mutator(random).Mutate(texts[random.Next(texts.Count)], texts[random.Next(texts.Count)]);
        return (form, ValidSpecs.File(form, text, ValidSpecs.Class + number.ToString(CultureInfo.InvariantCulture)));
    }

    // Fixed, unlike System.HashCode.
    private static int HashCode(int seed, int number) => unchecked((seed * 397) ^ (number * 7919));

    private static Outcome Generate(int number)
    {
        (Form form, string file) = Mutation(number);
        CSharpCompilation compilation = Empty;
        ImmutableArray<AdditionalText> texts = [];
        if (ValidSpecs.IsJson(form))
        {
            texts = [new InMemory($"m{number}.rnn.json", file)];
        }
        else
        {
            compilation = compilation.AddSyntaxTrees(ModelHarness.Parse(file, $"m{number}.cs", HarnessOptions.Default));
        }

        long bytes = GC.GetAllocatedBytesForCurrentThread();
        TimeSpan time = ThreadTime;
        GeneratorDriver driver = CSharpGeneratorDriver.Create(
            [new ModelGenerator().AsSourceGenerator()], texts, new CSharpParseOptions(LanguageVersion.CSharp12));
        GeneratorRunResult result = driver.RunGenerators(compilation).GetRunResult().Results.Single();
        time = ThreadTime - time;
        bytes = GC.GetAllocatedBytesForCurrentThread() - bytes;

        ImmutableArray<string> ids = [.. result.Diagnostics.Select(diagnostic => diagnostic.Id)];
        string? failure = result.Exception is { } exception ? $"The generator threw {exception}"
            : ids.Contains(DiagnosticIds.InternalError) ? $"The generator failed: {result.Diagnostics.First(diagnostic => diagnostic.Id == DiagnosticIds.InternalError).GetMessage(CultureInfo.InvariantCulture)}"
            : bytes > MostBytes ? $"The generator allocated {bytes:N0} bytes"
            : time > MostTime ? $"The generator worked for {time.TotalSeconds:F1} s"
            : ids.Length == 0 && result.GeneratedSources.Length == 0 && IsModel(form, compilation) ? "Neither a diagnostic nor a model"
            : Misplaced(result.Diagnostics, compilation, texts) is { } message ? $"A diagnostic stands outside the file: {message}"
            : null;
        return new Outcome(number, form, file, ids, result.GeneratedSources, failure, bytes, time);
    }

    /// <summary>
    /// The time this thread has worked, where the system tells it; elsewhere zero. Linux counts it in hundredths of a second, in the 14th
    /// and 15th of the fields after the name's bracket.
    /// </summary>
    private static TimeSpan ThreadTime
    {
        get
        {
            if (!OperatingSystem.IsLinux())
            {
                return TimeSpan.Zero;
            }

            string status = File.ReadAllText("/proc/thread-self/stat");
            string[] fields = status[(status.LastIndexOf(')') + 2)..].Split(' ');
            return TimeSpan.FromMilliseconds(10 * (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)));
        }
    }

    // What C# itself refuses, or holds no [Model], is nothing to the generator.
    private static bool IsModel(Form form, CSharpCompilation compilation) => ValidSpecs.IsJson(form)
        || (Shown(compilation.GetDiagnostics()) is null && compilation.GetSymbolsWithName(_ => true, SymbolFilter.Type).SelectMany(type => type.GetAttributes()).Any(attribute => attribute.AttributeClass is { Name: "ModelAttribute" }));

    private static string? Misplaced(ImmutableArray<Diagnostic> diagnostics, CSharpCompilation compilation, ImmutableArray<AdditionalText> texts)
    {
        int length = texts.Length > 0 ? texts[0].GetText()!.Length : compilation.SyntaxTrees.Single().Length;
        string path = texts.Length > 0 ? texts[0].Path : compilation.SyntaxTrees.Single().FilePath;
        return diagnostics.FirstOrDefault(diagnostic => diagnostic.Location.GetLineSpan().Path != path || diagnostic.Location.SourceSpan.End > length)?.ToString();
    }

    /// <summary>Compiles the models, many at a time, with the files they come from; where some do not compile, each by itself.</summary>
    private static List<string> CompileAll(Outcome[] models, ConcurrentDictionary<string, bool> kernels)
    {
        var failures = new List<string>();
        Parallel.ForEach(models.Where(IsRight).Chunk(ModelsToACompilation), group =>
        {
            if (Problems(group, kernels) is null)
            {
                return;
            }

            // Two files that declare one class may be what is wrong: by itself each counts whole.
            foreach (Outcome model in group)
            {
                if (Problems([model], null) is { } problems)
                {
                    lock (failures)
                    {
                        failures.Add($"The model does not compile: {problems}\n{Shown(model)}");
                    }
                }
            }
        });
        return failures;
    }

    // For what is wrong with the user's own file the generator is not to blame. Only writing the image tells of a name that is too long for it.
    private static bool IsRight(Outcome model) => ValidSpecs.IsJson(model.Form) || Shown(Empty.AddSyntaxTrees(Written(model)).Emit(Stream.Null).Diagnostics) is null;

    private static string? Problems(IReadOnlyList<Outcome> models, ConcurrentDictionary<string, bool>? kernels)
    {
        IEnumerable<SyntaxTree> written = models.Where(model => !ValidSpecs.IsJson(model.Form)).Select(Written);
        IEnumerable<SyntaxTree> emitted = models.SelectMany(model => model.Sources.Select(source =>
            Tree(WithoutKnown(Tree(source.SourceText.ToString(), ""), kernels), $"{model.Number}/{source.HintName}")));
        using var image = new MemoryStream();
        return Shown(Empty.WithAssemblyName("Mutations" + models[0].Number).AddSyntaxTrees(written.Concat(emitted)).Emit(image).Diagnostics);
    }

    /// <summary>
    /// The text without the bodies of kernels that were compiled before: most of every file, and the same in many. A kernel of an
    /// instruction set depends on nothing but its own text.
    /// </summary>
    private static string WithoutKnown(SyntaxTree tree, ConcurrentDictionary<string, bool>? kernels)
    {
        string text = tree.ToString();
        if (kernels is null)
        {
            return text;
        }

        var left = new StringBuilder();
        int end = 0;
        foreach (MethodDeclarationSyntax method in tree.GetRoot().DescendantNodes(node => node is not MethodDeclarationSyntax).OfType<MethodDeclarationSyntax>())
        {
            if (method is { Body: { } body, Parent: ClassDeclarationSyntax parent } && KernelClasses.Contains(parent.Identifier.Text)
                && !kernels.TryAdd(Fingerprint(parent.Identifier.Text + method.ParameterList + body), true))
            {
                left.Append(text, end, body.SpanStart - end).Append("{ }");
                end = body.Span.End;
            }
        }

        return left.Append(text, end, text.Length - end).ToString();
    }

    private static SyntaxTree Written(Outcome model) => Tree(model.File, $"m{model.Number}.cs");

    private static SyntaxTree Tree(string text, string path) => ModelHarness.Parse(text, path, HarnessOptions.Default);

    private static string? Shown(ImmutableArray<Diagnostic> diagnostics)
    {
        Diagnostic[] problems = [.. diagnostics.Where(problem => problem.Severity >= DiagnosticSeverity.Warning)];
        return problems.Length == 0 ? null : string.Join("\n", problems.Take(3).Select(problem => $"{problem}\n    {LineOf(problem)}"));
    }

    private static string LineOf(Diagnostic problem) =>
        problem.Location.SourceTree?.GetText().Lines[problem.Location.GetLineSpan().StartLinePosition.Line].ToString().Trim() ?? "";

    // Models of one text without their names and remarks are one.
    private static string Code(Outcome outcome)
    {
        var code = new StringBuilder();
        string number = outcome.Number.ToString(CultureInfo.InvariantCulture);
        foreach (string line in outcome.Sources.SelectMany(source => source.SourceText.ToString().Split('\n')).Where(line => !line.AsSpan().TrimStart().StartsWith("//", StringComparison.Ordinal)))
        {
            code.Append(line.Replace(ValidSpecs.Class + number, ValidSpecs.Class, StringComparison.Ordinal)).Append('\n');
        }

        return code.ToString();
    }

    private static string Shown(Outcome outcome) =>
        $"mutation {outcome.Number}, {outcome.Form}:\n{(outcome.File.Length <= 3000 ? outcome.File : outcome.File[..3000] + " …")}";

    private sealed class InMemory(string path, string text) : AdditionalText
    {
        public override string Path => path;

        public override SourceText GetText(CancellationToken cancellationToken = default) => SourceText.From(text, Encoding.UTF8);
    }
}

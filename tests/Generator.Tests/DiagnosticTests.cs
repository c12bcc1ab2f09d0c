using System.Text;
using System.Xml.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Unrolled.Generator.Diagnostics;
using Unrolled.Generator.Tests.Harness;
using Xunit;

namespace Unrolled.Generator.Tests;

/// <summary>Every diagnostic on its characters, and the page that lists them.</summary>
public sealed class DiagnosticTests
{
    private const string Page = "generator/Diagnostics/README.md";

    public static TheoryData<int> Examples => [.. Enumerable.Range(0, DiagnosticExamples.All.Count)];

    [Theory]
    [MemberData(nameof(Examples))]
    public void A_mistake_is_told_with_its_id_on_its_characters_and_gone_when_it_is_mended(int index)
    {
        DiagnosticExample example = DiagnosticExamples.All[index];
        Diagnostic diagnostic = Told(example);
        Marked wrong = Marked.Parse(Text(example.Path, example.Wrong));
        Assert.Equal(example.Id, diagnostic.Id);
        Assert.Equal(Assert.Single(wrong.Spans), diagnostic.Location.SourceSpan);
        if (example.Right is not null)
        {
            GeneratorRunResult result = Run(example, example.Right);
            Assert.Empty(result.Diagnostics);
            Assert.NotEmpty(result.GeneratedSources);
        }
    }

    [Fact]
    public void Every_diagnostic_has_an_example() => Assert.Equal(
        Descriptors.All.Select(descriptor => descriptor.Id).Where(id => id != DiagnosticIds.InternalError),
        DiagnosticExamples.All.Select(example => example.Id).Distinct().Order(StringComparer.Ordinal));

    [Fact]
    public void The_page_lists_every_diagnostic()
    {
        var page = new StringBuilder();
        page.Append("# Diagnostics\n\n");
        page.Append("Every mistake in a model's class, attributes, JSON or equations, on the characters it is about. The tests make this page from the\n");
        page.Append("descriptors and from the examples they run. A message states the fact, then in parentheses the remedy.\n\n");
        page.Append("| id | |\n| --- | --- |\n");
        foreach (DiagnosticDescriptor descriptor in Descriptors.All)
        {
            page.Append($"| [{descriptor.Id}](#{descriptor.Id.ToLowerInvariant()}) | {descriptor.Title}{(descriptor.DefaultSeverity == DiagnosticSeverity.Error ? "" : " (a warning)")} |\n");
        }

        page.Append("| [UNR200](#unr200) | A program compiled ahead of time names no instruction set (a warning of the build) |\n");
        foreach (DiagnosticDescriptor descriptor in Descriptors.All)
        {
            page.Append($"\n## {descriptor.Id}\n\n**{descriptor.Title}.** {descriptor.Description}\n");
            if (descriptor.MessageFormat.ToString() is var message && message != "{0}")
            {
                page.Append($"\nMessage: {message.Replace("<", "&lt;", StringComparison.Ordinal)}\n");
            }

            foreach (DiagnosticExample example in DiagnosticExamples.All.Where(example => example.Id == descriptor.Id))
            {
                page.Append($"\n```{Language(example.Path)}\n{Underlined(example.Wrong)}\n{Told(example).GetMessage()}\n```\n");
                if (example.Right is not null)
                {
                    page.Append($"\nInstead:\n\n```{Language(example.Path)}\n{example.Right.ReplaceLineEndings("\n")}\n```\n");
                }
            }
        }

        page.Append("\n## UNR200\n\n**A program compiled ahead of time names no instruction set.** The package's build files warn when a project with PublishAot is published\n");
        page.Append("for x64 without IlcInstructionSet: NativeAOT then compiles for the least processor, on which the networks run with 128-bit vectors.\n\n");
        page.Append($"Message: {Warning()}\n\n```xml\n<PublishAot>true</PublishAot>\n```\n\nInstead, for processors like the building machine's:\n\n");
        page.Append("```xml\n<PublishAot>true</PublishAot>\n<IlcInstructionSet>native</IlcInstructionSet>\n```\n");
        Snapshot.VerifyFile(page.ToString(), Page);
    }

    // What the build files of the package say, with the instruction sets that depend on the target framework left out.
    private static string Warning()
    {
        XElement warning = XDocument.Load(Path.Combine(Repository.Root, "runtime", "Package", "Unrolled.targets")).Descendants("Warning").Single();
        Assert.Equal("UNR200", warning.Attribute("Code")!.Value);
        return warning.Attribute("Text")!.Value.Replace("$(_UnrolledAvx2)", "{0}", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal);
    }

    private static Diagnostic Told(DiagnosticExample example)
    {
        GeneratorRunResult result = Run(example, Marked.Parse(example.Wrong).Text, example.Language);
        Assert.Null(result.Exception);
        return Assert.Single(result.Diagnostics);
    }

    private static GeneratorRunResult Run(DiagnosticExample example, string text, LanguageVersion language = LanguageVersion.CSharp12)
    {
        (string Path, string Text)[] files =
        [
            (example.Path, Text(example.Path, text)),
            .. example is { Path2: { } path, Text2: { } more } ? [(path, Text(path, more))] : Array.Empty<(string, string)>(),
        ];
        string[] sources = [.. files.Where(file => IsSource(file.Path)).Select(file => file.Text)];
        (string Path, string Text)[] others = [.. files.Where(file => !IsSource(file.Path))];
        return !example.HasRuntime && language == LanguageVersion.CSharp12
            ? FrontendHarness.Run(Compiler.Compile, sources, others)
            : FrontendHarness.Run(ModelHarness.CreateCompilation(sources, new HarnessOptions { Language = language }), others);
    }

    private static bool IsSource(string path) => path.EndsWith(".cs", StringComparison.Ordinal);

    private static string Text(string path, string text) => IsSource(path) ? "using Unrolled;\n" + text : text;

    private static string Language(string path) => IsSource(path) ? "csharp" : path.EndsWith(".json", StringComparison.Ordinal) ? "json" : "";

    // The text, and below the line of its mark the marked characters underlined.
    private static string Underlined(string marked)
    {
        List<string> lines = [];
        foreach (string line in marked.ReplaceLineEndings("\n").Split('\n'))
        {
            int start = line.IndexOf('«', StringComparison.Ordinal), end = line.IndexOf('»', StringComparison.Ordinal);
            lines.Add(line.Replace("«", "", StringComparison.Ordinal).Replace("»", "", StringComparison.Ordinal));
            if (start >= 0)
            {
                lines.Add(new string(' ', start) + new string('^', Math.Max(end - start - 1, 1)));
            }
        }

        return string.Join('\n', lines);
    }
}

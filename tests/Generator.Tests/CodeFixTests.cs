using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Unrolled.CodeFixes;
using Unrolled.Generator.Diagnostics;
using Xunit;

namespace Unrolled.Generator.Tests;

/// <summary>The code fix, on documents of a workspace and the diagnostics the generator reports of them.</summary>
public sealed class CodeFixTests
{
    public static TheoryData<string, string, string> Classes => new()
    {
        {
            "[Model(Features = 3), Rnn(4)]\nclass «Motor»;\n",
            "[Model(Features = 3), Rnn(4)]\npartial class Motor;\n",
            "Make 'Motor' partial"
        },
        {
            "/// <summary>A motor.</summary>\n[Model(Features = 3), Rnn(4)]\n  // kept\n  class «Motor» { }\n",
            "/// <summary>A motor.</summary>\n[Model(Features = 3), Rnn(4)]\n  // kept\n  partial class Motor { }\n",
            "Make 'Motor' partial"
        },
        {
            "[Model(Features = 3), Rnn(4)]\npublic sealed /* why */ class «Motor»\n{\n}\n",
            "[Model(Features = 3), Rnn(4)]\npublic sealed /* why */ partial class Motor\n{\n}\n",
            "Make 'Motor' partial"
        },
        {
            "public class Plant\n{\n    struct Hall\n    {\n        [Model(Features = 3), Rnn(4)]\n        class «Motor»;\n    }\n}\n",
            "public partial class Plant\n{\n    partial struct Hall\n    {\n        [Model(Features = 3), Rnn(4)]\n        partial class Motor;\n    }\n}\n",
            "Make 'Plant' and 'Hall' and 'Motor' partial"
        },
        {
            "ref struct «Plant»\n{\n    [Model(Features = 3), Rnn(4)]\n    partial class Motor;\n}\n",
            "ref partial struct Plant\n{\n    [Model(Features = 3), Rnn(4)]\n    partial class Motor;\n}\n",
            "Make 'Plant' partial"
        },
    };

    [Theory]
    [MemberData(nameof(Classes))]
    public async Task A_class_and_what_surrounds_it_become_partial(string wrong, string right, string title)
    {
        Marked marked = Marked.Parse("using Unrolled;\n" + wrong);
        using var workspace = new AdhocWorkspace();
        Document document = Open(workspace, marked.Text);
        Diagnostic diagnostic = (await Mistakes(document)).Single(diagnostic => diagnostic.Location.SourceSpan == Assert.Single(marked.Spans));
        CodeAction action = Assert.Single(await Fixes(document, diagnostic));
        Assert.Equal(title, action.Title);
        Document mended = await Apply(document, action);
        Assert.Equal("using Unrolled;\n" + right, (await mended.GetTextAsync(TestContext.Current.CancellationToken)).ToString());
        Assert.Empty(await Mistakes(mended));
    }

    [Fact]
    public async Task All_of_a_project_are_mended_at_once()
    {
        using var workspace = new AdhocWorkspace();
        Document document = Open(workspace, "using Unrolled;\nclass Plant\n{\n    [Model(Features = 3), Rnn(4)]\n    class Motor;\n    [Model(Features = 3), Rnn(4)]\n    class Pump;\n}\n");
        ImmutableArray<Diagnostic> mistakes = await Mistakes(document);
        Assert.Equal(4, mistakes.Length);
        var provider = new MakePartialCodeFix();
        CodeAction action = (await Fixes(document, mistakes[0]))[0];
        CodeAction? all = await provider.GetFixAllProvider().GetFixAsync(new FixAllContext(
            document, provider, FixAllScope.Solution, action.EquivalenceKey!, provider.FixableDiagnosticIds, new Known(mistakes), TestContext.Current.CancellationToken));
        Assert.NotNull(all);
        Document mended = await Apply(document, all);
        Assert.Equal(
            "using Unrolled;\npartial class Plant\n{\n    [Model(Features = 3), Rnn(4)]\n    partial class Motor;\n    [Model(Features = 3), Rnn(4)]\n    partial class Pump;\n}\n",
            (await mended.GetTextAsync(TestContext.Current.CancellationToken)).ToString());
        Assert.Empty(await Mistakes(mended));
    }

    [Fact]
    public void It_is_for_the_diagnostics_a_modifier_mends() =>
        Assert.Equal([DiagnosticIds.ClassNotPartial, DiagnosticIds.ContainingTypeNotPartial], new MakePartialCodeFix().FixableDiagnosticIds);

    private static Document Open(AdhocWorkspace workspace, string text)
    {
        CSharpCompilation compilation = FrontendHarness.Compilation();
        Project project = workspace.AddProject(ProjectInfo.Create(
            ProjectId.CreateNewId(), VersionStamp.Default, "Models", "Models", LanguageNames.CSharp,
            compilationOptions: compilation.Options, parseOptions: compilation.SyntaxTrees[0].Options, metadataReferences: compilation.References));
        project = project.AddDocument("Stubs.cs", AttributeStubs.Source, filePath: "Stubs.cs").Project;
        return project.AddDocument("Motor.cs", text, filePath: "Motor.cs");
    }

    private static async Task<ImmutableArray<Diagnostic>> Mistakes(Document document)
    {
        Compilation compilation = (await document.Project.GetCompilationAsync(TestContext.Current.CancellationToken))!;
        return FrontendHarness.Driver(FrontendHarness.Echo).Generate(compilation).GetRunResult().Diagnostics;
    }

    private static async Task<List<CodeAction>> Fixes(Document document, Diagnostic diagnostic)
    {
        List<CodeAction> actions = [];
        var context = new CodeFixContext(document, diagnostic, (action, _) => actions.Add(action), TestContext.Current.CancellationToken);
        await new MakePartialCodeFix().RegisterCodeFixesAsync(context);
        return actions;
    }

    private static async Task<Document> Apply(Document document, CodeAction action)
    {
        ImmutableArray<CodeActionOperation> operations = await action.GetOperationsAsync(TestContext.Current.CancellationToken);
        return Assert.IsType<ApplyChangesOperation>(Assert.Single(operations)).ChangedSolution.GetDocument(document.Id)!;
    }

    private sealed class Known(ImmutableArray<Diagnostic> diagnostics) : FixAllContext.DiagnosticProvider
    {
        public override Task<IEnumerable<Diagnostic>> GetAllDiagnosticsAsync(Project project, CancellationToken cancellationToken) => Task.FromResult<IEnumerable<Diagnostic>>(diagnostics);

        public override Task<IEnumerable<Diagnostic>> GetDocumentDiagnosticsAsync(Document document, CancellationToken cancellationToken) =>
            Task.FromResult(diagnostics.Where(diagnostic => diagnostic.Location.GetLineSpan().Path == document.FilePath));

        public override Task<IEnumerable<Diagnostic>> GetProjectDiagnosticsAsync(Project project, CancellationToken cancellationToken) => Task.FromResult<IEnumerable<Diagnostic>>([]);
    }
}

using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Unrolled.Generator.Tests.Harness;
using Xunit;

namespace Unrolled.Generator.Tests;

/// <summary>The generator's folders, which know of each other in one direction only.</summary>
public sealed class StructureTests
{
    /// <summary>A folder, and the others it may use.</summary>
    private static readonly Dictionary<string, string[]> Uses = new()
    {
        ["Diagnostics"] = [],
        ["Graph"] = ["Diagnostics"],
        ["Schedule"] = ["Graph", "Diagnostics"],
        ["Frontend"] = ["Graph", "Diagnostics"],
        ["Passes"] = ["Graph", "Schedule", "Diagnostics"],
        ["Emit"] = ["Graph", "Schedule", "Diagnostics"],
    };

    /// <summary>What stands above all folders and is nobody's in them; other files at the top are small tools of all.</summary>
    private static readonly string[] Top = ["Compiler", "CompilationResult", "CompiledModel", "LayerMistake", "ModelGenerator", "StepNames"];

    public static TheoryData<string> Folders => new(Uses.Keys);

    [Theory]
    [MemberData(nameof(Folders))]
    public void Arrows_run_one_way(string folder)
    {
        string[] forbidden = Uses.Keys.Except(Uses[folder]).Where(other => other != folder).ToArray();
        string[] files = Directory.GetFiles(Path.Combine(Repository.Root, "generator", folder), "*.cs", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        var found = new List<string>();
        foreach (string file in files)
        {
            SyntaxNode root = CSharpSyntaxTree.ParseText(File.ReadAllText(file), cancellationToken: TestContext.Current.CancellationToken)
                .GetRoot(TestContext.Current.CancellationToken);

            // A type of another namespace is reached by a using or by a name that begins with the namespace's last part.
            IEnumerable<string> spaces = root.DescendantNodes().OfType<UsingDirectiveSyntax>().Select(use => use.Name!.ToString())
                .Where(name => name.StartsWith("Unrolled.Generator.", StringComparison.Ordinal)).Select(name => name.Split('.')[2]);
            IEnumerable<string> qualified = root.DescendantNodes().OfType<IdentifierNameSyntax>()
                .Where(name => name.Parent is QualifiedNameSyntax { Parent: not UsingDirectiveSyntax and not BaseNamespaceDeclarationSyntax and not QualifiedNameSyntax } parent && parent.Left == name
                    || name.Parent is MemberAccessExpressionSyntax access && access.Expression == name)
                .Select(name => name.Identifier.Text);
            IEnumerable<string> top = root.DescendantNodes().OfType<SimpleNameSyntax>().Select(name => name.Identifier.Text).Where(Top.Contains);
            found.AddRange(spaces.Concat(qualified).Where(forbidden.Contains).Concat(top).Distinct().Select(name => $"{Path.GetFileName(file)} uses {name}"));
        }

        Assert.Empty(found);
    }

    [Fact]
    public void Every_folder_is_in_the_table()
    {
        string[] folders = Directory.GetDirectories(Path.Combine(Repository.Root, "generator")).Select(folder => Path.GetFileName(folder)).Except(["bin", "obj", "Cells", "CodeFixes"]).ToArray();
        Assert.Equal(Uses.Keys.Order(), folders.Order());
    }
}

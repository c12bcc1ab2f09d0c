using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Unrolled.Generator.Tests.Harness;
using Xunit;

namespace Unrolled.Generator.Tests;

/// <summary>The page of the cells' language: every example on it is compiled.</summary>
public sealed partial class CellPageTests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(Repository.Root, "generator", "Cells", "README.md"));

    [GeneratedRegex("```(cell|csharp|json)\n(.*?)\n```", RegexOptions.Singleline)]
    private static partial Regex Fences();

    private static string[] Blocks(string language) => [.. Fences().Matches(Page).Where(match => match.Groups[1].Value == language).Select(match => match.Groups[2].Value)];

    public static TheoryData<string> Cells => [.. Blocks("cell")];

    [Theory]
    [MemberData(nameof(Cells))]
    public void Every_cell_is_a_model(string text)
    {
        Assert.InRange(Cells.Count, 4, 50);
        string source = $"using Unrolled; [Model(Features = 6), Layer(\"example\", 4)] [Cell(\"example\", \"\"\"\n{text}\n\"\"\")] public partial class Example;";
        IModel model = ModelHarness.Compile([source]).Create("Example", seed: 1);
        var outputs = new float[4];
        model.CreateSession().Step([1f, 2f, 3f, 4f, 5f, 6f], outputs);
        Assert.All(outputs, value => Assert.True(float.IsFinite(value)));
    }

    [Fact]
    public void The_use_site_sets_what_the_cell_declares()
    {
        string reservoir = Assert.Single(Blocks("cell"), text => text.Contains("size reservoir", StringComparison.Ordinal));
        string source = $"using Unrolled; [Model(Features = 6)] {Assert.Single(Blocks("csharp"))} [Cell(\"reservoir\", \"\"\"\n{reservoir}\n\"\"\")] public partial class Example;";
        IModel model = ModelHarness.Compile([source]).Create("Example", seed: 1);
        Assert.Equal(64, model.Layout.StateLength);
        Assert.DoesNotContain(model.Layout.Parameters, parameter => parameter.Name == "reservoir_0.b");
    }

    [Fact]
    public void The_file_of_json_is_a_model()
    {
        GeneratedSourceResult file = Assert.Single(FrontendHarness.Run(Compiler.Compile, [], ("page.rnn.json", Assert.Single(Blocks("json")))).GeneratedSources);
        Assert.Equal(64, ModelHarness.Compile([file.SourceText.ToString()]).Create("Samples.Echo").Layout.StateLength);
    }
}

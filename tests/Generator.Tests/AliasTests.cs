using Unrolled.Generator.Frontend;
using Unrolled.Generator.Frontend.Equations;
using Xunit;

namespace Unrolled.Generator.Tests;

/// <summary>What other libraries call things: every remedy can be written.</summary>
public sealed class AliasTests
{
    [Fact]
    public void What_is_to_be_written_for_a_function_is_an_expression()
    {
        Assert.NotEmpty(Aliases.Functions);
        foreach ((string name, string remedy) in Aliases.Functions)
        {
            string expression = remedy["write ".Length..].Split([", or ", " where ", ", with ", " for ", " itself"], StringSplitOptions.None)[0];
            Assert.Empty(Parser.Parse("h[t] = " + expression).Errors);
            Assert.All(
                SyntaxWalk.Nodes(Parser.Parse("h[t] = " + expression).Cell!).OfType<CallExpression>(),
                call => Assert.Contains(call.Function, Vocabulary.Functions));
            Assert.DoesNotContain(name, Vocabulary.Functions.Select(Aliases.Key));
            Assert.DoesNotContain(name, Aliases.NoFunctions);
        }

        Assert.All(Aliases.NoFunctions, name => Assert.DoesNotContain(name, Vocabulary.Functions.Select(Aliases.Key)));
    }

    [Theory]
    [InlineData("swish", "(write silu)")]
    [InlineData("SiLU", "(did you mean 'silu'?)")]
    [InlineData("relu6", "(write clip(0, 6))")]
    [InlineData("clamp", "(write clip(low, high))")]
    [InlineData("mish", "(equations can write a * tanh(softplus(a)))")]
    [InlineData("sigmod", "(did you mean 'sigmoid'?)")]
    public void A_param_holds_a_function_without_its_value(string name, string remedy) =>
        Assert.Equal(remedy, Aliases.FunctionRemedy(name, Vocabulary.Functions, isCalled: false));

    [Fact]
    public void Cells_losses_and_members_that_are_to_be_written_exist()
    {
        AssertExist(Aliases.Cells, CellFiles.Names);
        AssertExist(Aliases.Losses, ["softmax_cross_entropy", "mean_squared_error"]);
        AssertExist(Aliases.Model, ["class", "layers", "input", "tokens", "features"]);

        static void AssertExist(IReadOnlyDictionary<string, string> rows, IReadOnlyCollection<string> known)
        {
            Assert.NotEmpty(rows);
            foreach ((string name, string remedy) in rows.Where(row => row.Value.StartsWith("write ", StringComparison.Ordinal)))
            {
                Assert.Contains(remedy["write ".Length..].Split(',')[0], known);
                Assert.DoesNotContain(name, known.Select(Aliases.Key));
            }
        }
    }
}

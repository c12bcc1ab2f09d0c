using Unrolled.Generator.Diagnostics;
using Unrolled.Generator.Frontend;
using Unrolled.Generator.Frontend.Equations;
using Xunit;

namespace Unrolled.Generator.Tests;

/// <summary>Functions in the place of the params that hold them.</summary>
public sealed class FunctionParamsTests
{
    private static (CellSyntax Cell, List<EquationError> Errors) Replace(string text, params CellSetting[] settings)
    {
        (CellSyntax? cell, EquatableArray<EquationError> mistakes) = Parser.Parse(text);
        Assert.Empty(mistakes);
        var errors = new List<EquationError>();
        return (FunctionParams.Replace(cell!, settings.ToDictionary(setting => setting.Name), errors), errors);
    }

    private static CellSetting Function(string name, string function) => new(name, CellSettingKind.Function, 0, Parser.ParseFunction(function).Function!);

    [Theory]
    [InlineData("tanh", "tanh(2 * tanh(a[t])) - g(b)")]
    [InlineData("elu(0.5)", "elu(2 * elu(a[t], 0.5), 0.5) - g(b)")]
    [InlineData("sigmoid(clip(-3, 3))", "sigmoid(clip(2 * sigmoid(clip(a[t], -3, 3)), -3, 3)) - g(b)")]
    [InlineData("affine(tanh(leaky_relu(0.1)), 2, 1)", "affine(tanh(leaky_relu(2 * affine(tanh(leaky_relu(a[t], 0.1)), 2, 1), 0.1)), 2, 1) - g(b)")]
    public void Stand_where_the_params_are_called(string function, string expected)
    {
        (CellSyntax cell, List<EquationError> errors) = Replace("param f = relu\nh[t] = f(2 * f(a[t])) - g(b)", Function("f", function));
        Assert.Empty(errors);
        Assert.Equal("param f = relu\nh[t] = " + expected, SyntaxPrinter.Print(cell));
    }

    [Fact]
    public void Are_the_cells_own_where_the_use_site_sets_none()
    {
        (CellSyntax cell, List<EquationError> errors) = Replace("param f = clip(0, 1)\nh[t] = -f(a[t])");
        Assert.Empty(errors);
        Assert.Equal("h[t] = -clip(a[t], 0, 1)", SyntaxPrinter.Print(cell.Statements[1]));
    }

    [Fact]
    public void A_number_cannot_be_called()
    {
        (_, List<EquationError> errors) = Replace("param f = 2\nh[t] = f(a[t])");
        EquationError error = Assert.Single(errors);
        Assert.Equal(DiagnosticIds.BadSetting, error.Id);
        Assert.Equal("param f = 2\nh[t] = ".Length, error.Span.Start);
        Assert.Equal(1, error.Span.Length);
    }

    [Theory]
    [InlineData(1, 200, "The equation is more than 1000 operators deep")]
    [InlineData(60, 40, "The cell has more than 10000 values and operations")]
    public void Written_out_they_keep_the_limits(int equations, int calls, string message)
    {
        string called = string.Concat(Enumerable.Repeat("f(", calls)) + "x[t]" + new string(')', calls);
        string text = "param f = abs\n" + string.Join("\n", Enumerable.Range(0, equations).Select(index => $"a{index}[t] = {called}"));
        string function = string.Concat(Enumerable.Repeat("abs(", Limits.Composed - 1)) + "abs" + new string(')', Limits.Composed - 1);
        (_, List<EquationError> errors) = Replace(text, Function("f", function));
        EquationError error = Assert.Single(errors);
        Assert.Equal(DiagnosticIds.LimitExceeded, error.Id);
        Assert.StartsWith(message, error.Message, StringComparison.Ordinal);
    }
}

using Xunit;

namespace Unrolled.Tests;

/// <summary>The references the accuracy tests measure against, at values from published tables and at their seams.</summary>
public sealed class ReferenceTests
{
    [Theory]
    [InlineData(0, 0.5)]
    [InlineData(1, 0.84134474606854294859)]
    [InlineData(-1, 0.15865525393145705141)]
    [InlineData(-3, 0.0013498980316300945267)]
    [InlineData(-6, 9.865876450376981407e-10)]
    [InlineData(-10, 7.619853024160526066e-24)]
    public void NormalCumulativeMatchesTables(double x, double expected) =>
        Assert.Equal(1, Reference.NormalCumulative(x) / expected, 1e-13);

    [Fact]
    public void NormalCumulativeHasNoSeam() =>
        Assert.Equal(1, Reference.NormalCumulative(-2.5) / Reference.NormalCumulative(-Math.BitIncrement(2.5)), 1e-12);

    [Theory]
    [InlineData(1e-10, 1.00000000005e-10)]
    [InlineData(-0.5, -0.39346934028736657640)]
    [InlineData(-40, -1)]
    public void ExpMinusOneMatchesSeries(double x, double expected) =>
        Assert.Equal(1, Reference.ExpMinusOne(x) / expected, 1e-14);

    [Theory]
    [InlineData(1e-10, 9.9999999995e-11)]
    [InlineData(0.5, 0.40546510810816438198)]
    public void LogOnePlusMatchesSeries(double x, double expected) =>
        Assert.Equal(1, Reference.LogOnePlus(x) / expected, 1e-14);
}

using Xunit;

namespace Unrolled.Tests;

/// <summary>Every function against double precision, in every width the process has.</summary>
[Trait("Category", "InstructionSet")]
public sealed class AccuracyTests(ITestOutputHelper output)
{
    public static TheoryData<VectorWidth> Widths => [.. VectorWidths.All];

    [Theory]
    [MemberData(nameof(Widths))]
    public void Exp(VectorWidth width) => Check<Exp>(width);

    [Theory]
    [MemberData(nameof(Widths))]
    public void Sigmoid(VectorWidth width) => Check<Sigmoid>(width);

    [Theory]
    [MemberData(nameof(Widths))]
    public void Tanh(VectorWidth width) => Check<Tanh>(width);

    private void Check<TFunction>(VectorWidth width)
        where TFunction : struct, IVectorFunction
    {
        width.SkipUnlessSupported();
        var survey = Survey.Of<TFunction>(width, Inputs.Sample());
        output.WriteLine(survey.ToString());
        Assert.True(survey.Count > 2_000_000, "The sample is too small to mean anything.");
        Assert.True(
            survey.Strain <= 1,
            $"{survey.StrainAt:R} gives {survey.StrainValue:R}, {survey.Strain} times the allowed error. {survey}");
    }
}

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
    public void Log(VectorWidth width) => Check<Log>(width);

    [Theory]
    [MemberData(nameof(Widths))]
    public void Sigmoid(VectorWidth width) => Check<Sigmoid>(width);

    [Theory]
    [MemberData(nameof(Widths))]
    public void Tanh(VectorWidth width) => Check<Tanh>(width);

    [Theory]
    [MemberData(nameof(Widths))]
    public void Relu(VectorWidth width) => Check<Relu>(width);

    [Theory]
    [MemberData(nameof(Widths))]
    public void LeakyRelu(VectorWidth width) => Check<LeakyRelu>(width);

    [Theory]
    [MemberData(nameof(Widths))]
    public void Elu(VectorWidth width) => Check<Elu>(width);

    [Theory]
    [MemberData(nameof(Widths))]
    public void Softplus(VectorWidth width) => Check<Softplus>(width);

    [Theory]
    [MemberData(nameof(Widths))]
    public void Softsign(VectorWidth width) => Check<Softsign>(width);

    [Theory]
    [MemberData(nameof(Widths))]
    public void HardSigmoid(VectorWidth width) => Check<HardSigmoid>(width);

    [Theory]
    [MemberData(nameof(Widths))]
    public void HardTanh(VectorWidth width) => Check<HardTanh>(width);

    [Theory]
    [MemberData(nameof(Widths))]
    public void Silu(VectorWidth width) => Check<Silu>(width);

    [Theory]
    [MemberData(nameof(Widths))]
    public void SiluSlope(VectorWidth width) => Check<SiluSlope>(width);

    [Theory]
    [MemberData(nameof(Widths))]
    public void NormalCumulative(VectorWidth width) => Check<NormalCumulative>(width);

    [Theory]
    [MemberData(nameof(Widths))]
    public void Gelu(VectorWidth width) => Check<Gelu>(width);

    [Theory]
    [MemberData(nameof(Widths))]
    public void GeluSlope(VectorWidth width) => Check<GeluSlope>(width);

    [Theory]
    [MemberData(nameof(Widths))]
    public void Abs(VectorWidth width) => Check<Abs>(width);

    [Theory]
    [MemberData(nameof(Widths))]
    public void Square(VectorWidth width) => Check<Square>(width);

    [Theory]
    [MemberData(nameof(Widths))]
    public void Sqrt(VectorWidth width) => Check<Sqrt>(width);

    [Theory]
    [MemberData(nameof(Widths))]
    public void Clip(VectorWidth width) => Check<Clip>(width);

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

using Xunit;

namespace Unrolled.Tests;

/// <summary>
/// Every function over all 2^32 inputs, about a minute each: <c>dotnet Numerics.Tests.dll -explicit only -showliveoutput</c>.
/// </summary>
[Trait("Category", "Exhaustive")]
public sealed class ExhaustiveTests(ITestOutputHelper output)
{
    [Fact(Explicit = true)]
    public void Exp() => Check<Exp>();

    [Fact(Explicit = true)]
    public void Log() => Check<Log>();

    [Fact(Explicit = true)]
    public void Sigmoid() => Check<Sigmoid>();

    [Fact(Explicit = true)]
    public void Tanh() => Check<Tanh>();

    [Fact(Explicit = true)]
    public void Elu() => Check<Elu>();

    [Fact(Explicit = true)]
    public void Softplus() => Check<Softplus>();

    [Fact(Explicit = true)]
    public void Softsign() => Check<Softsign>();

    [Fact(Explicit = true)]
    public void HardSigmoid() => Check<HardSigmoid>();

    [Fact(Explicit = true)]
    public void Silu() => Check<Silu>();

    [Fact(Explicit = true)]
    public void NormalCumulative() => Check<NormalCumulative>();

    [Fact(Explicit = true)]
    public void Gelu() => Check<Gelu>();

    private void Check<TFunction>()
        where TFunction : struct, IVectorFunction
    {
        var widths = VectorWidths.All.Where(width => width.IsSupported()).ToArray();
        var surveys = Survey.OfEverything<TFunction>(widths);
        foreach (var (width, survey) in widths.Zip(surveys))
        {
            output.WriteLine($"{typeof(TFunction).Name} {width} ({VectorWidths.Describe()}): {survey}");
        }

        Assert.All(surveys, survey =>
        {
            Assert.Equal(1L << 32, survey.Count);
            Assert.True(survey.Strain <= 1, $"{survey.StrainAt:R} gives {survey.StrainValue:R}. {survey}");
        });
    }
}

using Xunit;

namespace Unrolled.Tests;

/// <summary>
/// Every function over all 2^32 inputs, about a minute each: <c>dotnet Numerics.Tests.dll -explicit only -showLiveOutput</c>.
/// </summary>
/// <remarks>
/// The worst errors found, in ulp, on x64 with .NET 10, where the result is above 1e-6 / below / denormal. The 512-bit and 256-bit
/// overloads agree.
/// <code>
///            512 and 256 bits      128 bits, FMA         128 bits, no FMA
/// exp        1.74 / 1.73 / 1.03    1.74 / 1.73 / 1.03    1.76 / 1.76 / 1.03
/// sigmoid    3.22 / 4.84 / 2.93    3.22 / 2.87 / 1.03    3.22 / 2.87 / 1.03
/// tanh       3.43 / 1.00 / 0       3.43 / 1.00 / 0       3.45 / 1.00 / 0
/// log        0.93 / 0.50 / 0       0.93 / 0.50 / 0
/// elu        1.66 / 1.25 / 0.50    1.66 / 1.25 / 0.50
/// softplus   3.59 / 2.85 / 1.52    3.59 / 2.85 / 1.52
/// silu       4.44 / 51.2 / 52.0    4.34 / 47.6 / 52.0    (below: where sigmoid is denormal)
/// gelu       13.2 / 70.9 / 38.6    13.2 / 70.9 / 38.6    (the lower tail, where x^2 / 2 rounds)
/// </code>
/// </remarks>
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

using Xunit;

namespace Unrolled.Tests;

/// <summary>
/// Every function over all 2^32 inputs, about a minute each, where UNROLLED_EXHAUSTIVE is set:
/// <c>UNROLLED_EXHAUSTIVE=1 dotnet Numerics.Tests.dll -class Unrolled.Tests.ExhaustiveTests -showLiveOutput</c>.
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
    [Fact]
    public void Exp() => Check<Exp>();

    [Fact]
    public void Log() => Check<Log>();

    [Fact]
    public void Sigmoid() => Check<Sigmoid>();

    [Fact]
    public void Tanh() => Check<Tanh>();

    [Fact]
    public void Elu() => Check<Elu>();

    [Fact]
    public void Softplus() => Check<Softplus>();

    [Fact]
    public void Softsign() => Check<Softsign>();

    [Fact]
    public void HardSigmoid() => Check<HardSigmoid>();

    [Fact]
    public void Silu() => Check<Silu>();

    [Fact]
    public void NormalCumulative() => Check<NormalCumulative>();

    [Fact]
    public void Gelu() => Check<Gelu>();

    private void Check<TFunction>()
        where TFunction : struct, IVectorFunction
    {
        // Not Explicit: those are in no summary, and what does not run should be counted.
        Assert.SkipWhen(string.IsNullOrEmpty(Environment.GetEnvironmentVariable("UNROLLED_EXHAUSTIVE")), "All 2^32 inputs take a minute: UNROLLED_EXHAUSTIVE=1 runs them.");
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

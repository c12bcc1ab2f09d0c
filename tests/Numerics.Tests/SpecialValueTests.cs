using Xunit;

namespace Unrolled.Tests;

/// <summary>The limits spelled out, so that they do not depend on how <see cref="Ulp"/> counts.</summary>
[Trait("Category", "InstructionSet")]
public sealed class SpecialValueTests
{
    private const float Infinity = float.PositiveInfinity;
    private const float Denormal = float.Epsilon;

    public static TheoryData<VectorWidth> Widths => [.. VectorWidths.All];

    [Theory]
    [MemberData(nameof(Widths))]
    public void Exp(VectorWidth width) => Check<Exp>(
        width, (0f, 1f), (-0f, 1f), (Infinity, Infinity), (-Infinity, 0f), (89f, Infinity), (1e30f, Infinity), (-1e30f, 0f),
        (Denormal, 1f));

    [Theory]
    [MemberData(nameof(Widths))]
    public void Log(VectorWidth width) => Check<Log>(
        width, (0f, -Infinity), (-0f, -Infinity), (1f, 0f), (Infinity, Infinity), (-1f, float.NaN), (-Infinity, float.NaN),
        (Denormal, -103.27893f));

    [Theory]
    [MemberData(nameof(Widths))]
    public void Sigmoid(VectorWidth width) => Check<Sigmoid>(
        width, (0f, 0.5f), (-0f, 0.5f), (Infinity, 1f), (-Infinity, 0f), (float.MaxValue, 1f), (-float.MaxValue, 0f),
        (Denormal, 0.5f));

    [Theory]
    [MemberData(nameof(Widths))]
    public void Tanh(VectorWidth width) => Check<Tanh>(
        width, (0f, 0f), (-0f, -0f), (Infinity, 1f), (-Infinity, -1f), (1e30f, 1f), (Denormal, Denormal), (-Denormal, -Denormal));

    [Theory]
    [MemberData(nameof(Widths))]
    public void Softplus(VectorWidth width) => Check<Softplus>(
        width, (0f, 0.6931472f), (Infinity, Infinity), (-Infinity, 0f), (1e30f, 1e30f), (-1e30f, 0f));

    [Theory]
    [MemberData(nameof(Widths))]
    public void Gelu(VectorWidth width) => Check<Gelu>(
        width, (0f, 0f), (-0f, -0f), (Infinity, Infinity), (-Infinity, -0f), (1e30f, 1e30f), (-1e30f, -0f));

    [Theory]
    [MemberData(nameof(Widths))]
    public void Silu(VectorWidth width) => Check<Silu>(
        width, (0f, 0f), (-0f, -0f), (Infinity, Infinity), (-Infinity, -0f), (1e30f, 1e30f), (-1e30f, -0f));

    [Theory]
    [MemberData(nameof(Widths))]
    public void Elu(VectorWidth width) => Check<Elu>(
        width, (0f, 0f), (-0f, -0f), (Infinity, Infinity), (-Infinity, -1.5f), (-1e30f, -1.5f), (-1e-8f, -1.5e-8f), (-1e-30f, -1.5e-30f));

    [Theory]
    [MemberData(nameof(Widths))]
    public void Relu(VectorWidth width) => Check<Relu>(
        width, (0f, 0f), (-0f, -0f), (Infinity, Infinity), (-Infinity, 0f), (Denormal, Denormal), (-Denormal, 0f));

    [Theory]
    [MemberData(nameof(Widths))]
    public void Softsign(VectorWidth width) => Check<Softsign>(
        width, (0f, 0f), (-0f, -0f), (Infinity, 1f), (-Infinity, -1f), (Denormal, Denormal));

    /// <summary>Each value in every lane, among others, and NaNs of both signs, which must come out as NaN.</summary>
    private static void Check<TFunction>(VectorWidth width, params (float X, float Expected)[] values)
        where TFunction : struct, IVectorFunction
    {
        width.SkipUnlessSupported();
        (float X, float Expected)[] all = [.. values, (float.NaN, float.NaN), (-float.NaN, float.NaN)];
        var length = (int)width / 32;
        var x = new float[length];
        var actual = new float[length];
        for (var rotation = 0; rotation < all.Length; rotation++)
        {
            for (var lane = 0; lane < length; lane++)
            {
                x[lane] = all[(lane + rotation) % all.Length].X;
            }

            Vectors.Apply<TFunction>(width, x, actual);
            for (var lane = 0; lane < length; lane++)
            {
                var expected = all[(lane + rotation) % all.Length].Expected;
                Assert.True(
                    float.IsNaN(expected)
                        ? float.IsNaN(actual[lane])
                        : BitConverter.SingleToInt32Bits(expected) == BitConverter.SingleToInt32Bits(actual[lane]),
                    $"{x[lane]:R} gives {actual[lane]:R}, not {expected:R}, in lane {lane}.");
            }
        }
    }
}

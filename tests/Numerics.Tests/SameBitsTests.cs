using Xunit;

namespace Unrolled.Tests;

/// <summary>The 512-bit and 256-bit overloads promise the same bits, so that a kernel may mix them.</summary>
[Trait("Category", "InstructionSet")]
public sealed class SameBitsTests
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
    public void Gelu() => Check<Gelu>();

    [Fact]
    public void GeluSlope() => Check<GeluSlope>();

    private static void Check<TFunction>()
        where TFunction : struct, IVectorFunction
    {
        VectorWidth.Bits512.SkipUnlessSupported();
        VectorWidth.Bits256.SkipUnlessSupported();
        var x = new float[4096];
        var wide = new float[x.Length];
        var narrow = new float[x.Length];
        foreach (var block in Inputs.Sample().Chunk(x.Length))
        {
            for (var i = 0; i < block.Length; i++)
            {
                x[i] = BitConverter.UInt32BitsToSingle(block[i]);
            }

            Vectors.Apply<TFunction>(VectorWidth.Bits512, x, wide);
            Vectors.Apply<TFunction>(VectorWidth.Bits256, x, narrow);
            for (var i = 0; i < x.Length; i++)
            {
                var same = BitConverter.SingleToInt32Bits(wide[i]) == BitConverter.SingleToInt32Bits(narrow[i]);
                if (!same && !(float.IsNaN(wide[i]) && float.IsNaN(narrow[i])))
                {
                    Assert.Fail($"{x[i]:R} gives {wide[i]:R} in 512 bits and {narrow[i]:R} in 256.");
                }
            }
        }
    }
}

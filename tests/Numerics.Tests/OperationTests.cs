using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Xunit;

namespace Unrolled.Tests;

/// <summary>The functions of more than one vector, and the mask of row ends.</summary>
[Trait("Category", "InstructionSet")]
public sealed class OperationTests
{
    private static readonly float[] Values =
        [0f, -0f, 1f, -1f, 3.5f, float.Epsilon, float.MaxValue, float.PositiveInfinity, float.NegativeInfinity, float.NaN];

    public static TheoryData<VectorWidth> Widths => [.. VectorWidths.All];

    [Theory]
    [MemberData(nameof(Widths))]
    public void MinAndMaxPropagateNaN(VectorWidth width)
    {
        width.SkipUnlessSupported();
        foreach (var a in Values)
        {
            foreach (var b in Values)
            {
                var (min, max) = width switch
                {
                    VectorWidth.Bits512 => Extremes512(a, b),
                    VectorWidth.Bits256 => Extremes256(a, b),
                    _ => Extremes128(a, b),
                };

                // Of two zeros either may come; adding 0 makes both positive.
                Assert.Equal(MathF.Min(a, b) + 0f, min + 0f);
                Assert.Equal(MathF.Max(a, b) + 0f, max + 0f);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void SelectGreaterChoosesByEveryPair(VectorWidth width)
    {
        width.SkipUnlessSupported();
        foreach (var a in Values)
        {
            foreach (var b in Values)
            {
                var actual = width switch
                {
                    VectorWidth.Bits512 => Elements(VectorMath.SelectGreater(Vector512.Create(a), Vector512.Create(b), Vector512.Create(2f), Vector512.Create(3f))),
                    VectorWidth.Bits256 => Elements(VectorMath.SelectGreater(Vector256.Create(a), Vector256.Create(b), Vector256.Create(2f), Vector256.Create(3f))),
                    _ => Elements(VectorMath.SelectGreater(Vector128.Create(a), Vector128.Create(b), Vector128.Create(2f), Vector128.Create(3f))),
                };
                var expected = float.IsNaN(a) || float.IsNaN(b) ? float.NaN : a > b ? 2f : 3f;
                Assert.All(actual, value => Assert.Equal(expected, value));
            }
        }
    }

    /// <summary>A NaN in one lane leaves the others alone.</summary>
    [Theory]
    [MemberData(nameof(Widths))]
    public void SelectGreaterWorksLaneByLane(VectorWidth width)
    {
        width.SkipUnlessSupported();
        var length = (int)width / 32;
        for (var lane = 0; lane < length; lane++)
        {
            var left = new float[length];
            (left[lane], left[(lane + 1) % length]) = (float.NaN, 1f);
            var actual = width switch
            {
                VectorWidth.Bits512 => Elements(VectorMath.SelectGreater(Vector512.Create(left), Vector512<float>.Zero, Vector512.Create(2f), Vector512.Create(3f))),
                VectorWidth.Bits256 => Elements(VectorMath.SelectGreater(Vector256.Create(left), Vector256<float>.Zero, Vector256.Create(2f), Vector256.Create(3f))),
                _ => Elements(VectorMath.SelectGreater(Vector128.Create(left), Vector128<float>.Zero, Vector128.Create(2f), Vector128.Create(3f))),
            };
            for (var i = 0; i < length; i++)
            {
                Assert.Equal(i == lane ? float.NaN : i == (lane + 1) % length ? 2f : 3f, actual[i]);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void MultiplyAddRoundsOnceWhereFused(VectorWidth width)
    {
        width.SkipUnlessSupported();

        // The product is 1 - 2^-46: rounded on its own it is 1, and subtracting 1 leaves nothing.
        var (a, b) = (1f - MathF.ScaleB(1, -23), 1f + MathF.ScaleB(1, -23));
        var fused = width != VectorWidth.Bits128 || Fma.IsSupported || AdvSimd.IsSupported;
        var actual = width switch
        {
            VectorWidth.Bits512 => Elements(VectorMath.MultiplyAdd(Vector512.Create(a), Vector512.Create(b), Vector512.Create(-1f))),
            VectorWidth.Bits256 => Elements(VectorMath.MultiplyAdd(Vector256.Create(a), Vector256.Create(b), Vector256.Create(-1f))),
            _ => Elements(VectorMath.MultiplyAdd(Vector128.Create(a), Vector128.Create(b), Vector128.Create(-1f))),
        };
        Assert.All(actual, value => Assert.Equal(fused ? -MathF.ScaleB(1, -46) : 0f, value));
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void MaskTailKeepsTheFirstLanes(VectorWidth width)
    {
        width.SkipUnlessSupported();
        var length = (int)width / 32;
        int[] counts = [int.MinValue, -1, .. Enumerable.Range(0, length + 2), int.MaxValue];
        foreach (var valid in counts)
        {
            var actual = width switch
            {
                VectorWidth.Bits512 => Elements(VectorMath.MaskTail(Vector512.Create(float.NaN), valid)),
                VectorWidth.Bits256 => Elements(VectorMath.MaskTail(Vector256.Create(float.NaN), valid)),
                _ => Elements(VectorMath.MaskTail(Vector128.Create(float.NaN), valid)),
            };
            Assert.Equal(length, actual.Length);
            for (var lane = 0; lane < length; lane++)
            {
                Assert.Equal(lane < valid ? float.NaN : 0f, actual[lane]);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void FlushKeepsAllButTheSmallestNumbers(VectorWidth width)
    {
        width.SkipUnlessSupported();
        foreach ((int exponent, bool isState) in new[] { (-95, true), (-126, false) })
        {
            var smallest = MathF.ScaleB(1, exponent);
            float[] others = [smallest, -smallest, float.BitIncrement(smallest), float.BitDecrement(smallest), -float.BitDecrement(smallest), -float.Epsilon, 1e-40f];
            foreach (var x in Values.Concat(others))
            {
                var actual = width switch
                {
                    VectorWidth.Bits512 => Elements(isState ? VectorMath.Flush(Vector512.Create(x)) : VectorMath.FlushDenormal(Vector512.Create(x))),
                    VectorWidth.Bits256 => Elements(isState ? VectorMath.Flush(Vector256.Create(x)) : VectorMath.FlushDenormal(Vector256.Create(x))),
                    _ => Elements(isState ? VectorMath.Flush(Vector128.Create(x)) : VectorMath.FlushDenormal(Vector128.Create(x))),
                };
                var expected = MathF.Abs(x) < smallest ? 0 : BitConverter.SingleToInt32Bits(x);
                Assert.All(actual, value => Assert.Equal(expected, BitConverter.SingleToInt32Bits(value)));
            }
        }
    }

    private static (float Min, float Max) Extremes512(float a, float b) => (
        VectorMath.Min(Vector512.Create(a), Vector512.Create(b))[15],
        VectorMath.Max(Vector512.Create(a), Vector512.Create(b))[15]);

    private static (float Min, float Max) Extremes256(float a, float b) => (
        VectorMath.Min(Vector256.Create(a), Vector256.Create(b))[7],
        VectorMath.Max(Vector256.Create(a), Vector256.Create(b))[7]);

    private static (float Min, float Max) Extremes128(float a, float b) => (
        VectorMath.Min(Vector128.Create(a), Vector128.Create(b))[3],
        VectorMath.Max(Vector128.Create(a), Vector128.Create(b))[3]);

    private static float[] Elements(Vector512<float> x)
    {
        var elements = new float[16];
        x.CopyTo(elements);
        return elements;
    }

    private static float[] Elements(Vector256<float> x)
    {
        var elements = new float[8];
        x.CopyTo(elements);
        return elements;
    }

    private static float[] Elements(Vector128<float> x)
    {
        var elements = new float[4];
        x.CopyTo(elements);
        return elements;
    }
}

using Xunit;

namespace Unrolled.Generator.Tests.Harness;

/// <summary>Compares what a model computed with a reference, relative to the largest element as the oracles' README does.</summary>
internal static class Deviation
{
    /// <summary>max|actual - expected| / max(max|expected|, floor); NaN anywhere counts as infinite.</summary>
    public static double Of(ReadOnlySpan<float> actual, ReadOnlySpan<double> expected, double floor = 0)
    {
        Assert.Equal(expected.Length, actual.Length);
        double scale = Math.Max(floor, 1e-30);
        double difference = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            scale = Math.Max(scale, Math.Abs(expected[i]));
            double here = Math.Abs(actual[i] - expected[i]);
            if (!(here <= double.MaxValue))
            {
                return double.PositiveInfinity;
            }

            difference = Math.Max(difference, here);
        }

        return difference / scale;
    }

    /// <summary>As <see cref="Of(ReadOnlySpan{float}, ReadOnlySpan{double}, double)"/> for a reference in single precision.</summary>
    public static double Of(ReadOnlySpan<float> actual, ReadOnlySpan<float> expected, double floor = 0)
    {
        var wide = new double[expected.Length];
        for (int i = 0; i < wide.Length; i++)
        {
            wide[i] = expected[i];
        }

        return Of(actual, wide, floor);
    }
}

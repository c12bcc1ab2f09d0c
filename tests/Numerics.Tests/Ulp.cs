namespace Unrolled.Tests;

/// <summary>Distances between a float32 result and the exact value, in units in the last place.</summary>
internal static class Ulp
{
    public const double SmallestNormal = 1.1754943508222875e-38;
    private const double Denormal = 1.401298464324817e-45;
    private const double Overflow = 340282366920938463463374607431768211456.0; // 2^128

    /// <summary>The spacing of float32 around <paramref name="exact"/>: 2^-149 among the denormals, 2^104 beyond the largest.</summary>
    public static double Of(double exact)
    {
        var magnitude = Math.Abs(exact);
        return magnitude < SmallestNormal ? Denormal : Math.ScaleB(1, Math.Min(Math.ILogB(magnitude), 127) - 23);
    }

    /// <summary>
    /// The error in ulp. Infinity counts as 2^128, the value it stands for when rounding; a NaN on one side only, or a zero of
    /// the wrong sign where the exact value is a zero, is an infinite error.
    /// </summary>
    public static double Error(float actual, double exact)
    {
        if (float.IsNaN(actual) || double.IsNaN(exact))
        {
            return float.IsNaN(actual) && double.IsNaN(exact) ? 0 : double.PositiveInfinity;
        }

        if (exact == 0 && actual == 0)
        {
            return double.IsNegative(exact) == float.IsNegative(actual) ? 0 : double.PositiveInfinity;
        }

        var limited = Math.Clamp(exact, -Overflow, Overflow);
        var value = float.IsInfinity(actual) ? (actual > 0 ? Overflow : -Overflow) : actual;
        return Math.Abs(value - limited) / Of(exact);
    }
}

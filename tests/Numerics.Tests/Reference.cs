namespace Unrolled.Tests;

/// <summary>What <see cref="Math"/> lacks, in double precision.</summary>
internal static class Reference
{
    /// <summary>e^x - 1 without cancellation (Kahan's quotient: the rounding errors of e^x cancel against its logarithm).</summary>
    public static double ExpMinusOne(double x)
    {
        var u = Math.Exp(x);
        var minusOne = u - 1;
        if (minusOne == 0 || double.IsNaN(u))
        {
            return x;
        }

        return minusOne == -1 ? -1 : minusOne * x / Math.Log(u);
    }

    /// <summary>ln(1 + x) without cancellation, for x from 0 to 1, in the same way.</summary>
    public static double LogOnePlus(double x)
    {
        var u = 1 + x;
        return u == 1 || double.IsNaN(u) ? x : Math.Log(u) * x / (u - 1);
    }

    /// <summary>The slope of x / (1 + e^-x).</summary>
    public static double SiluSlope(double x)
    {
        var s = 1 / (1 + Math.Exp(-x));
        return double.IsInfinity(x) ? s : s + (x * s * (1 - s));
    }

    /// <summary>The standard normal distribution's density.</summary>
    public static double NormalDensity(double x) => Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI);

    /// <summary>The standard normal distribution function: its series around zero, a continued fraction in the tails.</summary>
    public static double NormalCumulative(double x)
    {
        if (double.IsNaN(x))
        {
            return x;
        }

        var z = Math.Abs(x);
        var density = NormalDensity(z);
        double tail;
        if (z > 40)
        {
            tail = 0;
        }
        else if (z > 2.5)
        {
            // Abramowitz & Stegun 26.2.14: density / (z + 1 / (z + 2 / (z + 3 / ...)))
            var fraction = z;
            for (var k = 120; k > 0; k--)
            {
                fraction = z + (k / fraction);
            }

            tail = density / fraction;
        }
        else
        {
            // Abramowitz & Stegun 26.2.11: 1/2 + density (z + z^3 / 3 + z^5 / (3 5) + ...)
            var term = z;
            var sum = z;
            for (var k = 3; term > sum * 1e-17; k += 2)
            {
                term *= z * z / k;
                sum += term;
            }

            tail = 0.5 - (density * sum);
        }

        return x > 0 ? 1 - tail : tail;
    }
}

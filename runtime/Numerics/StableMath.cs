namespace Unrolled;

/// <summary>
/// Logarithm and exponential from additions, multiplications and divisions alone. IEEE 754 rounds those alike everywhere, so what is
/// drawn from a seed has the same bits on every machine and runtime, which the operating systems' own functions do not promise.
/// </summary>
internal static class StableMath
{
    // log 2 in two parts, the first with zeros at its end, so that small multiples of it are exact.
    private const double LogTwoHigh = 6.93147180369123816490e-01;
    private const double LogTwoLow = 1.90821492927058770002e-10;
    private const double LogTwoInverse = 1.4426950408889634;

    /// <summary>The natural logarithm of a positive normal number, to about an ulp.</summary>
    public static double Log(double x)
    {
        // x = m * 2^exponent with m within √½ … √2
        long bits = BitConverter.DoubleToInt64Bits(x);
        int exponent = (int)(bits >> 52) - 1023;
        double m = BitConverter.Int64BitsToDouble((bits & 0x000FFFFFFFFFFFFF) | 0x3FF0000000000000);
        if (m > 1.4142135623730951)
        {
            m /= 2;
            exponent++;
        }

        // log m = 2 artanh s = 2 (s + s³/3 + s⁵/5 + …), |s| < 0.172: twelve terms leave less than 1e-20.
        double s = (m - 1) / (m + 1);
        double square = s * s;
        double series = 0;
        for (int k = 23; k >= 3; k -= 2)
        {
            series = (series + 1.0 / k) * square;
        }

        return exponent * LogTwoHigh + (exponent * LogTwoLow + 2 * (s + s * series));
    }

    /// <summary>The exponential of a number that is zero or negative, to about an ulp.</summary>
    public static double Exp(double x)
    {
        if (x < -745.2)
        {
            return 0;
        }

        double n = Math.Round(x * LogTwoInverse);
        double r = (x - n * LogTwoHigh) - n * LogTwoLow;

        // |r| < 0.347: the terms of eʳ after the fourteenth are less than 1e-17.
        double series = 1;
        for (int k = 14; k >= 1; k--)
        {
            series = 1 + r / k * series;
        }

        return Math.ScaleB(series, (int)n);
    }
}

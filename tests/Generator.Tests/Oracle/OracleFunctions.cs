namespace Unrolled.Generator.Tests.Oracle;

/// <summary>The language's elementwise functions in double precision, written from their definitions and not from the compiler's table.</summary>
internal static class OracleFunctions
{
    /// <summary>A function of one argument, and the points where its derivative jumps.</summary>
    /// <remarks>Infinities give what the function tends to, NaN gives NaN.</remarks>
    internal sealed record Unary(Func<double, double> Value, params double[] Kinks);

    internal static readonly IReadOnlyDictionary<string, Unary> UnaryFunctions = new Dictionary<string, Unary>
    {
        ["identity"] = new(a => a),
        ["sigmoid"] = new(Sigmoid),
        ["tanh"] = new(Math.Tanh),
        ["relu"] = new(a => Math.Max(a, 0), 0),
        ["leaky_relu"] = new(a => a > 0 ? a : 0.01 * a, 0),
        ["elu"] = new(a => Elu(a, 1)),
        ["softplus"] = new(a => Math.Max(a, 0) + LogOnePlus(Math.Exp(-Math.Abs(a)))),
        ["softsign"] = new(a => double.IsInfinity(a) ? Math.Sign(a) : a / (1 + Math.Abs(a))),
        ["hard_sigmoid"] = new(a => Math.Clamp(a / 6 + 0.5, 0, 1), -3, 3),
        ["hard_tanh"] = new(a => Math.Clamp(a, -1, 1), -1, 1),
        ["gelu"] = new(a => double.IsNegativeInfinity(a) ? 0 : 0.5 * a * (1 + ErrorFunction(a / Math.Sqrt(2)))),
        ["silu"] = new(a => double.IsNegativeInfinity(a) ? 0 : a * Sigmoid(a)),
        ["exp"] = new(Math.Exp),
        ["log"] = new(Math.Log),
        ["sqrt"] = new(Math.Sqrt),
        ["square"] = new(a => a * a),
        ["abs"] = new(Math.Abs, 0),
    };

    internal static double Elu(double a, double scale) => a < 0 ? scale * ExpMinusOne(a) : a;

    private static double Sigmoid(double a) => a >= 0 ? 1 / (1 + Math.Exp(-a)) : Math.Exp(a) / (1 + Math.Exp(a));

    // Kahan's compensation: log(1 + a) without losing the digits of a small a.
    private static double LogOnePlus(double a)
    {
        double sum = 1 + a;
        return sum == 1 ? a : Math.Log(sum) * a / (sum - 1);
    }

    // Kahan's companion for exp(a) - 1.
    private static double ExpMinusOne(double a)
    {
        double power = Math.Exp(a);
        return power == 1 ? a : power - 1 == -1 ? -1 : (power - 1) * a / Math.Log(power);
    }

    /// <summary>erf by its Maclaurin series where it converges fast, by the continued fraction of erfc elsewhere.</summary>
    internal static double ErrorFunction(double a)
    {
        double magnitude = Math.Abs(a);
        if (double.IsNaN(a))
        {
            return a;
        }

        if (magnitude > 6)
        {
            return Math.Sign(a);
        }

        if (magnitude < 2.5)
        {
            double term = a;
            double sum = a;
            for (int n = 1; Math.Abs(term) > 1e-18 * Math.Abs(sum) && n < 200; n++)
            {
                term *= -a * a / n;
                sum += term / (2 * n + 1);
            }

            return 2 / Math.Sqrt(Math.PI) * sum;
        }

        double fraction = 0;
        for (int n = 100; n > 0; n--)
        {
            fraction = n / 2.0 / (magnitude + fraction);
        }

        return Math.Sign(a) * (1 - Math.Exp(-magnitude * magnitude) / Math.Sqrt(Math.PI) / (magnitude + fraction));
    }
}

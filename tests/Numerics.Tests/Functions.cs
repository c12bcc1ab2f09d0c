using System.Runtime.Intrinsics;

namespace Unrolled.Tests;

internal readonly struct Exp : IVectorFunction
{
    public static double Exact(double x) => Math.Exp(x);

    public static double AllowedUlp(double x, double exact) => 2;

    public static Vector512<float> Evaluate(Vector512<float> x) => VectorMath.Exp(x);

    public static Vector256<float> Evaluate(Vector256<float> x) => VectorMath.Exp(x);

    public static Vector128<float> Evaluate(Vector128<float> x) => VectorMath.Exp(x);
}

internal readonly struct Log : IVectorFunction
{
    public static double Exact(double x) => Math.Log(x);

    public static double AllowedUlp(double x, double exact) => 1;

    public static Vector512<float> Evaluate(Vector512<float> x) => VectorMath.Log(x);

    public static Vector256<float> Evaluate(Vector256<float> x) => VectorMath.Log(x);

    public static Vector128<float> Evaluate(Vector128<float> x) => VectorMath.Log(x);
}

internal readonly struct Sigmoid : IVectorFunction
{
    public static double Exact(double x) => 1 / (1 + Math.Exp(-x));

    public static double AllowedUlp(double x, double exact) => exact > 1e-6 ? 4 : 8;

    public static Vector512<float> Evaluate(Vector512<float> x) => VectorMath.Sigmoid(x);

    public static Vector256<float> Evaluate(Vector256<float> x) => VectorMath.Sigmoid(x);

    public static Vector128<float> Evaluate(Vector128<float> x) => VectorMath.Sigmoid(x);
}

internal readonly struct Tanh : IVectorFunction
{
    public static double Exact(double x) => Math.Tanh(x);

    public static double AllowedUlp(double x, double exact) => 4;

    public static Vector512<float> Evaluate(Vector512<float> x) => VectorMath.Tanh(x);

    public static Vector256<float> Evaluate(Vector256<float> x) => VectorMath.Tanh(x);

    public static Vector128<float> Evaluate(Vector128<float> x) => VectorMath.Tanh(x);
}

internal readonly struct Relu : IVectorFunction
{
    public static double Exact(double x) => x == 0 ? x : Math.Max(x, 0);

    public static double AllowedUlp(double x, double exact) => 0;

    public static Vector512<float> Evaluate(Vector512<float> x) => VectorMath.Relu(x);

    public static Vector256<float> Evaluate(Vector256<float> x) => VectorMath.Relu(x);

    public static Vector128<float> Evaluate(Vector128<float> x) => VectorMath.Relu(x);
}

internal readonly struct LeakyRelu : IVectorFunction
{
    public static double Exact(double x) => x > 0 ? x : x * 0.01f;

    public static double AllowedUlp(double x, double exact) => 0.5;

    public static Vector512<float> Evaluate(Vector512<float> x) => VectorMath.LeakyRelu(x, Vector512.Create(0.01f));

    public static Vector256<float> Evaluate(Vector256<float> x) => VectorMath.LeakyRelu(x, Vector256.Create(0.01f));

    public static Vector128<float> Evaluate(Vector128<float> x) => VectorMath.LeakyRelu(x, Vector128.Create(0.01f));
}

internal readonly struct Elu : IVectorFunction
{
    public static double Exact(double x) => x > 0 ? x : 1.5 * Reference.ExpMinusOne(x);

    public static double AllowedUlp(double x, double exact) => 3;

    public static Vector512<float> Evaluate(Vector512<float> x) => VectorMath.Elu(x, Vector512.Create(1.5f));

    public static Vector256<float> Evaluate(Vector256<float> x) => VectorMath.Elu(x, Vector256.Create(1.5f));

    public static Vector128<float> Evaluate(Vector128<float> x) => VectorMath.Elu(x, Vector128.Create(1.5f));
}

internal readonly struct Softplus : IVectorFunction
{
    public static double Exact(double x) => Math.Max(x, 0) + Reference.LogOnePlus(Math.Exp(-Math.Abs(x)));

    public static double AllowedUlp(double x, double exact) => 4;

    public static Vector512<float> Evaluate(Vector512<float> x) => VectorMath.Softplus(x);

    public static Vector256<float> Evaluate(Vector256<float> x) => VectorMath.Softplus(x);

    public static Vector128<float> Evaluate(Vector128<float> x) => VectorMath.Softplus(x);
}

internal readonly struct Softsign : IVectorFunction
{
    public static double Exact(double x) => double.IsInfinity(x) ? Math.Sign(x) : x / (1 + Math.Abs(x));

    public static double AllowedUlp(double x, double exact) => 2;

    public static Vector512<float> Evaluate(Vector512<float> x) => VectorMath.Softsign(x);

    public static Vector256<float> Evaluate(Vector256<float> x) => VectorMath.Softsign(x);

    public static Vector128<float> Evaluate(Vector128<float> x) => VectorMath.Softsign(x);
}

internal readonly struct HardSigmoid : IVectorFunction
{
    public static double Exact(double x) => Math.Clamp(x + 3, 0, 6) / 6;

    public static double AllowedUlp(double x, double exact) => 2;

    public static Vector512<float> Evaluate(Vector512<float> x) => VectorMath.HardSigmoid(x);

    public static Vector256<float> Evaluate(Vector256<float> x) => VectorMath.HardSigmoid(x);

    public static Vector128<float> Evaluate(Vector128<float> x) => VectorMath.HardSigmoid(x);
}

internal readonly struct HardTanh : IVectorFunction
{
    public static double Exact(double x) => Math.Clamp(x, -1, 1);

    public static double AllowedUlp(double x, double exact) => 0;

    public static Vector512<float> Evaluate(Vector512<float> x) => VectorMath.HardTanh(x);

    public static Vector256<float> Evaluate(Vector256<float> x) => VectorMath.HardTanh(x);

    public static Vector128<float> Evaluate(Vector128<float> x) => VectorMath.HardTanh(x);
}

internal readonly struct Silu : IVectorFunction
{
    public static double Exact(double x) => double.IsNegativeInfinity(x) ? -0.0 : x / (1 + Math.Exp(-x));

    public static double AllowedUlp(double x, double exact) => x > -87 ? 9 : 9 + (3 * Math.Abs(x));

    public static Vector512<float> Evaluate(Vector512<float> x) => VectorMath.Silu(x);

    public static Vector256<float> Evaluate(Vector256<float> x) => VectorMath.Silu(x);

    public static Vector128<float> Evaluate(Vector128<float> x) => VectorMath.Silu(x);
}

internal readonly struct SiluSlope : IVectorFunction
{
    public static double Exact(double x) => Reference.SiluSlope(x);

    public static double AllowedUlp(double x, double exact) => 1e-6 / Ulp.Of(exact);

    public static Vector512<float> Evaluate(Vector512<float> x) => VectorMath.SiluSlope(x);

    public static Vector256<float> Evaluate(Vector256<float> x) => VectorMath.SiluSlope(x);

    public static Vector128<float> Evaluate(Vector128<float> x) => VectorMath.SiluSlope(x);
}

internal readonly struct NormalCumulative : IVectorFunction
{
    public static double Exact(double x) => Reference.NormalCumulative(x);

    public static double AllowedUlp(double x, double exact) => 10 + (x > 0 ? 0 : Math.Min(x * x / 2, 106));

    public static Vector512<float> Evaluate(Vector512<float> x) => VectorMath.NormalCumulative(x);

    public static Vector256<float> Evaluate(Vector256<float> x) => VectorMath.NormalCumulative(x);

    public static Vector128<float> Evaluate(Vector128<float> x) => VectorMath.NormalCumulative(x);
}

internal readonly struct Gelu : IVectorFunction
{
    public static double Exact(double x) => double.IsNegativeInfinity(x) ? -0.0 : x * Reference.NormalCumulative(x);

    public static double AllowedUlp(double x, double exact) => 11 + (x > 0 ? 0 : Math.Min(x * x / 2, 106));

    public static Vector512<float> Evaluate(Vector512<float> x) => VectorMath.Gelu(x);

    public static Vector256<float> Evaluate(Vector256<float> x) => VectorMath.Gelu(x);

    public static Vector128<float> Evaluate(Vector128<float> x) => VectorMath.Gelu(x);
}

internal readonly struct GeluSlope : IVectorFunction
{
    public static double Exact(double x) => Reference.NormalCumulative(x) + (double.IsInfinity(x) ? 0 : x * Reference.NormalDensity(x));

    public static double AllowedUlp(double x, double exact) => 1e-6 / Ulp.Of(exact);

    public static Vector512<float> Evaluate(Vector512<float> x) => VectorMath.GeluSlope(x);

    public static Vector256<float> Evaluate(Vector256<float> x) => VectorMath.GeluSlope(x);

    public static Vector128<float> Evaluate(Vector128<float> x) => VectorMath.GeluSlope(x);
}

internal readonly struct Abs : IVectorFunction
{
    public static double Exact(double x) => Math.Abs(x);

    public static double AllowedUlp(double x, double exact) => 0;

    public static Vector512<float> Evaluate(Vector512<float> x) => VectorMath.Abs(x);

    public static Vector256<float> Evaluate(Vector256<float> x) => VectorMath.Abs(x);

    public static Vector128<float> Evaluate(Vector128<float> x) => VectorMath.Abs(x);
}

internal readonly struct Square : IVectorFunction
{
    public static double Exact(double x) => x * x;

    public static double AllowedUlp(double x, double exact) => 0.5;

    public static Vector512<float> Evaluate(Vector512<float> x) => VectorMath.Square(x);

    public static Vector256<float> Evaluate(Vector256<float> x) => VectorMath.Square(x);

    public static Vector128<float> Evaluate(Vector128<float> x) => VectorMath.Square(x);
}

internal readonly struct Sqrt : IVectorFunction
{
    public static double Exact(double x) => Math.Sqrt(x);

    public static double AllowedUlp(double x, double exact) => 0.5;

    public static Vector512<float> Evaluate(Vector512<float> x) => VectorMath.Sqrt(x);

    public static Vector256<float> Evaluate(Vector256<float> x) => VectorMath.Sqrt(x);

    public static Vector128<float> Evaluate(Vector128<float> x) => VectorMath.Sqrt(x);
}

internal readonly struct Clip : IVectorFunction
{
    public static double Exact(double x) => Math.Clamp(x, -0.3f, 2.5f);

    public static double AllowedUlp(double x, double exact) => 0;

    public static Vector512<float> Evaluate(Vector512<float> x) => VectorMath.Clip(x, -0.3f, 2.5f);

    public static Vector256<float> Evaluate(Vector256<float> x) => VectorMath.Clip(x, -0.3f, 2.5f);

    public static Vector128<float> Evaluate(Vector128<float> x) => VectorMath.Clip(x, -0.3f, 2.5f);
}

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

using System.Runtime.Intrinsics;

namespace Unrolled.Tests;

/// <summary>A function of one variable under test: its three overloads, and its meaning in double precision.</summary>
internal interface IVectorFunction
{
    static abstract double Exact(double x);

    /// <summary>The largest error allowed at an exact result, in ulp.</summary>
    static abstract double AllowedUlp(double x, double exact);

    static abstract Vector512<float> Evaluate(Vector512<float> x);

    static abstract Vector256<float> Evaluate(Vector256<float> x);

    static abstract Vector128<float> Evaluate(Vector128<float> x);
}

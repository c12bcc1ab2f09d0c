using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Unrolled.Benchmarks;

/// <summary>
/// <see cref="VectorMath"/> over <see cref="Length"/> elements in the first-level cache (<c>map-FUNCTION-LENGTH</c>), in the widest
/// vectors this process has.
/// </summary>
internal static class FunctionCases
{
    private const int Length = 2048;

    private interface IFunction
    {
        static abstract Vector512<float> Evaluate(Vector512<float> x);

        static abstract Vector256<float> Evaluate(Vector256<float> x);

        static abstract Vector128<float> Evaluate(Vector128<float> x);
    }

    public static IEnumerable<BenchmarkCase> List()
    {
        yield return Case<Exp>("exp");
        yield return Case<Log>("log");
        yield return Case<Sigmoid>("sigmoid");
        yield return Case<Tanh>("tanh");
        yield return Case<Softplus>("softplus");
        yield return Case<Gelu>("gelu");
    }

    private static BenchmarkCase Case<TFunction>(string function)
        where TFunction : struct, IFunction =>
        new($"map-{function}-{Length}", Demand.None, () =>
        {
            var x = new AlignedBuffer(Length).Spread(-8, 8);
            var y = new AlignedBuffer(Length);
            return () => Map<TFunction>(x.Span, y.Span);
        });

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Map<TFunction>(ReadOnlySpan<float> x, Span<float> y)
        where TFunction : struct, IFunction
    {
        ref var from = ref MemoryMarshal.GetReference(x);
        ref var to = ref MemoryMarshal.GetReference(y);
        if (Avx512F.IsSupported && Avx512DQ.IsSupported)
        {
            for (var i = 0; i < Length; i += Vector512<float>.Count)
            {
                Unsafe.As<float, Vector512<float>>(ref Unsafe.Add(ref to, i)) =
                    TFunction.Evaluate(Unsafe.As<float, Vector512<float>>(ref Unsafe.Add(ref from, i)));
            }
        }
        else if (Avx2.IsSupported && Fma.IsSupported)
        {
            for (var i = 0; i < Length; i += Vector256<float>.Count)
            {
                Unsafe.As<float, Vector256<float>>(ref Unsafe.Add(ref to, i)) =
                    TFunction.Evaluate(Unsafe.As<float, Vector256<float>>(ref Unsafe.Add(ref from, i)));
            }
        }
        else
        {
            for (var i = 0; i < Length; i += Vector128<float>.Count)
            {
                Unsafe.As<float, Vector128<float>>(ref Unsafe.Add(ref to, i)) =
                    TFunction.Evaluate(Unsafe.As<float, Vector128<float>>(ref Unsafe.Add(ref from, i)));
            }
        }
    }

    private readonly struct Exp : IFunction
    {
        public static Vector512<float> Evaluate(Vector512<float> x) => VectorMath.Exp(x);

        public static Vector256<float> Evaluate(Vector256<float> x) => VectorMath.Exp(x);

        public static Vector128<float> Evaluate(Vector128<float> x) => VectorMath.Exp(x);
    }

    private readonly struct Log : IFunction
    {
        public static Vector512<float> Evaluate(Vector512<float> x) => VectorMath.Log(x);

        public static Vector256<float> Evaluate(Vector256<float> x) => VectorMath.Log(x);

        public static Vector128<float> Evaluate(Vector128<float> x) => VectorMath.Log(x);
    }

    private readonly struct Sigmoid : IFunction
    {
        public static Vector512<float> Evaluate(Vector512<float> x) => VectorMath.Sigmoid(x);

        public static Vector256<float> Evaluate(Vector256<float> x) => VectorMath.Sigmoid(x);

        public static Vector128<float> Evaluate(Vector128<float> x) => VectorMath.Sigmoid(x);
    }

    private readonly struct Tanh : IFunction
    {
        public static Vector512<float> Evaluate(Vector512<float> x) => VectorMath.Tanh(x);

        public static Vector256<float> Evaluate(Vector256<float> x) => VectorMath.Tanh(x);

        public static Vector128<float> Evaluate(Vector128<float> x) => VectorMath.Tanh(x);
    }

    private readonly struct Softplus : IFunction
    {
        public static Vector512<float> Evaluate(Vector512<float> x) => VectorMath.Softplus(x);

        public static Vector256<float> Evaluate(Vector256<float> x) => VectorMath.Softplus(x);

        public static Vector128<float> Evaluate(Vector128<float> x) => VectorMath.Softplus(x);
    }

    private readonly struct Gelu : IFunction
    {
        public static Vector512<float> Evaluate(Vector512<float> x) => VectorMath.Gelu(x);

        public static Vector256<float> Evaluate(Vector256<float> x) => VectorMath.Gelu(x);

        public static Vector128<float> Evaluate(Vector128<float> x) => VectorMath.Gelu(x);
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Unrolled.Benchmarks;

/// <summary>
/// What one core can do at best with the widest vectors this process has: the yardstick the cases are held against, measured in the
/// same process because the machine's clock drifts.
/// </summary>
internal static class MachineLimits
{
    private const int L1Bytes = 24 << 10;
    private const int L2Bytes = 512 << 10;
    private const int L3Bytes = 8 << 20;
    private const int MemoryBytes = 128 << 20;
    private const int FloatsATurn = 128;
    private const int Accumulators = 12;
    private const int Rounds = 2000;

    // Keeps results alive, so that the JIT cannot drop the loops.
    private static float _sink;

    /// <summary>Multiply-adds in registers, in GFLOP/s.</summary>
    public static double MultiplyAdd()
    {
        var (lanes, work) = Widest<(int, Action)>(
            () => (16, () => _sink += MultiplyAdd512(Rounds, Vector512.Create(0.5f), Vector512.Create(0.25f))),
            () => (8, () => _sink += MultiplyAdd256(Rounds, Vector256.Create(0.5f), Vector256.Create(0.25f))),
            () => (4, () => _sink += MultiplyAdd128(Rounds, Vector128.Create(0.5f), Vector128.Create(0.25f))));
        return 2.0 * lanes * Accumulators * Rounds / Stopclock.Median(work) / 1e9;
    }

    /// <summary>Loads from the first-level cache, in GB/s.</summary>
    public static double L1Load() => Load(L1Bytes);

    /// <summary>Loads from the second-level cache, in GB/s.</summary>
    public static double L2Load() => Load(L2Bytes);

    /// <summary>Loads from the last-level cache, in GB/s.</summary>
    public static double L3Load() => Load(L3Bytes);

    /// <summary>Loads from memory, in GB/s.</summary>
    public static double MemoryLoad() => Load(MemoryBytes);

    /// <summary>A plain load loop over a block's values, but for a last part shorter than 512 bytes.</summary>
    /// <param name="block">From a 64-byte boundary.</param>
    /// <param name="bytes">How many bytes it loads.</param>
    public static Action LoadLoop(ParameterBlock block, out int bytes)
    {
        var length = block.Values.Length / FloatsATurn * FloatsATurn;
        bytes = length * sizeof(float);
        return LoadLoop(() => block.Values[..length]);
    }

    private static double Load(int bytes)
    {
        var buffer = new AlignedBuffer(bytes / sizeof(float)).Spread(-1, 1);
        var loop = LoadLoop(() => buffer.Span);

        // A short loop is repeated until calling it no longer counts.
        var repeats = Math.Max(1, L2Bytes / bytes);
        var seconds = Stopclock.Median(() =>
        {
            for (var i = 0; i < repeats; i++)
            {
                loop();
            }
        });
        return (double)bytes * repeats / seconds / 1e9;
    }

    private static Action LoadLoop(SpanOf values) => Widest<Action>(
        () => () => _sink += Load512(values()),
        () => () => _sink += Load256(values()),
        () => () => _sink += Load128(values()));

    private delegate ReadOnlySpan<float> SpanOf();

    private static T Widest<T>(Func<T> bits512, Func<T> bits256, Func<T> bits128) =>
        Avx512F.IsSupported && Avx512DQ.IsSupported ? bits512()
        : Avx2.IsSupported && Fma.IsSupported ? bits256()
        : bits128();

    // Twelve accumulators: two multiply-adds a cycle, four cycles each, and some room.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float MultiplyAdd512(int rounds, Vector512<float> x, Vector512<float> y)
    {
        Vector512<float> a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x, k = x, l = x;
        for (var round = 0; round < rounds; round++)
        {
            a = VectorMath.MultiplyAdd(a, y, x);
            b = VectorMath.MultiplyAdd(b, y, x);
            c = VectorMath.MultiplyAdd(c, y, x);
            d = VectorMath.MultiplyAdd(d, y, x);
            e = VectorMath.MultiplyAdd(e, y, x);
            f = VectorMath.MultiplyAdd(f, y, x);
            g = VectorMath.MultiplyAdd(g, y, x);
            h = VectorMath.MultiplyAdd(h, y, x);
            i = VectorMath.MultiplyAdd(i, y, x);
            j = VectorMath.MultiplyAdd(j, y, x);
            k = VectorMath.MultiplyAdd(k, y, x);
            l = VectorMath.MultiplyAdd(l, y, x);
        }

        return Vector512.Sum(a + b + c + d + e + f + g + h + i + j + k + l);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float MultiplyAdd256(int rounds, Vector256<float> x, Vector256<float> y)
    {
        Vector256<float> a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x, k = x, l = x;
        for (var round = 0; round < rounds; round++)
        {
            a = VectorMath.MultiplyAdd(a, y, x);
            b = VectorMath.MultiplyAdd(b, y, x);
            c = VectorMath.MultiplyAdd(c, y, x);
            d = VectorMath.MultiplyAdd(d, y, x);
            e = VectorMath.MultiplyAdd(e, y, x);
            f = VectorMath.MultiplyAdd(f, y, x);
            g = VectorMath.MultiplyAdd(g, y, x);
            h = VectorMath.MultiplyAdd(h, y, x);
            i = VectorMath.MultiplyAdd(i, y, x);
            j = VectorMath.MultiplyAdd(j, y, x);
            k = VectorMath.MultiplyAdd(k, y, x);
            l = VectorMath.MultiplyAdd(l, y, x);
        }

        return Vector256.Sum(a + b + c + d + e + f + g + h + i + j + k + l);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float MultiplyAdd128(int rounds, Vector128<float> x, Vector128<float> y)
    {
        Vector128<float> a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x, k = x, l = x;
        for (var round = 0; round < rounds; round++)
        {
            a = VectorMath.MultiplyAdd(a, y, x);
            b = VectorMath.MultiplyAdd(b, y, x);
            c = VectorMath.MultiplyAdd(c, y, x);
            d = VectorMath.MultiplyAdd(d, y, x);
            e = VectorMath.MultiplyAdd(e, y, x);
            f = VectorMath.MultiplyAdd(f, y, x);
            g = VectorMath.MultiplyAdd(g, y, x);
            h = VectorMath.MultiplyAdd(h, y, x);
            i = VectorMath.MultiplyAdd(i, y, x);
            j = VectorMath.MultiplyAdd(j, y, x);
            k = VectorMath.MultiplyAdd(k, y, x);
            l = VectorMath.MultiplyAdd(l, y, x);
        }

        return Vector128.Sum(a + b + c + d + e + f + g + h + i + j + k + l);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Load512(ReadOnlySpan<float> values)
    {
        ref var at = ref Unsafe.As<float, Vector512<int>>(ref MemoryMarshal.GetReference(values));
        ref var end = ref Unsafe.Add(ref at, values.Length / Vector512<float>.Count);
        Vector512<int> a = default, b = default, c = default, d = default, e = default, f = default, g = default, h = default;
        while (Unsafe.IsAddressLessThan(ref at, ref end))
        {
            a |= at;
            b |= Unsafe.Add(ref at, 1);
            c |= Unsafe.Add(ref at, 2);
            d |= Unsafe.Add(ref at, 3);
            e |= Unsafe.Add(ref at, 4);
            f |= Unsafe.Add(ref at, 5);
            g |= Unsafe.Add(ref at, 6);
            h |= Unsafe.Add(ref at, 7);
            at = ref Unsafe.Add(ref at, 8);
        }

        return Vector512.Sum(a | b | c | d | e | f | g | h);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Load256(ReadOnlySpan<float> values)
    {
        ref var at = ref Unsafe.As<float, Vector256<int>>(ref MemoryMarshal.GetReference(values));
        ref var end = ref Unsafe.Add(ref at, values.Length / Vector256<float>.Count);
        Vector256<int> a = default, b = default, c = default, d = default, e = default, f = default, g = default, h = default;
        while (Unsafe.IsAddressLessThan(ref at, ref end))
        {
            a |= at;
            b |= Unsafe.Add(ref at, 1);
            c |= Unsafe.Add(ref at, 2);
            d |= Unsafe.Add(ref at, 3);
            e |= Unsafe.Add(ref at, 4);
            f |= Unsafe.Add(ref at, 5);
            g |= Unsafe.Add(ref at, 6);
            h |= Unsafe.Add(ref at, 7);
            at = ref Unsafe.Add(ref at, 8);
        }

        return Vector256.Sum(a | b | c | d | e | f | g | h);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Load128(ReadOnlySpan<float> values)
    {
        ref var at = ref Unsafe.As<float, Vector128<int>>(ref MemoryMarshal.GetReference(values));
        ref var end = ref Unsafe.Add(ref at, values.Length / Vector128<float>.Count);
        Vector128<int> a = default, b = default, c = default, d = default, e = default, f = default, g = default, h = default;
        while (Unsafe.IsAddressLessThan(ref at, ref end))
        {
            a |= at;
            b |= Unsafe.Add(ref at, 1);
            c |= Unsafe.Add(ref at, 2);
            d |= Unsafe.Add(ref at, 3);
            e |= Unsafe.Add(ref at, 4);
            f |= Unsafe.Add(ref at, 5);
            g |= Unsafe.Add(ref at, 6);
            h |= Unsafe.Add(ref at, 7);
            at = ref Unsafe.Add(ref at, 8);
        }

        return Vector128.Sum(a | b | c | d | e | f | g | h);
    }
}

using System.Numerics;
using System.Text;

namespace Unrolled;

/// <summary>
/// Random numbers that a seed fixes for good: xoshiro256** (Blackman and Vigna 2021, "Scrambled linear pseudorandom number generators"),
/// its state filled by SplitMix64 as its authors advise. The same seed gives the same bits in every version, on every machine.
/// Not for secrets.
/// </summary>
public sealed class RandomStream
{
    private const ulong Golden = 0x9E3779B97F4A7C15;

    private ulong _state0;
    private ulong _state1;
    private ulong _state2;
    private ulong _state3;
    private double _spareNormal = double.NaN;

    /// <summary>The stream of a seed; every seed is as good as any other.</summary>
    public RandomStream(ulong seed)
        : this(SplitMix(seed, 1), SplitMix(seed, 2), SplitMix(seed, 3), SplitMix(seed, 4))
    {
    }

    internal RandomStream(ulong state0, ulong state1, ulong state2, ulong state3)
    {
        _state0 = state0;
        _state1 = state1;
        _state2 = state2;
        _state3 = state3;
    }

    /// <summary>64 random bits.</summary>
    public ulong NextUInt64()
    {
        ulong result = BitOperations.RotateLeft(_state1 * 5, 7) * 9;
        ulong shifted = _state1 << 17;
        _state2 ^= _state0;
        _state3 ^= _state1;
        _state1 ^= _state2;
        _state0 ^= _state3;
        _state2 ^= shifted;
        _state3 = BitOperations.RotateLeft(_state3, 45);
        return result;
    }

    /// <summary>A number uniform in [0, 1), a multiple of 2⁻²⁴.</summary>
    public float NextFloat() => (NextUInt64() >> 40) * (1f / (1 << 24));

    /// <summary>A number uniform in [0, 1), a multiple of 2⁻⁵³.</summary>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1L << 53));

    /// <summary>A number of the standard normal distribution, by the polar method (Marsaglia and Bray 1964).</summary>
    public double NextNormal()
    {
        if (!double.IsNaN(_spareNormal))
        {
            double spare = _spareNormal;
            _spareNormal = double.NaN;
            return spare;
        }

        while (true)
        {
            double x = 2 * NextDouble() - 1;
            double y = 2 * NextDouble() - 1;
            double square = x * x + y * y;
            if (square is < 1 and > 0)
            {
                double factor = Math.Sqrt(-2 * StableMath.Log(square) / square);
                _spareNormal = y * factor;
                return x * factor;
            }
        }
    }

    /// <summary>The stream of a name under a seed: streams of different names have nothing to do with one another.</summary>
    internal static RandomStream Of(ulong seed, string name) => new(SplitMix(seed, 1) ^ Hash(name));

    /// <summary>A number for a name, the same everywhere and always: FNV-1a (Fowler, Noll and Vo).</summary>
    internal static ulong Hash(string name)
    {
        ulong hash = 0xCBF29CE484222325;
        foreach (byte value in Encoding.UTF8.GetBytes(name))
        {
            hash = unchecked((hash ^ value) * 0x100000001B3);
        }

        return hash;
    }

    /// <summary>An output of SplitMix64 (Steele, Lea and Flood 2014), counted from 1.</summary>
    internal static ulong SplitMix(ulong seed, ulong count)
    {
        ulong x = unchecked(seed + count * Golden);
        x = unchecked((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9);
        x = unchecked((x ^ (x >> 27)) * 0x94D049BB133111EB);
        return x ^ (x >> 31);
    }
}

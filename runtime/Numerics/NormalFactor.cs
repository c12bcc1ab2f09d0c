using System.Numerics;
using System.Runtime.CompilerServices;

namespace Unrolled;

/// <summary>
/// A factor whose products are normal numbers or zero. Processors multiply denormal numbers up to a hundred times slower, and .NET has no
/// switch that makes them zero. NaN and infinities pass.
/// </summary>
internal readonly struct NormalFactor
{
    /// <summary>The smallest normal number, 1.2e-38.</summary>
    public const float Smallest = 1.17549435e-38f;

    private readonly Vector<float> _least;

    /// <param name="factor">The factor.</param>
    public NormalFactor(float factor)
    {
        Plain = new Vector<float>(factor);
        _least = new Vector<float>(Math.Max(Smallest, Smallest / Math.Abs(factor)));
    }

    /// <summary>The factor in every lane, for numbers whose products cannot be denormal.</summary>
    public Vector<float> Plain { get; }

    /// <summary>The products; zero where the number or the product is below the smallest normal number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> operator *(NormalFactor factor, Vector<float> numbers) => factor.Plain * factor.Flush(numbers);

    /// <summary>The numbers; zero where the number or its product is below the smallest normal number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<float> Flush(Vector<float> numbers) => ZeroBelow(numbers, _least);

    /// <summary>The numbers; zero where they are smaller, whatever their sign, than a limit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> ZeroBelow(Vector<float> numbers, Vector<float> limit) =>
        Vector.AndNot(numbers, Vector.LessThan(Vector.Abs(numbers), limit).As<int, float>());
}

namespace Unrolled.Generator.Tests.Oracle;

/// <summary>Notes on which side of every kink an evaluation ran, and how near it came: a difference quotient across a kink is no derivative.</summary>
internal sealed class KinkWatch
{
    /// <summary>A digest of all sides taken, in order; equal for two evaluations that took the same branches.</summary>
    public ulong Sides { get; private set; }

    /// <summary>The smallest distance of any argument to a kink.</summary>
    public double Nearest { get; private set; }

    public void Reset()
    {
        Sides = 14695981039346656037;
        Nearest = double.PositiveInfinity;
    }

    /// <summary>Notes an argument's signed distance to a kink.</summary>
    public void Note(double distance)
    {
        Sides = (Sides ^ (distance > 0 ? 1UL : 2UL)) * 1099511628211;
        Nearest = Math.Min(Nearest, Math.Abs(distance));
    }
}

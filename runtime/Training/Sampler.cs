namespace Unrolled;

/// <summary>
/// Draws a token from a network's logits. The logits are divided by the temperature, cut to the most likely tokens (top-k, Fan, Lewis
/// and Dauphin 2018), then to the fewest that together have a given probability (nucleus, Holtzman et al. 2020), and one of those left is
/// drawn in proportion to its probability. A seed draws the same tokens from the same logits on every machine. Nothing is
/// allocated once a vocabulary of the same size has been drawn from.
/// </summary>
public sealed class Sampler
{
    private readonly RandomStream _random;

    // Candidates, and their unnormalised probabilities.
    private ulong[] _order = [];
    private double[] _weights = [];

    /// <summary>A sampler.</summary>
    /// <param name="temperature">Below 1 the likely become likelier; 0 always takes the likeliest, the first of equals.</param>
    /// <param name="random">Where the chance comes from.</param>
    /// <param name="topK">How many of the likeliest tokens are left; 0 means all.</param>
    /// <param name="topP">The probability the likeliest tokens that are left have together at least, above 0; 1 means all.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its range.</exception>
    public Sampler(float temperature, RandomStream random, int topK = 0, float topP = 1)
    {
        ArgumentNullException.ThrowIfNull(random);
        ArgumentOutOfRangeException.ThrowIfNegative(topK);
        if (!(temperature >= 0 && float.IsFinite(temperature)))
        {
            throw new ArgumentOutOfRangeException(nameof(temperature), temperature, "The temperature must be zero or positive, and finite.");
        }

        if (!(topP > 0 && topP <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(topP), topP, "The probability must be above 0 and at most 1.");
        }

        Temperature = temperature;
        TopK = topK;
        TopP = topP;
        _random = random;
    }

    /// <summary>What the logits are divided by; 0 always takes the likeliest token.</summary>
    public float Temperature { get; }

    /// <summary>How many of the likeliest tokens are left; 0 means all.</summary>
    public int TopK { get; }

    /// <summary>The probability the likeliest tokens that are left have together at least; 1 means all.</summary>
    public float TopP { get; }

    /// <summary>Draws a token.</summary>
    /// <param name="logits">[tokens]; a logit of -∞ is never drawn.</param>
    /// <returns>The token, 0 to the number of logits - 1.</returns>
    /// <exception cref="ArgumentException">There are no logits, one is NaN or +∞, or all are -∞. Nothing was drawn.</exception>
    public int Sample(ReadOnlySpan<float> logits)
    {
        int likeliest = Likeliest(logits);
        if (Temperature == 0 || TopK == 1)
        {
            return likeliest;
        }

        if (_weights.Length < logits.Length)
        {
            _weights = new double[logits.Length];
            _order = new ulong[logits.Length];
        }

        bool cut = (TopK > 0 && TopK < logits.Length) || TopP < 1;
        return cut ? SampleLikeliest(logits, logits[likeliest]) : SampleAll(logits, logits[likeliest]);
    }

    private static int Likeliest(ReadOnlySpan<float> logits)
    {
        int likeliest = -1;
        float greatest = float.NegativeInfinity;
        for (int i = 0; i < logits.Length; i++)
        {
            float logit = logits[i];
            if (float.IsNaN(logit) || float.IsPositiveInfinity(logit))
            {
                throw new ArgumentException($"The logit of token {i} is {logit}.", nameof(logits));
            }

            if (logit > greatest)
            {
                greatest = logit;
                likeliest = i;
            }
        }

        return likeliest >= 0 ? likeliest : throw new ArgumentException("No logit is greater than -∞.", nameof(logits));
    }

    private int SampleAll(ReadOnlySpan<float> logits, float greatest)
    {
        double total = 0;
        for (int i = 0; i < logits.Length; i++)
        {
            total += _weights[i] = Weight(logits[i], greatest);
        }

        return Draw(logits.Length, total);
    }

    private int SampleLikeliest(ReadOnlySpan<float> logits, float greatest)
    {
        Span<ulong> order = _order.AsSpan(0, logits.Length);
        for (int i = 0; i < logits.Length; i++)
        {
            order[i] = (ulong)Descending(logits[i]) << 32 | (uint)i;
        }

        order.Sort();
        int count = TopK > 0 ? Math.Min(TopK, logits.Length) : logits.Length;
        double total = 0;
        for (int i = 0; i < count; i++)
        {
            total += _weights[i] = Weight(logits[(int)(uint)order[i]], greatest);
        }

        if (TopP < 1)
        {
            double wanted = TopP * total;
            total = _weights[0];
            int nucleus = 1;
            while (nucleus < count && total < wanted)
            {
                total += _weights[nucleus++];
            }

            count = nucleus;
        }

        return (int)(uint)order[Draw(count, total)];
    }

    private double Weight(float logit, float greatest) => StableMath.Exp(((double)logit - greatest) / Temperature);

    /// <summary>A place among the first weights, in proportion to them; <paramref name="total"/> is their sum, added in this order.</summary>
    private int Draw(int count, double total)
    {
        double point = _random.NextDouble() * total;
        double sum = 0;
        int last = 0;
        for (int i = 0; i < count; i++)
        {
            if (_weights[i] > 0)
            {
                sum += _weights[i];
                last = i;
                if (point < sum)
                {
                    return i;
                }
            }
        }

        return last;
    }

    /// <summary>A number that is smaller the greater the logit is, so that sorting puts the likeliest first, and the first of equals.</summary>
    private static uint Descending(float logit)
    {
        // Adding zero makes -0 and 0 the same.
        uint bits = BitConverter.SingleToUInt32Bits(logit + 0f);
        return (bits & 0x80000000) != 0 ? bits : ~(bits | 0x80000000);
    }
}

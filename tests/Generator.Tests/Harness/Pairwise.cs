namespace Unrolled.Generator.Tests.Harness;

/// <summary>A selection of combinations in which every pair of values of every two factors occurs.</summary>
internal static class Pairwise
{
    /// <summary>
    /// Covers the pairs one combination at a time: of several random ones that hold a pair still missing, the one that costs least for
    /// each pair it adds. The same arguments give the same selection.
    /// </summary>
    /// <param name="levels">How many values each factor has.</param>
    /// <param name="cost">What a combination costs to test; infinity where it makes no sense.</param>
    /// <param name="seed">Seed of the candidates.</param>
    public static List<int[]> Select(int[] levels, Func<int[], double> cost, int seed)
    {
        const int Candidates = 400;
        var random = new Random(seed);
        var missing = new HashSet<(int, int, int, int)>();
        for (int first = 0; first < levels.Length; first++)
        {
            for (int second = first + 1; second < levels.Length; second++)
            {
                for (int a = 0; a < levels[first]; a++)
                {
                    for (int b = 0; b < levels[second]; b++)
                    {
                        missing.Add((first, a, second, b));
                    }
                }
            }
        }

        var selection = new List<int[]>();
        while (missing.Count > 0)
        {
            int[]? best = null;
            double bestPrice = double.PositiveInfinity;
            (int First, int A, int Second, int B) wanted = missing.Min();
            for (int candidate = 0; candidate < Candidates; candidate++)
            {
                int[] values = Array.ConvertAll(levels, random.Next);
                values[wanted.First] = wanted.A;
                values[wanted.Second] = wanted.B;
                double price = cost(values) / Pairs(values).Count(missing.Contains);
                if (price < bestPrice)
                {
                    (best, bestPrice) = (values, price);
                }
            }

            if (best is null)
            {
                // No combination that makes sense holds this pair.
                missing.Remove(wanted);
                continue;
            }

            selection.Add(best);
            missing.ExceptWith(Pairs(best));
        }

        return selection;
    }

    /// <summary>The pairs a combination holds.</summary>
    public static IEnumerable<(int First, int A, int Second, int B)> Pairs(int[] values)
    {
        for (int first = 0; first < values.Length; first++)
        {
            for (int second = first + 1; second < values.Length; second++)
            {
                yield return (first, values[first], second, values[second]);
            }
        }
    }
}

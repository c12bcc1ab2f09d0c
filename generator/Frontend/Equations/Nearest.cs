using System;
using System.Collections.Generic;

namespace Unrolled.Generator.Frontend.Equations;

/// <summary>Finds the known name a misspelt one was most likely meant to be.</summary>
internal static class Nearest
{
    /// <summary>The closest candidate within a third of the name's length (at least one edit), or null.</summary>
    public static string? Find(string name, IEnumerable<string> candidates)
    {
        string? best = null;
        int bestDistance = Math.Max(1, name.Length / 3) + 1;
        foreach (string candidate in candidates)
        {
            int distance = Distance(name, candidate);
            if (distance < bestDistance || (distance == bestDistance && best is not null && string.CompareOrdinal(candidate, best) < 0))
            {
                best = candidate;
                bestDistance = distance;
            }
        }

        return best;
    }

    /// <summary>The remedy to append to a message: <c> (did you mean 'W_x'?)</c>, or the given one when nothing is near.</summary>
    public static string Remedy(string name, IEnumerable<string> candidates, string otherwise) =>
        Find(name, candidates) is string nearest ? $"(did you mean '{nearest}'?)" : $"({otherwise})";

    // Optimal string alignment: a swap of neighbours, the commonest slip, counts as one edit.
    private static int Distance(string left, string right)
    {
        var beforePrevious = new int[right.Length + 1];
        var previous = new int[right.Length + 1];
        var current = new int[right.Length + 1];
        for (int column = 0; column <= right.Length; column++)
        {
            previous[column] = column;
        }

        for (int row = 1; row <= left.Length; row++)
        {
            current[0] = row;
            for (int column = 1; column <= right.Length; column++)
            {
                int cost = left[row - 1] == right[column - 1] ? 0 : 1;
                int distance = Math.Min(Math.Min(previous[column] + 1, current[column - 1] + 1), previous[column - 1] + cost);
                if (row > 1 && column > 1 && left[row - 1] == right[column - 2] && left[row - 2] == right[column - 1])
                {
                    distance = Math.Min(distance, beforePrevious[column - 2] + 1);
                }

                current[column] = distance;
            }

            (beforePrevious, previous, current) = (previous, current, beforePrevious);
        }

        return previous[right.Length];
    }
}

using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;

namespace Unrolled.Generator.Frontend.Equations;

/// <summary>Finds the known name a misspelt one was most likely meant to be.</summary>
internal static class Nearest
{
    /// <summary>
    /// The candidate that differs in case and underscores only, otherwise the closest within a third of the name's length (at least one
    /// edit), or null.
    /// </summary>
    public static string? Find(string name, IEnumerable<string> candidates)
    {
        candidates = candidates as ICollection<string> ?? candidates.ToArray();
        if (Alike(name, candidates) is string alike)
        {
            return alike;
        }

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

    /// <summary>The remedy to append to a message: <c> (did you mean 'W_x'?)</c>, or another in its place.</summary>
    public static string Remedy(string name, IEnumerable<string> candidates, string otherwise, ImmutableDictionary<string, string>? aliases = null) =>
        $"({Advice(name, candidates, otherwise, aliases)})";

    /// <summary>The nearest name, what a table of other names says, or the given words where nothing is near.</summary>
    public static string Advice(string name, IEnumerable<string> candidates, string otherwise, ImmutableDictionary<string, string>? aliases = null)
    {
        string[] known = candidates.ToArray();
        string? alias = aliases is null || Alike(name, known) is not null ? null : Aliases.Find(aliases, name);
        return alias ?? (Find(name, known) is string nearest ? $"did you mean '{nearest}'?" : otherwise);
    }

    private static string? Alike(string name, IEnumerable<string> candidates)
    {
        string key = Aliases.Key(name);
        return candidates.Where(candidate => candidate != name && Aliases.Key(candidate) == key).OrderBy(candidate => candidate, StringComparer.Ordinal).FirstOrDefault();
    }

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

using System;
using System.Collections.Generic;
using System.Linq;

namespace Unrolled.Generator.Frontend;

/// <summary>Finds the known name a mistyped one was probably meant to be.</summary>
internal static class Nearest
{
    public static string Of(string name, IEnumerable<string> known) =>
        known.OrderBy(candidate => Distance(name, candidate)).ThenBy(candidate => candidate, StringComparer.Ordinal).FirstOrDefault() ?? "";

    /// <summary>Levenshtein 1966: insertions, deletions and replacements between two words.</summary>
    private static int Distance(string left, string right)
    {
        int[] row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (int i = 1; i <= left.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= right.Length; j++)
            {
                int above = row[j];
                row[j] = Math.Min(Math.Min(row[j] + 1, row[j - 1] + 1), diagonal + (left[i - 1] == right[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }

        return row[right.Length];
    }
}

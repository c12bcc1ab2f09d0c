namespace Unrolled;

/// <summary>The error of a name that is not there, which helps to find the right one.</summary>
internal static class UnknownName
{
    private const int Listed = 12;

    public static KeyNotFoundException Exception(string model, string kind, string name, IEnumerable<string> known)
    {
        string[] nearest = [.. known.OrderBy(candidate => Distance(name, candidate))];
        string list = string.Join(", ", nearest.Take(Listed).Select(candidate => $"'{Excerpt.Text(candidate)}'"));
        string more = nearest.Length > Listed ? $" and {nearest.Length - Listed} more" : "";
        return new KeyNotFoundException(nearest.Length == 0
            ? $"{model} has no {kind} '{Excerpt.Text(name)}': it has none at all."
            : $"{model} has no {kind} '{Excerpt.Text(name)}' (nearest first, there are {list}{more}).");
    }

    /// <summary>Levenshtein's edit distance.</summary>
    private static int Distance(string a, string b)
    {
        int[] row = new int[b.Length + 1];
        for (int j = 0; j <= b.Length; j++)
        {
            row[j] = j;
        }

        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substituted, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[b.Length];
    }
}

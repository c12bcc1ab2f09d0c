using System.Globalization;
using System.Text;

namespace Unrolled;

/// <summary>
/// What a message shows of names and lists that come from files: they may have millions of characters and line breaks, and a message is
/// one line.
/// </summary>
internal static class Excerpt
{
    private const int MostCharacters = 100;
    private const int MostMessageCharacters = 200;
    private const int MostItems = 8;

    /// <summary>A name: cut where it is long, with control characters as \uXXXX.</summary>
    public static string Text(string text) => Cut(text, MostCharacters);

    /// <summary>The message of an exception, which may quote the file.</summary>
    public static string Message(Exception exception) => Cut(exception.Message, MostMessageCharacters);

    /// <summary>The first few items, and how many there are beside them.</summary>
    public static string List<T>(IReadOnlyCollection<T> items, string separator) =>
        string.Join(separator, items.Take(MostItems)) + (items.Count > MostItems ? $"{separator}and {items.Count - MostItems} more" : "");

    private static string Cut(string text, int most)
    {
        int length = Math.Min(text.Length, most);
        if (length < text.Length && char.IsHighSurrogate(text[length - 1]))
        {
            length--;
        }

        var excerpt = new StringBuilder(length);
        foreach (char character in text.AsSpan(0, length))
        {
            if (IsPlain(character))
            {
                excerpt.Append(character);
            }
            else
            {
                excerpt.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}");
            }
        }

        if (length < text.Length)
        {
            excerpt.Append(CultureInfo.InvariantCulture, $"… ({text.Length} characters)");
        }

        return excerpt.ToString();
    }

    private static bool IsPlain(char character) => char.GetUnicodeCategory(character)
        is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}

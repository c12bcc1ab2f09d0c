using System.Globalization;
using System.Text;
using Microsoft.CodeAnalysis.CSharp;

namespace Unrolled.Generator;

/// <summary>Names as C# and file systems take them.</summary>
internal static class CSharpName
{
    // A file's name takes 255 bytes at the most.
    private const int LongestName = 200;

    /// <summary>A name as code: one that is a keyword somewhere needs its @.</summary>
    public static string Identifier(string name) =>
        SyntaxFacts.GetKeywordKind(name) != SyntaxKind.None || SyntaxFacts.GetContextualKeywordKind(name) != SyntaxKind.None ? "@" + name : name;

    /// <summary>
    /// A class's full name where file systems and metadata bound its length: the end of a very long one gives way to a number made of it.
    /// </summary>
    public static string Shortened(string name) => name.Length <= LongestName ? name : $"{name.Substring(0, LongestName)}_{Hash(name)}";

    /// <summary>A few characters made of a name. FNV-1a: the same on every machine and framework.</summary>
    public static string Hash(string text)
    {
        uint hash = 2166136261;
        foreach (byte value in Encoding.UTF8.GetBytes(text))
        {
            hash = unchecked((hash ^ value) * 16777619);
        }

        return hash.ToString("x8", CultureInfo.InvariantCulture);
    }
}

using System;
using System.Linq;
using Microsoft.CodeAnalysis.CSharp;

namespace Unrolled.Generator.Emit;

/// <summary>Identifiers from the names of equations.</summary>
internal static class Identifier
{
    public static string Camel(string name)
    {
        string pascal = Pascal(name);
        return char.ToLowerInvariant(pascal[0]) + pascal.Substring(1);
    }

    /// <summary>A name for a local vector: as the equation writes it, where C# has no other use for it.</summary>
    public static string Local(string name)
    {
        string valid = string.Concat(name.Select(c => char.IsLetterOrDigit(c) || c == '_' ? c : '_'));
        bool isTaken = SyntaxFacts.GetKeywordKind(valid) != SyntaxKind.None || valid.StartsWith("total", StringComparison.Ordinal);
        return isTaken || char.IsDigit(valid[0]) ? "_" + valid : valid;
    }

    public static string Pascal(string name)
    {
        string joined = string.Concat(name.Split('_', '.', ' ').Where(part => part.Length > 0).Select(part => char.ToUpperInvariant(part[0]) + part.Substring(1)));
        string valid = string.Concat(joined.Where(c => char.IsLetterOrDigit(c)));
        return valid.Length == 0 || char.IsDigit(valid[0]) ? "Value" + valid : valid;
    }
}

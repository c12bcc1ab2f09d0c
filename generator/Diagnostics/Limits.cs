using System.Globalization;

namespace Unrolled.Generator.Diagnostics;

/// <summary>How large a cell may be. Each limit is a diagnostic, so that no text can exhaust the compiler's stack or memory.</summary>
internal static class Limits
{
    /// <summary>Brackets, signs, right operands of <c>@</c> and loops inside one another.</summary>
    public const int Nesting = 256;

    /// <summary>Bytes of a cell's text in UTF-8.</summary>
    public const int TextBytes = 64 * 1024;

    /// <summary>Characters of a name; with what the emitted code adds to it, metadata holds 1,023 bytes.</summary>
    public const int NameCharacters = 100;

    /// <summary>Statements and expressions of a cell after expansion.</summary>
    public const int Nodes = 10_000;

    /// <summary>
    /// Values that a cell computes in a step, with those that softmax and layer_norm are made of, and that it keeps of earlier steps. Each may
    /// become a loop of its own in the emitted code, or copies of a state: this many are 30 MB of it and two seconds.
    /// </summary>
    public const int Values = 2_000;

    /// <summary>
    /// Levels of one equation's tree. A chain of operators is a deep tree without any nesting, and what walks the tree
    /// recurses; this keeps every walk far inside the smallest stack a compiler runs on.
    /// </summary>
    public const int Levels = 1_000;

    /// <summary>Functions inside one another that a param may hold.</summary>
    public const int Composed = 8;

    /// <summary>The furthest step back that may be read, as in <c>h[t-32]</c>; every step back is a value that is carried.</summary>
    public const int Delay = 32;

    /// <summary>What to say of a delay beyond <see cref="Delay"/>.</summary>
    public static string TooFarBack(long steps) =>
        $"A value can be read at most {Delay} steps back, not {steps.ToString(CultureInfo.InvariantCulture)} (carry it on: p[t] = h[t-{Delay}], then p[t-1])";

    /// <summary>The largest extent of a value, and so of a parameter's rows and columns.</summary>
    public const int Size = 1_000_000;

    /// <summary>Errors reported of one cell; more would bury the first.</summary>
    public const int Errors = 50;
}

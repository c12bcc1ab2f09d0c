using System.Globalization;
using System.Linq;

namespace Unrolled.Generator.Emit;

/// <summary>The small words of emitted kernels: offsets, and what lies at them. A part that adds nothing is left out.</summary>
internal static class KernelText
{
    /// <summary>Full speed at the first call, and instruction set checks still fold.</summary>
    public static void Optimized(SourceWriter writer) => writer.Line("[MethodImpl(MethodImplOptions.AggressiveOptimization)]");

    public static string Constant(int value) => value == 0 ? "" : value.ToString(CultureInfo.InvariantCulture);

    public static string Times(int count, string value) => count == 0 ? "" : count == 1 ? value : $"{count} * {value}";

    public static string Sum(params string[] terms) => string.Join(" + ", terms.Where(term => term.Length > 0));

    public static string At(string reference, string offset) => offset.Length == 0 ? reference : $"Unsafe.Add(ref {reference}, {offset})";

    public static string At(string reference, int offset) => At(reference, Constant(offset));

    /// <summary>The vector at an offset.</summary>
    public static string Load(string reference, string offset) => $"Unsafe.As<float, V>(ref {At(reference, offset)})";

    public static string Load(string reference, int offset) => Load(reference, Constant(offset));

    public static string Load(string reference, int offset, string variable) => Load(reference, Sum(Constant(offset), variable));
}

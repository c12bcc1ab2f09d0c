using System.ComponentModel;

namespace Unrolled.CompilerServices;

/// <summary>Rows of internal buffers are padded to whole vectors of the widest instruction set, so one layout serves all.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class Padding
{
    /// <summary>Floats a row is padded to a multiple of.</summary>
    public const int Lanes = 16;

    /// <summary>The padded length, in floats, of a row of <paramref name="length"/> elements.</summary>
    public static int Of(int length) => (length + Lanes - 1) & ~(Lanes - 1);
}

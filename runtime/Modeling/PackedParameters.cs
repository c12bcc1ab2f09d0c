using System.ComponentModel;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Unrolled.CompilerServices;

/// <summary>
/// A parameter block as emitted code addresses it: by offsets that are constants of the model's layout and are not checked. That the block
/// has this layout is checked once, here.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly struct PackedParameters
{
    private readonly float[] _storage;
    private readonly int _start;

    /// <summary>The values of a block.</summary>
    /// <param name="block">The block.</param>
    /// <param name="layout">The layout that the offsets are of.</param>
    /// <exception cref="ArgumentException">The block has another layout.</exception>
    public PackedParameters(ParameterBlock block, ModelLayout layout)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ParameterBlock.RequireLayout(block, layout, nameof(block));
        (_storage, _start) = block.Storage;
        Layout = layout;
    }

    internal ModelLayout Layout { get; }

    /// <summary>The packed value at an offset.</summary>
    /// <param name="offset">Floats from the first value; unchecked.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref float At(int offset) => ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_storage), _start + offset);

    /// <summary>Some packed values.</summary>
    /// <param name="offset">Floats from the first value.</param>
    /// <param name="length">How many.</param>
    public ReadOnlySpan<float> Span(int offset, int length) => new ReadOnlySpan<float>(_storage, _start, Layout.BlockLength).Slice(offset, length);
}

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Unrolled;

/// <summary>
/// One value for every parameter element of a model: the parameters themselves, their gradients, an optimizer's moments. The values lie
/// packed in one block, as the emitted code reads them; by name they are read and written in their mathematical shape.
/// </summary>
public sealed class ParameterBlock
{
    private const int Alignment = 64;

    // On the pinned heap, so that the first 64-byte boundary stays where it is.
    private readonly float[] _storage;
    private readonly int _start;

    /// <summary>A block of zeros.</summary>
    /// <param name="layout">The model's layout.</param>
    public ParameterBlock(ModelLayout layout)
    {
        ArgumentNullException.ThrowIfNull(layout);
        Layout = layout;
        _storage = GC.AllocateArray<float>(checked(layout.BlockLength + Alignment / sizeof(float)), pinned: true);
        nint address = Marshal.UnsafeAddrOfPinnedArrayElement(_storage, 0);
        _start = (int)(-address & (Alignment - 1)) / sizeof(float);
    }

    /// <summary>The layout of the model the values belong to.</summary>
    public ModelLayout Layout { get; }

    /// <summary>
    /// The packed values, [<see cref="ModelLayout.BlockLength"/>], from a 64-byte boundary. Padding between them is zero and must stay zero.
    /// </summary>
    public Span<float> Values => new(_storage, _start, Layout.BlockLength);

    /// <summary>The first packed value.</summary>
    internal ref float Reference => ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_storage), _start);

    /// <summary>The array that holds the values, and where in it they start.</summary>
    internal (float[] Array, int Start) Storage => (_storage, _start);

    /// <summary>Reads a parameter.</summary>
    /// <param name="name">The parameter's name.</param>
    /// <param name="destination">Takes [rows, columns], row after row, or [rows] of a vector.</param>
    /// <exception cref="KeyNotFoundException">The model has no such parameter.</exception>
    /// <exception cref="ArgumentException">The destination's length is not the parameter's.</exception>
    public void Get(string name, Span<float> destination) => Get(Layout.FindParameter(name), destination);

    /// <summary>Writes a parameter.</summary>
    /// <param name="name">The parameter's name.</param>
    /// <param name="values">[rows, columns], row after row, or [rows] of a vector.</param>
    /// <exception cref="KeyNotFoundException">The model has no such parameter.</exception>
    /// <exception cref="ArgumentException">The number of values is not the parameter's.</exception>
    public void Set(string name, ReadOnlySpan<float> values) => Set(Layout.FindParameter(name), values);

    /// <summary>A parameter's values: [rows, columns], row after row, or [rows] of a vector.</summary>
    /// <param name="name">The parameter's name.</param>
    /// <exception cref="KeyNotFoundException">The model has no such parameter.</exception>
    public float[] ToArray(string name)
    {
        ParameterInfo parameter = Layout.FindParameter(name);
        float[] values = new float[parameter.Length];
        Get(parameter, values);
        return values;
    }

    /// <summary>Sets every value to zero.</summary>
    public void Clear() => Values.Clear();

    /// <summary>Takes all values of another block of the same layout.</summary>
    /// <exception cref="ArgumentException">The other block belongs to another model class.</exception>
    public void CopyFrom(ParameterBlock other)
    {
        RequireLayout(other, Layout, nameof(other));
        other.Values.CopyTo(Values);
    }

    internal void Get(ParameterInfo parameter, Span<float> destination)
    {
        RequireLength(parameter, destination.Length, nameof(destination));
        ReadOnlySpan<float> values = Values;
        if (!parameter.IsMatrix)
        {
            values.Slice(parameter.Segment.Offset, parameter.Rows).CopyTo(destination);
            return;
        }

        int next = 0;
        for (int row = 0; row < parameter.Rows; row++)
        {
            int index = parameter.FirstOf(row, out int columnStride);
            for (int column = 0; column < parameter.Columns; column++, index += columnStride)
            {
                destination[next++] = values[index];
            }
        }
    }

    internal void Set(ParameterInfo parameter, ReadOnlySpan<float> source)
    {
        RequireLength(parameter, source.Length, "values");
        Span<float> values = Values;
        if (!parameter.IsMatrix)
        {
            source.CopyTo(values.Slice(parameter.Segment.Offset, parameter.Rows));
            return;
        }

        int next = 0;
        for (int row = 0; row < parameter.Rows; row++)
        {
            int index = parameter.FirstOf(row, out int columnStride);
            for (int column = 0; column < parameter.Columns; column++, index += columnStride)
            {
                values[index] = source[next++];
            }
        }
    }

    internal static void RequireLayout(ParameterBlock block, ModelLayout layout, string argument)
    {
        ArgumentNullException.ThrowIfNull(block, argument);
        if (!ReferenceEquals(block.Layout, layout))
        {
            throw new ArgumentException($"The block belongs to {block.Layout}, not to {layout}.", argument);
        }
    }

    private static void RequireLength(ParameterInfo parameter, int length, string argument)
    {
        if (length != parameter.Length)
        {
            throw new ArgumentException(
                $"Parameter '{parameter.Name}' [{string.Join(", ", parameter.Shape)}] has {parameter.Length} elements, not {length}.", argument);
        }
    }
}

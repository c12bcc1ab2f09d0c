using System.ComponentModel;
using System.Runtime.CompilerServices;

namespace Unrolled.CompilerServices;

/// <summary>
/// One thread's part of a call: which rows or blocks are its own, and where it waits for the others. Emitted code gets it from the base
/// classes; <c>default</c> is the whole, on one thread. How work is parted never decides a bit of a result.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly struct WorkPart
{
    private readonly ThreadTeam.Crew? _crew;
    private readonly int _others;

    internal WorkPart(ThreadTeam.Crew crew, int index, int count)
    {
        _crew = crew;
        _others = count - 1;
        Index = index;
    }

    /// <summary>Which part it is: 0 is the caller's own.</summary>
    public int Index { get; }

    /// <summary>How many parts there are.</summary>
    public int Count => _others + 1;

    /// <summary>This part's share of a number of rows or blocks: parts follow each other and differ by one at most; they may be empty.</summary>
    /// <param name="length">All rows or blocks, at least 1.</param>
    /// <returns>The first of the share, always less than <paramref name="length"/>, and how many there are.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public (int First, int Count) Of(int length)
    {
        if (_others == 0)
        {
            return (0, length);
        }

        int first = (int)((long)length * Index / Count);
        return (first, (int)((long)length * (Index + 1) / Count) - first);
    }

    /// <summary>
    /// This part's share of a grid of blocks and columns: whole blocks as far as their number divides by the parts, and of these some columns.
    /// </summary>
    /// <param name="blocks">All blocks, at least 1.</param>
    /// <param name="columns">All columns, at least 1.</param>
    /// <returns>The first block, how many, the first column of each, and how many.</returns>
    public (int FirstBlock, int Blocks, int FirstColumn, int Columns) Of(int blocks, int columns)
    {
        int along = Count;
        for (int other = blocks; other != 0;)
        {
            (along, other) = (other, along % other);
        }

        (int firstBlock, int ownBlocks) = (blocks / along * (Index % along), blocks / along);
        int across = Count / along, place = Index / along;
        int firstColumn = (int)((long)columns * place / across);
        return (firstBlock, ownBlocks, firstColumn, (int)((long)columns * (place + 1) / across) - firstColumn);
    }

    /// <summary>Waits until all parts have come here: what they wrote before can be read after.</summary>
    public void Meet() => _crew?.Meet();
}

using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Unrolled.Generator.Schedule;

namespace Unrolled.Generator.Emit;

/// <summary>What the emitter has to know of an instruction set. Everything else about kernels is common.</summary>
/// <param name="Name">Namespace of its kernels.</param>
/// <param name="Condition">When a machine has it; null for the one every machine has.</param>
/// <param name="Lanes">Floats in a vector.</param>
/// <param name="Factory">The static class that makes vectors.</param>
/// <param name="MultiplyAdd">{0} * {1} + {2}.</param>
/// <param name="WholePanels">Whether a tile takes all vectors of a panel; otherwise it takes 16 lanes, since registers are few.</param>
/// <param name="RowTiles">Rows of a tile, largest first, by the vectors of a panel (index 0 unused).</param>
/// <param name="RowPanels">Panels that one row is multiplied with at a time, so that its additions do not wait for each other.</param>
/// <param name="ShortChains">Into how many interleaved chains a short sum is split: small cells wait for latency, and registers are free.</param>
internal sealed record InstructionSet(
    string Name, string? Condition, int Lanes, string Factory, string MultiplyAdd, bool WholePanels, ImmutableArray<ImmutableArray<int>> RowTiles, int RowPanels, int ShortChains)
{
    /// <summary>Into how many chains a product of so many columns is split.</summary>
    public int ChainsOf(int columns) => Packing.IsShort(columns) ? ShortChains : 1;

    /// <summary>The end of a split sum: chains by pairs, the pairs' sums by pairs.</summary>
    public static string Joined(IReadOnlyList<string> chains) => chains.Count == 1 ? chains[0]
        : chains.Count == 2 ? $"{chains[0]} + {chains[1]}"
        : $"({Joined(chains.Take(chains.Count / 2).ToList())}) + ({Joined(chains.Skip(chains.Count / 2).ToList())})";

    public string Vector => $"global::System.Runtime.Intrinsics.{Factory}<float>";

    /// <summary>Vectors of this set in 16 lanes.</summary>
    public int Parts => 16 / Lanes;

    public static readonly ImmutableArray<InstructionSet> All = ImmutableArray.Create(
        new InstructionSet(
            "Avx512Kernels", "Vector512.IsHardwareAccelerated && Avx512F.IsSupported && Avx512DQ.IsSupported", 16, "Vector512", "Avx512F.FusedMultiplyAdd({0}, {1}, {2})", WholePanels: true,
            ImmutableArray.Create(
                ImmutableArray<int>.Empty, ImmutableArray.Create(12, 6, 3, 2, 1), ImmutableArray.Create(12, 6, 3, 2, 1),
                ImmutableArray.Create(8, 4, 2, 1), ImmutableArray.Create(6, 5, 4, 2, 1)),
            RowPanels: 4, ShortChains: 4),
        new InstructionSet(
            "Avx2Kernels", "Avx2.IsSupported && Fma.IsSupported", 8, "Vector256", "Fma.MultiplyAdd({0}, {1}, {2})", WholePanels: false,
            Same(ImmutableArray.Create(6, 4, 2, 1)), RowPanels: 1, ShortChains: 2),
        new InstructionSet(
            "PortableKernels", null, 4, "Vector128", "VectorMath.MultiplyAdd({0}, {1}, {2})", WholePanels: false,
            Same(ImmutableArray.Create(2, 1)), RowPanels: 1, ShortChains: 2));

    private static ImmutableArray<ImmutableArray<int>> Same(ImmutableArray<int> tiles) =>
        ImmutableArray.Create(ImmutableArray<int>.Empty, tiles, tiles, tiles, tiles);
}

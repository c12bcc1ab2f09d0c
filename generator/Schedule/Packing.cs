using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Unrolled.Generator.Graph;

namespace Unrolled.Generator.Schedule;

/// <summary>
/// How weights lie in memory for products: panels of a few vectors, each panel column after column. A master packing is where the
/// parameters live; it holds up to four matrices side by side that are applied to the same value, so that gates of one unit meet in
/// one tile. A transposed packing is derived from masters: matrices one after another along the columns.
/// </summary>
/// <param name="Matrices">Side by side (master) or one after another (transposed).</param>
/// <param name="Rows">Elements of a product's result, for each of the <see cref="Slots"/>.</param>
/// <param name="Columns">Elements summed over, all segments together.</param>
/// <param name="Offset">Floats from the start of the parameter block, or of the derived weights.</param>
internal sealed record Packing(int Id, string Name, ImmutableArray<Node> Matrices, int Rows, int Columns, bool IsTransposed, int Offset)
{
    public const int Lanes = 16;

    /// <summary>
    /// Whether a product of so many columns is short: its additions would wait for each other, so its sum is split into chains. One rule
    /// for streaming, sequences and training, so that their sums round alike.
    /// </summary>
    public static bool IsShort(int columns) => columns is >= 4 and <= 16;

    /// <summary>Matrices side by side.</summary>
    public int Slots => IsTransposed ? 1 : Matrices.Length;

    /// <summary>Vectors in a panel: whole units, so that a panel holds all slots of its units.</summary>
    public int PanelVectors => Slots == 3 ? 3 : 4;

    public int TotalVectors => Slots * Padded(Rows) / Lanes;

    /// <summary>Panels, the last of which may be narrower.</summary>
    public int Panels => (TotalVectors + PanelVectors - 1) / PanelVectors;

    public int LastPanelVectors => TotalVectors - (Panels - 1) * PanelVectors;

    public int Length => checked(TotalVectors * Lanes * Columns);

    /// <summary>Floats of a stored value of <paramref name="length"/> elements; one element that broadcasts (0) takes a vector.</summary>
    public static int Padded(int length) => (System.Math.Max(length, 1) + Lanes - 1) / Lanes * Lanes;
}

/// <summary>Where a parameter lies in the packed block.</summary>
/// <param name="Packing">The master packing of a matrix; null for a vector, which is contiguous.</param>
internal sealed record ParameterPlace(ParameterDeclaration Declaration, Packing? Packing, int Offset, int Slot);

/// <summary>The packed parameter block: one layout for streaming, sequences, training and all instruction sets.</summary>
/// <param name="Length">Floats, padding included.</param>
internal sealed record ParameterLayout(ImmutableArray<ParameterPlace> Places, ImmutableArray<Packing> Packings, int Length)
{
    /// <summary>Matrices side by side at the most: the vectors of one tile.</summary>
    private const int MostSlots = 4;

    private readonly Dictionary<Node, int> _indices = Places.Select((place, index) => (place.Declaration.Node, index)).ToDictionary(pair => pair.Node, pair => pair.index);

    public ParameterPlace PlaceOf(Node parameter) => Places[_indices[parameter]];

    /// <summary>Which of the places is a parameter's.</summary>
    public int IndexOf(Node parameter) => _indices[parameter];

    /// <summary>
    /// Layer after layer, so that layers alike have their parameters at the same distances: first matrices, of which those with equal
    /// rows that one loop applies to the same value share a packing, then vectors, each on its own.
    /// </summary>
    public static ParameterLayout Of(ModelGraph graph)
    {
        List<Node> order = graph.Parameters.Select(parameter => parameter.Node).ToList();
        var groups = new List<List<Node>>();
        var assigned = new HashSet<Node>();
        foreach (Node scan in graph.Roots.Reachable().Where(node => node.Kind == NodeKind.Scan))
        {
            var products = scan.Body!.Nodes()
                .Where(node => node.Kind == NodeKind.Gather || (node.Kind == NodeKind.Contract && node.Over == Axes.Column))
                .OrderBy(node => order.IndexOf(node.Inputs[0]));
            foreach (var group in products.GroupBy(node => (node.Inputs[1], node.Inputs[0].Type.Units)))
            {
                List<Node> matrices = group.Select(node => node.Inputs[0]).Distinct().Where(matrix => !assigned.Contains(matrix)).ToList();
                int parts = (matrices.Count + MostSlots - 1) / MostSlots;
                for (int part = 0; part < parts; part++)
                {
                    int first = matrices.Count * part / parts, end = matrices.Count * (part + 1) / parts;
                    groups.Add(matrices.GetRange(first, end - first));
                }

                assigned.UnionWith(matrices);
            }
        }

        groups.AddRange(order.Where(node => node.Type.Has(Axes.Column) && !assigned.Contains(node)).Select(node => new List<Node> { node }));
        ImmutableArray<Packing>.Builder packings = ImmutableArray.CreateBuilder<Packing>();
        var places = new Dictionary<Node, ParameterPlace>();
        int offset = 0;
        foreach (IGrouping<string, ParameterDeclaration> layer in graph.Parameters.GroupBy(parameter => parameter.Node.Layer()))
        {
            foreach (List<Node> matrices in groups.Where(group => group[0].Layer() == layer.Key).OrderBy(group => order.IndexOf(group[0])))
            {
                string name = string.Join("_", matrices.Select((matrix, index) => index == 0 ? matrix.Name.Replace('.', '_') : matrix.Name.WithoutLayer()));
                var packing = new Packing(packings.Count, name, matrices.ToImmutableArray(), matrices[0].Type.Units, matrices[0].Type.Columns, IsTransposed: false, offset);
                packings.Add(packing);
                for (int slot = 0; slot < matrices.Count; slot++)
                {
                    places[matrices[slot]] = new ParameterPlace(graph.Parameters[order.IndexOf(matrices[slot])], packing, offset, slot);
                }

                offset = checked(offset + packing.Length);
            }

            foreach (ParameterDeclaration vector in layer.Where(parameter => !parameter.Node.Type.Has(Axes.Column)))
            {
                places[vector.Node] = new ParameterPlace(vector, null, offset, 0);
                offset = checked(offset + Packing.Padded(vector.Node.Type.Units));
            }
        }

        return new ParameterLayout(order.Select(node => places[node]).ToImmutableArray(), packings.ToImmutable(), offset);
    }
}

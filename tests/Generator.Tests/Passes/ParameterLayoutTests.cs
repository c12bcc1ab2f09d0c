using Unrolled.Generator.Graph;
using Unrolled.Generator.Schedule;
using Xunit;

namespace Unrolled.Generator.Tests.PassTests;

public sealed class ParameterLayoutTests
{
    [Theory]
    [MemberData(nameof(Networks.Names), MemberType = typeof(Networks))]
    public void Every_element_of_every_parameter_has_a_place_of_its_own(string name)
    {
        ModelGraph network = Compiler.Network(Networks.Graph(name));
        ParameterLayout layout = ParameterLayout.Of(network);
        Assert.Equal(network.Parameters.Select(parameter => parameter.Node), layout.Places.Select(place => place.Declaration.Node));
        Assert.Equal(0, layout.Length % Packing.Lanes);
        var taken = new HashSet<int>();
        foreach (ParameterPlace place in layout.Places)
        {
            NodeType type = place.Declaration.Node.Type;
            (int first, int end) = place.Packing is { } packing ? (packing.Offset, packing.Offset + packing.Length) : (place.Offset, place.Offset + Packing.Padded(type.Units));
            Assert.Equal(0, first % Packing.Lanes);
            Assert.InRange(end, first + Math.Max(type.Units, 1) * Math.Max(type.Columns, 1), layout.Length);
            ParameterInfo info = RuntimeInfo(place);
            for (int unit = 0; unit < Math.Max(type.Units, 1); unit++)
            {
                for (int column = 0; column < Math.Max(type.Columns, 1); column++)
                {
                    int index = ScheduleInterpreter.IndexOf(place, unit, column);
                    Assert.InRange(index, first, end - 1);
                    Assert.True(taken.Add(index), $"{place.Declaration.Node.Name} shares element {index}");

                    // The runtime finds named parameters by the same formula.
                    Assert.Equal(index, info.IndexOf(unit, column));
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Networks.Names), MemberType = typeof(Networks))]
    public void Packings_and_vectors_fill_the_block_without_gaps(string name)
    {
        ParameterLayout layout = ParameterLayout.Of(Compiler.Network(Networks.Graph(name)));
        IEnumerable<(int First, int Length)> parts = layout.Packings.Select(packing => (packing.Offset, packing.Length))
            .Concat(layout.Places.Where(place => place.Packing is null).Select(place => (place.Offset, Packing.Padded(place.Declaration.Node.Type.Units))));
        int end = 0;
        foreach ((int first, int length) in parts.OrderBy(part => part.First))
        {
            Assert.Equal(end, first);
            end += length;
        }

        Assert.Equal(layout.Length, end);
    }

    [Theory]
    [InlineData("lstm", "W_xi W_xf W_xc W_xo, W_hi W_hf W_hc W_ho")]
    [InlineData("gru", "W_xr W_xz W_xn, W_hr W_hz, W_hn")]
    [InlineData("gru reset after", "W_xr W_xz W_xn, W_hr W_hz W_hn")]
    [InlineData("five gates", "W_a W_b, U_a U_b, W_c W_d W_e, U_c U_d U_e")]
    [InlineData("recurrent highway of depth two", "W_x W_g, R_1 G_1, R_2 G_2")]
    [InlineData("one matrix for two values", "W")]
    public void Matrices_applied_to_one_value_lie_side_by_side(string name, string packings)
    {
        ParameterLayout layout = ParameterLayout.Of(Compiler.Network(Networks.Graph(name)));
        Assert.Equal(
            packings, string.Join(", ", layout.Packings.Select(packing => string.Join(" ", packing.Matrices.Select(matrix => matrix.Name[(matrix.Name.IndexOf('.') + 1)..])))));
        Assert.All(layout.Packings, packing => Assert.InRange(packing.Slots, 1, 4));
    }

    private static ParameterInfo RuntimeInfo(ParameterPlace place)
    {
        NodeType type = place.Declaration.Node.Type;
        return new ParameterInfo(
            place.Declaration.Node.Name, Math.Max(type.Units, 1), type.Columns, new Initializer(InitializerKind.Zero),
            place.Packing is { } packing ? new PackedSegment(place.Offset, place.Slot, packing.Slots, packing.PanelVectors) : new PackedSegment(place.Offset));
    }
}

using System.Reflection;

namespace Unrolled.Tests;

public class LayoutTests
{
    public static TheoryData<int, int, int, int> Packings()
    {
        var data = new TheoryData<int, int, int, int>();
        foreach (int slots in (int[])[1, 2, 3, 4])
        {
            foreach (int rows in (int[])[1, 3, 15, 16, 17, 33, 50])
            {
                foreach (int columns in (int[])[1, 2, 7])
                {
                    foreach (int panel in (int[])[1, 2, 3, 4, 5])
                    {
                        data.Add(slots, rows, columns, panel);
                    }
                }
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Packings))]
    public void Every_element_of_a_packing_has_a_place_of_its_own_in_whole_vectors(int slots, int rows, int columns, int panel)
    {
        const int Offset = 32;
        int length = slots * Padding.Of(rows) * columns;
        var owners = new Dictionary<int, (int Slot, int Row, int Column)>();
        for (int slot = 0; slot < slots; slot++)
        {
            var parameter = new ParameterInfo("p", rows, columns, new Initializer(InitializerKind.Zero), new PackedSegment(Offset, slot, slots, panel));
            for (int row = 0; row < rows; row++)
            {
                for (int column = 0; column < columns; column++)
                {
                    int index = parameter.IndexOf(row, column);
                    Assert.InRange(index, Offset, Offset + length - 1);
                    Assert.Equal(row % 16, index % 16);
                    Assert.True(owners.TryAdd(index, (slot, row, column)), $"two elements lie at {index}");
                }
            }
        }

        // What is left over is the padding of the rows, and nothing else.
        Assert.Equal(slots * rows * columns, owners.Count);
        for (int vector = 0; vector < length / 16; vector++)
        {
            int first = Offset + vector * 16;
            (int slot, int row, int column) = owners[first];
            for (int lane = 0; lane < 16; lane++)
            {
                bool owned = owners.TryGetValue(first + lane, out var owner);
                Assert.Equal(row + lane < rows, owned);
                Assert.True(!owned || owner == (slot, row + lane, column));
            }
        }
    }

    [Fact]
    public void The_columns_of_a_panel_follow_one_another_and_the_last_panel_is_narrower()
    {
        // Three slots of 32 rows: vectors 0a 0b 0c 1a 1b 1c, cut into panels of four and two, of five columns.
        ParameterInfo Slot(int slot) => new("p", 32, 5, new Initializer(InitializerKind.Zero), new PackedSegment(16, slot, 3, 4));
        Assert.Equal(16, Slot(0).IndexOf(0, 0));
        Assert.Equal(16 + 16 + 3, Slot(1).IndexOf(3, 0));
        Assert.Equal(16 + 64, Slot(0).IndexOf(0, 1));
        Assert.Equal(16 + 48, Slot(0).IndexOf(16, 0));
        Assert.Equal(16 + 4 * 16 * 5, Slot(1).IndexOf(16, 0));
        Assert.Equal(16 + 4 * 16 * 5 + 2 * 32 + 16 + 15, Slot(2).IndexOf(31, 2));
    }

    [Fact]
    public void Elements_that_are_none_have_no_place()
    {
        var matrix = new ParameterInfo("p", 3, 2, new Initializer(InitializerKind.Zero), new PackedSegment(0));
        var vector = new ParameterInfo("v", 3, 0, new Initializer(InitializerKind.Zero), new PackedSegment(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => matrix.IndexOf(3, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => matrix.IndexOf(-1, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => matrix.IndexOf(0, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => matrix.IndexOf(0, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => vector.IndexOf(0, 1));
        Assert.Equal(2, vector.IndexOf(2, 0));
    }

    [Fact]
    public void Shapes_and_lengths_are_the_mathematical_ones()
    {
        var layout = new LeakyModel(0, 5, 17, Loss.None).Layout;
        Assert.Equal([17, 5], layout.FindParameter(LeakyModel.Weights).Shape);
        Assert.Equal([17], layout.FindParameter(LeakyModel.Decay).Shape);
        Assert.Equal(17 * 5 * 2 + 17, layout.ParameterCount);
        Assert.Equal(18, layout.StateLength);
        Assert.False(layout.TakesTokens);
        Assert.Equal(5, layout.InputSize);
        Assert.Equal(7, new LeakyModel(7, 0, 3, Loss.None).Layout.InputSize);
    }

    [Fact]
    public void A_layout_refuses_what_cannot_be()
    {
        var zero = new Initializer(InitializerKind.Zero);
        ModelLayout Make(
            int tokens = 0, int features = 1, int outputs = 1, int block = 32, ParameterInfo[]? parameters = null, StateInfo[]? states = null) =>
            new("M", tokens, features, outputs, Loss.None, block, parameters ?? [], states ?? []);

        Assert.Equal("M", Make().Name);
        Assert.Throws<ArgumentException>(() => Make(tokens: 1));
        Assert.Throws<ArgumentException>(() => Make(features: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Make(features: -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Make(outputs: 0));
        Assert.Throws<ArgumentException>(() => Make(block: 33));
        Assert.Throws<ArgumentException>(() => Make(parameters: [new("p", 17, 1, zero, new(16))]));
        Assert.Throws<ArgumentException>(() => Make(parameters: [new("p", 4, 0, zero, new(30))]));
        Assert.Throws<ArgumentException>(() => Make(parameters: [new("p", 4, 0, zero, new(-1))]));
        Assert.Throws<ArgumentException>(() => Make(parameters: [new("p", 0, 0, zero, new(0))]));
        Assert.Throws<ArgumentException>(() => Make(parameters: [new("p", 1, 1, zero, new(0, 1, 1))]));
        Assert.Throws<ArgumentException>(() => Make(parameters: [new("p", 1, 1, zero, new(0, 0, 1, 0))]));
        Assert.Throws<ArgumentException>(() => Make(parameters: [new("p", 1, 0, zero, new(0)), new("p", 1, 0, zero, new(16))]));
        Assert.Throws<ArgumentException>(() => Make(states: [new("s", 0)]));
        Assert.Throws<ArgumentException>(() => Make(states: [new("s", 1), new("s", 1)]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    [InlineData(1000)]
    public void A_block_starts_at_a_64_byte_boundary_with_zeros(int features)
    {
        for (int i = 0; i < 8; i++)
        {
            var block = new ParameterBlock(new LeakyModel(0, features, 3, Loss.None).Layout);
            unsafe
            {
                fixed (float* first = block.Values)
                {
                    Assert.Equal(0, (nint)first % 64);
                    fixed (float* reference = &block.Reference)
                    {
                        Assert.Equal((nint)first, (nint)reference);
                    }
                }
            }

            Assert.Equal(block.Layout.BlockLength, block.Values.Length);
            Assert.True(block.Values.IndexOfAnyExcept(0f) < 0);
        }
    }

    [Fact]
    public void What_is_written_by_name_is_read_back_and_lies_where_the_layout_says()
    {
        var block = new ParameterBlock(new LeakyModel(0, 5, 37, Loss.None).Layout);
        Numbers.FillNormal(block, 3);
        ulong seed = 3;
        foreach (ParameterInfo parameter in block.Layout.Parameters)
        {
            float[] expected = Numbers.Normal(parameter.Length, seed++);
            Assert.Equal(expected, block.ToArray(parameter.Name));
            int next = 0;
            for (int row = 0; row < parameter.Rows; row++)
            {
                for (int column = 0; column < Math.Max(1, parameter.Columns); column++)
                {
                    Assert.Equal(expected[next++], block.Values[parameter.IndexOf(row, column)]);
                }
            }
        }

        Numbers.AssertPaddingIsZero(block);
        var copy = new ParameterBlock(block.Layout);
        copy.CopyFrom(block);
        Assert.True(copy.Values.SequenceEqual(block.Values));
        block.Clear();
        Assert.True(block.Values.IndexOfAnyExcept(0f) < 0);
    }

    [Fact]
    public void Nobody_writes_what_a_layout_lists()
    {
        ModelLayout layout = new LeakyModel(0, 2, 3, Loss.None).Layout;
        ParameterInfo own = layout.Parameters[1];
        Assert.Throws<NotSupportedException>(() => ((IList<ParameterInfo>)layout.Parameters)[1] = layout.Parameters[0]);
        Assert.Throws<NotSupportedException>(() => ((IList<StateInfo>)layout.States)[0] = layout.States[1]);
        Assert.IsNotType<ParameterInfo[]>(layout.Parameters, exactMatch: false);
        Assert.IsNotType<StateInfo[]>(layout.States, exactMatch: false);
        Assert.Same(own, layout.Parameters[1]);
    }

    [Theory]
    [InlineData(int.MaxValue, 1, 1)]
    [InlineData(1, int.MaxValue, int.MaxValue)]
    [InlineData(1 << 30, 1 << 30, int.MaxValue)]
    [InlineData(17, 1 << 26, 1 << 26)]
    public void Sizes_whose_products_overflow_are_refused(int rows, int columns, int slots)
    {
        ParameterInfo[] parameters = [new("a.W", rows, columns, new Initializer(InitializerKind.Zero), new PackedSegment(0, 0, slots))];
        Assert.Throws<ArgumentException>(() => new ModelLayout("M", 0, 2, 3, Loss.None, int.MaxValue & -16, parameters, []));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ModelLayout("M", 0, int.MaxValue, 3, Loss.None, 16, [], []));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ModelLayout("M", 0, 2, int.MaxValue, Loss.None, 16, [], []));
        Assert.Throws<ArgumentException>(() => new ModelLayout("M", 0, 2, 3, Loss.None, 16, [], [new StateInfo("a.h", int.MaxValue)]));
    }

    [Fact]
    public void A_model_whose_parameters_are_of_another_layout_spoils_nothing()
    {
        var large = new LeakyModel(0, 40, 40, Loss.None);
        var liar = new Liar(new LeakyModel(0, 1, 1, Loss.None).Layout, large.Parameters);
        var gradients = new ParameterBlock(large.Layout);
        gradients.Values.Fill(1);
        foreach (Optimizer optimizer in (Optimizer[])[new Adam(liar), new Sgd(liar, 0.1f, momentum: 0.9f), new Sgd(liar, 0.1f)])
        {
            optimizer.Step(gradients);
            Assert.Throws<ArgumentException>(() => optimizer.Step(new ParameterBlock(liar.Layout)));
            foreach (FieldInfo field in optimizer.GetType().GetFields(BindingFlags.Instance | BindingFlags.NonPublic))
            {
                Assert.True(field.GetValue(optimizer) is not ParameterBlock moments || ReferenceEquals(moments.Layout, large.Layout), field.Name);
            }
        }

        Assert.All(large.Parameters.Values.ToArray(), value => Assert.True(float.IsFinite(value)));
        Assert.Throws<ArgumentException>(() => new PackedParameters(large.Parameters, liar.Layout));
        Assert.Throws<ArgumentNullException>(() => new PackedParameters(null!, liar.Layout));
    }

    /// <summary>A model of somebody's own that does not keep what the interface says.</summary>
    private sealed class Liar(ModelLayout layout, ParameterBlock parameters) : IModel
    {
        public ModelLayout Layout => layout;

        public ParameterBlock Parameters => parameters;

        public ISession CreateSession(int batchSize, int steps, int threads) => throw new NotSupportedException();

        public ITrainer CreateTrainer(int batchSize, int steps, TrainerOptions? options, int threads) => throw new NotSupportedException();
    }

    [Fact]
    public void Wrong_lengths_names_and_layouts_are_refused()
    {
        var model = new LeakyModel(0, 5, 3, Loss.None);
        Assert.Throws<ArgumentException>(() => model.Parameters.Set(LeakyModel.Weights, new float[14]));
        Assert.Throws<ArgumentException>(() => model.Parameters.Get(LeakyModel.Decay, new float[4]));
        Assert.Throws<ArgumentException>(() => model.Parameters.CopyFrom(new LeakyModel(0, 5, 3, Loss.None).Parameters));
        var exception = Assert.Throws<KeyNotFoundException>(() => model.Parameters.ToArray("leaky.a"));
        Assert.Contains("'leaky.a'", exception.Message);
        Assert.Contains(LeakyModel.Weights, exception.Message);
        Assert.True(
            exception.Message.IndexOf(LeakyModel.Decay, StringComparison.Ordinal) < exception.Message.IndexOf(LeakyModel.Weights, StringComparison.Ordinal),
            "the nearest name comes first");
    }
}

namespace Unrolled.Tests;

/// <summary>The state of sessions and trainers alike.</summary>
public class StateTests
{
    private const int Batch = 3;
    private const int Units = 17;

    private static readonly LeakyModel s_model = new(0, 2, Units, Loss.MeanSquaredError);

    public static TheoryData<bool> Kinds => [false, true];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_state_starts_as_zeros_and_is_read_as_it_was_written(bool trainer)
    {
        IStateful stateful = Create(s_model, trainer);
        Assert.All(SessionTests.StateOf(stateful), value => Assert.Equal(0, value));
        float[] values = Numbers.Normal(Batch * (Units + 1), 1);
        stateful.SetState(values);
        Assert.Equal(values, SessionTests.StateOf(stateful));

        // By row
        float[] row = new float[Units + 1];
        stateful.GetState(1, row);
        Assert.Equal(values[(Units + 1)..(2 * (Units + 1))], row);
        stateful.SetState(2, row);
        Assert.Equal([.. values[..(2 * (Units + 1))], .. row], SessionTests.StateOf(stateful));

        // By name
        float[] counters = new float[Batch];
        stateful.GetState(LeakyModel.Counter, counters);
        Assert.Equal([values[Units], row[Units], row[Units]], counters);
        float[] memory = Numbers.Normal(Batch * Units, 2);
        stateful.SetState(LeakyModel.Memory, memory);
        float[] read = new float[Batch * Units];
        stateful.GetState(LeakyModel.Memory, read);
        Assert.Equal(memory, read);
        stateful.GetState(LeakyModel.Counter, counters);
        Assert.Equal([values[Units], row[Units], row[Units]], counters);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_row_is_reset_alone_and_all_rows_together(bool trainer)
    {
        IStateful stateful = Create(s_model, trainer);
        float[] values = Numbers.Normal(Batch * (Units + 1), 1);
        stateful.SetState(values);
        stateful.ResetState(1);
        values.AsSpan(Units + 1, Units + 1).Clear();
        Assert.Equal(values, SessionTests.StateOf(stateful));
        stateful.ResetState();
        Assert.All(SessionTests.StateOf(stateful), value => Assert.Equal(0, value));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_state_goes_over_to_sessions_and_trainers_of_the_same_size(bool trainer)
    {
        IStateful stateful = Create(s_model, trainer);
        float[] values = Numbers.Normal(Batch * (Units + 1), 1);
        IStateful other = Create(s_model.Twin(5), !trainer);
        other.SetState(values);
        stateful.CopyStateFrom(other);
        Assert.Equal(values, SessionTests.StateOf(stateful));

        stateful.ResetState();
        stateful.CopyStateFrom(new Foreign(s_model.Layout, values));
        Assert.Equal(values, SessionTests.StateOf(stateful));

        Assert.Throws<ArgumentException>(() => stateful.CopyStateFrom(s_model.CreateSession(Batch + 1)));
        Assert.Throws<ArgumentException>(() => stateful.CopyStateFrom(new LeakyModel(0, 2, Units, Loss.None).CreateSession(Batch)));
        Assert.Throws<ArgumentNullException>(() => stateful.CopyStateFrom(null!));
        Assert.Equal(values, SessionTests.StateOf(stateful));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void What_does_not_fit_is_refused(bool trainer)
    {
        IStateful stateful = Create(s_model, trainer);
        float[] values = Numbers.Normal(Batch * (Units + 1), 1);
        stateful.SetState(values);
        Assert.Throws<ArgumentException>(() => stateful.SetState(new float[values.Length - 1]));
        Assert.Throws<ArgumentException>(() => stateful.GetState(new float[values.Length + 1]));
        Assert.Throws<ArgumentException>(() => stateful.SetState(0, new float[Units]));
        Assert.Throws<ArgumentException>(() => stateful.GetState(0, new float[Units]));
        Assert.Throws<ArgumentException>(() => stateful.SetState(LeakyModel.Counter, new float[Batch + 1]));
        Assert.Throws<ArgumentException>(() => stateful.GetState(LeakyModel.Memory, new float[Units]));
        Assert.Throws<ArgumentOutOfRangeException>(() => stateful.SetState(Batch, new float[Units + 1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => stateful.GetState(-1, new float[Units + 1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => stateful.ResetState(Batch));
        var exception = Assert.Throws<KeyNotFoundException>(() => stateful.GetState("leaky_0.x", new float[Batch]));
        Assert.Contains(LeakyModel.Counter, exception.Message);
        Assert.Equal(values, SessionTests.StateOf(stateful));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_fresh_row_reads_as_what_was_learned_until_it_is_set_or_has_taken_a_step(bool trainer)
    {
        var model = new LeakyModel(0, 2, Units, Loss.MeanSquaredError, learned: true);
        IStateful stateful = Create(model, trainer);
        float[] Fresh() => [.. model.Parameters.ToArray(LeakyModel.Start), 3];
        float[] Row(int row)
        {
            float[] values = new float[Units + 1];
            stateful.GetState(row, values);
            return values;
        }

        Assert.Equal([.. Fresh(), .. Fresh(), .. Fresh()], SessionTests.StateOf(stateful));
        Assert.Equal(Fresh(), Row(1));

        // By name, too; and the parameters count when they are read.
        model.Parameters.Set(LeakyModel.Start, Numbers.Normal(Units, 7));
        float[] memory = new float[Batch * Units];
        stateful.GetState(LeakyModel.Memory, memory);
        Assert.Equal([.. Fresh()[..Units], .. Fresh()[..Units], .. Fresh()[..Units]], memory);

        // A row that is set, to whatever value, and one that takes a step are fresh no more; setting another state leaves it fresh.
        float[] set = new float[Units + 1];
        stateful.SetState(1, set);
        stateful.SetState(LeakyModel.Counter, [5, 6, 7]);
        Assert.Equal([.. Fresh()[..Units], 5, .. set[..Units], 6, .. Fresh()[..Units], 7], SessionTests.StateOf(stateful));
        Step(stateful, rows: 1);
        float[] stepped = Row(0);
        model.Parameters.Set(LeakyModel.Start, Numbers.Normal(Units, 8));
        Assert.Equal([.. stepped, .. set[..Units], 6, .. Fresh()[..Units], 7], SessionTests.StateOf(stateful));

        // One row begins again, then all.
        stateful.ResetState(0);
        Assert.Equal([.. Fresh(), .. set[..Units], 6, .. Fresh()[..Units], 7], SessionTests.StateOf(stateful));
        stateful.SetState(LeakyModel.Memory, memory);
        Assert.Equal([.. memory[..Units], 3], Row(0));
        stateful.ResetState();
        Assert.Equal([.. Fresh(), .. Fresh(), .. Fresh()], SessionTests.StateOf(stateful));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Rows_stay_fresh_when_their_state_goes_over(bool trainer)
    {
        var model = new LeakyModel(0, 2, Units, Loss.MeanSquaredError, learned: true);
        IStateful stateful = Create(model, trainer);
        IStateful other = Create(model, !trainer);
        float[] set = Numbers.Normal(Units + 1, 1);
        stateful.SetState(Numbers.Normal(Batch * (Units + 1), 2));
        other.SetState(1, set);
        stateful.CopyStateFrom(other);
        model.Parameters.Set(LeakyModel.Start, Numbers.Normal(Units, 7));
        float[] fresh = [.. model.Parameters.ToArray(LeakyModel.Start), 3];
        Assert.Equal([.. fresh, .. set, .. fresh], SessionTests.StateOf(stateful));
    }

    [Theory]
    [InlineData("leaky_0.W")]
    [InlineData("leaky_0.q")]
    [InlineData("leaky_0.b")]
    public void A_start_that_is_no_vector_of_the_states_size_is_refused(string start)
    {
        ParameterInfo[] parameters =
        [
            new("leaky_0.W", 2, 2, new Initializer(InitializerKind.Zero), new PackedSegment(0)),
            new("leaky_0.b", 3, 0, new Initializer(InitializerKind.Zero), new PackedSegment(32)),
        ];
        var exception = Assert.Throws<ArgumentException>(() => new ModelLayout(
            "M", 0, 2, 2, Loss.None, 48, parameters, [new StateInfo("leaky_0.s", 2) { LearnedStart = start }]));
        Assert.Contains(start, exception.Message);
    }

    private static void Step(IStateful stateful, int rows)
    {
        if (stateful is ITrainer trainer)
        {
            trainer.Forward(new float[2 * rows], rows);
        }
        else
        {
            ((ISession)stateful).Step(new float[2 * rows], new float[Units * rows]);
        }
    }

    private static IStateful Create(LeakyModel model, bool trainer) =>
        trainer ? model.CreateTrainer(Batch, 4) : model.CreateSession(Batch, 4);

    /// <summary>A state that is none of the project's own classes.</summary>
    private sealed class Foreign(ModelLayout layout, float[] values) : IStateful
    {
        public ModelLayout Layout => layout;

        public int BatchSize => Batch;

        public void GetState(Span<float> destination) => values.CopyTo(destination);

        public void ResetState() => throw new NotSupportedException();

        public void ResetState(int row) => throw new NotSupportedException();

        public void SetState(ReadOnlySpan<float> newValues) => throw new NotSupportedException();

        public void GetState(int row, Span<float> destination) => throw new NotSupportedException();

        public void SetState(int row, ReadOnlySpan<float> newValues) => throw new NotSupportedException();

        public void GetState(string name, Span<float> destination) => throw new NotSupportedException();

        public void SetState(string name, ReadOnlySpan<float> newValues) => throw new NotSupportedException();

        public void CopyStateFrom(IStateful other) => throw new NotSupportedException();
    }
}

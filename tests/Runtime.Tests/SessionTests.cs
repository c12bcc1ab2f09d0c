using System.Runtime.InteropServices;

namespace Unrolled.Tests;

public class SessionTests
{
    private const int Features = 3;
    private const int Outputs = 17;

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 4)]
    [InlineData(3, 2)]
    [InlineData(3, 64)]
    public void A_sequence_run_in_pieces_is_the_same_as_step_by_step(int batchSize, int capacity)
    {
        const int Steps = 7;
        var model = new LeakyModel(0, Features, Outputs, Loss.None);
        float[] inputs = Numbers.Normal(Steps * batchSize * Features, 1);
        float[] stepped = new float[Steps * batchSize * Outputs];
        ISession first = model.CreateSession(batchSize);
        for (int step = 0; step < Steps; step++)
        {
            first.Step(
                inputs.AsSpan(step * batchSize * Features, batchSize * Features),
                stepped.AsSpan(step * batchSize * Outputs, batchSize * Outputs));
        }

        float[] run = new float[stepped.Length];
        ISession second = model.CreateSession(batchSize, capacity);
        second.Run(inputs, run);
        Assert.Equal(stepped, run);
        Assert.Equal(StateOf(first), StateOf(second));
        Assert.DoesNotContain(run, float.IsNaN);
    }

    [Fact]
    public void Tokens_choose_columns()
    {
        var model = new LeakyModel(5, 0, 3, Loss.None);
        model.Parameters.Set(LeakyModel.Decay, [1, 1, 1]);
        model.Parameters.Set(LeakyModel.Weights, [.. Enumerable.Range(0, 15).Select(i => (float)i)]);
        ISession session = model.CreateSession(2, 2);
        float[] output = new float[3];
        session.Step(4, output);
        Assert.Equal([4, 9, 14], output);
        float[] outputs = new float[3 * 2 * 3];
        session.Run([0, 1, 2, 3, 4, 0], outputs);
        Assert.Equal([4f, 14, 24, 1, 6, 11, 6, 21, 36, 4, 14, 24, 10, 30, 50, 4, 19, 34], outputs);
        session.Step([1, 1], outputs.AsSpan(0, 6));
        Assert.Equal([11f, 36, 61, 5, 25, 45], outputs[..6]);
    }

    [Fact]
    public void Rows_a_call_leaves_out_keep_their_state()
    {
        var model = new LeakyModel(0, Features, Outputs, Loss.None);
        ISession session = model.CreateSession(3, 2);
        session.Run(Numbers.Normal(4 * 3 * Features, 1), new float[4 * 3 * Outputs]);
        float[] before = StateOf(session);
        int length = model.Layout.StateLength;

        session.Run(Numbers.Normal(5 * 2 * Features, 2), new float[5 * 2 * Outputs], rows: 2);
        float[] after = StateOf(session);
        Assert.Equal(before[(2 * length)..], after[(2 * length)..]);
        Assert.Equal(9, after[length - 1]);
        Assert.Equal(4, after[^1]);

        session.Step(Numbers.Normal(Features, 3), new float[Outputs]);
        Assert.Equal(after[length..], StateOf(session)[length..]);
        Assert.Equal(10, StateOf(session)[length - 1]);
    }

    [Fact]
    public void No_steps_are_no_steps()
    {
        ISession session = new LeakyModel(0, Features, Outputs, Loss.None).CreateSession(2);
        session.Run(ReadOnlySpan<float>.Empty, []);
        Assert.All(StateOf(session), value => Assert.Equal(0, value));
    }

    [Fact]
    public void Outputs_may_replace_inputs_of_the_same_size_and_nothing_else()
    {
        const int Steps = 5;
        var model = new LeakyModel(0, 3, 3, Loss.None);
        float[] values = Numbers.Normal(Steps * 3, 1);
        float[] expected = new float[Steps * 3];
        model.CreateSession(1, 2).Run(values, expected);

        float[] shifted = new float[Steps * 3 + 1];
        AssertRefused<ArgumentException>(model.CreateSession(1, 2), session => session.Run(shifted.AsSpan(1), shifted.AsSpan(0, Steps * 3)));
        model.CreateSession(1, 2).Run(values, values);
        Assert.Equal(expected, values);
    }

    [Fact]
    public void Vector_models_refuse_calls_that_do_not_fit_and_touch_nothing()
    {
        ISession session = new LeakyModel(0, Features, Outputs, Loss.None).CreateSession(2, 4);
        session.Step(Numbers.Normal(2 * Features, 1), new float[2 * Outputs]);

        AssertRefused<ArgumentException>(session, s => s.Step(new float[2], new float[Outputs]));
        AssertRefused<ArgumentException>(session, s => s.Step(ReadOnlySpan<float>.Empty, []));
        AssertRefused<ArgumentException>(session, s => s.Step(new float[3 * Features], new float[3 * Outputs]));
        AssertRefused<ArgumentException>(session, s => s.Step(new float[Features], new float[Outputs - 1]));
        AssertRefused<ArgumentException>(session, s => s.Step(new float[Features], new float[Outputs + 1]));
        AssertRefused<ArgumentException>(session, s => s.Run(new float[Features], new float[Outputs]));
        AssertRefused<ArgumentException>(session, s => s.Run(new float[2 * Features], new float[Outputs]));
        AssertRefused<ArgumentException>(session, s => s.Run(new float[Features + 1], new float[Outputs], rows: 1));
        AssertRefused<ArgumentOutOfRangeException>(session, s => s.Run(new float[3 * Features], new float[3 * Outputs], rows: 3));
        AssertRefused<ArgumentOutOfRangeException>(session, s => s.Run(new float[Features], new float[Outputs], rows: -1));
        AssertRefused<InvalidOperationException>(session, s => s.Step(0, new float[Outputs]));
        AssertRefused<InvalidOperationException>(session, s => s.Step([0, 0], new float[2 * Outputs]));
        AssertRefused<InvalidOperationException>(session, s => s.Run([0, 0], new float[2 * Outputs]));
    }

    [Fact]
    public void Token_models_refuse_calls_that_do_not_fit_and_touch_nothing()
    {
        ISession session = new LeakyModel(5, 0, Outputs, Loss.None).CreateSession(2, 2);
        session.Step([1, 2], new float[2 * Outputs]);

        AssertRefused<ArgumentOutOfRangeException>(session, s => s.Step(5, new float[Outputs]));
        AssertRefused<ArgumentOutOfRangeException>(session, s => s.Step(-1, new float[Outputs]));
        AssertRefused<ArgumentOutOfRangeException>(session, s => s.Step([0, 5], new float[2 * Outputs]));
        AssertRefused<ArgumentException>(session, s => s.Step([0, 1, 2], new float[3 * Outputs]));
        AssertRefused<ArgumentException>(session, s => s.Step(1, new float[Outputs + 1]));

        // The wrong token comes in the third piece; the first two must not have run.
        AssertRefused<ArgumentOutOfRangeException>(session, s => s.Run([0, 1, 2, 3, 4, 0, 1, 2, 3, 5], new float[10 * Outputs]));
        AssertRefused<ArgumentException>(session, s => s.Run([0, 1, 2], new float[3 * Outputs]));
        AssertRefused<InvalidOperationException>(session, s => s.Step(new float[5], new float[Outputs]));
        AssertRefused<InvalidOperationException>(session, s => s.Run(new float[10], new float[2 * Outputs]));
    }

    [Fact]
    public void Refusals_say_what_would_fit()
    {
        ISession one = new LeakyModel(5, 0, Outputs, Loss.None).CreateSession(), two = new LeakyModel(0, 4, Outputs, Loss.None).CreateSession(2, 4);
        ArgumentException token = Assert.Throws<ArgumentOutOfRangeException>(() => one.Step(5, new float[Outputs]));
        Assert.Equal("token", token.ParamName);
        Assert.StartsWith("The token is 5; it must be 0 to 4.", token.Message, StringComparison.Ordinal);
        Told("A step takes one row of 1 element, not 2 elements (more rows need a session with a larger batchSize).", () => one.Step([1, 2], new float[2 * Outputs]));
        Told("A step takes 1 to 2 rows of 4 elements, not 12 elements (more rows", () => two.Step(new float[12], new float[3 * Outputs]));
        Told($"1 step of 1 row of {Outputs} elements make {Outputs}, not {Outputs + 1}.", () => two.Step(new float[4], new float[Outputs + 1]));
        Told("5 elements are not a whole number of steps of 1 row of 4 elements.", () => two.Run(new float[5], new float[Outputs], rows: 1));

        static void Told(string message, Action action) => Assert.StartsWith(message, Assert.Throws<ArgumentException>(action).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(-1, 1)]
    [InlineData(1, -5)]
    [InlineData(1 << 16, 1 << 16)]
    [InlineData(1 << 15, 1 << 14)]
    public void Impossible_sizes_are_refused(int batchSize, int steps)
    {
        var model = new LeakyModel(0, Features, Outputs, Loss.None);
        Assert.Throws<ArgumentOutOfRangeException>(() => model.CreateSession(batchSize, steps));
        Assert.Throws<ArgumentOutOfRangeException>(() => model.CreateTrainer(batchSize, steps));
        Assert.Throws<ArgumentOutOfRangeException>(() => model.CreateTrainer(1, 0));
    }

    [Fact]
    public void Tokens_and_outputs_must_not_share_memory()
    {
        // Two pieces: the outputs of the first would be the tokens of the second.
        float[] memory = new float[4 * Outputs];
        ISession session = new LeakyModel(5, 0, Outputs, Loss.None).CreateSession(1, 2);
        session.Step(1, memory.AsSpan(0, Outputs));
        memory.AsSpan().Clear();
        for (int start = 0; start <= memory.Length - 4; start++)
        {
            AssertRefused<ArgumentException>(session, s => s.Run(MemoryMarshal.Cast<float, int>(memory.AsSpan(start, 4)), memory));
        }

        // To the byte: beside each other is not over each other.
        session.Run(MemoryMarshal.Cast<float, int>(memory.AsSpan(0, 1)), memory.AsSpan(1, Outputs));
        Assert.Equal("outputs", Assert.Throws<ArgumentException>(() =>
        {
            Span<byte> shifted = MemoryMarshal.AsBytes(memory.AsSpan())[1..];
            session.Run(MemoryMarshal.Cast<byte, int>(shifted[..8]), memory.AsSpan(0, 2 * Outputs));
        }).ParamName);
    }

    [Fact]
    public void Tokens_that_change_during_a_call_are_refused_or_taken_and_never_past_the_check()
    {
        ISession session = new LeakyModel(5, 0, Outputs, Loss.None).CreateSession(3, 4);
        float[] outputs = new float[27 * Outputs];

        // The model itself would refuse the parameter's column, and not the tokens.
        Raced.Identifiers("tokens", 27, valid: 4, invalid: 5, tokens => session.Run(tokens, outputs));
        Raced.Identifiers("tokens", 3, valid: 4, invalid: -1, tokens => session.Step(tokens, outputs.AsSpan(0, 3 * Outputs)));
    }

    internal static float[] StateOf(IStateful stateful)
    {
        float[] state = new float[stateful.BatchSize * stateful.Layout.StateLength];
        stateful.GetState(state);
        return state;
    }

    private static void AssertRefused<TException>(ISession session, Action<ISession> call)
        where TException : Exception
    {
        float[] before = StateOf(session);
        Assert.Throws<TException>(() => call(session));
        Assert.Equal(before, StateOf(session));
    }
}

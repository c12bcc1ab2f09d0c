namespace Unrolled.Tests;

/// <summary>Sessions and trainers serve one caller at a time: the second is told, the first is left alone.</summary>
public class OneCallerTests
{
    private const int Rows = 3;
    private const int Steps = 4;
    private const int Features = 2;
    private const int Outputs = 5;
    private const int StateLength = Outputs + 1;

    private readonly LeakyModel _model = new(0, Features, Outputs, Loss.MeanSquaredError);
    private readonly float[] _inputs = Numbers.Normal(Steps * Rows * Features, 1);
    private readonly float[] _targets = Numbers.Normal(Steps * Rows * Outputs, 2);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void A_session_that_runs_refuses_every_other_call(int threads)
    {
        float[] expected = new float[_targets.Length], outputs = new float[_targets.Length];
        _model.CreateSession(Rows, 2, threads).Run(_inputs, expected);
        ISession session = _model.CreateSession(Rows, 2, threads), other = _model.CreateSession(Rows);
        During(() => session.Run(_inputs, outputs), () => AssertRefusesAll(session, other));
        Assert.Equal(expected, outputs);
        AssertServesAgain(session, other);
    }

    [Fact]
    public void A_session_that_takes_a_step_refuses_every_other_call()
    {
        float[] expected = new float[Outputs], output = new float[Outputs];
        _model.CreateSession(Rows).Step(_inputs.AsSpan(0, Features), expected);
        ISession session = _model.CreateSession(Rows), other = _model.CreateSession(Rows);
        During(() => session.Step(_inputs.AsSpan(0, Features), output), () => AssertRefusesAll(session, other));
        Assert.Equal(expected, output);
        AssertServesAgain(session, other);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void A_trainer_that_works_refuses_every_other_call(int threads)
    {
        using LeakyModel.LeakyTrainer calm = _model.CreateLeakyTrainer(Rows, Steps, threads: threads), trainer = _model.CreateLeakyTrainer(Rows, Steps, threads: threads);
        float expected = calm.ForwardBackward(_inputs, _targets), loss = float.NaN;
        ISession other = _model.CreateSession(Rows);
        During(() => loss = trainer.ForwardBackward(_inputs, _targets), () =>
        {
            AssertRefusesAll(trainer, other);
            Refused(() => trainer.ForwardBackward(_inputs, _targets));
            Refused(() => trainer.Evaluate(_inputs, _targets));
            Refused(() => trainer.Forward(_inputs));
            Refused(() => trainer.Backward(_targets));
            Refused(() => trainer.GetOutputs(new float[_targets.Length]));
            Refused(() => trainer.GetInputGradients(new float[_inputs.Length]));
            Refused(() => trainer.GetInitialStateGradients(new float[Rows * StateLength]));
        });
        Assert.Equal(expected, loss);
        Assert.Equal(calm.Gradients.Values, trainer.Gradients.Values);
        AssertServesAgain(trainer, other);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void A_trainer_disposed_of_at_work_ends_with_its_call(int threads)
    {
        using LeakyModel.LeakyTrainer calm = _model.CreateLeakyTrainer(Rows, Steps, threads: threads);
        LeakyModel.LeakyTrainer trainer = _model.CreateLeakyTrainer(Rows, Steps, threads: threads);
        float expected = calm.ForwardBackward(_inputs, _targets), loss = float.NaN;
        During(() => loss = trainer.ForwardBackward(_inputs, _targets), () =>
        {
            trainer.Dispose();
            trainer.Dispose();
            Assert.Equal(0, trainer.DisposeCalls);
            Assert.Throws<ObjectDisposedException>(() => trainer.Forward(_inputs));
        });
        Assert.Equal(expected, loss);
        Assert.Equal(1, trainer.DisposeCalls);
        Assert.All(_model.Workers[1..threads], helper => Assert.False(helper!.IsAlive));
        Assert.Throws<ObjectDisposedException>(() => trainer.Forward(_inputs));
        trainer.Dispose();
        Assert.Equal(1, trainer.DisposeCalls);
    }

    [Fact]
    public void An_interrupt_waits_until_the_work_is_done()
    {
        float[] expected = new float[_targets.Length], outputs = new float[_targets.Length];
        _model.CreateSession(Rows, Steps, threads: 2).Run(_inputs, expected);
        ISession session = _model.CreateSession(Rows, Steps, threads: 2);
        Exception? thrown = null, after = null;
        using var helperIsIn = new ManualResetEventSlim();
        using var mayGoOn = new ManualResetEventSlim();
        _model.OnPart = part =>
        {
            if (part.Index == 1)
            {
                helperIsIn.Set();
                mayGoOn.Wait();
            }
        };
        var caller = new Thread(() =>
        {
            thrown = Record.Exception(() => session.Run(_inputs, outputs));
            after = Record.Exception(() => Thread.Sleep(TimeSpan.FromSeconds(30)));
        });
        caller.Start();
        helperIsIn.Wait(TestContext.Current.CancellationToken);

        // Asleep, it waits for the helper.
        while (caller.ThreadState is not ThreadState.WaitSleepJoin)
        {
            Thread.Yield();
        }

        caller.Interrupt();
        mayGoOn.Set();
        caller.Join();
        _model.OnPart = null;
        Assert.Null(thrown);
        Assert.IsType<ThreadInterruptedException>(after);
        Assert.Equal(expected, outputs);
        session.ResetState();
        session.Run(_inputs, outputs);
        Assert.Equal(expected, outputs);
    }

    [Fact]
    public void Callers_that_race_are_served_or_refused()
    {
        // Whoever comes in has its whole call; nobody hangs, and the state is one that calls one after another can leave.
        ISession session = _model.CreateSession(Rows, 2, threads: 2);
        int served = 0;
        Parallel.For(0, 4, _ =>
        {
            float[] outputs = new float[_targets.Length];
            for (int i = 0; i < 200; i++)
            {
                try
                {
                    session.Run(_inputs, outputs);
                    Interlocked.Increment(ref served);
                }
                catch (InvalidOperationException)
                {
                    Thread.Yield();
                }
            }
        });
        float[] counters = new float[Rows];
        session.GetState(LeakyModel.Counter, counters);
        Assert.All(counters, counter => Assert.Equal(served * Steps, counter));
    }

    [Fact]
    public void A_state_may_be_copied_to_itself()
    {
        ISession session = _model.CreateSession(Rows);
        session.SetState(Numbers.Normal(Rows * StateLength, 3));
        float[] before = SessionTests.StateOf(session);
        session.CopyStateFrom(session);
        Assert.Equal(before, SessionTests.StateOf(session));
    }

    /// <summary>Makes a call on a thread of its own, and others while it is in the midst of its work.</summary>
    private void During(Action call, Action others)
    {
        Exception? thrown = null;
        using var isIn = new ManualResetEventSlim();
        using var mayGoOn = new ManualResetEventSlim();
        _model.OnPart = part =>
        {
            if (part.Index == 0 && !isIn.IsSet)
            {
                isIn.Set();
                mayGoOn.Wait();
            }
        };
        var caller = new Thread(() => thrown = Record.Exception(call));
        caller.Start();
        isIn.Wait(TestContext.Current.CancellationToken);
        try
        {
            others();
        }
        finally
        {
            mayGoOn.Set();
            caller.Join();
            _model.OnPart = null;
        }

        Assert.Null(thrown);
    }

    private void AssertRefusesAll(IStateful stateful, IStateful other)
    {
        if (stateful is ISession session)
        {
            Refused(() => session.Step(_inputs.AsSpan(0, Features), new float[Outputs]));
            Refused(() => session.Step(_inputs.AsSpan(0, 2 * Features), new float[2 * Outputs]));
            Refused(() => session.Run(_inputs, new float[_targets.Length]));
        }

        Refused(() => stateful.ResetState());
        Refused(() => stateful.ResetState(0));
        Refused(() => stateful.GetState(new float[Rows * StateLength]));
        Refused(() => stateful.GetState(0, new float[StateLength]));
        Refused(() => stateful.GetState(LeakyModel.Memory, new float[Rows * Outputs]));
        Refused(() => stateful.SetState(new float[Rows * StateLength]));
        Refused(() => stateful.SetState(0, new float[StateLength]));
        Refused(() => stateful.SetState(LeakyModel.Memory, new float[Rows * Outputs]));
        Refused(() => stateful.CopyStateFrom(other));
        Refused(() => other.CopyStateFrom(stateful));
    }

    private static void AssertServesAgain(IStateful stateful, IStateful other)
    {
        stateful.ResetState();
        stateful.CopyStateFrom(other);
        other.CopyStateFrom(stateful);
    }

    private static void Refused(Action call) =>
        Assert.Contains("one caller at a time", Assert.Throws<InvalidOperationException>(call).Message, StringComparison.Ordinal);
}

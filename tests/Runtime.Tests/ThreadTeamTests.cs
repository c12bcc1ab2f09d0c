using System.Runtime.CompilerServices;

namespace Unrolled.Tests;

/// <summary>Teams by themselves, and how sessions and trainers keep them. Alone, since it measures the whole process.</summary>
[Collection(nameof(Alone))]
public class ThreadTeamTests
{
    [CollectionDefinition(nameof(Alone), DisableParallelization = true)]
    public sealed class Alone;

    // Against threads that never do what they should: on a machine that does much else they take their time.
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(10);

    private readonly LeakyModel _model = new(0, 2, 3, Loss.MeanSquaredError);

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(8)]
    public void Each_part_is_done_once_and_always_by_the_same_thread(int threads)
    {
        using ThreadTeam team = ThreadTeam.Of(threads)!;
        var workers = new Thread?[threads];
        int[] done = new int[threads];
        for (int call = 1; call <= 20; call++)
        {
            team.Run(part =>
            {
                Assert.Equal(threads, part.Count);
                workers[part.Index] ??= Thread.CurrentThread;
                Assert.Same(workers[part.Index], Thread.CurrentThread);
                done[part.Index]++;
            });
            Assert.All(done, count => Assert.Equal(call, count));
        }

        Assert.Same(Thread.CurrentThread, workers[0]);
        Assert.Equal(threads, workers.Distinct().Count());
        Assert.All(workers[1..], worker => Assert.True(worker!.IsBackground));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(8)]
    public void What_one_part_writes_before_a_meeting_the_others_read_after_it(int threads)
    {
        using ThreadTeam team = ThreadTeam.Of(threads)!;
        int[] written = new int[threads];
        team.Run(part =>
        {
            for (int round = 1; round <= 300; round++)
            {
                // Somebody is always late.
                if (round % threads == part.Index)
                {
                    Thread.SpinWait(round % 20 == 0 ? 20_000 : 100);
                }

                written[part.Index] = round;
                part.Meet();
                Assert.All(written, value => Assert.Equal(round, value));
                part.Meet();
            }
        });
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(0, 2)]
    [InlineData(2, 2)]
    public void What_a_part_throws_reaches_the_caller(int failing, int meetings)
    {
        using ThreadTeam team = ThreadTeam.Of(3)!;
        for (int call = 0; call < 20; call++)
        {
            var failure = new InvalidDataException("This part cannot.");
            Exception thrown = Assert.Throws<InvalidDataException>(() => team.Run(part =>
            {
                for (int meeting = 0; meeting < meetings; meeting++)
                {
                    part.Meet();
                }

                if (part.Index == failing)
                {
                    throw failure;
                }

                part.Meet();
                part.Meet();
            }));
            Assert.Same(failure, thrown);

            // The next call is as if nothing had been.
            int done = 0;
            team.Run(part =>
            {
                part.Meet();
                Interlocked.Increment(ref done);
                part.Meet();
                Assert.Equal(3, Volatile.Read(ref done));
            });
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(ThreadTeam.MostThreads + 1)]
    public void Numbers_of_threads_out_of_range_are_refused(int threads)
    {
        Assert.Equal("threads", Assert.Throws<ArgumentOutOfRangeException>(() => _model.CreateTrainer(1, 1, threads: threads)).ParamName);
        Assert.Equal("threads", Assert.Throws<ArgumentOutOfRangeException>(() => _model.CreateSession(1, 1, threads)).ParamName);
    }

    [Fact]
    public void A_trainer_s_threads_end_when_it_is_disposed()
    {
        ITrainer trainer = _model.CreateTrainer(4, 2, threads: 3);
        trainer.ForwardBackward(new float[16], new float[24]);
        Assert.All(Helpers(3), helper => Assert.True(helper.IsAlive));
        trainer.Dispose();
        Assert.All(Helpers(3), helper => Assert.False(helper.IsAlive));
        trainer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => trainer.ForwardBackward(new float[16], new float[24]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Threads_end_when_their_trainer_or_session_is_collected(bool isTrainer)
    {
        WeakReference owner = WorkOnce(isTrainer);
        for (int collection = 0; collection < 10; collection++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.False(owner.IsAlive);
        Assert.All(Helpers(3), helper => Assert.True(helper.Join(s_patience)));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private WeakReference WorkOnce(bool isTrainer)
    {
        if (isTrainer)
        {
            ITrainer trainer = _model.CreateTrainer(4, 2, threads: 3);
            trainer.ForwardBackward(new float[16], new float[24]);
            return new WeakReference(trainer);
        }

        ISession session = _model.CreateSession(4, 2, threads: 3);
        session.Run(new float[16], new float[24]);
        return new WeakReference(session);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void What_a_trainer_s_or_session_s_part_throws_reaches_the_caller(int part)
    {
        using ITrainer trainer = _model.CreateTrainer(4, 2, threads: 3);
        ISession session = _model.CreateSession(4, 2, threads: 3);
        float expected = trainer.Evaluate(new float[16], Numbers.Normal(24, 1));
        _model.FailingPart = part;
        Assert.Equal($"Part {part} fails.", Assert.Throws<InvalidDataException>(() => trainer.ForwardBackward(new float[16], new float[24])).Message);
        Assert.Equal($"Part {part} fails.", Assert.Throws<InvalidDataException>(() => session.Run(new float[16], new float[24])).Message);
        _model.FailingPart = -1;
        trainer.ResetState();
        Assert.Equal(expected, trainer.Evaluate(new float[16], Numbers.Normal(24, 1)));
    }

    // Two threads spin for a moment before they sleep, where the machine has a core for each; three may not have one.
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void Threads_that_have_nothing_to_do_sleep(int threads)
    {
        using ITrainer trainer = _model.CreateTrainer(4, 2, threads: threads);
        trainer.ForwardBackward(new float[16], new float[24]);
        foreach (Thread helper in Helpers(threads))
        {
            // How long the moment is the machine decides; a thread that waits awake is never found asleep so often in a row.
            int asleep = 0;
            Assert.True(SpinWait.SpinUntil(() => (asleep = helper.ThreadState.HasFlag(ThreadState.WaitSleepJoin) ? asleep + 1 : 0) == 100, s_patience));
        }
    }

    [Fact]
    public void No_thread_allocates_in_a_call()
    {
        using ITrainer values = _model.CreateTrainer(4, 2, threads: 3);
        using ITrainer classes = new LeakyModel(5, 0, 3, Loss.SoftmaxCrossEntropy).CreateTrainer(4, 2, threads: 3);
        ISession session = _model.CreateSession(4, 2, threads: 3);
        float[] inputs = new float[16], outputs = new float[24];
        int[] tokens = new int[8];
        void Call()
        {
            values.ForwardBackward(inputs, outputs);
            values.Evaluate(inputs, outputs);
            values.Forward(inputs);
            values.Backward(outputs);
            classes.ForwardBackward(tokens, tokens);
            session.Run(inputs, outputs);
        }

        Call();
        long least = long.MaxValue;
        for (int round = 0; round < 10 && least != 0; round++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            for (int i = 0; i < 20; i++)
            {
                Call();
            }

            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        Assert.Equal(0, least);
    }

    private Thread[] Helpers(int threads) => [.. _model.Workers[1..threads]!];
}

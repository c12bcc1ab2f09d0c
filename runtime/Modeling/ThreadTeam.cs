using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace Unrolled;

/// <summary>
/// Threads that share each call's work with the thread that makes the call. They live as long as the team: until it is disposed or,
/// since they hold nothing but their <see cref="Crew"/>, until it is collected with the session or trainer that owns it.
/// </summary>
internal sealed class ThreadTeam : IDisposable
{
    /// <summary>Threads at the most.</summary>
    public const int MostThreads = 1024;

    private readonly Crew _crew;
    private readonly Thread[] _helpers;

    /// <summary>Starts the helpers.</summary>
    /// <param name="threads">Threads with the caller, 2 or more.</param>
    private ThreadTeam(int threads)
    {
        _crew = new Crew(threads);
        _helpers = new Thread[threads - 1];
        for (int i = 0; i < _helpers.Length; i++)
        {
            _helpers[i] = HelperOf(_crew, i + 1);
            _helpers[i].Start();
        }
    }

    ~ThreadTeam() => _crew.End();

    /// <summary>A team of that many threads; none for one thread.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than 1 or more than <see cref="MostThreads"/>.</exception>
    public static ThreadTeam? Of(int threads)
    {
        if (threads is < 1 or > MostThreads)
        {
            throw new ArgumentOutOfRangeException(nameof(threads), threads, $"Threads are 1 to {MostThreads}.");
        }

        return threads == 1 ? null : new ThreadTeam(threads);
    }

    /// <summary>Says that work comes soon: threads that sleep wake up while the caller prepares it.</summary>
    public void Wake() => _crew.Wake();

    /// <summary>Does all parts of a work, the first on this thread, and throws what one of them threw.</summary>
    public void Run(Action<WorkPart> work)
    {
        _crew.Run(work);
        GC.KeepAlive(this);
    }

    /// <summary>Ends the helpers and waits for their end.</summary>
    public void Dispose()
    {
        _crew.End();
        foreach (Thread helper in _helpers)
        {
            helper.Join();
        }

        GC.SuppressFinalize(this);
    }

    // Static, so that the thread's delegate holds no team.
    private static Thread HelperOf(Crew crew, int index) =>
        new(() => crew.Help(index)) { IsBackground = true, Name = $"Unrolled helper {index}" };

    /// <summary>What the threads of a team share: the work of the present call, if there is one, and the places where they meet.</summary>
    internal sealed class Crew(int threads)
    {
        private readonly MeetingPlace _outside = new(threads, yieldFor: TimeSpan.Zero);
        private readonly MeetingPlace _inside = new(threads, yieldFor: TimeSpan.FromMilliseconds(10));
        private Action<WorkPart>? _work;
        private ExceptionDispatchInfo? _failure;

        public void Wake() => _outside.Wake();

        public void Run(Action<WorkPart> work)
        {
            _work = work;
            _outside.Meet();
            DoPart(0);
            _outside.Meet();
            _work = null;
            if (_failure is { } failure)
            {
                _failure = null;
                _inside.Open();
                failure.Throw();
            }
        }

        /// <summary>A helper's life.</summary>
        public void Help(int index)
        {
            while (_outside.Meet())
            {
                DoPart(index);
                _outside.Meet();
            }
        }

        public void Meet()
        {
            if (!_inside.Meet())
            {
                throw new OperationCanceledException("Another thread's part of the work failed.");
            }
        }

        public void End() => _outside.Close();

        // Not inlined: a waiting helper's frame must not hold the work, and with it the trainer.
        [MethodImpl(MethodImplOptions.NoInlining)]
        private void DoPart(int index)
        {
            try
            {
                _work!(new WorkPart(this, index, threads));
            }
            catch (Exception exception)
            {
                // Only the first failure counts: the others may fail because of it.
                Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(exception), null);
                _inside.Close();
            }
        }
    }

    /// <summary>Where a number of threads wait for each other: spinning for a moment, then yielding their core, then asleep.</summary>
    /// <param name="threads">How many.</param>
    /// <param name="yieldFor">
    /// How long they stay awake in the midst of work. Threads that sleep and wake each other look to the system like one that moves about,
    /// and it leaves them on one core; threads that stay awake get a core each.
    /// </param>
    private sealed class MeetingPlace(int threads, TimeSpan yieldFor)
    {
        /// <summary>Spinning pays as long as it costs less than being woken.</summary>
        private static readonly long s_patience = Stopwatch.Frequency / 20_000;

        private readonly long _yieldTicks = (long)(yieldFor.TotalSeconds * Stopwatch.Frequency);

        // Threads that have no core of their own must not keep another from its core.
        private readonly bool _spins = threads <= Environment.ProcessorCount;
        private readonly object _gate = new();
        private int _here;
        private int _asleep;
        private int _round;
        private bool _closed;

        /// <summary>Waits until all have come.</summary>
        /// <returns>Whether they came; false once the place is closed.</returns>
        public bool Meet()
        {
            int round = Volatile.Read(ref _round);
            if (Volatile.Read(ref _closed))
            {
                return false;
            }

            if (Interlocked.Increment(ref _here) == threads)
            {
                _here = 0;
                Release();
            }
            else
            {
                while (!Spin(round))
                {
                    Sleep(round);
                }
            }

            return !Volatile.Read(ref _closed);
        }

        /// <summary>Lets all go on who wait, and none wait from now on.</summary>
        public void Close()
        {
            Volatile.Write(ref _closed, true);
            Release();
        }

        /// <summary>Undoes <see cref="Close"/>; nobody may be here.</summary>
        public void Open()
        {
            _here = 0;
            Volatile.Write(ref _closed, false);
        }

        /// <summary>Wakes who sleeps; they wait on, spinning.</summary>
        public void Wake()
        {
            bool isInterrupted = false;
            while (Volatile.Read(ref _asleep) != 0)
            {
                try
                {
                    lock (_gate)
                    {
                        Monitor.PulseAll(_gate);
                    }

                    break;
                }
                catch (ThreadInterruptedException)
                {
                    isInterrupted = true;
                }
            }

            PassOn(isInterrupted);
        }

        private void Release()
        {
            // A full fence, as before in Sleep: either the sleeper sees the new round, or it is seen asleep.
            Interlocked.Increment(ref _round);
            Wake();
        }

        /// <summary>Whether the round ended while this thread was awake.</summary>
        private bool Spin(int round)
        {
            long start = 0, waited = 0;
            for (int i = 1; Volatile.Read(ref _round) == round; i++)
            {
                if (!_spins)
                {
                    return false;
                }

                if (waited > s_patience)
                {
                    Thread.Yield();
                }
                else
                {
                    Thread.SpinWait(1);
                }

                if (waited > s_patience || (i & 63) == 0)
                {
                    long now = Stopwatch.GetTimestamp();
                    start = start == 0 ? now : start;
                    waited = now - start;
                    if (waited > s_patience + _yieldTicks)
                    {
                        return false;
                    }
                }
            }

            return true;
        }

        /// <summary>Sleeps until the round ends or somebody wakes this thread.</summary>
        private void Sleep(int round)
        {
            bool isInterrupted = false;
            bool isDone = false;
            while (!isDone)
            {
                try
                {
                    lock (_gate)
                    {
                        Interlocked.Increment(ref _asleep);
                        try
                        {
                            if (Volatile.Read(ref _round) == round)
                            {
                                Monitor.Wait(_gate);
                            }
                        }
                        finally
                        {
                            Interlocked.Decrement(ref _asleep);
                        }
                    }

                    isDone = true;
                }
                catch (ThreadInterruptedException)
                {
                    isInterrupted = true;
                }
            }

            PassOn(isInterrupted);
        }

        /// <summary>
        /// An interrupt that came in the midst of work is for whoever waits next on this thread: to leave now would leave the others alone
        /// with the work, and the next call in the midst of it.
        /// </summary>
        private static void PassOn(bool isInterrupted)
        {
            if (isInterrupted)
            {
                Thread.CurrentThread.Interrupt();
            }
        }
    }
}

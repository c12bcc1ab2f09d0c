using System.Buffers;
using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;

namespace Unrolled.CompilerServices;

/// <summary>What sessions and trainers share: the state of every row.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public abstract class Stateful : IStateful
{
    /// <summary>Values of <see cref="_use"/>: a call is under way; it was disposed of, perhaps while that call goes on.</summary>
    private const int Busy = 1, Ended = 2;

    private int _use;

    private protected Stateful(ModelLayout layout, int batchSize)
    {
        Layout = layout;
        BatchSize = batchSize;
    }

    /// <inheritdoc/>
    public ModelLayout Layout { get; }

    /// <inheritdoc/>
    public int BatchSize { get; }

    /// <summary>
    /// A state of every row, [batch size, units padded to a multiple of 16]; the padding is zero and must stay zero.
    /// </summary>
    /// <param name="state">The state's place in <see cref="ModelLayout.States"/>.</param>
    protected abstract Span<float> StateBuffer(int state);

    /// <summary>
    /// Which rows of a state are fresh: they begin with what was learned and not with what <see cref="StateBuffer"/> holds, which is zero
    /// then. [batch size, 16], 1 or 0 in the first element of a row; what runs the model's steps sets those of its rows to 0. Empty where
    /// no start is learned.
    /// </summary>
    /// <param name="state">The state's place in <see cref="ModelLayout.States"/>.</param>
    protected virtual Span<float> FreshBuffer(int state) => default;

    /// <summary>What a state learned to start from, [units]. Empty where no start is learned.</summary>
    /// <param name="state">The state's place in <see cref="ModelLayout.States"/>.</param>
    protected virtual ReadOnlySpan<float> LearnedStartOf(int state) => default;

    /// <inheritdoc/>
    public void ResetState()
    {
        using Call call = Begin();
        for (int row = 0; row < BatchSize; row++)
        {
            ResetRow(row);
        }
    }

    /// <inheritdoc/>
    public void ResetState(int row)
    {
        using Call call = Begin();
        RequireRow(row);
        ResetRow(row);
    }

    /// <inheritdoc/>
    public void GetState(Span<float> destination)
    {
        using Call call = Begin();
        RequireLength(destination.Length, BatchSize, Layout.StateLength, nameof(destination));
        for (int row = 0; row < BatchSize; row++)
        {
            ReadRow(row, destination.Slice(row * Layout.StateLength, Layout.StateLength));
        }
    }

    /// <inheritdoc/>
    public void SetState(ReadOnlySpan<float> values)
    {
        using Call call = Begin();
        RequireLength(values.Length, BatchSize, Layout.StateLength, nameof(values));
        for (int row = 0; row < BatchSize; row++)
        {
            WriteRow(row, values.Slice(row * Layout.StateLength, Layout.StateLength));
        }
    }

    /// <inheritdoc/>
    public void GetState(int row, Span<float> destination)
    {
        using Call call = Begin();
        RequireRow(row);
        RequireLength(destination.Length, 1, Layout.StateLength, nameof(destination));
        ReadRow(row, destination);
    }

    /// <inheritdoc/>
    public void SetState(int row, ReadOnlySpan<float> values)
    {
        using Call call = Begin();
        RequireRow(row);
        RequireLength(values.Length, 1, Layout.StateLength, nameof(values));
        WriteRow(row, values);
    }

    /// <inheritdoc/>
    public void GetState(string name, Span<float> destination)
    {
        using Call call = Begin();
        int state = Layout.FindState(name);
        int units = Layout.StateSpan[state].Units;
        RequireLength(destination.Length, BatchSize, units, nameof(destination));
        for (int row = 0; row < BatchSize; row++)
        {
            ValueOf(state, units, row).CopyTo(destination[(row * units)..]);
        }
    }

    /// <inheritdoc/>
    public void SetState(string name, ReadOnlySpan<float> values)
    {
        using Call call = Begin();
        int state = Layout.FindState(name);
        int units = Layout.StateSpan[state].Units;
        RequireLength(values.Length, BatchSize, units, nameof(values));
        PaddedRows.Write(values, StateBuffer(state), BatchSize, units);
        FreshBuffer(state).Clear();
    }

    /// <inheritdoc/>
    public void CopyStateFrom(IStateful other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (!ReferenceEquals(other.Layout, Layout))
        {
            throw new ArgumentException($"The other state belongs to {other.Layout}, not to {Layout}.", nameof(other));
        }

        if (other.BatchSize != BatchSize)
        {
            throw new ArgumentException(
                $"The other has {other.BatchSize} rows, this {BatchSize} (copy single rows with GetState(row, …) and SetState(row, …)).", nameof(other));
        }

        if (ReferenceEquals(other, this))
        {
            return;
        }

        if (other is Stateful stateful)
        {
            using Call call = Begin();
            using Call others = stateful.Begin();
            for (int state = 0; state < Layout.States.Count; state++)
            {
                stateful.StateBuffer(state).CopyTo(StateBuffer(state));
                stateful.FreshBuffer(state).CopyTo(FreshBuffer(state));
            }

            return;
        }

        int length = checked(BatchSize * Layout.StateLength);
        float[] values = ArrayPool<float>.Shared.Rent(length);
        other.GetState(values.AsSpan(0, length));
        SetState(values.AsSpan(0, length));
        ArrayPool<float>.Shared.Return(values);
    }

    /// <summary>Whether nobody is in a call, as far as a look can tell.</summary>
    private protected bool IsIdle => _use == 0;

    /// <summary>Whether a call is under way that did not <see cref="Begin"/>: it took care of nobody but itself.</summary>
    private protected virtual bool IsBusyOtherwise => false;

    /// <summary>Begins a call, which nobody else's may come into until it ends.</summary>
    /// <exception cref="InvalidOperationException">Another call is under way.</exception>
    /// <exception cref="ObjectDisposedException">It was disposed of.</exception>
    private protected Call Begin()
    {
        int before = Interlocked.CompareExchange(ref _use, Busy, 0);
        ObjectDisposedException.ThrowIf((before & Ended) != 0, this);
        if (before != 0)
        {
            ThrowInUse();
        }

        if (IsBusyOtherwise)
        {
            Finish();
            ThrowInUse();
        }

        return new Call(this);
    }

    /// <summary>Ends it for good: now, or with the call that is under way. Every later call throws.</summary>
    private protected void EndUse()
    {
        if (Interlocked.Or(ref _use, Ended) == 0)
        {
            Release();
        }
    }

    /// <summary>Lets go of what it holds, once, after the last call.</summary>
    private protected virtual void Release()
    {
    }

    [DoesNotReturn]
    private protected void ThrowInUse()
    {
        string kind = this is ITrainer ? "trainer" : "session";
        throw new InvalidOperationException($"Another thread is using this {kind} of {Layout}: it serves one caller at a time (create a {kind} for each thread).");
    }

    private void Finish()
    {
        // What is not just busy any more was disposed of meanwhile.
        if (Interlocked.CompareExchange(ref _use, 0, Busy) != Busy)
        {
            Volatile.Write(ref _use, Ended);
            Release();
        }
    }

    /// <summary>A call that is under way, until it is disposed of.</summary>
    private protected readonly ref struct Call(Stateful stateful)
    {
        public void Dispose() => stateful.Finish();
    }

    private Span<float> RowOf(int state, int units, int row) => StateBuffer(state).Slice(row * Padding.Of(units), units);

    private bool IsFresh(int state, int row) => FreshBuffer(state) is { IsEmpty: false } fresh && fresh[row * Padding.Lanes] != 0;

    private void SetFresh(int state, int row, bool isFresh)
    {
        if (FreshBuffer(state) is { IsEmpty: false } fresh)
        {
            fresh[row * Padding.Lanes] = isFresh ? 1 : 0;
        }
    }

    /// <summary>A row of a state as the next step finds it.</summary>
    private ReadOnlySpan<float> ValueOf(int state, int units, int row) => IsFresh(state, row) ? LearnedStartOf(state) : RowOf(state, units, row);

    private void ResetRow(int row)
    {
        ReadOnlySpan<StateInfo> states = Layout.StateSpan;
        for (int state = 0; state < states.Length; state++)
        {
            RowOf(state, states[state].Units, row).Fill(states[state].Start);
            SetFresh(state, row, isFresh: true);
        }
    }

    private void ReadRow(int row, Span<float> destination)
    {
        int next = 0;
        ReadOnlySpan<StateInfo> states = Layout.StateSpan;
        for (int state = 0; state < states.Length; state++)
        {
            int units = states[state].Units;
            ValueOf(state, units, row).CopyTo(destination[next..]);
            next += units;
        }
    }

    private void WriteRow(int row, ReadOnlySpan<float> values)
    {
        int next = 0;
        ReadOnlySpan<StateInfo> states = Layout.StateSpan;
        for (int state = 0; state < states.Length; state++)
        {
            int units = states[state].Units;
            values.Slice(next, units).CopyTo(RowOf(state, units, row));
            SetFresh(state, row, isFresh: false);
            next += units;
        }
    }

    private void RequireRow(int row)
    {
        if ((uint)row >= (uint)BatchSize)
        {
            throw new ArgumentOutOfRangeException(nameof(row), row, $"Rows are 0 to {BatchSize - 1}.");
        }
    }

    private static void RequireLength(int length, int rows, int elements, string argument)
    {
        if (length != (long)rows * elements)
        {
            throw new ArgumentException($"{rows} rows of {elements} elements of state are {(long)rows * elements}, not {length}.", argument);
        }
    }
}

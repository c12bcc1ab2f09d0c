using System.Buffers;
using System.ComponentModel;

namespace Unrolled.CompilerServices;

/// <summary>What sessions and trainers share: the state of every row.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public abstract class Stateful : IStateful
{
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
        ThrowIfDisposed();
        for (int row = 0; row < BatchSize; row++)
        {
            ResetRow(row);
        }
    }

    /// <inheritdoc/>
    public void ResetState(int row)
    {
        ThrowIfDisposed();
        RequireRow(row);
        ResetRow(row);
    }

    /// <inheritdoc/>
    public void GetState(Span<float> destination)
    {
        ThrowIfDisposed();
        RequireLength(destination.Length, BatchSize, Layout.StateLength, nameof(destination));
        for (int row = 0; row < BatchSize; row++)
        {
            ReadRow(row, destination.Slice(row * Layout.StateLength, Layout.StateLength));
        }
    }

    /// <inheritdoc/>
    public void SetState(ReadOnlySpan<float> values)
    {
        ThrowIfDisposed();
        RequireLength(values.Length, BatchSize, Layout.StateLength, nameof(values));
        for (int row = 0; row < BatchSize; row++)
        {
            WriteRow(row, values.Slice(row * Layout.StateLength, Layout.StateLength));
        }
    }

    /// <inheritdoc/>
    public void GetState(int row, Span<float> destination)
    {
        ThrowIfDisposed();
        RequireRow(row);
        RequireLength(destination.Length, 1, Layout.StateLength, nameof(destination));
        ReadRow(row, destination);
    }

    /// <inheritdoc/>
    public void SetState(int row, ReadOnlySpan<float> values)
    {
        ThrowIfDisposed();
        RequireRow(row);
        RequireLength(values.Length, 1, Layout.StateLength, nameof(values));
        WriteRow(row, values);
    }

    /// <inheritdoc/>
    public void GetState(string name, Span<float> destination)
    {
        ThrowIfDisposed();
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
        ThrowIfDisposed();
        int state = Layout.FindState(name);
        int units = Layout.StateSpan[state].Units;
        RequireLength(values.Length, BatchSize, units, nameof(values));
        PaddedRows.Write(values, StateBuffer(state), BatchSize, units);
        FreshBuffer(state).Clear();
    }

    /// <inheritdoc/>
    public void CopyStateFrom(IStateful other)
    {
        ThrowIfDisposed();
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

        if (other is Stateful stateful)
        {
            stateful.ThrowIfDisposed();
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

    private protected virtual void ThrowIfDisposed()
    {
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

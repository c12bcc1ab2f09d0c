using System.ComponentModel;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Unrolled.CompilerServices;

/// <summary>
/// The part of a session that is the same for every model: checks, and copies between the caller's spans and the padded buffers. The
/// emitted class provides the buffers and the arithmetic. Buffers are dense in the rows a call really has: [step][row][padded elements].
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public abstract class Session : Stateful, ISession
{
    private readonly int _inputSize;
    private readonly int _outputSize;
    private readonly ThreadTeam? _team;
    private readonly Action<WorkPart>? _work;

    // Whether a step is under way. Written without a fence, which would take a tenth of a small cell's step: threads that step one session
    // nearly always meet it and are refused. Where they slip past each other they spoil the state and nothing else: a step reads and writes
    // the session's own buffers, at places that no other call moves, by tokens that were checked before they came there.
    private bool _isStepping;

    // The piece that Run is at.
    private int _rows;
    private int _steps;

    /// <summary>Checks the numbers.</summary>
    /// <param name="layout">The model's shape.</param>
    /// <param name="batchSize">The greatest number of rows.</param>
    /// <param name="steps">How many steps <see cref="RunCore"/> takes at most.</param>
    /// <param name="threads">Threads that share the work of <c>Run</c>, the caller's among them.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive, or batch size and steps together are too large.</exception>
    protected Session(ModelLayout layout, int batchSize, int steps, int threads = 1)
        : base(layout, batchSize)
    {
        Check.Capacity(layout, batchSize, steps);
        Capacity = steps;
        _inputSize = layout.Tokens > 0 ? -1 : layout.InputSize;
        _outputSize = layout.OutputSize;
        _team = ThreadTeam.Of(threads);
        _work = _team is null ? null : part => RunCore(_rows, _steps, part);
    }

    /// <summary>How many steps <see cref="RunCore"/> takes at most.</summary>
    protected int Capacity { get; }

    /// <summary>Vectors: [capacity, batch size, features padded to a multiple of 16], the padding untouched. Tokens: empty.</summary>
    protected abstract Span<float> InputBuffer { get; }

    /// <summary>Tokens: [capacity, batch size]. Vectors: empty.</summary>
    protected abstract Span<int> TokenBuffer { get; }

    /// <summary>What <see cref="StepCore"/> wrote: [batch size, outputs padded to a multiple of 16]; what the padding holds does not matter.</summary>
    protected abstract ReadOnlySpan<float> OutputBuffer { get; }

    /// <summary>What <see cref="RunCore"/> wrote: [capacity, rows, outputs padded to a multiple of 16]; what the padding holds does not matter.</summary>
    /// <param name="rows">As in the last <see cref="RunCore"/>.</param>
    protected abstract ReadOnlySpan<float> RunOutputBuffer(int rows);

    /// <summary>One step of the first row alone: consumes the input, and moves the row's states on.</summary>
    /// <param name="input">The first of the features; null for models of tokens.</param>
    /// <param name="token">The token; models of vectors leave it alone.</param>
    /// <returns>The first of the outputs, which stay until the next call.</returns>
    /// <remarks>Throws nothing: <c>Step</c> has no time to clean up.</remarks>
    protected virtual ref float StepRow(ref float input, int token)
    {
        if (_inputSize < 0)
        {
            TokenBuffer[0] = token;
        }
        else
        {
            MemoryMarshal.CreateReadOnlySpan(ref input, _inputSize).CopyTo(InputBuffer);
        }

        StepCore(1);
        return ref MemoryMarshal.GetReference(OutputBuffer);
    }

    /// <summary>Consumes one step of the input buffer, writes the output buffer, and moves the first rows' states on.</summary>
    /// <param name="rows">1 to the batch size.</param>
    protected abstract void StepCore(int rows);

    /// <summary>Consumes steps of the input buffer, leaves as many outputs, and moves the first rows' states on.</summary>
    /// <param name="rows">1 to the batch size.</param>
    /// <param name="steps">1 to <see cref="Capacity"/>.</param>
    /// <param name="part">Which of the work is this thread's: each thread of the session calls this once.</param>
    protected abstract void RunCore(int rows, int steps, WorkPart part);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Step(ReadOnlySpan<float> input, Span<float> output)
    {
        if (input.Length == _inputSize && output.Length == _outputSize && IsIdle && !_isStepping)
        {
            _isStepping = true;
            ref float first = ref StepRow(ref MemoryMarshal.GetReference(input), 0);
            WorkingMemory.ReadRow(ref first, output);
            _isStepping = false;
            return;
        }

        StepRows(input, output);
    }

    private void StepRows(ReadOnlySpan<float> input, Span<float> output)
    {
        using Call call = Begin();
        Check.TakesVectors(Layout);
        int rows = Check.RowsOfStep(input.Length, Layout.InputSize, BatchSize, nameof(input));
        Check.Length(output.Length, 1, rows, Layout.OutputSize, nameof(output));
        PaddedRows.Write(input, InputBuffer, rows, Layout.InputSize);
        StepCore(rows);
        PaddedRows.Read(OutputBuffer, output, rows, Layout.OutputSize);
    }

    /// <inheritdoc/>
    public void Step(ReadOnlySpan<int> tokens, Span<float> output)
    {
        using Call call = Begin();
        Check.TakesTokens(Layout);
        int rows = Check.RowsOfStep(tokens.Length, 1, BatchSize, nameof(tokens));
        Check.Length(output.Length, 1, rows, Layout.OutputSize, nameof(output));
        Check.TakeTokens(tokens, TokenBuffer, Layout.Tokens, nameof(tokens));
        StepCore(rows);
        PaddedRows.Read(OutputBuffer, output, rows, Layout.OutputSize);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Step(int token, Span<float> output)
    {
        if ((uint)token < (uint)Layout.Tokens && output.Length == _outputSize && IsIdle && !_isStepping)
        {
            _isStepping = true;
            ref float first = ref StepRow(ref Unsafe.NullRef<float>(), token);
            WorkingMemory.ReadRow(ref first, output);
            _isStepping = false;
            return;
        }

        Check.TakesTokens(Layout);
        Check.Tokens(new ReadOnlySpan<int>(in token), Layout.Tokens, nameof(token));
        Step(new ReadOnlySpan<int>(in token), output);
    }

    /// <inheritdoc/>
    public void Run(ReadOnlySpan<float> inputs, Span<float> outputs, int rows = 0)
    {
        using Call call = Begin();
        Check.TakesVectors(Layout);
        rows = Check.Rows(rows, BatchSize);
        int features = Layout.InputSize;
        int steps = Check.Steps(inputs.Length, rows, features, nameof(inputs));
        Check.Length(outputs.Length, steps, rows, Layout.OutputSize, nameof(outputs));

        // Outputs of one piece are written before the next piece's inputs are read.
        Check.Disjoint(inputs, outputs, mayReplace: features == Layout.OutputSize, nameof(outputs));
        _team?.Wake();
        for (int step = 0; step < steps; step += Capacity)
        {
            int count = Math.Min(Capacity, steps - step);
            PaddedRows.Write(inputs.Slice(step * rows * features, count * rows * features), InputBuffer, count * rows, features);
            RunPiece(outputs, rows, step, count);
        }
    }

    /// <inheritdoc/>
    public void Run(ReadOnlySpan<int> tokens, Span<float> outputs, int rows = 0)
    {
        using Call call = Begin();
        Check.TakesTokens(Layout);
        rows = Check.Rows(rows, BatchSize);
        int steps = Check.Steps(tokens.Length, rows, 1, nameof(tokens));
        Check.Length(outputs.Length, steps, rows, Layout.OutputSize, nameof(outputs));
        Check.Disjoint(tokens, outputs, nameof(outputs));
        Check.Tokens(tokens, Layout.Tokens, nameof(tokens));
        _team?.Wake();
        for (int step = 0; step < steps; step += Capacity)
        {
            int count = Math.Min(Capacity, steps - step);
            Check.TakeTokens(tokens.Slice(step * rows, count * rows), TokenBuffer, Layout.Tokens, nameof(tokens));
            RunPiece(outputs, rows, step, count);
        }
    }

    private protected sealed override bool IsBusyOtherwise => _isStepping;

    private void RunPiece(Span<float> outputs, int rows, int step, int count)
    {
        if (_team is null)
        {
            RunCore(rows, count, default);
        }
        else
        {
            _rows = rows;
            _steps = count;
            _team.Run(_work!);
        }

        int length = rows * Layout.OutputSize;
        PaddedRows.Read(RunOutputBuffer(rows), outputs.Slice(step * length, count * length), count * rows, Layout.OutputSize);
    }
}

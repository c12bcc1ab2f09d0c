namespace Unrolled;

/// <summary>
/// Inference. The state is carried from call to call; a call with fewer rows than the batch size leaves the states of the other rows as
/// they are. Nothing is allocated, nothing needs disposing: helper threads, where more than one thread was asked for, end when the session is
/// collected. Everything is checked before any state is touched: a call that throws has changed nothing. One session is for one caller at a
/// time: while a call is under way, every other throws <see cref="InvalidOperationException"/> and leaves that one alone. (Single steps are too
/// short to be sure of each other. Two that begin in the same few nanoseconds may both go on; the state is then neither's, and nothing worse.)
/// What a caller's other threads write to a span while a call reads it, the call reads or refuses: it never reads elsewhere for that.
/// </summary>
public interface ISession : IStateful
{
    /// <summary>One step of vectors.</summary>
    /// <param name="input">[rows, features]; its length says how many rows, at most the batch size.</param>
    /// <param name="output">Takes [rows, outputs].</param>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    /// <exception cref="InvalidOperationException">The model reads tokens.</exception>
    void Step(ReadOnlySpan<float> input, Span<float> output);

    /// <summary>One step of tokens.</summary>
    /// <param name="tokens">[rows], at most the batch size.</param>
    /// <param name="output">Takes [rows, outputs].</param>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A token is none.</exception>
    /// <exception cref="InvalidOperationException">The model reads vectors.</exception>
    void Step(ReadOnlySpan<int> tokens, Span<float> output);

    /// <summary>One step of the first row.</summary>
    /// <param name="token">The token.</param>
    /// <param name="output">Takes [outputs].</param>
    /// <exception cref="ArgumentException">The length does not fit.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The token is none.</exception>
    /// <exception cref="InvalidOperationException">The model reads vectors.</exception>
    void Step(int token, Span<float> output);

    /// <summary>A sequence of vectors, of any number of steps.</summary>
    /// <param name="inputs">[steps, rows, features].</param>
    /// <param name="outputs">Takes [steps, rows, outputs]. May be <paramref name="inputs"/> itself where both have one size.</param>
    /// <param name="rows">The number of rows; 0 means the batch size.</param>
    /// <exception cref="ArgumentException">A length does not fit, or the spans overlap.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The number of rows is negative or greater than the batch size.</exception>
    /// <exception cref="InvalidOperationException">The model reads tokens.</exception>
    void Run(ReadOnlySpan<float> inputs, Span<float> outputs, int rows = 0);

    /// <summary>A sequence of tokens, of any number of steps.</summary>
    /// <param name="tokens">[steps, rows].</param>
    /// <param name="outputs">Takes [steps, rows, outputs].</param>
    /// <param name="rows">The number of rows; 0 means the batch size.</param>
    /// <exception cref="ArgumentException">A length does not fit, or the spans overlap.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A token is none, or the number of rows is negative or greater than the batch size.</exception>
    /// <exception cref="InvalidOperationException">The model reads vectors.</exception>
    void Run(ReadOnlySpan<int> tokens, Span<float> outputs, int rows = 0);
}

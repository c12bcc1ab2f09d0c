namespace Unrolled;

/// <summary>
/// Something that carries a model's state from call to call, for each of its <see cref="BatchSize"/> rows: a session, a trainer. A
/// sequence starts from zeros, or from what the model's equations say (<see cref="StateInfo.Start"/>, <see cref="StateInfo.LearnedStart"/>).
/// A learned start is read from the parameters when the row's first step is computed, and until then that is what the state reads as. A
/// state that was set is not the start any more, whatever its value: no gradient goes from it to the parameter.
/// </summary>
public interface IStateful
{
    /// <summary>The model's shape.</summary>
    ModelLayout Layout { get; }

    /// <summary>The number of rows: of independent sequences.</summary>
    int BatchSize { get; }

    /// <summary>Sets the state of every row to its start: new sequences begin.</summary>
    void ResetState();

    /// <summary>Sets the state of one row to its start: a new sequence begins there.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such row.</exception>
    void ResetState(int row);

    /// <summary>Reads the whole state.</summary>
    /// <param name="destination">
    /// Takes [batch size, <see cref="ModelLayout.StateLength"/>], row after row, in each the states in the order of <see cref="ModelLayout.States"/>.
    /// </param>
    /// <exception cref="ArgumentException">The length is another.</exception>
    void GetState(Span<float> destination);

    /// <summary>Writes the whole state.</summary>
    /// <param name="values">
    /// [batch size, <see cref="ModelLayout.StateLength"/>], row after row, in each the states in the order of <see cref="ModelLayout.States"/>.
    /// </param>
    /// <exception cref="ArgumentException">The length is another.</exception>
    void SetState(ReadOnlySpan<float> values);

    /// <summary>Reads the state of one row.</summary>
    /// <param name="row">The row.</param>
    /// <param name="destination">Takes [<see cref="ModelLayout.StateLength"/>], the states in the order of <see cref="ModelLayout.States"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such row.</exception>
    /// <exception cref="ArgumentException">The length is another.</exception>
    void GetState(int row, Span<float> destination);

    /// <summary>Writes the state of one row.</summary>
    /// <param name="row">The row.</param>
    /// <param name="values">[<see cref="ModelLayout.StateLength"/>], the states in the order of <see cref="ModelLayout.States"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such row.</exception>
    /// <exception cref="ArgumentException">The length is another.</exception>
    void SetState(int row, ReadOnlySpan<float> values);

    /// <summary>Reads one state of every row.</summary>
    /// <param name="name">The state's name.</param>
    /// <param name="destination">Takes [batch size, units].</param>
    /// <exception cref="KeyNotFoundException">The model has no such state.</exception>
    /// <exception cref="ArgumentException">The length is another.</exception>
    void GetState(string name, Span<float> destination);

    /// <summary>Writes one state of every row.</summary>
    /// <param name="name">The state's name.</param>
    /// <param name="values">[batch size, units].</param>
    /// <exception cref="KeyNotFoundException">The model has no such state.</exception>
    /// <exception cref="ArgumentException">The length is another.</exception>
    void SetState(string name, ReadOnlySpan<float> values);

    /// <summary>
    /// Takes the state of another session or trainer of the same model class and batch size. Where a sequence is about to start from what
    /// was learned there, it starts from what was learned here.
    /// </summary>
    /// <exception cref="ArgumentException">The other's model class or batch size is another.</exception>
    void CopyStateFrom(IStateful other);
}

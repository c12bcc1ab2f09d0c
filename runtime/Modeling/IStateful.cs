namespace Unrolled;

/// <summary>
/// Something that carries a model's state from call to call, for each of its <see cref="BatchSize"/> rows: a session, a trainer. A
/// state starts as zeros.
/// </summary>
public interface IStateful
{
    /// <summary>The model's shape.</summary>
    ModelLayout Layout { get; }

    /// <summary>The number of rows: of independent sequences.</summary>
    int BatchSize { get; }

    /// <summary>Sets the state of every row to zero: new sequences begin.</summary>
    void ResetState();

    /// <summary>Sets the state of one row to zero: a new sequence begins there.</summary>
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

    /// <summary>Takes the state of another session or trainer of the same model class and batch size.</summary>
    /// <exception cref="ArgumentException">The other's model class or batch size is another.</exception>
    void CopyStateFrom(IStateful other);
}

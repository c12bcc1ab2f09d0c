namespace Unrolled;

/// <summary>
/// Training by backpropagation through time. The state is carried from call to call, so that consecutive pieces of long sequences are
/// truncated backpropagation through time; <see cref="IStateful.ResetState()"/> begins new sequences. A call takes up to
/// <see cref="IStateful.BatchSize"/> rows and <see cref="Steps"/> steps; with fewer rows the states of the others stay as they are.
/// Everything is checked before any state is touched: a call that throws has changed nothing. One trainer is for one caller at a time: while a
/// call is under way, every other throws <see cref="InvalidOperationException"/> and leaves that one alone; what disposes of the trainer
/// meanwhile takes effect when the call ends.
/// </summary>
public interface ITrainer : IStateful, IDisposable
{
    /// <summary>How many steps a call takes at most.</summary>
    int Steps { get; }

    /// <summary>What was asked of the trainer.</summary>
    TrainerOptions Options { get; }

    /// <summary>
    /// The gradients of the parameters: of the last backward pass, or accumulated (<see cref="TrainerOptions.AccumulateGradients"/>) since
    /// they were last cleared.
    /// </summary>
    ParameterBlock Gradients { get; }

    /// <summary>The squared error of a piece of sequences and its gradients.</summary>
    /// <param name="inputs">[steps, rows, features].</param>
    /// <param name="targets">[steps, rows, outputs].</param>
    /// <param name="rows">The number of rows; 0 means the batch size.</param>
    /// <returns>The loss, reduced as <see cref="TrainerOptions.Reduction"/> says.</returns>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The number of rows is negative or greater than the batch size.</exception>
    /// <exception cref="InvalidOperationException">The model reads tokens, or its loss is another.</exception>
    /// <exception cref="ObjectDisposedException">The trainer is disposed.</exception>
    float ForwardBackward(ReadOnlySpan<float> inputs, ReadOnlySpan<float> targets, int rows = 0);

    /// <summary>The cross-entropy of a piece of sequences and its gradients.</summary>
    /// <param name="inputs">[steps, rows, features].</param>
    /// <param name="targets">Class ids, [steps, rows], 0 to outputs - 1.</param>
    /// <param name="rows">The number of rows; 0 means the batch size.</param>
    /// <returns>The loss in nats, reduced as <see cref="TrainerOptions.Reduction"/> says.</returns>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A class id is none, or the number of rows is negative or greater than the batch size.</exception>
    /// <exception cref="InvalidOperationException">The model reads tokens, or its loss is another.</exception>
    /// <exception cref="ObjectDisposedException">The trainer is disposed.</exception>
    float ForwardBackward(ReadOnlySpan<float> inputs, ReadOnlySpan<int> targets, int rows = 0);

    /// <summary>The squared error of a piece of sequences and its gradients.</summary>
    /// <param name="inputs">Token ids, [steps, rows].</param>
    /// <param name="targets">[steps, rows, outputs].</param>
    /// <param name="rows">The number of rows; 0 means the batch size.</param>
    /// <returns>The loss, reduced as <see cref="TrainerOptions.Reduction"/> says.</returns>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A token is none, or the number of rows is negative or greater than the batch size.</exception>
    /// <exception cref="InvalidOperationException">The model reads vectors, or its loss is another.</exception>
    /// <exception cref="ObjectDisposedException">The trainer is disposed.</exception>
    float ForwardBackward(ReadOnlySpan<int> inputs, ReadOnlySpan<float> targets, int rows = 0);

    /// <summary>The cross-entropy of a piece of sequences and its gradients.</summary>
    /// <param name="inputs">Token ids, [steps, rows].</param>
    /// <param name="targets">Class ids, [steps, rows], 0 to outputs - 1.</param>
    /// <param name="rows">The number of rows; 0 means the batch size.</param>
    /// <returns>The loss in nats, reduced as <see cref="TrainerOptions.Reduction"/> says.</returns>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A token or class id is none, or the number of rows is negative or greater than the batch size.</exception>
    /// <exception cref="InvalidOperationException">The model reads vectors, or its loss is another.</exception>
    /// <exception cref="ObjectDisposedException">The trainer is disposed.</exception>
    float ForwardBackward(ReadOnlySpan<int> inputs, ReadOnlySpan<int> targets, int rows = 0);

    /// <summary>The loss alone, as <see cref="ForwardBackward(ReadOnlySpan{float}, ReadOnlySpan{float}, int)"/> gives it; the state is carried too.</summary>
    /// <inheritdoc cref="ForwardBackward(ReadOnlySpan{float}, ReadOnlySpan{float}, int)"/>
    float Evaluate(ReadOnlySpan<float> inputs, ReadOnlySpan<float> targets, int rows = 0);

    /// <summary>The loss alone, as <see cref="ForwardBackward(ReadOnlySpan{float}, ReadOnlySpan{int}, int)"/> gives it; the state is carried too.</summary>
    /// <inheritdoc cref="ForwardBackward(ReadOnlySpan{float}, ReadOnlySpan{int}, int)"/>
    float Evaluate(ReadOnlySpan<float> inputs, ReadOnlySpan<int> targets, int rows = 0);

    /// <summary>The loss alone, as <see cref="ForwardBackward(ReadOnlySpan{int}, ReadOnlySpan{float}, int)"/> gives it; the state is carried too.</summary>
    /// <inheritdoc cref="ForwardBackward(ReadOnlySpan{int}, ReadOnlySpan{float}, int)"/>
    float Evaluate(ReadOnlySpan<int> inputs, ReadOnlySpan<float> targets, int rows = 0);

    /// <summary>The loss alone, as <see cref="ForwardBackward(ReadOnlySpan{int}, ReadOnlySpan{int}, int)"/> gives it; the state is carried too.</summary>
    /// <inheritdoc cref="ForwardBackward(ReadOnlySpan{int}, ReadOnlySpan{int}, int)"/>
    float Evaluate(ReadOnlySpan<int> inputs, ReadOnlySpan<int> targets, int rows = 0);

    /// <summary>Runs a piece of sequences; <see cref="GetOutputs"/> then reads what came out, and <see cref="Backward"/> may follow.</summary>
    /// <param name="inputs">[steps, rows, features].</param>
    /// <param name="rows">The number of rows; 0 means the batch size.</param>
    /// <exception cref="ArgumentException">The length does not fit.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The number of rows is negative or greater than the batch size.</exception>
    /// <exception cref="InvalidOperationException">The model reads tokens.</exception>
    /// <exception cref="ObjectDisposedException">The trainer is disposed.</exception>
    void Forward(ReadOnlySpan<float> inputs, int rows = 0);

    /// <summary>Runs a piece of sequences; <see cref="GetOutputs"/> then reads what came out, and <see cref="Backward"/> may follow.</summary>
    /// <param name="inputs">Token ids, [steps, rows].</param>
    /// <param name="rows">The number of rows; 0 means the batch size.</param>
    /// <exception cref="ArgumentException">The length does not fit.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A token is none, or the number of rows is negative or greater than the batch size.</exception>
    /// <exception cref="InvalidOperationException">The model reads vectors.</exception>
    /// <exception cref="ObjectDisposedException">The trainer is disposed.</exception>
    void Forward(ReadOnlySpan<int> inputs, int rows = 0);

    /// <summary>
    /// The gradients of a function of one's own of the outputs and final states, after one <c>Forward</c>. Does not change the state.
    /// </summary>
    /// <param name="outputGradients">The function's gradient by the outputs, [steps, rows, outputs].</param>
    /// <param name="finalStateGradients">
    /// Its gradient by the states after the last step, [rows, <see cref="ModelLayout.StateLength"/>], or nothing where they do not enter it.
    /// </param>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    /// <exception cref="InvalidOperationException">No <c>Forward</c> came before, or it was followed by a <c>Backward</c> already.</exception>
    /// <exception cref="ObjectDisposedException">The trainer is disposed.</exception>
    void Backward(ReadOnlySpan<float> outputGradients, ReadOnlySpan<float> finalStateGradients = default);

    /// <summary>The outputs of the last call.</summary>
    /// <param name="destination">Takes [steps, rows, outputs].</param>
    /// <exception cref="ArgumentException">The length is another.</exception>
    /// <exception cref="InvalidOperationException">There was no call yet.</exception>
    /// <exception cref="ObjectDisposedException">The trainer is disposed.</exception>
    void GetOutputs(Span<float> destination);

    /// <summary>The gradients by the inputs of the last call.</summary>
    /// <param name="destination">Takes [steps, rows, features].</param>
    /// <exception cref="ArgumentException">The length is another.</exception>
    /// <exception cref="InvalidOperationException">
    /// They were not asked for (<see cref="TrainerOptions.InputGradients"/>), the model reads tokens, or the last call had no backward pass.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The trainer is disposed.</exception>
    void GetInputGradients(Span<float> destination);

    /// <summary>The gradients by the states before the first step of the last call.</summary>
    /// <param name="destination">
    /// Takes [rows, <see cref="ModelLayout.StateLength"/>], row after row, in each the states in the order of <see cref="ModelLayout.States"/>.
    /// </param>
    /// <exception cref="ArgumentException">The length is another.</exception>
    /// <exception cref="InvalidOperationException">The last call had no backward pass.</exception>
    /// <exception cref="ObjectDisposedException">The trainer is disposed.</exception>
    void GetInitialStateGradients(Span<float> destination);
}

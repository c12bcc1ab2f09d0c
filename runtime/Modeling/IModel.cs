namespace Unrolled;

/// <summary>A recurrent network: parameters, and what runs and trains them. Every emitted model class implements it.</summary>
public interface IModel
{
    /// <summary>The model's shape, the same object for every model of a class.</summary>
    ModelLayout Layout { get; }

    /// <summary>The parameters. Sessions read them freely from several threads while nobody writes them.</summary>
    ParameterBlock Parameters { get; }

    /// <summary>Creates a session: inference, with a state of its own.</summary>
    /// <param name="batchSize">How many independent sequences it can run at once.</param>
    /// <param name="steps">
    /// How many steps <c>Run</c> works on at a time; sequences may be longer. They decide no bit of a result but what memory the session takes;
    /// 0 means as many as make it fast, and 1 is enough where only single steps are taken.
    /// </param>
    /// <param name="threads">
    /// Threads that share the work of <c>Run</c>, the caller's among them; they decide no bit of a result. More than the caller's own are
    /// kept, asleep between calls, until the session is collected.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// A number is negative, or zero and not that of the steps, batch size and steps together are too large, or there are more than 1,024 threads.
    /// </exception>
    ISession CreateSession(int batchSize = 1, int steps = 0, int threads = 1);

    /// <summary>Creates a trainer, with a state and gradients of its own.</summary>
    /// <param name="batchSize">How many independent sequences a call can take at most.</param>
    /// <param name="steps">How many steps a call can take at most: over how many steps errors are propagated back.</param>
    /// <param name="options">What else is asked of it.</param>
    /// <param name="threads">
    /// Threads that share the work of a call, the caller's among them; they decide no bit of a result. More than the caller's own are kept,
    /// asleep between calls, until the trainer is disposed or collected.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// A number is not positive, batch size and steps together are too large, or there are more than 1,024 threads.
    /// </exception>
    ITrainer CreateTrainer(int batchSize, int steps, TrainerOptions? options = null, int threads = 1);
}

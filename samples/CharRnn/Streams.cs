using Unrolled;

namespace CharRnn;

/// <summary>
/// The training text as batches: cut into as many contiguous streams as a batch has rows, so that the state a chunk ends with is
/// the state its successor begins with.
/// </summary>
internal sealed class Streams
{
    private readonly Corpus _corpus;
    private readonly RandomStream _random;
    private readonly int _batchSize;
    private readonly int _steps;
    private readonly int _length;
    private int _position;
    private int _chunksLeft;

    public Streams(Corpus corpus, int batchSize, int steps, RandomStream random)
    {
        _corpus = corpus;
        _random = random;
        _batchSize = batchSize;
        _steps = steps;
        _length = (corpus.TrainingLength - 1) / batchSize;
        Inputs = new int[steps * batchSize];
        Targets = new int[steps * batchSize];
    }

    /// <summary>The characters to read, time-major: [step, row].</summary>
    public int[] Inputs { get; }

    /// <summary>The characters to predict: each input's successor in the text.</summary>
    public int[] Targets { get; }

    /// <summary>Goes to the next chunk of every stream. True where a new pass over the text begins and the state with it.</summary>
    public bool Advance()
    {
        var begins = _chunksLeft == 0;
        if (begins)
        {
            // Every pass begins at another character, so that no tail is left out and chunks do not always break at the same place.
            _chunksLeft = _length / _steps;
            _position = (int)(_random.NextDouble() * (_length - _chunksLeft * _steps + 1));
        }

        for (var row = 0; row < _batchSize; row++)
        {
            var chunk = _corpus.Bytes.Slice(row * _length + _position, _steps + 1);
            for (var step = 0; step < _steps; step++)
            {
                Inputs[step * _batchSize + row] = chunk[step];
                Targets[step * _batchSize + row] = chunk[step + 1];
            }
        }

        _chunksLeft--;
        _position += _steps;
        return begins;
    }
}

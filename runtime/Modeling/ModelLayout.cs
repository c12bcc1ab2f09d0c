using System.Collections.ObjectModel;
using System.ComponentModel;

namespace Unrolled;

/// <summary>A value a model carries from step to step: a hidden state, a memory cell.</summary>
/// <param name="Name">The name, <c>{layer}.{symbol}</c>: <c>lstm_0.c</c>.</param>
/// <param name="Units">The number of elements.</param>
public sealed record StateInfo(string Name, int Units)
{
    /// <summary>The number its elements are before the first step.</summary>
    public float Start { get; init; }

    /// <summary>
    /// The parameter that holds what it learned to be before the first step, <c>lstm_0.h_start</c>; null where it is <see cref="Start"/>.
    /// </summary>
    public string? LearnedStart { get; init; }
}

/// <summary>
/// The shape of a model: what it reads and gives, its parameters and where they lie, its states. Every model class has one; blocks,
/// optimizers and states fit together when they share it.
/// </summary>
public sealed class ModelLayout
{
    /// <summary>Elements of a vector at the most: rows of them, padded, are addressed with 32 bits.</summary>
    private const int MostElements = 1 << 30;

    private readonly ParameterInfo[] _parameters;
    private readonly StateInfo[] _states;

    // What callers see of the arrays: nobody else may write them, since emitted code trusts them.
    private readonly ReadOnlyCollection<ParameterInfo> _readOnlyParameters;
    private readonly ReadOnlyCollection<StateInfo> _readOnlyStates;
    private readonly Dictionary<string, int> _parametersByName;
    private readonly Dictionary<string, int> _statesByName;

    /// <summary>Describes a model. For emitted code.</summary>
    /// <param name="name">The model's name.</param>
    /// <param name="tokens">The number of tokens, or 0 where the model reads vectors.</param>
    /// <param name="features">The elements of an input vector, or 0 where the model reads tokens.</param>
    /// <param name="outputs">The elements of an output vector.</param>
    /// <param name="loss">The built-in loss.</param>
    /// <param name="blockLength">Floats of a packed block of parameters, a multiple of 16.</param>
    /// <param name="parameters">The parameters; names differ.</param>
    /// <param name="states">The states, in the order they are read and written in; names differ.</param>
    /// <exception cref="ArgumentException">The numbers contradict one another.</exception>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public ModelLayout(
        string name,
        int tokens,
        int features,
        int outputs,
        Loss loss,
        int blockLength,
        ParameterInfo[] parameters,
        StateInfo[] states)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentNullException.ThrowIfNull(states);
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        ArgumentOutOfRangeException.ThrowIfNegative(features);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(outputs);
        ArgumentOutOfRangeException.ThrowIfNegative(blockLength);
        RequireExtent(tokens, nameof(tokens));
        RequireExtent(features, nameof(features));
        RequireExtent(outputs, nameof(outputs));
        if (tokens > 0 == features > 0)
        {
            throw new ArgumentException($"A model reads tokens or vectors: {tokens} tokens and {features} features were given (one of them must be 0).");
        }

        if (blockLength % Padding.Lanes != 0)
        {
            throw new ArgumentException($"A block of {blockLength} floats is not a multiple of {Padding.Lanes}.", nameof(blockLength));
        }

        Name = name;
        TakesTokens = tokens > 0;
        Tokens = tokens;
        InputSize = TakesTokens ? tokens : features;
        OutputSize = outputs;
        Loss = loss;
        BlockLength = blockLength;
        _parameters = [.. parameters];
        _states = [.. states];
        _readOnlyParameters = Array.AsReadOnly(_parameters);
        _readOnlyStates = Array.AsReadOnly(_states);

        _parametersByName = new Dictionary<string, int>(_parameters.Length, StringComparer.Ordinal);
        long count = 0;
        for (int i = 0; i < _parameters.Length; i++)
        {
            ParameterInfo parameter = _parameters[i];
            Verify(parameter, blockLength);
            if (!_parametersByName.TryAdd(parameter.Name, i))
            {
                throw new ArgumentException($"Two parameters are called '{parameter.Name}'.", nameof(parameters));
            }

            count += parameter.Length;
        }

        ParameterCount = checked((int)count);

        _statesByName = new Dictionary<string, int>(_states.Length, StringComparer.Ordinal);
        long length = 0;
        for (int i = 0; i < _states.Length; i++)
        {
            if (_states[i].Units is <= 0 or > MostElements)
            {
                throw new ArgumentException($"State '{_states[i].Name}' has {_states[i].Units} units.", nameof(states));
            }

            if (!_statesByName.TryAdd(_states[i].Name, i))
            {
                throw new ArgumentException($"Two states are called '{_states[i].Name}'.", nameof(states));
            }

            if (_states[i].LearnedStart is { } start
                && !(_parametersByName.TryGetValue(start, out int learned) && _parameters[learned] is { IsMatrix: false } vector && vector.Rows == _states[i].Units))
            {
                throw new ArgumentException($"State '{_states[i].Name}' starts from '{start}', which is no vector of {_states[i].Units} elements.", nameof(states));
            }

            length += _states[i].Units;
        }

        StateLength = checked((int)length);
    }

    /// <summary>The model's name.</summary>
    public string Name { get; }

    /// <summary>Whether the model reads token ids and not vectors.</summary>
    public bool TakesTokens { get; }

    /// <summary>The number of tokens, 0 where the model reads vectors.</summary>
    public int Tokens { get; }

    /// <summary>The number of tokens, or the elements of an input vector.</summary>
    public int InputSize { get; }

    /// <summary>The elements of an output vector.</summary>
    public int OutputSize { get; }

    /// <summary>The built-in loss.</summary>
    public Loss Loss { get; }

    /// <summary>Floats of a packed block of parameters, padding included: a multiple of 16.</summary>
    public int BlockLength { get; }

    /// <summary>The parameters.</summary>
    public IReadOnlyList<ParameterInfo> Parameters => _readOnlyParameters;

    /// <summary>The states, in the order they are read and written in.</summary>
    public IReadOnlyList<StateInfo> States => _readOnlyStates;

    /// <summary>The number of elements of all parameters together, without padding.</summary>
    public int ParameterCount { get; }

    /// <summary>The number of elements of all states of one row together.</summary>
    public int StateLength { get; }

    /// <summary>The parameter of a name.</summary>
    /// <exception cref="KeyNotFoundException">There is none; the message names those there are, the nearest first.</exception>
    public ParameterInfo FindParameter(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return _parametersByName.TryGetValue(name, out int index)
            ? _parameters[index]
            : throw UnknownName.Exception(Name, "parameter", name, _parametersByName.Keys);
    }

    /// <summary>The place in <see cref="States"/> of the state of a name.</summary>
    /// <exception cref="KeyNotFoundException">There is none; the message names those there are, the nearest first.</exception>
    public int FindState(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return _statesByName.TryGetValue(name, out int index)
            ? index
            : throw UnknownName.Exception(Name, "state", name, _statesByName.Keys);
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    internal ReadOnlySpan<ParameterInfo> ParameterSpan => _parameters;

    internal ReadOnlySpan<StateInfo> StateSpan => _states;

    private static void RequireExtent(int extent, string name)
    {
        if (extent > MostElements)
        {
            throw new ArgumentOutOfRangeException(name, extent, $"Vectors have at most {MostElements} elements.");
        }
    }

    private static void Verify(ParameterInfo parameter, int blockLength)
    {
        PackedSegment segment = parameter.Segment;
        if (parameter.Rows is <= 0 or > MostElements || parameter.Columns is < 0 or > MostElements)
        {
            throw new ArgumentException($"Parameter '{parameter.Name}' has the shape [{parameter.Rows}, {parameter.Columns}].");
        }

        if (segment.Slots < 1 || segment.Slot < 0 || segment.Slot >= segment.Slots || segment.PanelVectors < 1)
        {
            throw new ArgumentException($"Parameter '{parameter.Name}' lies in an impossible packing: {segment}.");
        }

        // A vector need not have its padding to itself: it may be the last of several that share a vector.
        Int128 end = segment.Offset + (parameter.IsMatrix ? parameter.PackedLength : parameter.Rows);
        if (segment.Offset < 0 || end > blockLength)
        {
            throw new ArgumentException($"Parameter '{parameter.Name}' ends at {end}, outside the block of {blockLength} floats.");
        }
    }
}

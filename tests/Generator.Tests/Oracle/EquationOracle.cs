using Unrolled.Generator.Frontend;
using Unrolled.Generator.Frontend.Equations;

namespace Unrolled.Generator.Tests.Oracle;

/// <summary>What a run of the equations gives.</summary>
/// <param name="Outputs"><c>[steps, batch, outputs]</c></param>
/// <param name="FinalStates"><c>[batch, StateLength]</c>, within a row in the order of the layout's states.</param>
internal sealed record OracleRun(double[] Outputs, double[] FinalStates);

/// <summary>A state of the oracle: what layer <see cref="Layer"/> remembers of <see cref="Symbol"/>, <see cref="Delay"/> steps old.</summary>
internal sealed record OracleState(int Layer, string Symbol, int Delay, int Units);

/// <summary>
/// A stack of layers, run from their parsed equations in double precision, one step after another: the first oracle.
/// It shares the parser with the compiler and nothing behind it.
/// </summary>
internal sealed class EquationOracle
{
    private readonly List<OracleLayer> _layers = [];
    private readonly List<GivenValue> _stateValues = [];
    private readonly List<OracleState> _states = [];
    private readonly int _inputSize;
    private int _reserved;

    /// <param name="layers">The layers, from the input on.</param>
    /// <param name="layout">Names and shapes of the parameters, names of the states, and the input's size.</param>
    public EquationOracle(IReadOnlyList<LayerSpec> layers, ModelLayout layout)
    {
        _inputSize = layout.InputSize;
        Parameters = layout.Parameters.ToDictionary(parameter => parameter.Name, parameter => new double[parameter.Length]);
        int size = layout.InputSize;
        foreach (LayerSpec spec in layers)
        {
            string prefix = spec.Name + ".";
            ParameterInfo[] own = layout.Parameters.Where(parameter => parameter.Name.StartsWith(prefix, StringComparison.Ordinal)).ToArray();
            var layer = new OracleLayer(
                spec,
                ParsedCells.Expand(spec, size),
                size,
                own.ToDictionary(parameter => parameter.Name[prefix.Length..], parameter => Parameters[parameter.Name]),
                own.Where(parameter => parameter.IsMatrix).ToDictionary(parameter => parameter.Name[prefix.Length..], parameter => (parameter.Rows, parameter.Columns)),
                Kinks);
            _layers.Add(layer);
            size = layer.Output.Size;
        }

        OutputSize = size;
        foreach (StateInfo state in layout.States)
        {
            OracleState found = Find(layers, state);
            _states.Add(found);
            _stateValues.Add(_layers[found.Layer].Delayed[(found.Symbol, found.Delay)]);
        }

        int remembered = _layers.Sum(layer => layer.Delayed.Count);
        if (_states.Count != remembered || _states.Distinct().Count() != remembered)
        {
            throw new InvalidOperationException($"The layout has {_states.Count} states where the equations remember {remembered} values");
        }
    }

    /// <summary>Elements of every parameter by its full name, row-major. Changes count from the next run on.</summary>
    public IReadOnlyDictionary<string, double[]> Parameters { get; }

    public IReadOnlyList<OracleState> States => _states;

    public int StateLength => _states.Sum(state => state.Units);

    public int InputSize => _inputSize;

    public int OutputSize { get; }

    public KinkWatch Kinks { get; } = new();

    /// <summary>Rows whose sequences begin: their initial states are what they have on top of their starts.</summary>
    public IReadOnlySet<int> FreshRows { get; set; } = new HashSet<int>();

    /// <summary>Whether any state starts from something else than zeros.</summary>
    public bool HasStarts => _states.Any(state => StartOf(state) is not null);

    /// <summary>Runs a batch of sequences.</summary>
    /// <param name="inputs"><c>[steps, rows, InputSize]</c>; tokens as one-hot vectors.</param>
    /// <param name="initialStates"><c>[rows, StateLength]</c></param>
    /// <param name="rows">Sequences in the batch.</param>
    public OracleRun Run(double[] inputs, double[] initialStates, int rows)
    {
        if (rows > _reserved)
        {
            _layers.ForEach(layer => layer.Reserve(rows));
            _reserved = rows;
        }

        Kinks.Reset();
        int steps = inputs.Length / rows / _inputSize;
        var outputs = new double[steps * rows * OutputSize];
        CopyStates(initialStates, rows, into: false);
        AddStarts();
        for (int step = 0; step < steps; step++)
        {
            double[] source = inputs;
            int offset = step * rows * _inputSize;
            foreach (OracleLayer layer in _layers)
            {
                Array.Copy(source, offset, layer.Input.Data, 0, rows * layer.Input.Size);
                layer.Step(rows);
                source = layer.Output.Data;
                offset = 0;
            }

            Array.Copy(source, 0, outputs, step * rows * OutputSize, rows * OutputSize);
        }

        var finals = new double[rows * StateLength];
        CopyStates(finals, rows, into: true);
        return new OracleRun(outputs, finals);
    }

    /// <summary>The state that a fresh row begins with.</summary>
    public double[] Start()
    {
        var start = new List<double>();
        foreach (OracleState state in _states)
        {
            start.AddRange(Enumerable.Range(0, state.Units).Select(unit => StartOf(state)?.At(0, unit) ?? 0));
        }

        return [.. start];
    }

    private OracleValue? StartOf(OracleState state) => _layers[state.Layer].StartOf(state.Symbol);

    private void AddStarts()
    {
        foreach ((OracleState state, GivenValue value) in _states.Zip(_stateValues))
        {
            if (StartOf(state) is { } start)
            {
                foreach (int row in FreshRows)
                {
                    for (int unit = 0; unit < value.Size; unit++)
                    {
                        value.Data[row * value.Size + unit] += start.At(0, unit);
                    }
                }
            }
        }
    }

    private void CopyStates(double[] states, int rows, bool into)
    {
        int stateLength = StateLength;
        int offset = 0;
        foreach (GivenValue value in _stateValues)
        {
            for (int row = 0; row < rows; row++)
            {
                if (into)
                {
                    Array.Copy(value.Data, row * value.Size, states, row * stateLength + offset, value.Size);
                }
                else
                {
                    Array.Copy(states, row * stateLength + offset, value.Data, row * value.Size, value.Size);
                }
            }

            offset += value.Size;
        }
    }

    private OracleState Find(IReadOnlyList<LayerSpec> specs, StateInfo state)
    {
        for (int index = 0; index < _layers.Count; index++)
        {
            foreach (((string symbol, int delay), GivenValue value) in _layers[index].Delayed)
            {
                if (state.Name == StateName(specs[index].Name, symbol, delay))
                {
                    return value.Size == state.Units
                        ? new OracleState(index, symbol, delay, value.Size)
                        : throw new InvalidOperationException($"State '{state.Name}' has {state.Units} units; its equation has {value.Size}");
                }
            }
        }

        throw new InvalidOperationException($"No equation remembers the state '{state.Name}'");
    }

    /// <summary>What a state is called: <c>lstm_0.c</c>, and <c>lstm_0.c[t-2]</c> where it is two steps old.</summary>
    private static string StateName(string layer, string symbol, int delay) =>
        delay == 1 ? $"{layer}.{symbol}" : $"{layer}.{symbol}[t-{delay}]";
}

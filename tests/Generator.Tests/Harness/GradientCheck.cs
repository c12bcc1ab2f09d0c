using System.Collections.Concurrent;
using Unrolled.Generator.Tests.Oracle;
using Xunit;

namespace Unrolled.Generator.Tests.Harness;

/// <summary>Runs a compiled network once, forward and backward, and holds everything it gives against the equations.</summary>
internal sealed class GradientCheck
{
    /// <summary>Up to here every coordinate of every parameter is checked; above, directions and a sample of coordinates.</summary>
    public const int EveryCoordinate = 2000;

    /// <summary>Why a network is skipped that stands on a kink whatever its values are.</summary>
    public const string WhyOnKink = "It stands on a kink whatever its values are";

    private const int Directions = 3;
    private const int Coordinates = 20;

    // Half an ulp of a float32 of size 1.
    private const double Rounding = 1.0 / (1 << 24);

    // A single-precision run can take the other side of a kink than the oracle where it is nearer than its own rounding errors.
    private const double SafeDistance = 2e-5;

    private readonly TestNetwork _network;
    private readonly ModelLayout _layout;
    private readonly IModel _model;
    private readonly int _rows;
    private readonly int _steps;
    private readonly double _conditioning;
    private readonly ITestOutputHelper? _output;
    private readonly List<string> _failures = [];
    private Random _random = new(0);
    private float[] _inputs = [];
    private int[] _tokens = [];
    private float[] _initialStates = [];
    private double[] _inputValues = [];
    private double[] _initialValues = [];
    private EquationOracle _oracle;

    private GradientCheck(TestNetwork network, IModel model, int rows, int steps, double conditioning, ITestOutputHelper? output)
    {
        _network = network;
        _model = model;
        _layout = model.Layout;
        _rows = rows;
        _steps = steps;
        _conditioning = conditioning;
        _output = output;
        _oracle = new EquationOracle(network.Specs, _layout);
        if (_oracle.HasStarts)
        {
            // Every other row begins, the rest are set.
            _oracle.FreshRows = Enumerable.Range(0, rows).Where(row => row % 2 == 0).ToHashSet();
        }
    }

    /// <summary>Checks outputs, final states, the loss and all gradients.</summary>
    /// <param name="network">The network's equations.</param>
    /// <param name="model">The same, compiled.</param>
    /// <param name="rows">Sequences in the batch.</param>
    /// <param name="steps">Steps of the sequences.</param>
    /// <param name="seed">Seed of parameters, inputs and upstream gradients.</param>
    /// <param name="conditioning">How many times more than an ordinary gate the cell's own functions magnify rounding.</param>
    /// <param name="output">Takes the worst deviations.</param>
    /// <param name="mayStandOnKink">Whether to skip a network that stands on a kink whatever its values are: there no difference quotient tells a slope.</param>
    public static void Run(
        TestNetwork network, IModel model, int rows, int steps, int seed, double conditioning = 1, ITestOutputHelper? output = null, bool mayStandOnKink = false)
    {
        var check = new GradientCheck(network, model, rows, steps, conditioning, output);
        check.CheckSurface();
        double nearest = check.ChooseValues(seed);
        Assert.SkipWhen(mayStandOnKink && nearest == 0, WhyOnKink);
        Assert.True(nearest >= SafeDistance, $"No values found that keep away from kinks: {nearest:G3}");
        check.CheckTraining();
        check.CheckStreaming();
        Assert.True(check._failures.Count == 0, string.Join(Environment.NewLine, check._failures));
    }

    // A sum of n rounded terms errs like the square root of n, a function by up to 4 ulp, 8 roundings. Layers and steps feed errors on, but
    // gates damp them: a handful of steps' worth adds up.
    private double ForwardTolerance
    {
        get
        {
            int longest = _layout.Parameters.Max(parameter => Math.Max(1, parameter.Columns));
            return _conditioning * Rounding * (8 + 1.5 * Math.Sqrt(longest)) * Math.Sqrt(Math.Min(_steps, 9) * _network.Layers.Count);
        }
    }

    // Backward goes the same road again, and a weight's gradient is a sum over all rows and steps.
    private double GradientTolerance => 2 * ForwardTolerance + _conditioning * Rounding * 4 * Math.Sqrt(_rows * _steps);

    private void CheckSurface()
    {
        Assert.Equal(_network.Tokens > 0, _layout.TakesTokens);
        Assert.Equal(_network.Tokens + _network.Features, _layout.InputSize);
        Assert.Equal(_oracle.OutputSize, _layout.OutputSize);
        Assert.Equal(_network.Loss, _layout.Loss);
        Assert.Equal(_oracle.StateLength, _layout.StateLength);
        Assert.Equal(_layout.Parameters.Sum(parameter => parameter.Length), _layout.ParameterCount);
    }

    /// <summary>Values that keep away from kinks, as far as there are any; the distance to the nearest.</summary>
    private double ChooseValues(int seed)
    {
        double nearest = 0;
        for (int attempt = 0; attempt < 100 && nearest < SafeDistance; attempt++)
        {
            _random = new Random(seed + 7919 * attempt);
            foreach (ParameterInfo parameter in _layout.Parameters)
            {
                double bound = parameter.IsMatrix ? 1.2 / Math.Sqrt(parameter.Columns) : 0.5;
                float[] values = Floats(parameter.Length, bound);
                _model.Parameters.Set(parameter.Name, values);
                Array.ConvertAll(values, value => (double)value).CopyTo(_oracle.Parameters[parameter.Name], 0);
            }

            if (_layout.TakesTokens)
            {
                _tokens = new int[_steps * _rows];
                _inputValues = new double[_tokens.Length * _layout.Tokens];
                for (int i = 0; i < _tokens.Length; i++)
                {
                    _tokens[i] = _random.Next(_layout.Tokens);
                    _inputValues[i * _layout.Tokens + _tokens[i]] = 1;
                }
            }
            else
            {
                _inputs = Floats(_steps * _rows * _layout.InputSize, 1);
                _inputValues = Array.ConvertAll(_inputs, value => (double)value);
            }

            _initialStates = Floats(_rows * _layout.StateLength, 0.8);
            foreach (int row in _oracle.FreshRows)
            {
                _initialStates.AsSpan(row * _layout.StateLength, _layout.StateLength).Clear();
            }

            _initialValues = Array.ConvertAll(_initialStates, value => (double)value);
            _oracle.Run(_inputValues, _initialValues, _rows);
            nearest = _oracle.Kinks.Nearest;
        }

        return nearest;
    }

    /// <summary>One, two or three threads: networks of every kind are divided among some.</summary>
    private int Threads => 1 + _layout.ParameterCount % 3;

    private void SetInitialStates(IStateful stateful)
    {
        double[] expected = [.. _initialValues];
        for (int row = 0; row < _rows; row++)
        {
            if (_oracle.FreshRows.Contains(row))
            {
                _oracle.Start().CopyTo(expected, row * _layout.StateLength);
            }
            else
            {
                stateful.SetState(row, _initialStates.AsSpan(row * _layout.StateLength, _layout.StateLength));
            }
        }

        var found = new float[_initialStates.Length];
        stateful.GetState(found);
        Compare("states before the first step", found, expected, 0, 1);
    }

    private void CheckTraining()
    {
        var options = new TrainerOptions
        {
            InputGradients = !_layout.TakesTokens,
            Reduction = _random.Next(2) == 0 ? LossReduction.Mean : LossReduction.Sum,
        };
        bool mean = options.Reduction == LossReduction.Mean;
        using ITrainer trainer = _model.CreateTrainer(_rows, _steps, options, Threads);
        SetInitialStates(trainer);
        OracleRun expected = _oracle.Run(_inputValues, _initialValues, _rows);
        OracleLoss loss;
        if (_network.Loss == Loss.None)
        {
            float[] outputGradients = Floats(expected.Outputs.Length, 1);
            float[] finalGradients = Floats(_initialStates.Length, 1);
            loss = new LinearLoss(Array.ConvertAll(outputGradients, value => (double)value), Array.ConvertAll(finalGradients, value => (double)value), _layout.OutputSize);
            if (_layout.TakesTokens)
            {
                trainer.Forward(_tokens);
            }
            else
            {
                trainer.Forward(_inputs);
            }

            trainer.Backward(outputGradients, finalGradients);
        }
        else
        {
            float actual;
            if (_network.Loss == Loss.SoftmaxCrossEntropy)
            {
                int[] targets = Enumerable.Range(0, _steps * _rows).Select(_ => _random.Next(_layout.OutputSize)).ToArray();
                loss = new CrossEntropyLoss(targets, _layout.OutputSize, mean);
                actual = _layout.TakesTokens ? trainer.ForwardBackward(_tokens, targets) : trainer.ForwardBackward(_inputs, targets);
            }
            else
            {
                float[] targets = Floats(expected.Outputs.Length, 1);
                loss = new SquaredErrorLoss(Array.ConvertAll(targets, value => (double)value), _layout.OutputSize, mean);
                actual = _layout.TakesTokens ? trainer.ForwardBackward(_tokens, targets) : trainer.ForwardBackward(_inputs, targets);
            }

            Compare("loss", [actual], [loss.Value(expected, _rows)], ForwardTolerance, 1e-3);
        }

        var outputs = new float[expected.Outputs.Length];
        trainer.GetOutputs(outputs);
        Compare("outputs", outputs, expected.Outputs, ForwardTolerance, 1e-3);
        var finals = new float[expected.FinalStates.Length];
        trainer.GetState(finals);
        Compare("final states", finals, expected.FinalStates, ForwardTolerance, 1e-3);
        CheckGradients(trainer, loss);
    }

    private void CheckStreaming()
    {
        OracleRun expected = _oracle.Run(_inputValues, _initialValues, _rows);
        ISession session = _model.CreateSession(_rows, Math.Max(1, _steps / 2), Threads);
        SetInitialStates(session);
        var outputs = new float[expected.Outputs.Length];
        int half = _steps / 2;
        int width = _rows * _layout.OutputSize;
        for (int step = 0; step < half; step++)
        {
            Span<float> destination = outputs.AsSpan(step * width, width);
            if (_layout.TakesTokens)
            {
                session.Step(_tokens.AsSpan(step * _rows, _rows), destination);
            }
            else
            {
                session.Step(_inputs.AsSpan(step * _rows * _layout.InputSize, _rows * _layout.InputSize), destination);
            }
        }

        if (_layout.TakesTokens)
        {
            session.Run(_tokens.AsSpan(half * _rows), outputs.AsSpan(half * width));
        }
        else
        {
            session.Run(_inputs.AsSpan(half * _rows * _layout.InputSize), outputs.AsSpan(half * width));
        }

        Compare("streamed outputs", outputs, expected.Outputs, ForwardTolerance, 1e-3);
        var finals = new float[expected.FinalStates.Length];
        session.GetState(finals);
        Compare("streamed states", finals, expected.FinalStates, ForwardTolerance, 1e-3);
    }

    private void CheckGradients(ITrainer trainer, OracleLoss loss)
    {
        var actual = new Dictionary<string, float[]>();
        foreach (ParameterInfo parameter in _layout.Parameters)
        {
            actual.Add(parameter.Name, trainer.Gradients.ToArray(parameter.Name));
        }

        // Each worker has an oracle of its own: a run writes into its values.
        var workers = new ConcurrentBag<CentralDifferences>();
        CentralDifferences Rent() => workers.TryTake(out CentralDifferences? worker) ? worker : NewWorker(loss);

        var probes = new List<Probe>();
        bool everyCoordinate = _layout.ParameterCount <= EveryCoordinate;
        foreach (ParameterInfo parameter in _layout.Parameters)
        {
            float[] gradient = actual[parameter.Name];
            string name = parameter.Name;
            foreach (int index in everyCoordinate || gradient.Length <= Coordinates ? Enumerable.Range(0, gradient.Length) : Sample(gradient.Length))
            {
                probes.Add(new Probe(name, false, [gradient[index]], worker => worker.Parameter(name, index)));
            }

            for (int i = 0; i < (everyCoordinate ? 0 : Directions); i++)
            {
                double[] direction = Signs(gradient.Length);
                probes.Add(new Probe(name, true, [Dot(gradient, direction)], worker => worker.Parameter(name, direction)));
            }
        }

        AddRowProbes(probes, "initial states", Gradient(_initialStates.Length, trainer.GetInitialStateGradients), 1, worker => (_, element) => worker.InitialState(element), (worker, direction) => worker.InitialStates(direction));
        if (!_layout.TakesTokens)
        {
            AddRowProbes(probes, "inputs", Gradient(_inputs.Length, trainer.GetInputGradients), _steps, worker => worker.Input, (worker, direction) => worker.Inputs(direction));
        }

        Parallel.ForEach(probes, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, probe =>
        {
            CentralDifferences worker = Rent();
            probe.Expected = probe.Quotient(worker);
            workers.Add(worker);
        });
        Judge(probes);
    }

    private void AddRowProbes(
        List<Probe> probes,
        string name,
        float[] gradient,
        int steps,
        Func<CentralDifferences, Func<int, int, Quotient>> byElement,
        Func<CentralDifferences, double[], Quotient> byDirection)
    {
        int width = gradient.Length / steps / _rows;
        bool every = steps * width <= EveryCoordinate / 4;
        int[] elements = [.. every ? Enumerable.Range(0, steps * width) : Sample(steps * width)];
        foreach (int index in elements)
        {
            (int step, int element) = (index / width, index % width);
            float[] values = Enumerable.Range(0, _rows).Select(row => gradient[(step * _rows + row) * width + element]).ToArray();
            probes.Add(new Probe(name, false, Array.ConvertAll(values, value => (double)value), worker => byElement(worker)(step, element)));
        }

        for (int i = 0; i < (every ? 0 : Directions); i++)
        {
            double[] direction = Signs(gradient.Length);
            var values = new double[_rows];
            for (int index = 0; index < gradient.Length; index++)
            {
                values[index / width % _rows] += gradient[index] * direction[index];
            }

            probes.Add(new Probe(name, true, values, worker => byDirection(worker, direction)));
        }
    }

    private void Judge(List<Probe> probes)
    {
        // A tensor whose gradient nearly vanishes beside the others' is compared on the others' scale: its digits are differences of theirs.
        double largest = probes.Where(probe => !probe.Expected.CrossesKink && !probe.IsDirection).SelectMany(probe => probe.Expected.Values).Select(Math.Abs).DefaultIfEmpty().Max();
        int crossing = probes.Count(probe => probe.Expected.CrossesKink);
        Assert.True(crossing <= probes.Count / 10, $"{crossing} of {probes.Count} difference quotients cross a kink");
        foreach (IGrouping<(string Name, bool IsDirection), Probe> group in probes.Where(probe => !probe.Expected.CrossesKink).GroupBy(probe => (probe.Name, probe.IsDirection)))
        {
            double[] expected = group.SelectMany(probe => probe.Expected.Values).ToArray();
            double[] actual = group.SelectMany(probe => probe.Actual).ToArray();
            double floor = Math.Max(1e-3 * largest, group.Max(probe => probe.Expected.Noise) / GradientTolerance);
            if (group.Key.IsDirection)
            {
                // A sum of many coordinates errs as its terms do, also where it comes out small.
                floor = Math.Max(floor, LargestCoordinate(probes, group.Key.Name));
            }

            Compare(
                group.Key.IsDirection ? $"gradient of {group.Key.Name} along directions" : $"gradient of {group.Key.Name}",
                Array.ConvertAll(actual, value => (float)value),
                expected,
                GradientTolerance,
                floor);
        }
    }

    private static double LargestCoordinate(List<Probe> probes, string name) => probes
        .Where(probe => probe.Name == name && !probe.IsDirection && !probe.Expected.CrossesKink)
        .SelectMany(probe => probe.Expected.Values)
        .Select(Math.Abs)
        .DefaultIfEmpty()
        .Max();

    private void Compare(string what, float[] actual, double[] expected, double tolerance, double floor)
    {
        double deviation = Deviation.Of(actual, expected, floor);
        _output?.WriteLine($"{what}: {deviation:E2} of {tolerance:E2}");
        if (!(deviation <= tolerance))
        {
            int worst = Enumerable.Range(0, actual.Length).MaxBy(i => double.IsNaN(actual[i]) ? double.PositiveInfinity : Math.Abs(actual[i] - expected[i]));
            _failures.Add($"{what}: off by {deviation:E2}, allowed {tolerance:E2}; at {worst} expected {expected[worst]:G9}, got {actual[worst]:G9}");
        }
    }

    private CentralDifferences NewWorker(OracleLoss loss)
    {
        var oracle = new EquationOracle(_network.Specs, _layout) { FreshRows = _oracle.FreshRows };
        foreach ((string name, double[] values) in _oracle.Parameters)
        {
            values.CopyTo(oracle.Parameters[name], 0);
        }

        return new CentralDifferences(oracle, loss, [.. _inputValues], [.. _initialValues], _rows);
    }

    private float[] Floats(int length, double bound)
    {
        var values = new float[length];
        for (int i = 0; i < length; i++)
        {
            values[i] = (float)((2 * _random.NextDouble() - 1) * bound);
        }

        return values;
    }

    private double[] Signs(int length) => Enumerable.Range(0, length).Select(_ => _random.Next(2) * 2.0 - 1).ToArray();

    private int[] Sample(int length) => Enumerable.Range(0, Coordinates).Select(_ => _random.Next(length)).Distinct().ToArray();

    private static float[] Gradient(int length, GradientReader read)
    {
        var gradient = new float[length];
        read(gradient);
        return gradient;
    }

    private static double Dot(float[] values, double[] direction) => values.Zip(direction, (value, sign) => value * sign).Sum();

    private delegate void GradientReader(Span<float> destination);

    private sealed class Probe(string name, bool isDirection, double[] actual, Func<CentralDifferences, Quotient> quotient)
    {
        public string Name { get; } = name;

        public bool IsDirection { get; } = isDirection;

        public double[] Actual { get; } = actual;

        public Func<CentralDifferences, Quotient> Quotient { get; } = quotient;

        public Quotient Expected { get; set; }
    }
}

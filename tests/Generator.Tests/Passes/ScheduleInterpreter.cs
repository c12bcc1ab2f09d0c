using System.Collections.Immutable;
using Unrolled.Generator.Graph;
using Unrolled.Generator.Passes;
using Unrolled.Generator.Schedule;
using Buffer = Unrolled.Generator.Schedule.Buffer;
using Parallel = Unrolled.Generator.Schedule.Parallel;

namespace Unrolled.Generator.Tests.PassTests;

/// <summary>
/// The meaning of a schedule in double precision, on buffers, slots and packings exactly as planned. Memory begins as NaN, and every
/// slot of every row remembers which stored value was written to it last: reading another one is an error, not just a wrong number.
/// Parallel statements are done part after part, in either order: a part that needs something of another one will miss it in one of them.
/// </summary>
internal sealed class ScheduleInterpreter
{
    private const int Lanes = 16;

    private readonly ModelSchedule _schedule;
    private readonly ParameterLayout _layout;
    private readonly int _batch;
    private readonly int _steps;
    private readonly double[][] _memory;
    private readonly int[][] _owners;
    private readonly double[] _parameters;
    private readonly double[] _derived;
    private readonly double[] _gradients;
    private int[] _tokens = [];
    private readonly int _parts;
    private readonly bool _lastFirst;
    private Loop? _loop;
    private int _step;
    private readonly int _block;
    private int _begin;
    private int _end;
    private Division? _division;
    private int _part;

    private ScheduleInterpreter(ModelSchedule schedule, ParameterLayout layout, NetworkData data, int parts, bool lastFirst, int block)
    {
        _block = block;
        _end = data.Steps;
        _parts = parts;
        _lastFirst = lastFirst;
        _schedule = schedule;
        _layout = layout;
        _batch = data.Batch;
        _steps = data.Steps;
        _memory = schedule.Buffers.Select(buffer => Poison(RowsOf(buffer) * buffer.RowStride)).ToArray();
        _owners = schedule.Buffers.Select(buffer => Enumerable.Repeat(-1, RowsOf(buffer) * buffer.Slots).ToArray()).ToArray();
        _parameters = Poison(layout.Length);
        _gradients = new double[layout.Length];
        foreach (ParameterPlace place in layout.Places)
        {
            Tensor value = data.Parameters[place.Declaration.Node.Name];
            value.ForEach((_, _, unit, column) => _parameters[IndexOf(place, unit, column)] = value[0, 0, unit, column]);
        }

        _derived = Poison(schedule.Derived.Sum(packing => packing.Length));
    }

    /// <summary>Runs the whole of a schedule once: forward, backward where there is one, backward to the input.</summary>
    /// <param name="parts">The number of parts of parallel statements.</param>
    /// <param name="lastFirst">Which part is done first.</param>
    /// <param name="block">Steps of a block of steps.</param>
    public static NetworkValues Evaluate(ModelSchedule schedule, ModelGraph graph, ParameterLayout layout, NetworkData data, int parts = 3, bool lastFirst = false, int block = 2)
    {
        var interpreter = new ScheduleInterpreter(schedule, layout, data, parts, lastFirst, block);
        interpreter.Fill(graph, data);
        interpreter.Run(schedule.Forward);
        var values = new NetworkValues();
        if (graph.Gradients.IsEmpty)
        {
            values.Add(NetworkValues.Output, interpreter.ReadOutputs(graph.Output.Type));
        }

        for (int i = 0; i < graph.States.Length; i++)
        {
            values.Add(NetworkValues.Final(graph.States[i].Name), interpreter.Read(Residence.State, i, graph.States[i].Initial.Type));
        }

        if (graph.Gradients.IsEmpty)
        {
            return values;
        }

        interpreter.Run(schedule.Backward);

        // A trainer's outputs may be asked for when all is done.
        values.Add(NetworkValues.Output, interpreter.ReadOutputs(graph.Output.Type));
        foreach (Gradient gradient in graph.Gradients)
        {
            values.Add(NetworkValues.Gradient(gradient.Kind, gradient.Target), interpreter.Read(gradient, graph));
        }

        return values;
    }

    // ---- the outside world

    private void Fill(ModelGraph graph, NetworkData data)
    {
        Tensor input = data.Input(graph.Input.Name);
        if (graph.Input.Type.IsToken)
        {
            _tokens = input.Data.Select(id => (int)id).ToArray();
        }

        Write(Residence.Input, 0, input);
        Write(Residence.OutputGradient, 0, data.Input(UpstreamGradient.Output));
        for (int i = 0; i < graph.States.Length; i++)
        {
            Write(Residence.State, i, data.Input(graph.States[i].Initial.Name));
            if (graph.States[i].Fresh is { } fresh)
            {
                Write(Residence.Fresh, i, data.Input(fresh.Name));
            }

            Write(Residence.FinalGradient, i, data.Input(UpstreamGradient.Final(graph.States[i].Name)));
        }
    }

    private void Write(Residence residence, int index, Tensor values)
    {
        foreach (Buffer buffer in _schedule.Buffers.Where(buffer => buffer.Residence == residence && buffer.Index == index))
        {
            int value = SingleValueOf(buffer);
            values.ForEach((step, row, unit, _) => _memory[buffer.Id][(step * _batch + row) * buffer.RowStride + unit] = values[step, row, unit, 0]);
            Array.Fill(_owners[buffer.Id], value);
        }
    }

    private Tensor Read(Residence residence, int index, NodeType type)
    {
        var result = new Tensor(type, _steps, _batch);
        Buffer buffer = _schedule.Buffers.Single(buffer => buffer.Residence == residence && buffer.Index == index);
        result.ForEach((step, row, unit, _) => result[step, row, unit, 0] = _memory[buffer.Id][(step * _batch + row) * buffer.RowStride + unit]);
        return result;
    }

    private Tensor Read(Gradient gradient, ModelGraph graph)
    {
        NodeType type = gradient.Target.Type;
        if (gradient.Kind == GradientKind.Parameter)
        {
            var result = new Tensor(type, _steps, _batch);
            ParameterPlace place = _layout.PlaceOf(gradient.Target);
            result.ForEach((_, _, unit, column) => result[0, 0, unit, column] = _gradients[IndexOf(place, unit, column)]);
            return result;
        }

        if (gradient.Value.Kind == NodeKind.Constant)
        {
            return Tensor.Number(gradient.Value.Value).SpreadOver(type, _steps, _batch);
        }

        return gradient.Kind == GradientKind.Input
            ? Read(Residence.InputGradient, 0, type)
            : Read(Residence.InitialGradient, graph.States.Select(state => state.Initial).ToList().IndexOf(gradient.Target), type);
    }

    /// <summary>The outputs: where the schedule leaves them, or in their buffer.</summary>
    private Tensor ReadOutputs(NodeType type)
    {
        if (_schedule.Outputs is not { } outputs)
        {
            return Read(Residence.Output, 0, type);
        }

        var result = new Tensor(type, _steps, _batch);
        result.ForEach((step, row, unit, _) => result[step, row, unit, 0] = Load(outputs, step * _batch + row, unit));
        return result;
    }

    /// <summary>The one stored value of a buffer that the runtime reads or writes.</summary>
    private int SingleValueOf(Buffer buffer) => _schedule.Values.Single(value => _schedule.Places[value.Id].Buffer == buffer.Id).Id;

    // ---- weights

    /// <summary>Where a matrix's element lies, by the formula that the runtime's PackedSegment documents.</summary>
    private static int IndexIn(int offset, int slots, int rows, int columns, int panelVectors, int slot, int row, int column)
    {
        int vector = row / Lanes * slots + slot;
        int total = slots * ((rows + Lanes - 1) / Lanes);
        int panel = vector / panelVectors;
        int width = Math.Min(panelVectors, total - panel * panelVectors);
        return offset + panel * panelVectors * Lanes * columns + column * width * Lanes + vector % panelVectors * Lanes + row % Lanes;
    }

    internal static int IndexOf(ParameterPlace place, int unit, int column) => place.Packing is { } packing
        ? IndexIn(place.Offset, packing.Matrices.Length, packing.Rows, packing.Columns, packing.PanelVectors, place.Slot, unit, column)
        : place.Offset + unit;

    private static int IndexOf(Packing packing, int slot, int row, int column) =>
        IndexIn(packing.Offset, packing.Slots, packing.Rows, packing.Columns, packing.PanelVectors, slot, row, column);

    private void FillDerived(Packing packing)
    {
        int before = 0;
        for (int matrix = 0; matrix < packing.Matrices.Length; matrix++)
        {
            ParameterPlace place = _layout.PlaceOf(packing.Matrices[matrix]);
            NodeType type = packing.Matrices[matrix].Type;
            foreach (int unit in Blocks(type.Units))
            {
                for (int column = 0; column < type.Columns; column++)
                {
                    // Transposed: a matrix's rows are columns here, those of one matrix after those of another.
                    int index = packing.IsTransposed ? IndexOf(packing, 0, column, before + unit) : IndexOf(packing, matrix, unit, column);
                    _derived[index] = _parameters[IndexOf(place, unit, column)];
                }
            }

            before += type.Units;
        }
    }

    private double[] BlockOf(Packing packing) => _schedule.Derived.Contains(packing) ? _derived : _parameters;

    // ---- memory

    private static double[] Poison(int length)
    {
        double[] memory = new double[length];
        Array.Fill(memory, double.NaN);
        return memory;
    }

    private int RowsOf(Buffer buffer) => buffer.Residence switch
    {
        Residence.Ring => 2 * _batch,
        Residence.History => _batch * (_steps + 1),
        Residence.Steps or Residence.Input or Residence.Output or Residence.OutputGradient or Residence.InputGradient => _batch * _steps,
        Residence.Tokens => 0,
        Residence.Once => 1,
        _ => _batch,
    };

    /// <summary>The first of the rows an operand means here: in the loop's present step, or from the first step of the present block on.</summary>
    private int FirstRow(Operand operand)
    {
        Buffer buffer = _schedule.BufferOf(operand);
        bool reverse = _loop is { Reverse: true };
        int turn = (reverse ? _steps - 1 - _step : _step) & 1;
        int? block = (buffer.Residence, operand.Moment, _loop is not null) switch
        {
            (Residence.Ring, Moment.Previous, true) => turn,
            (Residence.Ring, Moment.Current, true) => 1 - turn,
            (Residence.Ring, Moment.Initial, false) => 0,
            (Residence.Ring, Moment.Final, false) => _steps & 1,

            // Block 0 is the state before the first step.
            (Residence.History, Moment.Previous, true) => _step,
            (Residence.History, Moment.Current, true) => _step + 1,
            (Residence.History, Moment.Initial, false) => 0,
            (Residence.History, Moment.Previous, false) => _begin,
            (Residence.History, Moment.Current, false) => _begin + 1,
            (Residence.History, Moment.Final, false) => _steps,
            (Residence.Steps or Residence.Input or Residence.Output or Residence.OutputGradient or Residence.InputGradient, Moment.Current, true) => _step,
            (Residence.Steps or Residence.Input or Residence.Output or Residence.OutputGradient or Residence.InputGradient, Moment.Current, false) => _begin,
            (Residence.Once or Residence.Step, Moment.Current, _) => 0,
            (Residence.State or Residence.Fresh or Residence.FinalGradient or Residence.InitialGradient, Moment.Current, false) => 0,
            _ => null,
        };
        return block * _batch ?? throw new InvalidOperationException(
            $"'{_schedule.ValueOf(operand).Name}' is kept as {buffer.Residence}, which has no {operand.Moment} {(_loop is null ? "outside" : "in")} a loop");
    }

    private double Load(Operand operand, int row, int unit)
    {
        Place place = _schedule.PlaceOf(operand);
        Buffer buffer = _schedule.Buffers[place.Buffer];
        int at = FirstRow(operand) + Shared(buffer, row);
        int owner = _owners[buffer.Id][at * buffer.Slots + place.Slot];
        if (owner != operand.Value)
        {
            string found = owner < 0 ? "nothing" : $"'{_schedule.Values[owner].Name}' ({owner})";
            throw new InvalidOperationException(
                $"'{_schedule.ValueOf(operand).Name}' ({operand.Value}) is read at {operand.Moment} where {found} lies, row {at} of '{buffer.Name}'");
        }

        return _memory[buffer.Id][at * buffer.RowStride + place.Slot * Packing.Padded(buffer.Units) + unit];
    }

    private void Store(Operand operand, int row, int unit, double value)
    {
        Place place = _schedule.PlaceOf(operand);
        Buffer buffer = _schedule.Buffers[place.Buffer];
        int at = FirstRow(operand) + Shared(buffer, row);
        _owners[buffer.Id][at * buffer.Slots + place.Slot] = operand.Value;
        _memory[buffer.Id][at * buffer.RowStride + place.Slot * Packing.Padded(buffer.Units) + unit] = value;
    }

    private static int Shared(Buffer buffer, int row) => buffer.Residence == Residence.Once ? 0 : row;

    private (int Buffer, int Slot, int Row) Location(Operand operand, int row) =>
        (_schedule.PlaceOf(operand).Buffer, _schedule.PlaceOf(operand).Slot, FirstRow(operand) + row);

    // ---- statements

    /// <summary>Elements of a row: 0 units stand for one element that broadcasts.</summary>
    private static int Elements(int units) => Math.Max(units, 1);

    /// <summary>The rows of a statement that are this part's.</summary>
    private IEnumerable<int> Rows(Extent extent)
    {
        int all = extent switch { Extent.Once => 1, Extent.Step => _batch, _ => _batch * (_end - _begin) };
        return _division is Division.Rows or Division.RowsOfSteps ? Share(all) : Enumerable.Range(0, all);
    }

    /// <summary>What of some blocks is this part's.</summary>
    private IEnumerable<int> Blocks(int all) => _division == Division.Blocks ? Share(all) : Enumerable.Range(0, all);

    private IEnumerable<int> Share(int all)
    {
        int first = all * _part / _parts, end = all * (_part + 1) / _parts;
        return Enumerable.Range(first, end - first);
    }

    private void Run(ImmutableArray<Statement> statements)
    {
        foreach (Statement statement in statements)
        {
            switch (statement)
            {
                case Parallel parallel:
                    _division = parallel.Division;
                    for (int i = 0; i < (parallel.Division == Division.One ? 1 : _parts); i++)
                    {
                        _part = _lastFirst ? _parts - 1 - i : i;
                        Run(parallel.Body);
                    }

                    _division = null;
                    break;
                case StepBlocks blocks:
                    RunBlocks(blocks);
                    break;
                case OnRequest requested:
                    Run(requested.Body);
                    break;
                case Repack repack:
                    FillDerived(repack.Packing);
                    break;
                case Loop loop:
                    RunLoop(loop);
                    break;
                case ProductStage stage:
                    RunProduct(stage);
                    break;
                case StreamStage stage:
                    RunStream(stage);
                    break;
                case MapStage stage:
                    RunMaps(stage);
                    break;
                case ColumnSums sums:
                    RunSums(sums);
                    break;
                case RowSum sum:
                    foreach (int row in Rows(sum.Extent))
                    {
                        foreach (int unit in Blocks(Elements(sum.Units)))
                        {
                            Store(sum.Target, 0, unit, Load(sum.Target, 0, unit) + Load(sum.Load.Operand, row, sum.Load.Node.Type.Has(Axes.Unit) ? unit : 0));
                        }
                    }

                    break;
                case WeightGradient gradient:
                    RunWeightGradient(gradient);
                    break;
                case CopyRows copy:
                    foreach (int row in Rows(copy.Extent))
                    {
                        for (int unit = 0; unit < Elements(copy.Units); unit++)
                        {
                            Store(copy.To, row, copy.ToElement + unit, copy.From is { } from ? Load(from, row, copy.FromElement + unit) : 0);
                        }
                    }

                    break;
                default:
                    throw new InvalidOperationException($"no meaning for {statement}");
            }
        }
    }

    /// <summary>Parts work on registers: what is not kept is forgotten, and what was there before still is until the stage is done.</summary>
    private void RunStream(StreamStage stage)
    {
        var kept = stage.Kept.Select(operand => (operand.Value, _schedule.PlaceOf(operand).Buffer)).ToList();
        var before = stage.Parts.SelectMany(part => part.Writes()).Select(operand => _schedule.PlaceOf(operand).Buffer).Distinct()
            .ToDictionary(buffer => buffer, buffer => ((double[])_memory[buffer].Clone(), (int[])_owners[buffer].Clone()));
        Run(stage.Parts);
        foreach ((int buffer, (double[] memory, int[] owners)) in before)
        {
            if (kept.All(value => value.Buffer != buffer))
            {
                _memory[buffer] = memory;
                _owners[buffer] = owners;
            }
        }
    }

    private void RunBlocks(StepBlocks blocks)
    {
        for (int done = 0; done < _steps; done += _block)
        {
            _begin = blocks.Reverse ? Math.Max(_steps - done - _block, 0) : done;
            _end = blocks.Reverse ? _steps - done : Math.Min(done + _block, _steps);
            Run(blocks.Body);
        }

        (_begin, _end) = (0, _steps);
    }

    private void RunLoop(Loop loop)
    {
        for (int count = 0; count < _end - _begin; count++)
        {
            _loop = loop;
            _step = loop.Reverse ? _end - 1 - count : _begin + count;

            // One step's scratch says nothing in the next.
            foreach (int buffer in loop.Body.SelectMany(statement => statement.Writes()).Select(write => _schedule.PlaceOf(write).Buffer).Distinct()
                .Where(buffer => _schedule.Buffers[buffer].Residence == Residence.Step))
            {
                foreach (int row in Rows(Extent.Step))
                {
                    Schedule.Buffer scratch = _schedule.Buffers[buffer];
                    Array.Fill(_memory[buffer], double.NaN, row * scratch.RowStride, scratch.RowStride);
                    Array.Fill(_owners[buffer], -1, row * scratch.Slots, scratch.Slots);
                }
            }

            Run(loop.Body);
        }

        _loop = null;
    }

    private void RunProduct(ProductStage stage)
    {
        int units = stage.Accumulators[0].Value.Type.Units;
        foreach (int row in Rows(stage.Extent))
        {
            double[,] sums = new double[stage.Accumulators.Length, units];
            for (int slot = 0; slot < stage.Accumulators.Length; slot++)
            {
                Accumulator accumulator = stage.Accumulators[slot];
                for (int unit = 0; unit < units; unit++)
                {
                    sums[slot, unit] = accumulator.Start switch
                    {
                        StartKind.Zero => 0,
                        StartKind.Bias => _parameters[IndexOf(_layout.PlaceOf(accumulator.Bias!), unit, 0)],
                        _ => Load(accumulator.Target, row, unit),
                    };
                    foreach (Term term in stage.Terms)
                    {
                        sums[slot, unit] = Continue(sums[slot, unit], stage, term, slot, unit, row);
                    }
                }
            }

            for (int slot = 0; slot < stage.Accumulators.Length; slot++)
            {
                for (int unit = 0; unit < units; unit++)
                {
                    Store(stage.Accumulators[slot].Target, row, unit, sums[slot, unit]);
                }
            }
        }
    }

    /// <summary>A sum goes on term after term and column after column: one order, whose roundings the programs must share.</summary>
    private double Continue(double sum, ProductStage stage, Term term, int slot, int unit, int row)
    {
        double[] block = BlockOf(term.Packing);
        if (term.IsLookup)
        {
            int token = _tokens[(_loop is null ? _begin : _step) * _batch + row];
            return sum + block[IndexOf(term.Packing, slot, unit, token)];
        }

        int column = 0;
        foreach (Operand operand in term.Operands)
        {
            // A tile of results is stored before the next tile reads its operands.
            if (stage.Accumulators.Any(accumulator => Location(accumulator.Target, row) == Location(operand, row)))
            {
                throw new InvalidOperationException($"the product '{stage.Name}' overwrites its operand");
            }

            int elements = _schedule.ValueOf(operand).Units;
            for (int element = 0; element < elements; element++)
            {
                sum += block[IndexOf(term.Packing, slot, unit, column + element)] * Load(operand, row, element);
            }

            column += elements;
        }

        return sum;
    }

    private void RunMaps(MapStage stage)
    {
        foreach (int row in Rows(stage.Extent))
        {
            // An element's stores come after its own loads only, and no element reads another: the whole row may be computed first.
            int units = Elements(stage.Units);
            double[,] results = new double[units, stage.Stores.Length];
            double[] reduced = stage.Reductions.Select(reduction => reduction.Node.Name == "max" ? double.NegativeInfinity : 0).ToArray();
            for (int unit = 0; unit < units; unit++)
            {
                Dictionary<Node, double> values = LoadAll(stage.Loads, row, unit);
                for (int i = 0; i < stage.Stores.Length; i++)
                {
                    results[unit, i] = Evaluate(stage.Stores[i].Node, values, unit);
                }

                for (int i = 0; i < reduced.Length; i++)
                {
                    double value = Evaluate(stage.Reductions[i].Node.Inputs[0], values, unit);
                    reduced[i] = stage.Reductions[i].Node.Name == "max" ? Math.Max(reduced[i], value) : reduced[i] + value;
                }
            }

            for (int unit = 0; unit < units; unit++)
            {
                for (int i = 0; i < stage.Stores.Length; i++)
                {
                    Store(stage.Stores[i].Operand, row, unit, results[unit, i]);
                }
            }

            for (int i = 0; i < reduced.Length; i++)
            {
                Store(stage.Reductions[i].Operand, row, 0, reduced[i]);
            }
        }
    }

    private Dictionary<Node, double> LoadAll(ImmutableArray<Binding> loads, int row, int unit)
    {
        var values = new Dictionary<Node, double>();
        foreach (Binding load in loads)
        {
            values[load.Node] = Load(load.Operand, row, load.Node.Type.Has(Axes.Unit) ? unit : 0);
        }

        return values;
    }

    private double Evaluate(Node node, Dictionary<Node, double> values, int unit)
    {
        if (!values.TryGetValue(node, out double value))
        {
            value = node.Kind switch
            {
                NodeKind.Constant => node.Value,
                NodeKind.Parameter => _parameters[IndexOf(_layout.PlaceOf(node), node.Type.Has(Axes.Unit) ? unit : 0, 0)],
                NodeKind.Map => OperationTable.Get(node.Name).Meaning(node.Inputs.Select(input => Evaluate(input, values, unit)).ToArray()),
                _ => throw new InvalidOperationException($"nothing loads {node}"),
            };
            values.Add(node, value);
        }

        return value;
    }

    private void RunSums(ColumnSums sums)
    {
        foreach ((Node parameter, Node value) in sums.Sums)
        {
            int offset = _layout.PlaceOf(parameter).Offset;
            foreach (int row in Rows(sums.Extent))
            {
                foreach (int unit in Blocks(Elements(sums.Units)))
                {
                    _gradients[offset + unit] += Evaluate(value, LoadAll(sums.Loads, row, unit), unit);
                }
            }
        }
    }

    private void RunWeightGradient(WeightGradient gradient)
    {
        Packing packing = gradient.Packing;
        for (int slot = 0; slot < packing.Slots; slot++)
        {
            if (gradient.Adjoints[slot] is not { } adjoint)
            {
                continue;
            }

            foreach (int row in Rows(gradient.Extent))
            {
                if (gradient.Vectors[slot] is { } vector)
                {
                    foreach (int unit in Blocks(packing.Rows))
                    {
                        _gradients[_layout.PlaceOf(vector).Offset + unit] += Load(adjoint, row, unit);
                    }
                }

                if (gradient.IsLookup)
                {
                    foreach (int unit in Blocks(packing.Rows))
                    {
                        _gradients[IndexOf(packing, slot, unit, _tokens[_begin * _batch + row])] += Load(adjoint, row, unit);
                    }

                    continue;
                }

                for (int unit = 0; unit < packing.Rows; unit++)
                {
                    double d = Load(adjoint, row, unit);
                    foreach (int column in Blocks(packing.Columns))
                    {
                        _gradients[IndexOf(packing, slot, unit, column)] += d * Load(gradient.Columns, row, column);
                    }
                }
            }
        }
    }
}

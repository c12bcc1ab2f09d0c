using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Unrolled.Generator.Graph;
using Unrolled.Generator.Schedule;

namespace Unrolled.Generator.Passes;

/// <summary>
/// From graph to schedule: sums of products become accumulators, accumulators that share operands and units share a stage, and what
/// is elementwise between them becomes the stages' epilogues.
/// </summary>
internal static partial class Stack
{
    /// <summary>Statements and values, without memory yet: <see cref="Fuse"/> and <see cref="Plan"/> follow.</summary>
    public static ModelSchedule Run(ModelGraph graph, ParameterLayout layout, string name)
    {
        var lowering = new Lowering(graph, layout);
        ImmutableArray<Statement> forward = lowering.Forward();
        ImmutableArray<Statement> backward = lowering.Backward(GradientKind.Parameter, GradientKind.InitialState);
        ImmutableArray<Statement> inputBackward = lowering.Backward(GradientKind.Input);
        ImmutableArray<Packing> derived = lowering.Derived.ToImmutableArray();
        if (!inputBackward.IsEmpty)
        {
            backward = backward.Add(new OnRequest(Repacks(derived, inputBackward).RemoveRange(Repacks(derived, backward)).AddRange(inputBackward)));
        }

        return new ModelSchedule(
            name, lowering.Values.ToImmutableArray(), Repacks(derived, forward).AddRange(forward), Repacks(derived, backward).AddRange(backward), derived,
            ImmutableArray<Schedule.Buffer>.Empty, ImmutableArray<Place>.Empty);
    }

    /// <summary>The derived packings that statements read: parameters may have changed since the last call.</summary>
    private static ImmutableArray<Statement> Repacks(ImmutableArray<Packing> derived, ImmutableArray<Statement> statements) => statements
        .SelectMany(statement => statement is Loop loop ? loop.Body : ImmutableArray.Create(statement)).OfType<ProductStage>()
        .SelectMany(stage => stage.Terms).Select(term => term.Packing).Where(derived.Contains).Distinct()
        .Select(packing => (Statement)new Repack(packing)).ToImmutableArray();

    private sealed partial class Lowering
    {
        private readonly ModelGraph _graph;
        private readonly NodeTable _table;
        private readonly ParameterLayout _layout;
        private readonly Dictionary<(int Scope, Node Node), Operand> _operands = new();
        private readonly HashSet<Node> _lowered = new();
        private readonly Dictionary<Node, int> _outerUses;
        private readonly Dictionary<(int Scope, Node Argument), int> _sequenceUses = new();
        private readonly Dictionary<int, Node> _initial = new();

        public Lowering(ModelGraph graph, ParameterLayout layout)
        {
            _graph = graph;
            _table = graph.Table;
            _layout = layout;
            _outerUses = graph.Roots.Reachable().CountUses(graph.Roots);
        }

        public List<StoredValue> Values { get; } = new();

        public List<Packing> Derived { get; } = new();

        public ImmutableArray<Statement> Forward()
        {
            Bind(_graph.Input, _graph.Input.Type.IsToken ? Residence.Tokens : Residence.Input);
            for (int i = 0; i < _graph.States.Length; i++)
            {
                Bind(_graph.States[i].Initial, Residence.State, i);
                if (_graph.States[i].Fresh is { } fresh)
                {
                    Bind(fresh, Residence.Fresh, i);
                }
            }

            // A result that is computed outside loops is written where the caller reads it; one that a loop stacks is copied there.
            bool direct = IsComputed(_graph.Output) && _outerUses[_graph.Output] == 1;
            if (direct)
            {
                Bind(_graph.Output, Residence.Output);
            }

            var statements = new List<Statement>();
            if (!_graph.Gradients.IsEmpty)
            {
                // The way back asks which rows were fresh, and none is any more when it begins.
                foreach (Node fresh in _graph.States.Select(state => state.Fresh).OfType<Node>())
                {
                    var kept = new Operand(NewValue(NameOf(fresh, "fresh"), fresh.Type.Units, Residence.Step));
                    statements.Add(new CopyRows("fresh rows", Extent.Step, fresh.Type.Units, OperandOf(0, fresh), kept));
                    _operands[(0, fresh)] = kept;
                }
            }

            LowerOuter(new[] { _graph.Output }.Concat(_graph.States.Select(state => state.Final)), statements, isAdjoint: false);

            // The adjoint may read a sequence delayed by one step that no loop kept with its initial state: that state is here only now.
            foreach (Node shift in _graph.Roots.Reachable().Where(node => node.Kind == NodeKind.Shift))
            {
                Delay(shift, statements);
            }

            if (!direct)
            {
                Operand source = MemoryOf(0, _graph.Output, statements);
                var output = new Operand(NewValue("output", _graph.Output.Type.Units, Residence.Output));
                statements.Add(new CopyRows("output", Extent.Sequence, _graph.Output.Type.Units, source, output));
            }

            for (int i = 0; i < _graph.States.Length; i++)
            {
                // A state that the graph hands through unchanged keeps its buffer.
                if (_graph.States[i].Final.Kind == NodeKind.Result)
                {
                    statements.Add(new CopyRows(
                        _graph.States[i].Name, Extent.Step, _graph.States[i].Final.Type.Units, OperandOf(0, _graph.States[i].Final), OperandOf(0, _graph.States[i].Initial)));
                }

                if (_graph.States[i].Fresh is { } fresh)
                {
                    int flags = Values.FindIndex(value => value.Residence == Residence.Fresh && value.Index == i);
                    statements.Add(new CopyRows("no row is fresh after a step", Extent.Step, fresh.Type.Units, null, new Operand(flags)));
                }
            }

            return statements.ToImmutableArray();
        }

        public ImmutableArray<Statement> Backward(params GradientKind[] kinds)
        {
            var statements = new List<Statement>();
            List<Gradient> gradients = _graph.Gradients.Where(g => kinds.Contains(g.Kind) && g.Value.Kind != NodeKind.Constant).ToList();
            if (gradients.Count == 0)
            {
                return ImmutableArray<Statement>.Empty;
            }

            foreach (Node input in _graph.Gradients.Select(g => g.Value).Reachable().Where(node => node.Kind == NodeKind.Input && !_operands.ContainsKey((0, node))))
            {
                int state = _graph.States.Select(s => UpstreamGradient.Final(s.Name)).ToList().IndexOf(input.Name);
                Bind(input, state < 0 ? Residence.OutputGradient : Residence.FinalGradient, Math.Max(state, 0));
            }

            // The input's gradient is written where the caller reads it, unless it is somewhere already.
            bool direct = false;
            foreach (Gradient gradient in gradients.Where(g => g.Kind == GradientKind.Input && g.Value.Kind is not (NodeKind.Result or NodeKind.Input) && !_lowered.Contains(g.Value)))
            {
                Bind(gradient.Value, Residence.InputGradient);
                direct = true;
            }

            LowerOuter(gradients.Where(g => g.Kind != GradientKind.Parameter).Select(g => g.Value), statements, isAdjoint: true);
            LowerParameterGradients(gradients.Where(g => g.Kind == GradientKind.Parameter).ToList(), statements);
            foreach (Gradient gradient in gradients)
            {
                if (gradient.Kind == GradientKind.InitialState)
                {
                    int state = _graph.States.Select(s => s.Initial).ToList().IndexOf(gradient.Target);
                    var target = new Operand(NewValue("d_" + gradient.Target.Name, gradient.Target.Type.Units, Residence.InitialGradient, state));
                    statements.Add(new CopyRows("gradient of the initial " + gradient.Target.Name, Extent.Step, gradient.Target.Type.Units, OperandOf(0, gradient.Value), target));
                }
                else if (gradient.Kind == GradientKind.Input && !direct)
                {
                    var target = new Operand(NewValue("d_inputs", gradient.Target.Type.Units, Residence.InputGradient));
                    statements.Add(new CopyRows("gradient of the input", Extent.Sequence, gradient.Target.Type.Units, OperandOf(0, gradient.Value), target));
                }
            }

            return statements.ToImmutableArray();
        }

        // ---- outside loops

        /// <summary>
        /// Lowers what <paramref name="roots"/> need and is not there yet: what depends on nothing that has steps, then loop after loop, then
        /// what has none itself but depends on them.
        /// </summary>
        private void LowerOuter(IEnumerable<Node> roots, List<Statement> statements, bool isAdjoint)
        {
            List<Node> order = roots.Reachable();
            HashSet<Node> ofSteps = order.DependentOn(order.Where(node => node.Kind == NodeKind.Scan || node.Type.Has(Axes.Time)));
            bool IsPending(Node node) => !_lowered.Contains(node)
                && node.Kind is NodeKind.Map or NodeKind.Contract or NodeKind.Gather or NodeKind.Relabel or NodeKind.Concat or NodeKind.Slice or NodeKind.Reduce;

            foreach (Extent extent in new[] { Extent.Once, Extent.Step })
            {
                Region(0, extent, order.Where(node => node.Type.RowExtent() == extent && !ofSteps.Contains(node) && IsPending(node)).ToList(), roots, statements, isAdjoint);
            }

            var pending = new List<Node>();
            foreach (Node node in order)
            {
                if (node.Kind == NodeKind.Scan && _lowered.Add(node))
                {
                    // Everything the loop reads comes before it.
                    Region(0, Extent.Sequence, pending, node.Inputs, statements, isAdjoint);
                    pending.Clear();
                    LowerScan(node, statements);
                }
                else if (node.Type.RowExtent() == Extent.Sequence && IsPending(node))
                {
                    pending.Add(node);
                }
            }

            Region(0, Extent.Sequence, pending, roots, statements, isAdjoint);
            pending.Clear();
            foreach (Node node in order.Where(node => node.Type.RowExtent() != Extent.Sequence && ofSteps.Contains(node) && IsPending(node)))
            {
                bool isSumOfRows = node.Kind == NodeKind.Reduce && (node.Over & (Axes.Batch | Axes.Time)) != 0;
                if (pending.Count > 0 && (isSumOfRows || pending[0].Type.RowExtent() != node.Type.RowExtent()))
                {
                    Region(0, pending[0].Type.RowExtent(), pending, roots, statements, isAdjoint);
                    pending.Clear();
                }

                if (isSumOfRows)
                {
                    SumOfRows(node, statements);
                }
                else
                {
                    pending.Add(node);
                }
            }

            Region(0, pending.Count > 0 ? pending[0].Type.RowExtent() : Extent.Once, pending, roots, statements, isAdjoint);
        }

        /// <summary>A value summed over its rows, as one row that all share.</summary>
        private void SumOfRows(Node sum, List<Statement> statements)
        {
            Node value = sum.Inputs[0];
            var target = new Operand(NewValue(NameOf(sum, "sum"), sum.Type.Units, Residence.Once));
            statements.Add(new CopyRows(NameOf(sum, "sum"), Extent.Once, sum.Type.Units, null, target));
            statements.Add(new RowSum(NameOf(sum, "sum"), value.Type.RowExtent(), sum.Type.Units, new Binding(value, OperandOf(0, value)), sum, target));
            _operands[(0, sum)] = target;
            _lowered.Add(sum);
        }

        private void LowerScan(Node scan, List<Statement> statements)
        {
            ScanBody body = scan.Body!;
            int scope = body.Scope;
            bool isAdjoint = body.Primal != 0;
            for (int k = 0; k < body.Sequences.Length; k++)
            {
                _operands[(scope, body.Sequences[k])] = MemoryOf(0, scan.Inputs[body.Carried.Length + k], statements);
                _sequenceUses[(scope, body.Sequences[k])] = _outerUses[scan.Inputs[body.Carried.Length + k]];
            }

            foreach (Node captured in body.Captured)
            {
                _operands[(scope, captured)] = OperandOf(0, scan.InputOf(captured));
            }

            // Each carried value has memory of its own; the first one whose next value is computed here lends it to that value.
            var copies = new List<Binding>();
            for (int i = 0; i < body.Carried.Length; i++)
            {
                Node next = body.Carried[i].Next;
                bool isComputed = next.Kind != NodeKind.Argument && next.Kind != NodeKind.Constant && !_operands.ContainsKey((scope, next));
                int value = NewValue(
                    NameOf(next, "state"), body.Carried[i].Argument.Type.Units,
                    isComputed && body.Stacked.Contains(next) && !body.Reverse ? Residence.History : Residence.Ring);
                _operands[(scope, body.Carried[i].Argument)] = new Operand(value, Moment.Previous);
                if (isComputed)
                {
                    _operands[(scope, next)] = new Operand(value);
                }
                else
                {
                    copies.Add(new Binding(next, new Operand(value)));
                }

                Node initial = scan.Inputs[i];
                _initial[value] = initial;
                statements.Add(new CopyRows(
                    "start of " + NameOf(next, "state"), Extent.Step, body.Carried[i].Argument.Type.Units,
                    initial.Kind == NodeKind.Constant ? null : OperandOf(0, initial), new Operand(value, Moment.Initial)));
            }

            // What is the same in every row and step lies in memory once.
            foreach (Node same in body.Stacked.Where(node => node.Kind is NodeKind.Parameter or NodeKind.Constant))
            {
                _operands[(scope, same)] = MemoryOf(0, same, statements);
            }

            foreach (Node stacked in body.Stacked.Where(node => !_operands.ContainsKey((scope, node))))
            {
                _operands[(scope, stacked)] = new Operand(NewValue(NameOf(stacked, "value"), stacked.Type.Units, Residence.Steps));
            }

            // Results outside the loop are read from this memory.
            for (int j = 0; j < body.Stacked.Length; j++)
            {
                Operand memory = OperandOf(scope, body.Stacked[j]);
                if (Values[memory.Value].Residence == Residence.Ring)
                {
                    // Carried memory forgets: what is stacked gets a copy that stays.
                    Operand kept = new Operand(NewValue(NameOf(body.Stacked[j], "value"), body.Stacked[j].Type.Units, Residence.Steps));
                    copies.Add(new Binding(body.Stacked[j], kept));
                    memory = kept;
                }

                _operands[(0, _table.Stacked(scan, j))] = memory;
            }

            var inside = new List<Statement>();
            List<Node> nodes = body.Nodes().Where(IsComputed).ToList();
            Region(scope, Extent.Step, nodes, body.Roots(), inside, isAdjoint);
            foreach (IGrouping<int, Binding> copy in copies.GroupBy(binding => binding.Node.Type.Units == 0 ? Values[binding.Operand.Value].Units : binding.Node.Type.Units))
            {
                // Values of the step before move on; Fuse never splits this, and it reads only what other memory holds.
                inside.Add(new MapStage(
                    "delayed values", Extent.Step, copy.Key,
                    copy.Where(binding => binding.Node.Kind != NodeKind.Constant).Select(binding => new Binding(binding.Node, OperandOf(scope, binding.Node))).Distinct().ToImmutableArray(),
                    copy.ToImmutableArray(), isAdjoint));
            }

            statements.Add(new Loop(body.Layer, scope, body.Reverse, inside.ToImmutableArray()));

            for (int i = 0; i < body.Carried.Length; i++)
            {
                _operands[(0, _table.Final(scan, i))] = new Operand(_operands[(scope, body.Carried[i].Argument)].Value, Moment.Final);
            }
        }

        /// <summary>Whether the runtime reads or writes the memory, which then holds one value.</summary>
        private static bool IsForeign(Residence residence) => residence is not (Residence.Step or Residence.Ring or Residence.Steps or Residence.History);

        private static bool IsComputed(Node node) =>
            node.Kind is NodeKind.Map or NodeKind.Contract or NodeKind.Gather or NodeKind.Reduce or NodeKind.Concat or NodeKind.Slice || (node.Kind == NodeKind.Relabel && node.IsProduct());

        // ---- gradients of parameters

        private void LowerParameterGradients(List<Gradient> gradients, List<Statement> statements)
        {
            // A value that all rows share gives its own elements; any other gives their sum over the rows.
            var sums = new List<(Node Parameter, Node Value)>();
            var products = new List<(Node Parameter, Node Value)>();
            foreach (Gradient gradient in gradients)
            {
                foreach (Node term in gradient.Value.Terms())
                {
                    bool isSumOfRows = (term.Over & (Axes.Batch | Axes.Time)) != 0;
                    if (term.Type.Has(Axes.Column))
                    {
                        products.Add((gradient.Target, term));
                    }
                    else
                    {
                        sums.Add((gradient.Target, isSumOfRows ? term.Inputs[0] : term));
                    }
                }
            }

            // What the contributions read may still have to be computed or its loop be run.
            LowerOuter(products.SelectMany(p => p.Value.Inputs).Select(input => input.Vector()).Concat(sums.SelectMany(s => Leaves(s.Value))), statements, isAdjoint: true);
            foreach (var group in sums.GroupBy(sum => (sum.Parameter.Type.Units, Extent: sum.Value.Type.RowExtent())))
            {
                ImmutableArray<Binding> loads = group.SelectMany(sum => Leaves(sum.Value)).Distinct()
                    .Where(leaf => leaf.Kind is not (NodeKind.Parameter or NodeKind.Constant)).Select(leaf => new Binding(leaf, OperandOf(0, leaf))).ToImmutableArray();
                statements.Add(new ColumnSums(
                    "gradients of " + string.Join(", ", group.Select(sum => sum.Parameter.Name)), group.Key.Extent, group.Key.Units, loads, group.ToImmutableArray()));
            }

            while (products.Count > 0)
            {
                // All matrices of one packing whose contributions read the same columns make one product.
                (Node parameter, Node value) = products[0];
                Packing packing = _layout.PlaceOf(parameter).Packing!;
                Node columns = value.Inputs[1].Vector();
                Extent extent = value.Inputs[0].Type.RowExtent();
                var adjoints = new Operand?[packing.Slots];
                foreach ((Node other, Node term) in products.ToList())
                {
                    int slot = packing.Matrices.IndexOf(other);
                    if (slot >= 0 && adjoints[slot] is null && term.Inputs[1].Vector() == columns && term.Kind == value.Kind)
                    {
                        adjoints[slot] = OperandOf(0, term.Inputs[0].Vector());
                        products.Remove((other, term));
                    }
                }

                // Adjoints of several matrices lie side by side, which one that the caller wrote does not.
                for (int slot = 0; slot < adjoints.Length && adjoints.OfType<Operand>().Distinct().Count() > 1; slot++)
                {
                    if (adjoints[slot] is { } adjoint && IsForeign(Values[adjoint.Value].Residence))
                    {
                        var copy = new Operand(NewValue(Values[adjoint.Value].Name, Values[adjoint.Value].Units, Residence.Steps));
                        statements.Add(new CopyRows("adjoint of " + packing.Matrices[slot].Name, Extent.Sequence, packing.Rows, adjoint, copy));
                        adjoints = adjoints.Select(other => other == adjoint ? copy : other).ToArray();
                    }
                }

                statements.Add(new WeightGradient(
                    "gradients of " + packing.Name, extent, packing, adjoints.ToImmutableArray(), MemoryOf(0, columns, statements), value.Kind == NodeKind.ScatterAdd));
            }
        }

        /// <summary>What an elementwise expression reads from memory.</summary>
        private List<Node> Leaves(Node value)
        {
            var seen = new HashSet<Node>();
            return value.Leaves(node => node.Kind == NodeKind.Map && !_operands.ContainsKey((0, node)), seen.Add);
        }

        // ---- one region: the body of a loop, or what stands between loops

        private void Region(int scope, Extent extent, List<Node> nodes, IEnumerable<Node> roots, List<Statement> statements, bool isAdjoint)
        {
            if (nodes.Count > 0)
            {
                new RegionLowering(this, scope, extent, nodes, roots, statements, isAdjoint).Run();
                foreach (Node node in nodes.Where(_ => scope == 0))
                {
                    _lowered.Add(node);
                }
            }
        }

        // ---- values, packings, names

        private Operand OperandOf(int scope, Node node)
        {
            if (_operands.TryGetValue((scope, node), out Operand operand))
            {
                return operand;
            }

            throw new InvalidOperationException($"{node} has no memory");
        }

        /// <summary>The memory a product or a copy reads; parameters it cannot read where they live get a copy.</summary>
        private Operand MemoryOf(int scope, Node node, List<Statement> statements)
        {
            if (node.Kind is NodeKind.Parameter or NodeKind.Constant && !_operands.ContainsKey((scope, node)))
            {
                var memory = new Operand(NewValue(NameOf(node, "number"), node.Type.Units, Residence.Once));
                statements.Add(new MapStage(
                    NameOf(node, "number"), Extent.Once, node.Type.Units, ImmutableArray<Binding>.Empty, ImmutableArray.Create(new Binding(node, memory)), IsAdjoint: false));
                _operands[(scope, node)] = memory;
            }

            return OperandOf(scope, node);
        }

        /// <summary>Memory for a sequence delayed by one step: where it lies with its initial value, or else a copy that does.</summary>
        private void Delay(Node shift, List<Statement> statements)
        {
            Operand sequence = OperandOf(0, shift.Inputs[0]);
            if (Values[sequence.Value].Residence == Residence.History && sequence.Moment == Moment.Current && _initial[sequence.Value] == shift.Inputs[1])
            {
                _operands[(0, shift)] = sequence with { Moment = Moment.Previous };
                return;
            }

            int value = NewValue(NameOf(shift.Inputs[0], "value") + "_delayed", shift.Type.Units, Residence.History);
            statements.Add(new CopyRows("delayed " + NameOf(shift.Inputs[0], "value"), Extent.Step, shift.Type.Units, OperandOf(0, shift.Inputs[1]), new Operand(value, Moment.Initial)));
            statements.Add(new CopyRows("delayed " + NameOf(shift.Inputs[0], "value"), Extent.Sequence, shift.Type.Units, sequence, new Operand(value)));
            _operands[(0, shift)] = new Operand(value, Moment.Previous);
        }

        private void Bind(Node node, Residence residence, int index = 0) =>
            _operands[(0, node)] = new Operand(NewValue(NameOf(node, residence.ToString().ToLowerInvariant()), node.Type.Units, residence, index));

        private int NewValue(string name, int units, Residence residence, int index = 0)
        {
            Values.Add(new StoredValue(Values.Count, name, units, residence, index));
            return Values.Count - 1;
        }

        /// <summary>What a value is called, without its layer: layers alike have values of the same names.</summary>
        private string NameOf(Node node, string otherwise) => (_table.Label(node) ?? otherwise).WithoutLayer();

        /// <summary>A packing made from the masters: transposed, or one matrix alone.</summary>
        private Packing Derive(ImmutableArray<Node> matrices, bool isTransposed)
        {
            Packing? known = Derived.FirstOrDefault(packing => packing.IsTransposed == isTransposed && packing.Matrices.SequenceEqual(matrices));
            if (known is null)
            {
                string names = string.Join("_", matrices.Select(matrix => matrix.Name.Replace('.', '_')));
                known = new Packing(
                    Derived.Count, (isTransposed ? "transposed_" : "single_") + names, matrices,
                    isTransposed ? matrices[0].Type.Columns : matrices[0].Type.Units,
                    isTransposed ? matrices.Sum(matrix => matrix.Type.Units) : matrices[0].Type.Columns,
                    isTransposed, Derived.Sum(packing => packing.Length));
                Derived.Add(known);
            }

            return known;
        }
    }
}

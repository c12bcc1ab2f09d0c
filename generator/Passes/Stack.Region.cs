using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Unrolled.Generator.Graph;
using Unrolled.Generator.Schedule;

namespace Unrolled.Generator.Passes;

internal static partial class Stack
{
    private sealed partial class Lowering
    {
        /// <summary>One region's stages: the body of a loop, or what stands between loops.</summary>
        private sealed class RegionLowering
        {
            private readonly Lowering _owner;
            private readonly int _scope;
            private readonly Extent _extent;
            private readonly List<Statement> _statements;
            private readonly bool _isAdjoint;
            private readonly List<Node> _maps = new();
            private readonly List<PendingSum> _sums = new();
            private readonly List<Node> _reductions = new();
            private readonly List<Node> _moves = new();
            private readonly HashSet<Node> _done = new();
            private readonly HashSet<Node> _absorbed = new();
            private readonly List<(Node Node, Operand From, Operand To)> _copies = new();
            private readonly Dictionary<Node, int> _uses;
            private readonly List<Node> _nodes;

            public RegionLowering(Lowering owner, int scope, Extent extent, List<Node> nodes, IEnumerable<Node> roots, List<Statement> statements, bool isAdjoint)
            {
                _owner = owner;
                _scope = scope;
                _extent = extent;
                _statements = statements;
                _isAdjoint = isAdjoint;
                _nodes = nodes;

                // What stands between loops may be used after the next loop, too. Vectors that products see as columns are used as well.
                _uses = scope == 0 ? owner._outerUses : roots.Reachable().CountUses(roots);
            }

            public void Run()
            {
                var inRegion = new HashSet<Node>(_nodes);
                foreach (Node node in Enumerable.Reverse(_nodes).Where(node => !_absorbed.Contains(node)))
                {
                    if (Sum(node, inRegion) is { } sum)
                    {
                        _sums.Add(sum);
                    }
                    else if (node.Kind == NodeKind.Map)
                    {
                        _maps.Add(node);
                    }
                    else if (node.Kind == NodeKind.Reduce)
                    {
                        _reductions.Add(node);
                    }
                    else if (node.Kind is NodeKind.Concat or NodeKind.Slice)
                    {
                        _moves.Add(node);
                    }
                    else if (node.Kind != NodeKind.Relabel)
                    {
                        throw new InvalidOperationException($"no schedule for {node}");
                    }
                }

                _sums.Reverse();
                _maps.Reverse();
                _reductions.Reverse();
                _moves.Reverse();
                while (_sums.Count + _maps.Count + _reductions.Count + _moves.Count > 0)
                {
                    int before = _statements.Count;
                    while (NextProduct())
                    {
                    }

                    ReadyMaps(inRegion);
                    ReadyMoves();
                    if (_statements.Count == before)
                    {
                        throw new InvalidOperationException($"the schedule of '{_scope}' cannot go on: {string.Join(", ", _maps.Concat(_sums.Select(s => s.Root)).Concat(_reductions).Concat(_moves))}");
                    }
                }
            }

            /// <summary>
            /// A node that is a sum of products, with the inner sums and products that only it uses; what another region computes is none of
            /// them, or its roundings would depend on what was hoisted.
            /// </summary>
            private PendingSum? Sum(Node root, HashSet<Node> inRegion)
            {
                var terms = new List<Node>();
                var absorbed = new List<Node>();
                Node node = root;
                while (node.IsMap("add") && node.Inputs[1].IsProduct() && inRegion.Contains(node) && inRegion.Contains(node.Inputs[1])
                    && _uses[node.Inputs[1]] == 1 && (node == root || _uses[node] == 1))
                {
                    terms.Add(node.Inputs[1]);
                    absorbed.Add(node);
                    absorbed.Add(node.Inputs[1]);
                    node = node.Inputs[0];
                }

                Node? start = node;
                if (node.IsProduct() && inRegion.Contains(node) && (node == root || _uses[node] == 1))
                {
                    terms.Add(node);
                    absorbed.Add(node);
                    start = null;
                }

                if (terms.Count == 0)
                {
                    return null;
                }

                terms.Reverse();
                foreach (Node node2 in absorbed.ToList())
                {
                    if (node2.Kind == NodeKind.Relabel)
                    {
                        absorbed.Add(node2.Inputs[0]);
                    }
                }

                _absorbed.UnionWith(absorbed);
                return new PendingSum(root, start, terms);
            }

            private bool IsReady(Node node) =>
                node.Kind is NodeKind.Parameter or NodeKind.Constant or NodeKind.Argument or NodeKind.Input or NodeKind.Result or NodeKind.Shift
                || _done.Contains(node) || (_scope == 0 && _owner._lowered.Contains(node));

            /// <summary>Emits one product whose operands are there, for every accumulator that waits for it.</summary>
            private bool NextProduct()
            {
                foreach (PendingSum first in _sums)
                {
                    if (first.Started is false && first.Start is { } start && !IsReady(start))
                    {
                        continue;
                    }

                    Node product = first.Terms[first.Next];
                    bool isLookup = product.Kind == NodeKind.Gather;
                    (ImmutableArray<Accumulator> Accumulators, Term Term)? stage =
                        product.Kind == NodeKind.Relabel ? Transposed(first) : Direct(first, isLookup);
                    if (stage is not { } found)
                    {
                        continue;
                    }

                    AddStage(found.Accumulators, found.Term);
                    foreach (PendingSum finished in _sums.Where(sum => sum.Next == sum.Terms.Count).ToList())
                    {
                        _sums.Remove(finished);
                        _done.Add(finished.Root);
                    }

                    return true;
                }

                return false;
            }

            /// <summary>W @ v for all matrices of W's packing that are applied to v next.</summary>
            private (ImmutableArray<Accumulator> Accumulators, Term Term)? Direct(PendingSum first, bool isLookup)
            {
                Node product = first.Terms[first.Next];
                Node matrix = product.Inputs[0], operand = product.Inputs[1].Vector();
                if (!IsReady(operand))
                {
                    return null;
                }

                Packing packing = _owner._layout.PlaceOf(matrix).Packing!;
                var members = new PendingSum?[packing.Slots];
                foreach (PendingSum sum in _sums.Where(sum => sum.Next < sum.Terms.Count && (sum.Started || sum.Start is null || IsReady(sum.Start))))
                {
                    Node term = sum.Terms[sum.Next];
                    int slot = term.Kind == product.Kind ? packing.Matrices.IndexOf(term.Inputs[0]) : -1;
                    if (slot >= 0 && members[slot] is null && term.Inputs[1].Vector() == operand)
                    {
                        members[slot] = sum;
                    }
                }

                if (members.Any(member => member is null))
                {
                    // Not all matrices of the packing are wanted here: a derived packing holds the one that is.
                    packing = _owner.Derive(ImmutableArray.Create(matrix), isTransposed: false);
                    members = new PendingSum?[] { first };
                }

                Operand memory = _owner.MemoryOf(_scope, operand, _statements);
                ImmutableArray<Accumulator> accumulators = Uniform(members.Select(member => Begin(member!)).ToImmutableArray());
                return (accumulators, new Term(packing, ImmutableArray.Create(memory), isLookup));
            }

            /// <summary>The transposed products that follow each other in one sum, as one product with all their columns.</summary>
            private (ImmutableArray<Accumulator> Accumulators, Term Term)? Transposed(PendingSum sum)
            {
                // A short one is split into chains alone and not among others: going forward, where a sequence's program takes some of a
                // sum's products out of the loop and a step's does not, it stays alone.
                int end = sum.Next + 1;
                while (end < sum.Terms.Count && sum.Terms[end].Kind == NodeKind.Relabel && (_isAdjoint || !(IsShort(end - 1) || IsShort(end))))
                {
                    end++;
                }

                bool IsShort(int term) => Packing.IsShort(sum.Terms[term].Inputs[0].Inputs[1].Type.Units);

                List<Node> products = sum.Terms.GetRange(sum.Next, end - sum.Next).Select(term => term.Inputs[0]).ToList();
                if (!products.All(product => IsReady(product.Inputs[1])))
                {
                    return null;
                }

                Packing packing = _owner.Derive(products.Select(product => product.Inputs[0]).ToImmutableArray(), isTransposed: true);
                ImmutableArray<Operand> memory = products.Select(p => _owner.MemoryOf(_scope, p.Inputs[1], _statements)).ToImmutableArray();
                Accumulator accumulator = Begin(sum);
                sum.Next = end;
                return (ImmutableArray.Create(accumulator), new Term(packing, memory, IsLookup: false));
            }

            private Accumulator Begin(PendingSum sum)
            {
                bool continues = sum.Started;
                if (!sum.Started)
                {
                    sum.Started = true;
                    StartOf(sum);
                }

                sum.Next++;
                return new Accumulator(sum.Root, sum.Target, continues ? StartKind.InPlace : sum.StartKind, continues ? null : sum.Bias);
            }

            /// <summary>Accumulators of one product start alike: where some differ, memory is filled first and all go on in place.</summary>
            private ImmutableArray<Accumulator> Uniform(ImmutableArray<Accumulator> accumulators)
            {
                if (accumulators.Select(accumulator => accumulator.Start).Distinct().Count() == 1)
                {
                    return accumulators;
                }

                ImmutableArray<Binding> stores = accumulators.Where(accumulator => accumulator.Start != StartKind.InPlace)
                    .Select(accumulator => new Binding(accumulator.Bias ?? _owner._table.Constant(0), accumulator.Target)).ToImmutableArray();
                _statements.Add(new MapStage("starts", _extent, accumulators[0].Value.Type.Units, ImmutableArray<Binding>.Empty, stores, _isAdjoint));
                return accumulators.Select(accumulator => accumulator with { Start = StartKind.InPlace, Bias = null }).ToImmutableArray();
            }

            /// <summary>Where a sum accumulates and what from.</summary>
            private void StartOf(PendingSum sum)
            {
                Node? start = sum.Start;
                bool hasMemory = _owner._operands.TryGetValue((_scope, sum.Root), out Operand target);
                bool isCarried = hasMemory && _owner.Values[target.Value].Residence is Residence.Ring or Residence.History;
                if (start is { Kind: NodeKind.Argument } && !hasMemory && _uses[start] == 1
                    && _owner._sequenceUses.TryGetValue((_scope, start), out int users) && users == 1
                    && _owner._operands[(_scope, start)] is { Moment: Moment.Current } hoisted && _owner.Values[hoisted.Value].Residence == Residence.Steps)
                {
                    // What was hoisted is nobody else's: the sum goes on where the hoisted part lies.
                    sum.Target = hoisted;
                    sum.StartKind = StartKind.InPlace;
                }
                else
                {
                    // A carried value is written when its stage is complete, since others may still read the old one. So is one that the
                    // caller reads, where the sums of other matrices must lie beside it.
                    bool many = sum.Terms.Any(term => term.Kind != NodeKind.Relabel);
                    bool isShared = hasMemory && IsForeign(_owner.Values[target.Value].Residence)
                        && sum.Terms.Any(term => term.Kind != NodeKind.Relabel && _owner._layout.PlaceOf(term.Inputs[0]).Packing!.Slots > 1);
                    if (!hasMemory || (isCarried && many) || isShared)
                    {
                        sum.Target = new Operand(_owner.NewValue(_owner.NameOf(sum.Root, "sum"), sum.Root.Type.Units, _extent.Scratch()));
                        sum.CopyTo = hasMemory ? target : null;
                    }
                    else
                    {
                        sum.Target = target;
                    }

                    if (start is null)
                    {
                        sum.StartKind = StartKind.Zero;
                    }
                    else if (start.Kind == NodeKind.Parameter)
                    {
                        sum.StartKind = StartKind.Bias;
                        sum.Bias = start;
                    }
                    else
                    {
                        sum.StartKind = StartKind.InPlace;
                        _statements.Add(new MapStage(
                            "start of " + _owner.NameOf(sum.Root, "sum"), _extent, sum.Root.Type.Units,
                            start.Kind == NodeKind.Constant ? ImmutableArray<Binding>.Empty : ImmutableArray.Create(new Binding(start, _owner.OperandOf(_scope, start))),
                            ImmutableArray.Create(new Binding(start, sum.Target)), _isAdjoint));
                    }
                }

                if (sum.CopyTo is { } copyTo)
                {
                    _copies.Add((sum.Root, sum.Target, copyTo));
                }

                _owner._operands[(_scope, sum.Root)] = sum.Target;
            }

            /// <summary>Adds a stage, joining it with the one before when that has the same accumulators.</summary>
            private void AddStage(ImmutableArray<Accumulator> accumulators, Term term)
            {
                if (_statements.Count > 0 && _statements[_statements.Count - 1] is ProductStage last && last.Extent == _extent
                    && last.Accumulators.Select(a => a.Value).SequenceEqual(accumulators.Select(a => a.Value))
                    && !last.Terms.Any(t => t.IsLookup || t.Packing.IsTransposed) && !term.IsLookup && !term.Packing.IsTransposed)
                {
                    _statements[_statements.Count - 1] = last with { Terms = last.Terms.Add(term) };
                    return;
                }

                string name = string.Join(", ", accumulators.Select(a => _owner.NameOf(a.Value, "sum")));
                _statements.Add(new ProductStage(name, _extent, accumulators, ImmutableArray.Create(term)));
            }

            /// <summary>Emits every elementwise operation whose inputs are there or are computed with it.</summary>
            private void ReadyMaps(HashSet<Node> inRegion)
            {
                var group = new List<Node>();
                var computed = new HashSet<Node>();
                foreach (Node map in _maps.Where(map => map.Inputs.All(input => computed.Contains(input) || IsReady(input) || !inRegion.Contains(input))))
                {
                    group.Add(map);
                    computed.Add(map);
                }

                List<(Node Node, Operand From, Operand To)> copies = _copies.Where(copy => _done.Contains(copy.Node)).ToList();
                _copies.RemoveAll(copies.Contains);
                // Sums and maxima are taken in the loop that computes what they run over.
                List<Node> reductions = _reductions.Where(r => computed.Contains(r.Inputs[0]) || IsReady(r.Inputs[0]) || !inRegion.Contains(r.Inputs[0])).ToList();
                foreach (int units in group.Select(map => map.Type.Units).Concat(copies.Select(c => c.Node.Type.Units))
                    .Concat(reductions.Select(r => r.Inputs[0].Type.Units)).Distinct().OrderBy(units => units))
                {
                    List<Node> members = group.Where(map => map.Type.Units == units).ToList();
                    var inGroup = new HashSet<Node>(members);
                    var usedInside = new Dictionary<Node, int>();
                    List<Node> reducing = reductions.Where(r => r.Inputs[0].Type.Units == units).ToList();
                    foreach (Node used in members.Concat(reducing).SelectMany(map => map.Inputs).Where(inGroup.Contains))
                    {
                        usedInside[used] = (usedInside.TryGetValue(used, out int count) ? count : 0) + 1;
                    }

                    var stores = new List<Binding>();
                    foreach (Node map in members)
                    {
                        bool usedOutside = !usedInside.TryGetValue(map, out int inside) || inside < _uses[map];
                        bool hasMemory = _owner._operands.ContainsKey((_scope, map));
                        if (usedOutside || hasMemory)
                        {
                            stores.Add(new Binding(map, MemoryFor(map, "value")));
                        }
                    }

                    var targets = new List<Binding>();
                    foreach (Node reduction in reducing)
                    {
                        targets.Add(new Binding(reduction, MemoryFor(reduction, "sum")));
                        _reductions.Remove(reduction);
                        _done.Add(reduction);
                    }

                    var loads = members.Concat(reducing).SelectMany(map => map.Inputs).Distinct()
                        .Where(input => !inGroup.Contains(input) && input.Kind is not (NodeKind.Parameter or NodeKind.Constant))
                        .Select(input => new Binding(input, _owner.OperandOf(_scope, input))).ToList();
                    foreach ((Node node, Operand from, Operand to) in copies.Where(copy => copy.Node.Type.Units == units))
                    {
                        if (!loads.Any(load => load.Node == node))
                        {
                            loads.Add(new Binding(node, from));
                        }

                        stores.Add(new Binding(node, to));
                    }

                    string name = string.Join(", ", stores.Concat(targets).Select(store => _owner.NameOf(store.Node, "value")).Distinct());
                    _statements.Add(new MapStage(name, _extent, units, loads.ToImmutableArray(), stores.ToImmutableArray(), _isAdjoint) { Reductions = targets.ToImmutableArray() });
                }

                foreach (Node map in group)
                {
                    _maps.Remove(map);
                    _done.Add(map);
                }
            }

            /// <summary>Joins and cuts vectors whose parts are there.</summary>
            private void ReadyMoves()
            {
                foreach (Node move in _moves.Where(move => move.Inputs.All(IsReady)).ToList())
                {
                    Operand target = MemoryFor(move, "vector");
                    int first = 0;
                    foreach (Node part in move.Inputs)
                    {
                        int units = move.Kind == NodeKind.Concat ? part.Type.Elements : move.Type.Units;
                        _statements.Add(new CopyRows(
                            _owner.NameOf(move, "vector"), _extent, units, _owner.MemoryOf(_scope, part, _statements), target,
                            move.Kind == NodeKind.Slice ? move.Index : 0, first));
                        first += units;
                    }

                    _moves.Remove(move);
                    _done.Add(move);
                }
            }

            private Operand MemoryFor(Node node, string otherwise)
            {
                if (!_owner._operands.TryGetValue((_scope, node), out Operand operand))
                {
                    operand = new Operand(_owner.NewValue(_owner.NameOf(node, otherwise), node.Type.Units, _extent.Scratch()));
                    _owner._operands[(_scope, node)] = operand;
                }

                return operand;
            }
        }

        /// <summary>A sum of products on its way to stages.</summary>
        private sealed class PendingSum
        {
            public PendingSum(Node root, Node? start, List<Node> terms)
            {
                Root = root;
                Start = start;
                Terms = terms;
            }

            public Node Root { get; }

            public Node? Start { get; }

            public List<Node> Terms { get; }

            public int Next { get; set; }

            public bool Started { get; set; }

            public Operand Target { get; set; }

            public Operand? CopyTo { get; set; }

            public StartKind StartKind { get; set; }

            public Node? Bias { get; set; }
        }
    }
}

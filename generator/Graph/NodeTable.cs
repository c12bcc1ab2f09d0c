using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;

namespace Unrolled.Generator.Graph;

/// <summary>Makes nodes and keeps each once: common subexpressions are one node from the start.</summary>
internal sealed class NodeTable
{
    private readonly Dictionary<Key, Node> _nodes = new();
    private readonly Dictionary<Node, string> _labels = new();
    private int _scopes;

    /// <summary>A new identity for a loop; 0 is the world outside loops.</summary>
    public int NewScope() => ++_scopes;

    public Node Input(string name, NodeType type) => Intern(NodeKind.Input, name, type, ImmutableArray<Node>.Empty);

    public Node Parameter(string name, NodeType type) => Intern(NodeKind.Parameter, name, type, ImmutableArray<Node>.Empty);

    public Node Constant(double value) => Constant(value, NodeType.Scalar);

    /// <summary>A number in every element of a type without rows or steps.</summary>
    public Node Constant(double value, NodeType type) => Intern(NodeKind.Constant, "", type, ImmutableArray<Node>.Empty, value: value);

    /// <summary>A value with the elements of <paramref name="type"/>: a number or one element fills what it lacks. Rows and steps may stay away.</summary>
    public Node Spread(Node value, NodeType type)
    {
        NodeType elements = type.Without(Axes.Batch | Axes.Time), wanted = value.Type.Without(Axes.Batch | Axes.Time);
        return wanted == elements || value.Type.IsToken ? value
            : value.Kind == NodeKind.Constant ? Constant(value.Value, elements)
            : Map("broadcast", value, Constant(0, elements));
    }

    public Node Argument(string name, NodeType type, int scope) => Intern(NodeKind.Argument, name, type, ImmutableArray<Node>.Empty, index: scope);

    public Node Map(string operation, params Node[] inputs) => Map(operation, inputs.ToImmutableArray());

    public Node Map(string operation, ImmutableArray<Node> inputs)
    {
        Operation row = OperationTable.Get(operation);
        if (inputs.Length != row.Arity)
        {
            throw new InvalidOperationException($"{operation} takes {row.Arity} values, not {inputs.Length}");
        }

        return Intern(NodeKind.Map, operation, NodeType.Broadcast(inputs.Select(input => input.Type)), inputs);
    }

    public Node Add(Node left, Node right) => Map("add", left, right);

    public Node Subtract(Node left, Node right) => Map("sub", left, right);

    public Node Multiply(Node left, Node right) => Map("mul", left, right);

    public Node Contract(Node left, Node right, Axes over) =>
        Intern(NodeKind.Contract, "", NodeType.Broadcast(new[] { left.Type, right.Type }).Without(over), ImmutableArray.Create(left, right), over: over);

    /// <summary>W @ v: sums over W's columns.</summary>
    public Node Product(Node matrix, Node vector) => Contract(matrix, Relabel(vector), Axes.Column);

    /// <summary>transpose(W) @ v: sums over W's rows.</summary>
    public Node TransposedProduct(Node matrix, Node vector) => Relabel(Contract(matrix, vector, Axes.Unit));

    /// <param name="operation">sum or max.</param>
    public Node Reduce(Node value, Axes over, string operation = "sum") =>
        (value.Type.Axes & over) == 0 ? value : Intern(NodeKind.Reduce, operation, value.Type.Without(over), ImmutableArray.Create(value), over: over);

    /// <summary>Vectors and single elements one after another along Unit.</summary>
    public Node Concat(ImmutableArray<Node> parts)
    {
        NodeType type = NodeType.Vector(parts.Sum(part => part.Type.Elements)).With(parts.Aggregate(Axes.None, (axes, part) => axes | part.Type.Axes));
        return parts.Length == 1 && parts[0].Type.Has(Axes.Unit) ? parts[0] : Intern(NodeKind.Concat, "", type, parts);
    }

    /// <summary>Elements <paramref name="first"/> … of a vector.</summary>
    public Node Slice(Node value, int first, int units) =>
        first == 0 && units == value.Type.Units ? value : Intern(NodeKind.Slice, "", value.Type with { Units = units }, ImmutableArray.Create(value), index: first);

    public Node Gather(Node matrix, Node tokens) =>
        Intern(NodeKind.Gather, "", NodeType.Vector(matrix.Type.Units).With(tokens.Type.Axes), ImmutableArray.Create(matrix, tokens));

    public Node ScatterAdd(Node rows, Node tokens, int columns) =>
        Intern(NodeKind.ScatterAdd, "", NodeType.Matrix(rows.Type.Units, columns), ImmutableArray.Create(rows, tokens));

    /// <summary>The same elements along Column instead of Unit, or the reverse.</summary>
    public Node Relabel(Node value)
    {
        // A transposed product keeps its own Relabel: with it, it is the vector that memory holds.
        if (value.Kind == NodeKind.Relabel && !value.IsProduct())
        {
            return value.Inputs[0];
        }

        Axes others = value.Type.Axes & ~(Axes.Unit | Axes.Column);
        NodeType type = value.Type.Has(Axes.Unit)
            ? new NodeType(others | Axes.Column, 0, value.Type.Units)
            : new NodeType(others | Axes.Unit, value.Type.Columns);
        return Intern(NodeKind.Relabel, "", type, ImmutableArray.Create(value));
    }

    public Node Shift(Node sequence, Node initial) => Intern(NodeKind.Shift, "", sequence.Type, ImmutableArray.Create(sequence, initial));

    public Node Scan(ScanBody body, ImmutableArray<Node> inputs)
    {
        if (inputs.Length != body.Carried.Length + body.Sequences.Length + body.Captured.Length)
        {
            throw new InvalidOperationException("a Scan takes an initial value for each carried one and an input for each sequence and captured value");
        }

        return Intern(NodeKind.Scan, body.Layer, NodeType.Scalar, inputs, body: body);
    }

    /// <summary>The values of <c>scan.Body.Stacked[index]</c> over all steps.</summary>
    public Node Stacked(Node scan, int index)
    {
        NodeType type = scan.Body!.Stacked[index].Type;
        return Intern(NodeKind.Result, "stacked", type.With(Axes.Time | Axes.Batch), ImmutableArray.Create(scan), index: index);
    }

    /// <summary>The value of <c>scan.Body.Carried[index]</c> after the last step.</summary>
    public Node Final(Node scan, int index) =>
        Intern(NodeKind.Result, "final", scan.Body!.Carried[index].Argument.Type, ImmutableArray.Create(scan), index: index);

    /// <summary>The same node with other inputs, its type worked out anew.</summary>
    public Node With(Node node, ImmutableArray<Node> inputs) => node.Kind switch
    {
        NodeKind.Map => Map(node.Name, inputs),
        NodeKind.Contract => Contract(inputs[0], inputs[1], node.Over),
        NodeKind.Reduce => Reduce(inputs[0], node.Over, node.Name),
        NodeKind.Concat => Concat(inputs),
        NodeKind.Slice => Slice(inputs[0], node.Index, node.Type.Units),
        NodeKind.Gather => Gather(inputs[0], inputs[1]),
        NodeKind.ScatterAdd => ScatterAdd(inputs[0], inputs[1], node.Type.Columns),
        NodeKind.Relabel => Relabel(inputs[0]),
        NodeKind.Shift => Shift(inputs[0], inputs[1]),
        NodeKind.Result => node.Name == "stacked" ? Stacked(inputs[0], node.Index) : Final(inputs[0], node.Index),
        NodeKind.Scan => Scan(node.Body!, inputs),
        _ => node,
    };

    /// <summary>Gives a value the name its equation gives it; the first name stays.</summary>
    public void SetLabel(Node node, string label)
    {
        if (!_labels.ContainsKey(node) && node.Kind is not (NodeKind.Parameter or NodeKind.Constant))
        {
            _labels.Add(node, label);
        }
    }

    /// <summary>Gives what took a value's place that value's name.</summary>
    public void CopyLabel(Node from, Node to)
    {
        if (Label(from) is { } label)
        {
            SetLabel(to, label);
        }
    }

    public string? Label(Node node) =>
        _labels.TryGetValue(node, out string? label) ? label : node.Kind is NodeKind.Argument or NodeKind.Input or NodeKind.Parameter ? node.Name : null;

    private Node Intern(
        NodeKind kind, string name, NodeType type, ImmutableArray<Node> inputs, double value = 0, int index = 0, Axes over = Axes.None, ScanBody? body = null)
    {
        var key = new Key(kind, name, type, inputs, value, index, over, body);
        if (!_nodes.TryGetValue(key, out Node? node))
        {
            node = new Node(_nodes.Count, kind, name, type, inputs, value, index, over, body);
            _nodes.Add(key, node);
        }

        return node;
    }

    private readonly struct Key : IEquatable<Key>
    {
        private readonly NodeKind _kind;
        private readonly string _name;
        private readonly NodeType _type;
        private readonly ImmutableArray<Node> _inputs;
        private readonly long _value;
        private readonly int _index;
        private readonly Axes _over;
        private readonly ScanBody? _body;

        public Key(NodeKind kind, string name, NodeType type, ImmutableArray<Node> inputs, double value, int index, Axes over, ScanBody? body)
        {
            _kind = kind;
            _name = name;
            _type = type;
            _inputs = inputs;
            _value = BitConverter.DoubleToInt64Bits(value);
            _index = index;
            _over = over;
            _body = body;
        }

        public bool Equals(Key other) =>
            _kind == other._kind && _name == other._name && _type == other._type && _value == other._value && _index == other._index
            && _over == other._over && ReferenceEquals(_body, other._body) && _inputs.SequenceEqual(other._inputs);

        public override bool Equals(object? obj) => obj is Key other && Equals(other);

        public override int GetHashCode()
        {
            unchecked
            {
                int hash = ((int)_kind * 397) ^ _name.GetHashCode();
                hash = (hash * 397) ^ _value.GetHashCode();
                hash = (hash * 397) ^ (_index * 31 + (int)_over);
                foreach (Node input in _inputs)
                {
                    hash = (hash * 397) ^ input.Id;
                }

                return hash;
            }
        }
    }
}

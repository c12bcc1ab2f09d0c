using System.Collections.Immutable;

namespace Unrolled.Generator.Graph;

internal enum NodeKind
{
    /// <summary>A value from outside: the input sequence, an initial state, an upstream gradient.</summary>
    Input,

    /// <summary>A trained vector or matrix.</summary>
    Parameter,

    /// <summary>A number.</summary>
    Constant,

    /// <summary>Inside the body of a Scan: a carried value of the step before, a sequence's value at this step, or a captured value.</summary>
    Argument,

    /// <summary>An elementwise operation: a row of the operation table; missing axes broadcast.</summary>
    Map,

    /// <summary>Products of two values, summed over the axes in <see cref="Node.Over"/>; over none it is the outer product of two vectors.</summary>
    Contract,

    /// <summary>A value's sum or maximum over the axes in <see cref="Node.Over"/>.</summary>
    Reduce,

    /// <summary>Vectors and single elements one after another along Unit.</summary>
    Concat,

    /// <summary>A run of a vector's elements, from <see cref="Node.Index"/> on.</summary>
    Slice,

    /// <summary>The columns of a matrix that tokens name: W times a one-hot vector.</summary>
    Gather,

    /// <summary>The adjoint of Gather: rows added into the columns of a matrix that tokens name.</summary>
    ScatterAdd,

    /// <summary>A vector's Unit axis seen as Column, or the reverse.</summary>
    Relabel,

    /// <summary>A sequence delayed by one step: [initial, s_0, …, s_(T-2)].</summary>
    Shift,

    /// <summary>A loop over Time, see <see cref="ScanBody"/>. Inputs: initial carried values, then sequences, then captured values.</summary>
    Scan,

    /// <summary>One result of a Scan: stacked values first, then final carried values.</summary>
    Result,
}

/// <summary>One value of the computation. Nodes are hash-consed by <see cref="NodeTable"/>: equal nodes are one object.</summary>
internal sealed class Node
{
    internal Node(int id, NodeKind kind, string name, NodeType type, ImmutableArray<Node> inputs, double value, int index, Axes over, ScanBody? body)
    {
        Id = id;
        Kind = kind;
        Name = name;
        Type = type;
        Inputs = inputs;
        Value = value;
        Index = index;
        Over = over;
        Body = body;
    }

    /// <summary>Position in the order of creation: inputs always have smaller ids.</summary>
    public int Id { get; }

    public NodeKind Kind { get; }

    /// <summary>A Map's operation, or the name of a parameter, input or argument.</summary>
    public string Name { get; }

    public NodeType Type { get; }

    public ImmutableArray<Node> Inputs { get; }

    /// <summary>The number of a Constant.</summary>
    public double Value { get; }

    /// <summary>Which result of a Scan; which scope an Argument belongs to; where a Slice begins.</summary>
    public int Index { get; }

    /// <summary>The axes a Contract or Reduce sums over.</summary>
    public Axes Over { get; }

    /// <summary>What a Scan does in one step.</summary>
    public ScanBody? Body { get; }

    public bool IsConstant(double value) => Kind == NodeKind.Constant && Value == value;

    public bool IsMap(string operation) => Kind == NodeKind.Map && Name == operation;

    public override string ToString() => $"%{Id} {Kind} {Name} {Type}";
}

/// <summary>A value a Scan hands from step to step.</summary>
/// <param name="Argument">Its value after the step before, as the body sees it.</param>
/// <param name="Next">Its value after this step.</param>
internal readonly record struct Carried(Node Argument, Node Next);

/// <summary>One step of a Scan. Parameters and constants it reads as they are.</summary>
/// <param name="Scope">Identity of the loop; arguments carry it.</param>
/// <param name="Primal">For an adjoint the scope of the loop it differentiates, otherwise 0.</param>
/// <param name="Layer">The layer the loop belongs to.</param>
/// <param name="Reverse">From the last step to the first.</param>
/// <param name="Sequences">An argument for each sequence among the Scan's inputs.</param>
/// <param name="Stacked">Values whose steps are collected into sequences.</param>
internal sealed record ScanBody(
    int Scope,
    int Primal,
    string Layer,
    bool Reverse,
    ImmutableArray<Carried> Carried,
    ImmutableArray<Node> Sequences,
    ImmutableArray<Node> Stacked)
{
    /// <summary>Arguments for what is computed outside and is the same in every step.</summary>
    public ImmutableArray<Node> Captured { get; init; } = ImmutableArray<Node>.Empty;
}

using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Unrolled.Generator.Graph;

namespace Unrolled.Generator.Schedule;

/// <summary>How long a stored value is kept, which decides its buffer's extent in steps.</summary>
internal enum Residence
{
    /// <summary>One row, the same for every row and step of the call.</summary>
    Once,

    /// <summary>One step: scratch.</summary>
    Step,

    /// <summary>Two steps, in turn: a carried value whose past nobody reads.</summary>
    Ring,

    /// <summary>Every step of the call.</summary>
    Steps,

    /// <summary>Every step and the state before the first.</summary>
    History,

    // Buffers the runtime's base classes read and write.
    Input,
    Tokens,
    Output,
    State,
    Fresh,
    OutputGradient,
    FinalGradient,
    InitialGradient,
    InputGradient,
}

/// <summary>A value that is kept in memory.</summary>
/// <param name="Index">Which state, for State, Fresh, FinalGradient and InitialGradient.</param>
internal sealed record StoredValue(int Id, string Name, int Units, Residence Residence, int Index = 0);

internal enum Moment
{
    /// <summary>This step; for a whole sequence, from the first step on.</summary>
    Current,

    /// <summary>The step before; for a whole sequence, from the initial state on.</summary>
    Previous,

    /// <summary>Before the first step of a loop.</summary>
    Initial,

    /// <summary>After the last step of a loop.</summary>
    Final,
}

/// <summary>A stored value at a moment.</summary>
internal readonly record struct Operand(int Value, Moment Moment = Moment.Current);

/// <summary>The rows a stage works on: one for all, the batch at one step, or the batch at all steps.</summary>
internal enum Extent
{
    Once,
    Step,
    Sequence,
}

internal static class ExtentExtensions
{
    /// <summary>How long a value of such rows is kept that nothing asks to keep longer.</summary>
    public static Residence Scratch(this Extent extent) => extent switch
    {
        Extent.Once => Residence.Once,
        Extent.Step => Residence.Step,
        _ => Residence.Steps,
    };

    /// <summary>The rows of a value outside loops.</summary>
    public static Extent RowExtent(this NodeType type) =>
        type.Has(Axes.Time) ? Extent.Sequence : type.Has(Axes.Batch) ? Extent.Step : Extent.Once;
}

internal enum StartKind
{
    Zero,
    Bias,
    InPlace,
}

/// <summary>A sum of products and what it starts from.</summary>
/// <param name="Value">The graph's node it computes.</param>
/// <param name="Bias">The vector it starts from when <paramref name="Start"/> is Bias.</param>
internal sealed record Accumulator(Node Value, Operand Target, StartKind Start, Node? Bias);

/// <summary>One product of a stage: all its accumulators get their slot of the packing times the operand.</summary>
/// <param name="Operands">One value, or one for each matrix of a transposed packing; a token lookup has the token input.</param>
internal sealed record Term(Packing Packing, ImmutableArray<Operand> Operands, bool IsLookup);

/// <summary>A node and the memory it is read from or written to.</summary>
internal readonly record struct Binding(Node Node, Operand Operand);

internal abstract record Statement(string Name);

/// <summary>Sums of products: every accumulator gets every term.</summary>
internal sealed record ProductStage(
    string Name, Extent Extent, ImmutableArray<Accumulator> Accumulators, ImmutableArray<Term> Terms) : Statement(Name);

/// <summary>An epilogue: elementwise operations on rows of <paramref name="Units"/> elements, from loads to stores.</summary>
/// <param name="Units">Elements of a row; 0 for values of one element.</param>
/// <param name="IsAdjoint">Stores must leave padding at zero: weight gradients read whole vectors of them.</param>
internal sealed record MapStage(
    string Name, Extent Extent, int Units, ImmutableArray<Binding> Loads, ImmutableArray<Binding> Stores, bool IsAdjoint) : Statement(Name)
{
    /// <summary>Sums and maxima over the elements of a row, each stored as one element.</summary>
    public ImmutableArray<Binding> Reductions { get; init; } = ImmutableArray<Binding>.Empty;
}

/// <summary>Gradients of vectors: a node summed over all rows for each parameter.</summary>
internal sealed record ColumnSums(
    string Name, Extent Extent, int Units, ImmutableArray<Binding> Loads, ImmutableArray<(Node Parameter, Node Value)> Sums) : Statement(Name);

/// <summary>The adjoint of a value that all rows share: a node summed over all rows.</summary>
/// <param name="Sum">The graph's node it computes.</param>
internal sealed record RowSum(string Name, Extent Extent, int Units, Binding Load, Node Sum, Operand Target) : Statement(Name);

/// <summary>Gradients of a packing's matrices: for each slot the outer product of its rows' adjoint and the columns' value, over all rows.</summary>
/// <param name="Adjoints">One for each slot; null leaves the slot alone.</param>
/// <param name="Columns">What the matrices were applied to: a value, or tokens.</param>
internal sealed record WeightGradient(
    string Name, Extent Extent, Packing Packing, ImmutableArray<Operand?> Adjoints, Operand Columns, bool IsLookup) : Statement(Name)
{
    /// <summary>Rows worked on at a time: their adjoints, gathered, and values stay in the first-level cache.</summary>
    public const int ChunkRows = 128;

    /// <summary>For each slot the parameter whose gradient is the sum of the slot's adjoints over all rows: a bias. Null for none.</summary>
    public ImmutableArray<Node?> Vectors { get; init; } = Adjoints.Select(_ => (Node?)null).ToImmutableArray();
}

/// <summary>Rows from one place to another: a state and a loop's memory, a part of a vector and the whole; without a source, zeros.</summary>
/// <param name="FromElement">Where in the source's row to begin.</param>
/// <param name="ToElement">Where in the target's row to begin.</param>
internal sealed record CopyRows(string Name, Extent Extent, int Units, Operand? From, Operand To, int FromElement = 0, int ToElement = 0) : Statement(Name);

/// <summary>
/// Products and the equations on their units, for one row: a block of units after the other, all in registers between the operands
/// that are read and the values that are kept.
/// </summary>
/// <param name="Parts">Product stages and epilogues, in order.</param>
/// <param name="Kept">What is stored once a block's equations are done; what the products read, once all blocks' are.</param>
internal sealed record StreamStage(string Name, int Units, ImmutableArray<Statement> Parts, ImmutableArray<Operand> Kept) : Statement(Name)
{
    /// <summary>What is kept where the stage's own products read: states.</summary>
    public ImmutableArray<Operand> Replaced => Kept.Intersect(Parts.OfType<ProductStage>().SelectMany(product => product.Terms).SelectMany(term => term.Operands)).ToImmutableArray();
}

/// <summary>A loop over the steps of the call.</summary>
internal sealed record Loop(string Name, int Scope, bool Reverse, ImmutableArray<Statement> Body) : Statement(Name);

/// <summary>Statements on some of the steps, a block of them after the other.</summary>
/// <param name="Reverse">From the last steps to the first.</param>
internal sealed record StepBlocks(string Name, bool Reverse, ImmutableArray<Statement> Body) : Statement(Name)
{
    /// <summary>Rows of a block, if its steps have that many: whole chunks of weight gradients.</summary>
    public int Rows { get; init; }
}

/// <summary>What only the gradient of the input needs, where it is asked for.</summary>
internal sealed record OnRequest(ImmutableArray<Statement> Body) : Statement("gradient of the input");

/// <summary>Brings a derived packing up to date with the parameters it is made from.</summary>
internal sealed record Repack(Packing Packing) : Statement("weights of " + Packing.Name);

/// <summary>What of a statement one thread does.</summary>
internal enum Division
{
    /// <summary>Some of the batch's rows, at each step.</summary>
    Rows,

    /// <summary>Some of the rows of all steps, which lie one after another.</summary>
    RowsOfSteps,

    /// <summary>Some blocks of the weights or gradients that are written, from all rows: panels, columns or 16 units.</summary>
    Blocks,

    /// <summary>One thread does it for all: what depends on parameters alone.</summary>
    One,
}

/// <summary>Statements that threads divide among them alike. None reads what another thread's part of them writes; afterwards all threads meet.</summary>
internal sealed record Parallel(string Name, Division Division, ImmutableArray<Statement> Body) : Statement(Name);

/// <summary>A row of memory: <see cref="Slots"/> values of <see cref="Units"/> elements, each padded to whole vectors.</summary>
internal sealed record Buffer(int Id, string Name, int Units, int Slots, Residence Residence, int Index)
{
    public int RowStride => Slots * Packing.Padded(Units);

    /// <summary>Floats from the row of one sequence to the next one's: none where they share it.</summary>
    public int RowStep => Residence == Residence.Once ? 0 : RowStride;
}

/// <summary>Where a stored value lies: a slot of a buffer.</summary>
internal readonly record struct Place(int Buffer, int Slot);

/// <summary>How it is computed: the programs of one use (streaming, sequences, training) and the memory they share.</summary>
/// <param name="Forward">From inputs and states to outputs and states.</param>
/// <param name="Backward">From upstream gradients to gradients; empty without training.</param>
/// <param name="Derived">Packings that must be brought up to date when parameters changed.</param>
internal sealed record ModelSchedule(
    string Name,
    ImmutableArray<StoredValue> Values,
    ImmutableArray<Statement> Forward,
    ImmutableArray<Statement> Backward,
    ImmutableArray<Packing> Derived,
    ImmutableArray<Buffer> Buffers,
    ImmutableArray<Place> Places)
{
    /// <summary>Where the outputs are when the program has run; null where they are in the output buffer.</summary>
    public Operand? Outputs { get; init; }

    /// <summary>Floats of a row of the widest buffer that holds every step.</summary>
    public int WidestRow => Buffers.Where(buffer => buffer.Residence == Residence.Steps).Select(buffer => buffer.RowStride).DefaultIfEmpty(Packing.Lanes).Max();

    /// <summary>Whether a packing is made from the parameters, instead of being how they lie in memory.</summary>
    public bool IsDerived(Packing packing) => Derived.Contains(packing);

    public StoredValue ValueOf(Operand operand) => Values[operand.Value];

    public Place PlaceOf(Operand operand) => Places[operand.Value];

    public Buffer BufferOf(Operand operand) => Buffers[Places[operand.Value].Buffer];

    /// <summary>Every statement in the order it runs, those that hold others followed by them.</summary>
    public ImmutableArray<Statement> AllStatements => Flat(Forward.Concat(Backward)).ToImmutableArray();

    /// <summary>Statements, each followed by what is in it.</summary>
    public static IEnumerable<Statement> Flat(IEnumerable<Statement> statements) => statements.SelectMany(statement => statement switch
    {
        Loop loop => Flat(loop.Body).Prepend(statement),
        StepBlocks blocks => Flat(blocks.Body).Prepend(statement),
        OnRequest requested => Flat(requested.Body).Prepend(statement),
        Parallel parallel => Flat(parallel.Body).Prepend(statement),
        _ => new[] { statement },
    });
}

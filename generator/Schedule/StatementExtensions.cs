using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Unrolled.Generator.Graph;

namespace Unrolled.Generator.Schedule;

/// <summary>What statements read, write and compute.</summary>
internal static class StatementExtensions
{
    public static IEnumerable<Operand> Reads(this Statement statement) => statement switch
    {
        ProductStage stage => stage.Terms.SelectMany(term => term.Operands)
            .Concat(stage.Accumulators.Where(accumulator => accumulator.Start == StartKind.InPlace).Select(accumulator => accumulator.Target)),
        MapStage stage => stage.Loads.Select(load => load.Operand),
        StreamStage stage => stage.Parts.SelectMany((part, index) => part.Reads().Except(stage.Parts.Take(index).SelectMany(Writes))),
        ColumnSums sums => sums.Loads.Select(load => load.Operand),
        RowSum sum => new[] { sum.Load.Operand },
        WeightGradient gradient => gradient.Adjoints.OfType<Operand>().Append(gradient.Columns),
        CopyRows copy => copy.From is { } from ? new[] { from } : Enumerable.Empty<Operand>(),
        _ => Enumerable.Empty<Operand>(),
    };

    public static IEnumerable<Operand> Writes(this Statement statement) => statement switch
    {
        ProductStage stage => stage.Accumulators.Select(accumulator => accumulator.Target),
        MapStage stage => stage.Stores.Concat(stage.Reductions).Select(store => store.Operand),
        StreamStage stage => stage.Kept.IsEmpty ? stage.Parts.SelectMany(Writes) : stage.Kept,
        RowSum sum => new[] { sum.Target },
        CopyRows copy => new[] { copy.To },
        _ => Enumerable.Empty<Operand>(),
    };

    /// <summary>The rows a statement works on.</summary>
    public static Extent RowExtent(this Statement statement) => statement switch
    {
        ProductStage stage => stage.Extent,
        MapStage stage => stage.Extent,
        ColumnSums sums => sums.Extent,
        RowSum sum => sum.Extent,
        WeightGradient gradient => gradient.Extent,
        CopyRows copy => copy.Extent,
        _ => Extent.Sequence,
    };

    /// <summary>How a statement is divided: rows are independent of each other until something is summed over them.</summary>
    public static Division DividedBy(this Statement statement) => statement switch
    {
        Loop => Division.Rows,
        ProductStage { Extent: Extent.Once } or MapStage { Extent: Extent.Once } or CopyRows { Extent: Extent.Once } => Division.One,
        ProductStage { Extent: Extent.Step } or MapStage { Extent: Extent.Step } or CopyRows { Extent: Extent.Step } => Division.Rows,
        ProductStage or MapStage or CopyRows => Division.RowsOfSteps,
        _ => Division.Blocks,
    };

    /// <summary>The products a statement is made of.</summary>
    public static IEnumerable<Term> Products(this Statement statement) => statement switch
    {
        ProductStage stage => stage.Terms,
        StreamStage stage => stage.Parts.SelectMany(Products),
        _ => Enumerable.Empty<Term>(),
    };

    /// <summary>The parameters a statement reads, or adds to the gradients of; a product may read their derived packing instead.</summary>
    public static IEnumerable<Node> Parameters(this Statement statement) => statement switch
    {
        ProductStage stage => stage.Terms.SelectMany(term => term.Packing.Matrices).Concat(stage.Accumulators.Select(accumulator => accumulator.Bias).OfType<Node>()),
        MapStage stage => stage.Inputs().Where(node => node.Kind == NodeKind.Parameter),
        StreamStage stage => stage.Parts.SelectMany(Parameters),
        ColumnSums sums => sums.Inputs().Where(node => node.Kind == NodeKind.Parameter).Concat(sums.Sums.Select(sum => sum.Parameter)),
        WeightGradient gradient => gradient.Packing.Matrices.Concat(gradient.Vectors.OfType<Node>()),
        _ => Enumerable.Empty<Node>(),
    };

    /// <summary>What the stage computes between its loads and its stores, inputs before users.</summary>
    public static List<Node> Computed(this MapStage stage) => Computed(stage.Stores.Select(store => store.Node).Concat(stage.Reductions.Select(r => r.Node.Inputs[0])), stage.Loads);

    /// <summary>What the stage's operations, stores and reductions take.</summary>
    public static List<Node> Inputs(this MapStage stage) =>
        stage.Computed().SelectMany(node => node.Inputs).Concat(stage.Stores.Select(store => store.Node)).Concat(stage.Reductions.Select(r => r.Node.Inputs[0])).ToList();

    /// <summary>What sums of columns take.</summary>
    public static List<Node> Inputs(this ColumnSums sums) => sums.Computed().SelectMany(node => node.Inputs).Concat(sums.Sums.Select(sum => sum.Value)).ToList();

    /// <summary>What sums of columns compute for each row.</summary>
    public static List<Node> Computed(this ColumnSums sums) => Computed(sums.Sums.Select(sum => sum.Value), sums.Loads);

    private static List<Node> Computed(IEnumerable<Node> targets, ImmutableArray<Binding> loads)
    {
        var done = new HashSet<Node>(loads.Select(load => load.Node));
        var order = new List<Node>();
        foreach (Node target in targets)
        {
            Walk.InputsFirst(target, node => node.Kind is NodeKind.Parameter or NodeKind.Constant || done.Contains(node), node => node.Inputs, Compute);
        }

        return order;

        void Compute(Node node)
        {
            if (node.Kind != NodeKind.Map)
            {
                throw new InvalidOperationException($"an epilogue reads {node}, which nothing loads");
            }

            done.Add(node);
            order.Add(node);
        }
    }
}

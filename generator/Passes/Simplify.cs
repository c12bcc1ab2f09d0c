using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using System.Runtime.CompilerServices;
using Unrolled.Generator.Graph;

namespace Unrolled.Generator.Passes;

/// <summary>
/// Constants fold; what adds nothing or multiplies by one or zero goes; so do results that only hand an input through. What takes a
/// value's place has its elements: a sum over them, or a vector they are joined into, counts them.
/// </summary>
internal static class Simplify
{
    public static ModelGraph Run(ModelGraph graph)
    {
        NodeTable table = graph.Table;
        return new GraphRewriter(table, node => Rewrite(table, node)).Visit(graph);
    }

    private static Node Rewrite(NodeTable table, Node node) => node.Kind switch
    {
        NodeKind.Map => table.Spread(RewriteMap(table, node), node.Type),
        NodeKind.Contract or NodeKind.Gather or NodeKind.ScatterAdd or NodeKind.Reduce or NodeKind.Relabel when node.Inputs.Any(input => input.IsConstant(0)) =>
            table.Spread(table.Constant(0), node.Type),
        NodeKind.Reduce when node.Inputs[0].Kind == NodeKind.Constant && node.Over == Axes.Unit =>
            table.Constant(node.Name == "sum" ? node.Inputs[0].Value * node.Inputs[0].Type.Units : node.Inputs[0].Value),
        NodeKind.Scan => KeepAxes(table, node),
        NodeKind.Result when node.Name == "stacked" => RewriteStacked(table, node),
        _ => node,
    };

    private static Node RewriteStacked(NodeTable table, Node node)
    {
        Node scan = node.Inputs[0], value = scan.Body!.Stacked[node.Index];
        if (value.Kind == NodeKind.Constant)
        {
            return value;
        }

        int sequence = scan.Body.Sequences.IndexOf(value);
        return sequence >= 0 ? scan.Inputs[scan.Body.Carried.Length + sequence] : node;
    }

    /// <summary>A carried value that is the same in every row is spread over the batch again: it must fill a buffer.</summary>
    private static Node KeepAxes(NodeTable table, Node scan)
    {
        ScanBody body = scan.Body!;
        var spread = new Dictionary<Node, Node>();
        foreach (Carried c in body.Carried.Where(c => c.Next.Type != c.Argument.Type))
        {
            spread[c.Next] = table.Map("broadcast", c.Next, c.Argument);
        }

        return spread.Count == 0 ? scan : table.Scan(body.Rewrite(Spread), scan.Inputs);

        Node Spread(Node node) => spread.TryGetValue(node, out Node? value) ? value : node;
    }

    private static Node RewriteMap(NodeTable table, Node node)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        ImmutableArray<Node> x = node.Inputs;
        if (x.All(input => input.Kind == NodeKind.Constant))
        {
            return table.Constant(OperationTable.Get(node.Name).Meaning(x.Select(input => input.Value).ToArray()));
        }

        switch (node.Name)
        {
            case "identity":
                return x[0];
            case "broadcast" when x[0].IsConstant(0) || x[0].Type == node.Type:
                return x[0];
            case "add" when x[0].IsConstant(0):
                return x[1];
            case "add" when x[1].IsConstant(0):
                return x[0];
            case "add" when x[1].IsMap("neg"):
                return Rewrite(table, table.Subtract(x[0], x[1].Inputs[0]));
            case "add" when x[0].IsMap("neg"):
                return Rewrite(table, table.Subtract(x[1], x[0].Inputs[0]));
            case "sub" when x[1].IsConstant(0):
                return x[0];
            case "sub" when x[0].IsConstant(0):
                return Rewrite(table, table.Map("neg", x[1]));
            case "sub" when x[1].IsMap("neg"):
                return table.Add(x[0], x[1].Inputs[0]);
            case "sub" when Common(x[0], x[1]) is { } factor:
                // The difference of what is multiplied loses less than the difference of products.
                return table.Multiply(factor, Rewrite(table, table.Subtract(Other(x[0], factor), Other(x[1], factor))));
            case "mul" when x[0].IsConstant(0) || x[1].IsConstant(0):
                return table.Constant(0);
            case "mul" when x[0].IsConstant(1):
                return x[1];
            case "mul" when x[1].IsConstant(1):
                return x[0];
            case "mul" when x[0].IsConstant(-1):
                return Rewrite(table, table.Map("neg", x[1]));
            case "mul" when x[0].IsMap("neg"):
                return Rewrite(table, table.Map("neg", table.Multiply(x[0].Inputs[0], x[1])));
            case "mul" when x[1].IsMap("neg"):
                return Rewrite(table, table.Map("neg", table.Multiply(x[0], x[1].Inputs[0])));
            case "div" when x[1].IsConstant(1):
                return x[0];
            case "div" when x[0].IsConstant(0):
                return table.Constant(0);
            case "neg" when x[0].IsMap("neg"):
                return x[0].Inputs[0];
            case "select_greater" when x[2] == x[3]:
                return x[2];
            case "select_greater" when x[0].Kind == NodeKind.Constant && x[1].Kind == NodeKind.Constant:
                return x[0].Value > x[1].Value ? x[2] : x[3];
            case "log" when LogarithmOf(table, x[0]) is { } logarithm:
                return logarithm;
            default:
                return node;
        }
    }

    /// <summary>
    /// The logarithm of what can be too small for float32 where its logarithm is not, without that value: of sigmoid, of 1 - sigmoid, of an
    /// exponential, and of a part of a sum of exponentials, which softmax is; null for anything else.
    /// </summary>
    private static Node? LogarithmOf(NodeTable table, Node value)
    {
        if (value.IsMap("sigmoid"))
        {
            return table.Map("neg", table.Map("softplus", Rewrite(table, table.Map("neg", value.Inputs[0]))));
        }

        if (value.IsMap("sub") && value.Inputs[0].IsConstant(1) && value.Inputs[1].IsMap("sigmoid"))
        {
            return table.Map("neg", table.Map("softplus", value.Inputs[1].Inputs[0]));
        }

        return value.IsMap("exp") ? value.Inputs[0]
            : value.IsMap("div") && value.Inputs[0].IsMap("exp") ? table.Subtract(value.Inputs[0].Inputs[0], Rewrite(table, table.Map("log", value.Inputs[1])))
            : null;
    }

    /// <summary>A factor that two products share.</summary>
    private static Node? Common(Node left, Node right) =>
        left.IsMap("mul") && right.IsMap("mul") && left != right ? left.Inputs.FirstOrDefault(right.Inputs.Contains) : null;

    private static Node Other(Node product, Node factor) => product.Inputs[0] == factor ? product.Inputs[1] : product.Inputs[0];
}

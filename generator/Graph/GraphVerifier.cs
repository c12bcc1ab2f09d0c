using System;
using System.Collections.Generic;
using System.Linq;

namespace Unrolled.Generator.Graph;

/// <summary>What must hold of every graph between passes. A violation is a fault of a pass, never of the user.</summary>
internal static class GraphVerifier
{
    /// <exception cref="InvalidOperationException">Names the rule and the node.</exception>
    public static void Verify(ModelGraph graph, string after)
    {
        try
        {
            foreach (Node node in graph.Roots.Reachable())
            {
                VerifyNode(node);
                Require(node.Kind != NodeKind.Argument, node, "an argument stands outside its loop");
                if (node.Body is { } body)
                {
                    VerifyBody(node, body);
                }
            }

            Require(
                graph.Output.Type.Has(Axes.Unit | Axes.Batch | Axes.Time) || (graph.Output.Kind == NodeKind.Constant && graph.Output.Type.Has(Axes.Unit)),
                graph.Output, "the output is a sequence of vectors, or the same vector in all of them");
            foreach (Gradient gradient in graph.Gradients.Where(g => g.Kind == GradientKind.Parameter && g.Value.Kind != NodeKind.Constant))
            {
                Require(gradient.Value.Type == gradient.Target.Type, gradient.Value, $"the gradient of {gradient.Target.Name} has its type {gradient.Target.Type}");
            }
        }
        catch (InvalidOperationException fault)
        {
            throw new InvalidOperationException($"after {after}: {fault.Message}", fault);
        }
    }

    /// <summary>What holds once states are flushed: no loop of the network stores or reads a denormal number as what it carries.</summary>
    /// <exception cref="InvalidOperationException">Names the rule and the node.</exception>
    public static void VerifyFlushed(ModelGraph graph)
    {
        foreach (ScanBody body in graph.Roots.Reachable().Select(node => node.Body).OfType<ScanBody>())
        {
            foreach (Carried carried in body.Carried)
            {
                // An adjoint is flushed where the step before reads it; a zero spread over its axes takes nothing from it.
                bool isFlushed = body.Primal == 0
                    ? carried.Next.Kind is NodeKind.Argument or NodeKind.Parameter or NodeKind.Constant || carried.Next.IsMap("flush")
                        || (carried.Next.IsMap("broadcast") && carried.Next.Inputs[0].Kind == NodeKind.Constant)
                    : body.Nodes().All(node => !node.Inputs.Contains(carried.Argument) || node.IsMap("flush_denormal") || node.Inputs.Any(input => input.IsConstant(0)));
                Require(isFlushed, carried.Next, "what a loop carries is flushed");
            }
        }
    }

    private static void VerifyBody(Node scan, ScanBody body)
    {
        var arguments = new HashSet<Node>(body.Carried.Select(c => c.Argument).Concat(body.Sequences).Concat(body.Captured));
        Require(arguments.Count == body.Carried.Length + body.Sequences.Length + body.Captured.Length, scan, "an argument is declared twice");
        foreach (Node node in body.Nodes())
        {
            VerifyNode(node);
            Require(node.Kind is not (NodeKind.Scan or NodeKind.Result or NodeKind.Input), node, "a body holds no loops and reads no sequences but its own");
            Require(!node.Type.Has(Axes.Time), node, "a body sees one step");
            Require(node.Kind != NodeKind.Argument || arguments.Contains(node), node, $"an argument of another loop stands in the loop of {body.Layer}");
        }

        foreach (Node captured in body.Captured)
        {
            Require(!captured.Type.Has(Axes.Batch) && scan.InputOf(captured).Type == captured.Type, captured, "a captured value is the same in every row and step");
        }

        foreach (Carried carried in body.Carried)
        {
            Require(carried.Next.Type == carried.Argument.Type, carried.Next, $"a carried value keeps its type {carried.Argument.Type}");
        }
    }

    private static void VerifyNode(Node node)
    {
        foreach (Node input in node.Inputs)
        {
            Require(input.Id < node.Id, node, "inputs are made before their users");
        }

        switch (node.Kind)
        {
            case NodeKind.Map:
                Require(node.Inputs.Length == OperationTable.Get(node.Name).Arity, node, "an operation has its number of inputs");
                Require(!node.Type.Has(Axes.Column) || node.Name == "add", node, "elementwise operations are on vectors; only gradients of matrices are added");
                break;
            case NodeKind.Contract:
                // A number has no rows and no steps, and is the same in all of them.
                Require(
                    node.Inputs.All(input => input.Type.Has(input.Vector().Kind == NodeKind.Constant ? node.Over & ~(Axes.Batch | Axes.Time) : node.Over)),
                    node, "both sides of a product have the axes it sums over");
                Require(
                    node.Over != Axes.None || (node.Inputs[0].Type.Axes == Axes.Unit && node.Inputs[1].Type.Axes == Axes.Column),
                    node, "both sides of a product have the axes it sums over");
                break;
            case NodeKind.Reduce:
                Require(node.Inputs[0].Type.Has(node.Over), node, "a sum runs over axes its input has");
                break;
            case NodeKind.Concat or NodeKind.Slice:
                Require(node.Inputs.All(input => !input.Type.Has(Axes.Column)), node, "only vectors are joined and cut");
                Require(node.Kind == NodeKind.Concat || node.Index + node.Type.Units <= node.Inputs[0].Type.Units, node, "a slice lies inside its vector");
                break;
            case NodeKind.Gather:
                Require(node.Inputs[0].Type.Has(Axes.Unit | Axes.Column) && node.Inputs[1].Type.IsToken, node, "a lookup takes a matrix and tokens");
                break;
            case NodeKind.ScatterAdd:
                Require(node.Inputs[0].Type.Has(Axes.Unit) && node.Inputs[1].Type.IsToken, node, "a scatter takes vectors and tokens");
                break;
        }
    }

    private static void Require(bool condition, Node node, string rule)
    {
        if (!condition)
        {
            throw new InvalidOperationException($"{rule} ({node})");
        }
    }
}

using System.Collections.Immutable;

namespace Unrolled.Generator.Graph;

/// <summary>What is computed: the whole network over a sequence, and after Differentiate its gradients too.</summary>
/// <param name="Table">Where the nodes live.</param>
/// <param name="Layers">Each layer's equations as written, for remarks and names.</param>
/// <param name="Parameters">In the order of the layers and of their first use in the text.</param>
/// <param name="States">Carried values in the order of the layers.</param>
/// <param name="Input">The input sequence: [time, batch, features] or tokens [time, batch].</param>
/// <param name="Output">[time, batch, outputs].</param>
/// <param name="Gradients">Empty before Differentiate.</param>
internal sealed record ModelGraph(
    NodeTable Table,
    ImmutableArray<LayerText> Layers,
    ImmutableArray<ParameterDeclaration> Parameters,
    ImmutableArray<StateDeclaration> States,
    Node Input,
    Node Output,
    ImmutableArray<Gradient> Gradients)
{
    /// <summary>Every node somebody outside asks for.</summary>
    public ImmutableArray<Node> Roots
    {
        get
        {
            ImmutableArray<Node>.Builder roots = ImmutableArray.CreateBuilder<Node>();
            roots.Add(Output);
            foreach (StateDeclaration state in States)
            {
                roots.Add(state.Final);
            }

            foreach (Gradient gradient in Gradients)
            {
                roots.Add(gradient.Value);
            }

            return roots.ToImmutable();
        }
    }
}

/// <summary>The class that a network is written into, and what it takes in and is trained for.</summary>
/// <param name="Namespace">The class's namespace, empty for the global one.</param>
/// <param name="ContainingTypes">Declarations around the class, outermost first, as they must be repeated: <c>public static partial class Outer</c>.</param>
/// <param name="Declaration">The class's own declaration to repeat: <c>partial class CharModel</c>.</param>
/// <param name="Class">The class's name, without generics.</param>
/// <param name="Tokens">Number of tokens for token input, 0 for vectors.</param>
/// <param name="Features">Elements of an input vector, 0 for tokens.</param>
/// <param name="Loss">None, SoftmaxCrossEntropy or MeanSquaredError: the runtime's <c>Loss</c> member.</param>
internal record ModelClass(
    string Namespace,
    EquatableArray<string> ContainingTypes,
    string Declaration,
    string Class,
    int Tokens,
    int Features,
    string Loss);

/// <summary>A layer as its equations say it.</summary>
/// <param name="Notes">What the binder decided and the text does not say, for the remarks.</param>
internal sealed record LayerText(string Name, string Cell, int Inputs, int Units, ImmutableArray<string> Equations, ImmutableArray<string> Notes);

/// <summary>A trained parameter.</summary>
/// <param name="Node">A vector or matrix named <c>layer.symbol</c>.</param>
/// <param name="Initializer">Name of the initialisation: zero, constant, identity, orthogonal, glorot, he, uniform, normal.</param>
internal sealed record ParameterDeclaration(Node Node, string Initializer, ImmutableArray<double> Arguments);

/// <summary>A state carried from step to step.</summary>
/// <param name="Initial">What the caller's memory holds.</param>
/// <param name="Start">The value before the first step: <paramref name="Initial"/>, or where a row is fresh what it learned to start from.</param>
/// <param name="Final">The value after the last step.</param>
internal sealed record StateDeclaration(string Name, Node Initial, Node Start, Node Final)
{
    /// <summary>The parameter that fresh rows start from, or null where they start from <see cref="StartNumber"/>.</summary>
    public Node? LearnedStart { get; init; }

    /// <summary>For each row whether it is fresh, 1 or 0: its sequence begins here, and nobody set its state.</summary>
    public Node? Fresh { get; init; }

    public double StartNumber { get; init; }
}

internal enum GradientKind
{
    Parameter,
    Input,
    InitialState,
}

/// <summary>The derivative of the loss with respect to <paramref name="Target"/>.</summary>
internal sealed record Gradient(GradientKind Kind, Node Target, Node Value);

/// <summary>Names of the inputs that Differentiate adds: upstream gradients.</summary>
internal static class UpstreamGradient
{
    public const string Output = "d_output";

    public static string Final(string state) => "d_final_" + state;
}

using System;
using System.Collections.Immutable;

namespace Unrolled.Generator.Frontend.Equations;

/// <summary>The words of the equation language as data: what is reserved, and what each place accepts.</summary>
internal static class Vocabulary
{
    /// <summary>Words that open a statement or stand inside one.</summary>
    public static readonly ImmutableArray<string> Keywords = ImmutableArray.Create(
        "size", "shape", "param", "init", "start", "output", "for", "in");

    /// <summary>Names with a meaning of their own: the step, the input, and the two known sizes.</summary>
    public static readonly ImmutableArray<string> KnownNames = ImmutableArray.Create("t", "x", "input", "units");

    /// <summary>Functions an equation may call. None of them can name a value, a parameter or a size.</summary>
    public static readonly ImmutableArray<string> Functions = ImmutableArray.Create(
        "sigmoid", "tanh", "scaled_tanh", "relu", "leaky_relu", "thresholded_relu", "elu", "softplus", "softsign", "hard_sigmoid", "hard_tanh",
        "gelu", "silu", "affine",
        "identity", "exp", "log", "sqrt", "square", "abs", "min", "max", "clip", "sum", "mean", "norm", "softmax", "layer_norm",
        "concat", "transpose");

    /// <summary>Functions that also repeat over a range: <c>sum{k in 1..L}(…)</c>.</summary>
    public static readonly ImmutableArray<string> FamilyOperators = ImmutableArray.Create("sum", "concat");

    /// <summary>How a parameter may start, with the numbers each way takes.</summary>
    public static readonly ImmutableArray<InitializerRow> Initializers = ImmutableArray.Create(
        new InitializerRow("zero", 0, 0, ""),
        new InitializerRow("identity", 0, 0, ""),
        new InitializerRow("orthogonal", 0, 1, "gain"),
        new InitializerRow("glorot", 0, 1, "gain"),
        new InitializerRow("he", 0, 1, "gain"),
        new InitializerRow("uniform", 2, 2, "low, high"),
        new InitializerRow("normal", 2, 2, "mean, standard deviation"));

    /// <summary>The name the syntax tree gives to <c>init name = NUMBER</c>.</summary>
    public const string ConstantInitializer = "constant";

    public static bool IsKeyword(string name) => Keywords.Contains(name);

    public static bool IsFunction(string name) => Functions.Contains(name);

    /// <summary>Why a cell may not give this name to something of its own, or null if it may.</summary>
    public static string? WhyReserved(string name) =>
        IsKeyword(name) ? "a keyword"
        : IsFunction(name) ? "a function"
        : name switch
        {
            "t" => "the step",
            "x" => "the layer's input",
            "input" => "the number of elements of x",
            "units" => "the number of elements of the output",
            _ => null,
        };

    public static InitializerRow? FindInitializer(string name)
    {
        foreach (InitializerRow row in Initializers)
        {
            if (row.Name == name)
            {
                return row;
            }
        }

        return null;
    }
}

/// <summary>One initialisation: its name, how many numbers it takes, and what they are.</summary>
internal sealed record InitializerRow(string Name, int Fewest, int Most, string Numbers)
{
    /// <summary>How it is written, for messages: <c>uniform(low, high)</c>.</summary>
    public string Usage => Most == 0 ? Name : Fewest == 0 ? $"{Name} or {Name}({Numbers})" : $"{Name}({Numbers})";
}

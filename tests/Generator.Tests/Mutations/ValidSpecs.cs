using System.Text.Json;
using Microsoft.CodeAnalysis.CSharp;
using Unrolled.Generator.Frontend;
using Unrolled.Generator.Tests.PassTests;

namespace Unrolled.Generator.Tests.Mutations;

/// <summary>In which language a text is written.</summary>
internal enum Form
{
    /// <summary>A C# file with attributes.</summary>
    Attributes,

    /// <summary>A <c>*.rnn.json</c> file.</summary>
    Json,

    /// <summary>A cell's equations, handed to a C# file as a string.</summary>
    Equations,

    /// <summary>A cell's equations, handed to a JSON file as a string.</summary>
    EquationsInJson,
}

/// <summary>What mutations start from: specs that compile, in every form. The class is called <see cref="Class"/> in all of them.</summary>
internal static class ValidSpecs
{
    public const string Class = "Net";

    private const string Quotes = "\"\"\"";

    private static readonly string[] Attributes =
    [
        """
        using Unrolled;

        namespace Samples;

        [Model(Tokens = 65)]
        [Lstm(12, Peepholes = true, Name = "lower")]
        [Lstm(8, ForgetBias = 2.5)]
        [Dense(65)]
        [Loss(Loss.SoftmaxCrossEntropy)]
        public sealed partial class Net;
        """,
        $$"""
        using Unrolled;

        [Model(Features = 6)]
        [Cell("minimal_gated", {{Quotes}}
            f[t] = sigmoid(W_f @ x[t] + U_f @ h[t-1] + b_f)
            h[t] = (1 - f[t]) * h[t-1] + f[t] * tanh(W_h @ x[t] + U_h @ (f[t] * h[t-1]) + b_h)
            {{Quotes}})]
        [Layer("minimal_gated", 9, Set = "init b_f = 1")]
        [Dense(3, Activation = Activation.Tanh)]
        [Loss(Loss.MeanSquaredError)]
        internal partial class Net
        {
            public const int Answer = 42;
        }
        """,
        """
        using Unrolled;

        namespace Samples.Inner
        {
            public static partial class Outer
            {
                [Model(Features = 4), Gru(5, ResetAfter = false), Rnn(7, Nonlinearity = Activation.Relu, Bias = false)]
                public sealed partial class Net { }
            }
        }
        """,
        """
        using Unrolled;

        [assembly: Cell("leaky", "param leak = 0.5\nsize n = 2\n\u0068[t] = (1 - leak) * h[t-1] + leak * tanh(W{n} @ x[t] + b)")]

        [Model(Features = Sizes.In)]
        [Layer("leaky", 3 + 1, Set = "leak = 0.25, n = 3," + " init b = 1")]
        [Layer("recurrent_highway", units: 5, Set = @"depth = 2")]
        [Layer("lstm_projected", 4, Set = "cells = 6, w_ci = 0")]
        partial class Net { }

        static class Sizes { public const int In = 7; }
        """,
    ];

    private static readonly string[] Json =
    [
        """
        { "class": "Samples.Net", "input": { "tokens": 65 },
          "layers": [ { "lstm": 12, "peepholes": true, "name": "lower" }, { "gru": 8, "reset_after": false }, { "dense": 65 } ],
          "loss": "softmax_cross_entropy" }
        """,
        """
        {
          "class": "Net",
          "input": { "features": 5 },
          "cells": {
            "leaky": [ "param leak = 0.5", "size n = 2", "h[t] = (1 - leak) * h[t-1] + leak * tanh(W{n} @ x[t] + b)" ],
            "plain": "h[t] = W @ x[t]\nshape W : units, input"
          },
          "layers": [
            { "leaky": 4, "set": { "leak": 0.25, "n": 3 }, "init": { "b": 1 } },
            { "rnn": 6, "nonlinearity": "relu", "bias": false },
            { "plain": 3, "name": "top" }
          ],
          "loss": "mean_squared_error"
        }
        """,
    ];

    private static readonly string[] Equations =
    [
        .. CellFiles.Names.Select(CellFiles.Read),
        .. Networks.Names.Select(row => row.Data).SelectMany(name => Networks.Spec(name).Layers).Select(layer => layer.Text).Distinct().Except(CellFiles.Names.Select(CellFiles.Read)),
    ];

    public static IReadOnlyList<string> Texts(Form form) => form switch
    {
        Form.Attributes => Attributes,
        Form.Json => Json,
        _ => Equations,
    };

    /// <summary>The file that holds a text, with a class of its own.</summary>
    public static string File(Form form, string text, string @class)
    {
        // The class of a text that is a whole file keeps a number through every mutation that leaves its name alone.
        switch (form)
        {
            case Form.Equations:
                string literal = SymbolDisplay.FormatLiteral(text, quote: true);
                return $"using Unrolled;\n[Model(Features = 4)]\n[Cell(\"own\", {literal})]\n[Layer(\"own\", 4)]\n[Dense(2)]\npublic sealed partial class {@class};\n";
            case Form.EquationsInJson:
                return $"{{ \"class\": \"{@class}\", \"input\": {{ \"features\": 4 }}, \"cells\": {{ \"own\": {JsonSerializer.Serialize(text)} }}, \"layers\": [ {{ \"own\": 4 }} ] }}";
            default:
                return System.Text.RegularExpressions.Regex.Replace(text, $@"\b{Class}\b", @class);
        }
    }

    public static bool IsJson(Form form) => form is Form.Json or Form.EquationsInJson;
}

using Unrolled;

namespace CharRnn;

/// <summary>Two layers of Elman's simple recurrent network.</summary>
[Model(Tokens = 256)]
[Rnn(128)]
[Rnn(128)]
[Dense(256)]
[Loss(Loss.SoftmaxCrossEntropy)]
internal sealed partial class RnnModel;

/// <summary>Two layers of LSTM.</summary>
[Model(Tokens = 256)]
[Lstm(128)]
[Lstm(128)]
[Dense(256)]
[Loss(Loss.SoftmaxCrossEntropy)]
internal sealed partial class LstmModel;

/// <summary>Two layers of LSTM whose gates also see the cell state.</summary>
[Model(Tokens = 256)]
[Lstm(128, Peepholes = true)]
[Lstm(128, Peepholes = true)]
[Dense(256)]
[Loss(Loss.SoftmaxCrossEntropy)]
internal sealed partial class PeepholeLstmModel;

/// <summary>Two layers of GRU with the reset gate after the recurrent product.</summary>
[Model(Tokens = 256)]
[Gru(128)]
[Gru(128)]
[Dense(256)]
[Loss(Loss.SoftmaxCrossEntropy)]
internal sealed partial class GruModel;

/// <summary>The models by the names the command line knows.</summary>
internal static class Cells
{
    public const string Default = "peephole-lstm";

    public static IReadOnlyList<string> Names { get; } = ["rnn", "lstm", "peephole-lstm", "gru"];

    /// <summary>Creates a model with its first parameters.</summary>
    public static IModel Create(string cell, ulong seed) => cell switch
    {
        "rnn" => new RnnModel(seed),
        "lstm" => new LstmModel(seed),
        "peephole-lstm" => new PeepholeLstmModel(seed),
        "gru" => new GruModel(seed),
        _ => throw new ArgumentOutOfRangeException(nameof(cell), cell, "There is no model of this name."),
    };
}

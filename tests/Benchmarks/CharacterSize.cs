using System.Globalization;
using Unrolled.Generator.Tests.Harness;

namespace Unrolled.Benchmarks;

/// <summary>A character model of some size and how it is trained: layers of peephole LSTMs, a readout, softmax cross-entropy.</summary>
internal sealed record CharacterSize
{
    public const int Tokens = 65;

    private const string Class = "Sized.CharacterModel";
    private const int Gates = 4;

    public int Units { get; init; } = 128;

    public int Steps { get; init; } = 50;

    public int Batch { get; init; } = 50;

    public int Layers { get; init; } = 2;

    public int Threads { get; init; } = 1;

    /// <summary>What a training step cannot do without.</summary>
    public Demand Demand => ModelCases.CharacterDemand(Gates, Tokens, Units, Layers, Batch, Steps).Training();

    /// <summary>The model as a user writes it.</summary>
    public string Source => string.Create(CultureInfo.InvariantCulture, $"""
        using Unrolled;

        namespace Sized;

        [Model(Tokens = {Tokens})]
        {string.Concat(Enumerable.Repeat(string.Create(CultureInfo.InvariantCulture, $"[Lstm({Units}, Peepholes = true)]\n"), Layers))}[Dense({Tokens})]
        [Loss(Loss.SoftmaxCrossEntropy)]
        public sealed partial class CharacterModel;

        """);

    /// <summary>Compiles the model with the generator and loads it, anew at each call.</summary>
    public CompiledModels Compile() => ModelHarness.Compile([Source]);

    public static IModel Create(CompiledModels compiled) => compiled.Create(Class, seed: 1);

    public ITrainer CreateTrainer(IModel model) => model.CreateTrainer(Batch, Steps, threads: Threads);
}

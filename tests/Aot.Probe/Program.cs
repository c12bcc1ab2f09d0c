using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Unrolled;

namespace Aot.Probe;

/// <summary>Tokens in, classes out; sizes that are no multiples of a vector.</summary>
[Model(Tokens = 29)]
[Lstm(40, Peepholes = true)]
[Gru(24)]
[Dense(29)]
[Loss(Loss.SoftmaxCrossEntropy)]
internal sealed partial class TokenModel;

/// <summary>Vectors in, vectors out.</summary>
[Model(Features = 5)]
[Rnn(17)]
[Gru(33, ResetAfter = false)]
[Lstm(16)]
[Dense(3)]
[Loss(Loss.MeanSquaredError)]
internal sealed partial class VectorModel;

/// <summary>Trains both models for a few steps and prints every result as bits, to be compared between compilers.</summary>
internal static class Program
{
    private const int Rows = 5;
    private const int Steps = 7;
    private const int Updates = 4;

    private static void Main()
    {
        Console.WriteLine($"compiled {(RuntimeFeature.IsDynamicCodeSupported ? "just in time" : "ahead of time")}");
        Console.WriteLine($"sets avx512={Avx512F.IsSupported && Vector512.IsHardwareAccelerated} avx2={Avx2.IsSupported} fma={Fma.IsSupported}");

        var tokens = new TokenModel(seed: 1);
        var random = new RandomStream(2);
        Train(tokens, trainer =>
        {
            var inputs = Fill(() => (int)(random.NextDouble() * 29));
            var targets = Fill(() => (int)(random.NextDouble() * 29));
            return trainer.ForwardBackward(inputs, targets);
        });
        var tokenOutputs = new float[Steps * Rows * 29];
        ((IModel)tokens).CreateSession(Rows).Run(Fill(() => (int)(random.NextDouble() * 29)), tokenOutputs);
        Print("outputs", tokenOutputs);

        var vectors = new VectorModel(seed: 3);
        Train(vectors, trainer =>
        {
            var inputs = Fill(() => random.NextFloat() - 0.5f, 5);
            var targets = Fill(() => random.NextFloat() - 0.5f, 3);
            return trainer.ForwardBackward(inputs, targets);
        });
        var session = ((IModel)vectors).CreateSession();
        var stepOutputs = new float[3];
        for (var step = 0; step < Steps; step++)
        {
            session.Step([1, -1, 0.5f, step, 0.25f], stepOutputs);
            Print("step", stepOutputs);
        }

        SaveAndLoad(vectors);
    }

    private static void Train(IModel model, Func<ITrainer, float> forwardBackward)
    {
        using var trainer = model.CreateTrainer(Rows, Steps);
        var optimizer = new Adam(model, learningRate: 0.01f);
        for (var update = 0; update < Updates; update++)
        {
            Print("loss", [forwardBackward(trainer)]);
            foreach (var parameter in model.Layout.Parameters)
            {
                Print(parameter.Name, trainer.Gradients.ToArray(parameter.Name));
            }

            Print("norm", [Clip.ByGlobalNorm(trainer.Gradients, 0.5f)]);
            optimizer.Step(trainer.Gradients);
        }
    }

    /// <summary>Weight files use a JSON reader: it, too, must come through trimming.</summary>
    private static void SaveAndLoad(IModel model)
    {
        using var file = new MemoryStream();
        model.Save(file);
        file.Position = 0;
        var copy = new VectorModel(seed: 4);
        copy.Load(file);
        Console.WriteLine($"file {model.Parameters.Values.SequenceEqual(copy.Parameters.Values)}");
    }

    private static T[] Fill<T>(Func<T> draw, int width = 1)
    {
        var values = new T[Steps * Rows * width];
        for (var index = 0; index < values.Length; index++)
        {
            values[index] = draw();
        }

        return values;
    }

    private static void Print(string name, ReadOnlySpan<float> values) =>
        Console.WriteLine($"{name} {string.Join(' ', MemoryMarshal.Cast<float, uint>(values).ToArray().Select(bits => bits.ToString("x8")))}");
}

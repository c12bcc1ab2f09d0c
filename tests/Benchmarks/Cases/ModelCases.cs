using Unrolled.Benchmarks.Models;

namespace Unrolled.Benchmarks;

/// <summary>
/// Generated models at work: <c>step-CELL-I-H</c>, one streaming step; <c>seq-CELL-I-H-B-T</c>, T steps of B sequences;
/// <c>train-CELL-I-H-B-T</c>, forward and backward with all gradients; <c>charrnn-CELL-V-H-L-B-T</c>, a whole training step;
/// <c>product-I-O-B</c>, a dense layer over B rows: one product and hardly anything beside it.
/// </summary>
internal static class ModelCases
{
    private const int Seed = 1;

    public static IEnumerable<BenchmarkCase> List() =>
    [
        Step("step-lstm-1-8", 4, () => new Lstm1x8(Seed)),
        Step("step-lstm-1-16", 4, () => new Lstm1x16(Seed)),
        Step("step-lstm-32-32", 4, () => new Lstm32x32(Seed)),
        Step("step-lstm-64-64", 4, () => new Lstm64x64(Seed)),
        Step("step-lstm-64-128", 4, () => new Lstm64x128(Seed)),
        Step("step-lstm-128-128", 4, () => new Lstm128x128(Seed)),
        Step("step-lstm-128-256", 4, () => new Lstm128x256(Seed)),
        Step("step-lstm-256-512", 4, () => new Lstm256x512(Seed)),
        Step("step-gru-1-8", 3, () => new Gru1x8(Seed)),
        Step("step-gru-1-16", 3, () => new Gru1x16(Seed)),
        Step("step-gru-32-32", 3, () => new Gru32x32(Seed)),
        Step("step-gru-64-64", 3, () => new Gru64x64(Seed)),
        Step("step-gru-64-128", 3, () => new Gru64x128(Seed)),
        Step("step-gru-128-256", 3, () => new Gru128x256(Seed)),
        Step("step-gru-256-512", 3, () => new Gru256x512(Seed)),
        Step("step-peephole-lstm-64-128", 4, () => new Peephole64x128(Seed)),
        Sequence("seq-lstm-64-128-32-100", 4, () => new Lstm64x128(Seed)),
        Sequence("seq-lstm-64-128-1-100", 4, () => new Lstm64x128(Seed)),
        Sequence("seq-lstm-256-512-32-100", 4, () => new Lstm256x512(Seed)),
        Sequence("seq-lstm-256-512-1-100", 4, () => new Lstm256x512(Seed)),
        Sequence("seq-gru-64-128-32-100", 3, () => new Gru64x128(Seed)),
        Sequence("seq-gru-64-128-1-100", 3, () => new Gru64x128(Seed)),
        Sequence("seq-gru-256-512-32-100", 3, () => new Gru256x512(Seed)),
        Sequence("seq-gru-256-512-1-100", 3, () => new Gru256x512(Seed)),
        Train("train-lstm-16-32-16-25", 4, () => new Lstm16x32(Seed)),
        Train("train-lstm-65-128-50-50", 4, () => new Lstm65x128(Seed)),
        Train("train-lstm-128-128-50-50", 4, () => new Lstm128x128(Seed)),
        Train("train-lstm-512-512-50-50", 4, () => new Lstm512x512(Seed)),
        Train("train-peephole-lstm-65-128-50-50", 4, () => new Peephole65x128(Seed)),
        Train("train-peephole-lstm-128-128-50-50", 4, () => new Peephole128x128(Seed)),
        Train("train-peephole-lstm-512-512-50-50", 4, () => new Peephole512x512(Seed)),
        Characters("charrnn-rnn-65-128-2-50-50", 1, () => new RnnCharacters(Seed)),
        Characters("charrnn-gru-65-128-2-50-50", 3, () => new GruCharacters(Seed)),
        Characters("charrnn-lstm-16-32-1-16-25", 4, () => new SmallLstmCharacters(Seed)),
        Characters("charrnn-lstm-65-128-2-50-50", 4, () => new LstmCharacters(Seed)),
        Characters("charrnn-lstm-65-512-2-50-50", 4, () => new LargeLstmCharacters(Seed)),
        Product("product-64-512-600", () => new Dense64x512(Seed)),
        Product("product-128-512-600", () => new Dense128x512(Seed)),
        Product("product-512-2048-48", () => new Dense512x2048(Seed)),
    ];

    private static BenchmarkCase Step(string name, int gates, Func<IModel> create)
    {
        int[] sizes = Sizes(name);
        return new BenchmarkCase(name, Demand.Recurrent(gates, sizes[0], sizes[1]), () => StepOf(create())) { StepOf = create };
    }

    /// <summary>One streaming step of one sequence.</summary>
    public static Action StepOf(IModel model)
    {
        var session = model.CreateSession();
        var input = Values(model.Layout.InputSize);
        var output = new float[model.Layout.OutputSize];
        return () => session.Step(input, output);
    }

    private static BenchmarkCase Sequence(string name, int gates, Func<IModel> create)
    {
        int[] sizes = Sizes(name);
        (int batch, int steps) = (sizes[2], sizes[3]);
        return new BenchmarkCase(name, Demand.Recurrent(gates, sizes[0], sizes[1], batch, steps), () =>
        {
            var session = create().CreateSession(batch, steps);
            var inputs = Values(batch * steps * sizes[0]);
            var outputs = new float[batch * steps * sizes[1]];
            return () => session.Run(inputs, outputs);
        });
    }

    private static BenchmarkCase Train(string name, int gates, Func<IModel> create)
    {
        int[] sizes = Sizes(name);
        (int batch, int steps) = (sizes[2], sizes[3]);
        return new BenchmarkCase(name, Demand.Recurrent(gates, sizes[0], sizes[1], batch, steps).Training(), () =>
        {
            var trainer = create().CreateTrainer(batch, steps, new TrainerOptions { InputGradients = true });
            var inputs = Values(batch * steps * sizes[0]);
            var upstream = Values(batch * steps * sizes[1]);
            return () =>
            {
                trainer.Forward(inputs);
                trainer.Backward(upstream);
            };
        });
    }

    private static BenchmarkCase Product(string name, Func<IModel> create)
    {
        int[] sizes = Sizes(name);
        return new BenchmarkCase(name, Demand.Dense(sizes[0], sizes[1], sizes[2]), () =>
        {
            var trainer = create().CreateTrainer(batchSize: sizes[2], steps: 1);
            var inputs = Values(sizes[2] * sizes[0]);
            return () => trainer.Forward(inputs);
        });
    }

    private static BenchmarkCase Characters(string name, int gates, Func<IModel> create)
    {
        int[] sizes = Sizes(name);
        (int tokens, int units, int layers, int batch, int steps) = (sizes[0], sizes[1], sizes[2], sizes[3], sizes[4]);

        return new BenchmarkCase(name, CharacterDemand(gates, tokens, units, layers, batch, steps).Training(), () =>
        {
            var model = create();
            var trainer = model.CreateTrainer(batch, steps);
            return TrainingStep(model, trainer, batch, steps);
        });
    }

    /// <summary>A whole training step of a character model: forward, backward, clipping by global norm, momentum.</summary>
    public static Action TrainingStep(IModel model, ITrainer trainer, int batch, int steps)
    {
        var optimizer = new Sgd(model, learningRate: 0.01f, momentum: 0.9f);
        var random = new RandomStream(Seed);
        var tokens = (ulong)model.Layout.Tokens;
        var characters = Enumerable.Range(0, batch * steps + 1).Select(_ => (int)(random.NextUInt64() % tokens)).ToArray();
        return () =>
        {
            trainer.ForwardBackward(characters.AsSpan(0, batch * steps), characters.AsSpan(1, batch * steps));
            Clip.ByGlobalNorm(trainer.Gradients, 5);
            optimizer.Step(trainer.Gradients);
        };
    }

    /// <summary>The forward pass of a character model: layers, and a readout over the characters.</summary>
    public static Demand CharacterDemand(int gates, int tokens, int units, int layers, int batch, int steps)
    {
        // The first layer looks its input up and computes no product with it.
        var demand = Demand.Recurrent(gates, 0, units, batch, steps) + Demand.Dense(units, tokens, batch * steps);
        for (var layer = 1; layer < layers; layer++)
        {
            demand += Demand.Recurrent(gates, units, units, batch, steps);
        }

        return demand;
    }

    /// <summary>The numbers at the end of a case's name.</summary>
    private static int[] Sizes(string name) => name.Split('-').SkipWhile(part => !int.TryParse(part, out _)).Select(int.Parse).ToArray();

    private static float[] Values(int count)
    {
        var random = new RandomStream(Seed);
        return Enumerable.Range(0, count).Select(_ => 2 * random.NextFloat() - 1).ToArray();
    }
}

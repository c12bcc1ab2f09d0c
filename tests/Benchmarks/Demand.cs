namespace Unrolled.Benchmarks;

/// <summary>
/// What a network cannot do without: the multiply-adds of its matrix products, and reading its weights. The equations' elementwise
/// operations are left out, so a share of a limit is never flattered.
/// </summary>
/// <param name="Flops">Floating-point operations of one call, a multiply-add counting two; 0 where no rate makes sense.</param>
/// <param name="LoadedBytes">
/// Weights read in one call, at least: input weights once a call, since all steps' products with them can be one; recurrent weights once
/// a step.
/// </param>
/// <param name="WeightBytes">The weights themselves: they decide the level of memory they are read from.</param>
internal readonly record struct Demand(double Flops, double LoadedBytes, double WeightBytes)
{
    public static Demand None => default;

    public static Demand operator +(Demand a, Demand b) =>
        new(a.Flops + b.Flops, a.LoadedBytes + b.LoadedBytes, a.WeightBytes + b.WeightBytes);

    /// <summary>
    /// A cell of <paramref name="gates"/> input and recurrent products over <paramref name="batch"/> sequences of
    /// <paramref name="steps"/> steps: LSTM 4 gates, GRU 3, plain 1.
    /// </summary>
    /// <param name="inputs">Elements of an input vector; 0 for tokens, which are looked up and not multiplied.</param>
    public static Demand Recurrent(int gates, int inputs, int units, int batch = 1, int steps = 1)
    {
        double rows = (double)gates * units;
        return new Demand(
            2 * rows * (inputs + units) * batch * steps,
            sizeof(float) * rows * (inputs + ((double)units * steps)),
            sizeof(float) * rows * (inputs + units));
    }

    /// <summary>A dense layer over <paramref name="rows"/> rows.</summary>
    public static Demand Dense(int inputs, int units, int rows)
    {
        double weights = (double)inputs * units;
        return new Demand(2 * weights * rows, sizeof(float) * weights, sizeof(float) * weights);
    }

    /// <summary>Forward and backward: each product once, and once again for either operand's gradient; the weights twice.</summary>
    public Demand Training() => new(3 * Flops, 2 * LoadedBytes, WeightBytes);
}

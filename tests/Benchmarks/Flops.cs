namespace Unrolled.Benchmarks;

/// <summary>
/// The operations a network cannot do without: the multiply-adds of its matrix products, two each. The equations' elementwise
/// operations are left out, so a share of the FMA limit is never flattered.
/// </summary>
internal static class Flops
{
    /// <summary>
    /// A cell of <paramref name="gates"/> input and recurrent products over <paramref name="batch"/> sequences of
    /// <paramref name="steps"/> steps: LSTM 4 gates, GRU 3, plain 1.
    /// </summary>
    public static double Recurrent(int gates, int inputs, int units, int batch = 1, int steps = 1) =>
        2.0 * gates * units * (inputs + units) * batch * steps;

    /// <summary>A dense layer over <paramref name="rows"/> rows.</summary>
    public static double Dense(int inputs, int units, int rows) => 2.0 * inputs * units * rows;

    /// <summary>Forward and backward: each product once, and once again for either operand's gradient.</summary>
    public static double Training(double forward) => 3 * forward;
}

using Unrolled.Generator.Graph;

namespace Unrolled.Generator.Tests.PassTests;

/// <summary>A value in double precision over the graph's axes, dense in the order time, batch, unit, column; an axis it lacks has extent 1.</summary>
internal sealed class Tensor
{
    public Tensor(Axes axes, int steps, int batch, int units, int columns)
    {
        Axes = axes;
        Steps = Has(Axes.Time) ? steps : 1;
        Batch = Has(Axes.Batch) ? batch : 1;
        Units = Has(Axes.Unit) ? units : 1;
        Columns = Has(Axes.Column) ? columns : 1;
        Data = new double[Steps * Batch * Units * Columns];
    }

    /// <summary>A value of a node's type.</summary>
    public Tensor(NodeType type, int steps, int batch)
        : this(type.Axes, steps, batch, type.Units, type.Columns)
    {
    }

    public Axes Axes { get; }

    public int Steps { get; }

    public int Batch { get; }

    public int Units { get; }

    public int Columns { get; }

    public double[] Data { get; }

    /// <summary>An element; indices along axes it lacks are ignored, which is what broadcasting means.</summary>
    public ref double this[int step, int row, int unit, int column] => ref Data[
        (((Has(Axes.Time) ? step : 0) * Batch + (Has(Axes.Batch) ? row : 0)) * Units + (Has(Axes.Unit) ? unit : 0)) * Columns + (Has(Axes.Column) ? column : 0)];

    public static Tensor Number(double value) => new(Axes.None, 1, 1, 1, 1) { Data = { [0] = value } };

    /// <summary>The value at one step, without the time axis.</summary>
    public Tensor At(int step)
    {
        var result = new Tensor(Axes & ~Axes.Time, 1, Batch, Units, Columns);
        Array.Copy(Data, Has(Axes.Time) ? step * result.Data.Length : 0, result.Data, 0, result.Data.Length);
        return result;
    }

    /// <summary>The same values spread over all axes of <paramref name="type"/>.</summary>
    public Tensor SpreadOver(NodeType type, int steps, int batch)
    {
        if ((Axes & ~type.Axes) != 0)
        {
            throw new InvalidOperationException($"a value over {Axes} does not fit {type}");
        }

        var result = new Tensor(type, steps, batch);
        result.ForEach((step, row, unit, column) => result[step, row, unit, column] = this[step, row, unit, column]);
        return result;
    }

    public void ForEach(Action<int, int, int, int> action)
    {
        for (int step = 0; step < Steps; step++)
        {
            for (int row = 0; row < Batch; row++)
            {
                for (int unit = 0; unit < Units; unit++)
                {
                    for (int column = 0; column < Columns; column++)
                    {
                        action(step, row, unit, column);
                    }
                }
            }
        }
    }

    public Tensor Copy()
    {
        var copy = new Tensor(Axes, Steps, Batch, Units, Columns);
        Array.Copy(Data, copy.Data, Data.Length);
        return copy;
    }

    private bool Has(Axes axis) => (Axes & axis) != 0;
}

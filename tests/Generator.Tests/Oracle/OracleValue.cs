using System.Numerics;

namespace Unrolled.Generator.Tests.Oracle;

/// <summary>A value of the equations: <c>[rows, Size]</c>, or one vector for all rows where it is a parameter or a number.</summary>
internal abstract class OracleValue(int size, bool shared)
{
    public int Size { get; } = size;

    /// <summary>Whether all rows have the same elements, stored once.</summary>
    public bool Shared { get; } = shared;

    public double[] Data { get; protected set; } = [];

    /// <summary>Distance from a row's elements to the next row's.</summary>
    public int RowStride => Shared ? 0 : Size;

    public virtual void Reserve(int rows) => Data = new double[(Shared ? 1 : rows) * Size];

    /// <summary>Computes the elements from those of the operands.</summary>
    public abstract void Evaluate(int rows);

    /// <summary>One element of a row; a value of one element stands for every unit.</summary>
    public double At(int row, int unit) => Data[row * RowStride + (Size == 1 ? 0 : unit)];
}

/// <summary>A number of the text, or a parameter.</summary>
internal sealed class FixedValue : OracleValue
{
    public FixedValue(double[] elements)
        : base(elements.Length, shared: true) => Data = elements;

    public override void Reserve(int rows)
    {
    }

    public override void Evaluate(int rows)
    {
    }
}

/// <summary>A value someone else writes: the input, or what a symbol was some steps ago.</summary>
internal sealed class GivenValue(int size) : OracleValue(size, shared: false)
{
    public override void Evaluate(int rows)
    {
    }

    /// <summary>Changes places with another value of the same size.</summary>
    public void Swap(GivenValue other) => (Data, other.Data) = (other.Data, Data);
}

/// <summary>An elementwise function of one operand.</summary>
internal sealed class UnaryValue(OracleValue operand, OracleFunctions.Unary function, KinkWatch watch)
    : OracleValue(operand.Size, operand.Shared)
{
    public override void Evaluate(int rows)
    {
        int length = (Shared ? 1 : rows) * Size;
        for (int i = 0; i < length; i++)
        {
            double argument = operand.Data[i];
            foreach (double kink in function.Kinks)
            {
                watch.Note(argument - kink);
            }

            Data[i] = function.Value(argument);
        }
    }
}

/// <summary>
/// An elementwise function of two operands; an operand of one element is repeated. A kink is where the operands are equal, or
/// where the first is zero.
/// </summary>
internal sealed class BinaryValue(
    int size, OracleValue left, OracleValue right, Func<double, double, double> function, KinkWatch? watch = null, bool kinkAtZero = false)
    : OracleValue(size, left.Shared && right.Shared)
{
    public override void Evaluate(int rows)
    {
        for (int row = 0; row < (Shared ? 1 : rows); row++)
        {
            for (int unit = 0; unit < Size; unit++)
            {
                double first = left.At(row, unit);
                double second = right.At(row, unit);
                watch?.Note(kinkAtZero ? first : first - second);
                Data[row * RowStride + unit] = function(first, second);
            }
        }
    }
}

/// <summary>Matrix times vector; the matrix is row-major as the model's layout gives it.</summary>
internal sealed class ProductValue(double[] matrix, int rowCount, int columnCount, bool transposed, OracleValue operand)
    : OracleValue(transposed ? columnCount : rowCount, operand.Shared)
{
    public override void Evaluate(int rows)
    {
        for (int row = 0; row < (Shared ? 1 : rows); row++)
        {
            ReadOnlySpan<double> vector = operand.Data.AsSpan(row * operand.RowStride, operand.Size);
            Span<double> result = Data.AsSpan(row * RowStride, Size);
            if (transposed)
            {
                result.Clear();
                for (int i = 0; i < rowCount; i++)
                {
                    for (int j = 0; j < columnCount; j++)
                    {
                        result[j] += matrix[i * columnCount + j] * vector[i];
                    }
                }
            }
            else
            {
                for (int i = 0; i < rowCount; i++)
                {
                    result[i] = Dot(matrix.AsSpan(i * columnCount, columnCount), vector);
                }
            }
        }
    }

    private static double Dot(ReadOnlySpan<double> left, ReadOnlySpan<double> right)
    {
        int i = 0;
        var sums = Vector<double>.Zero;
        for (; i <= left.Length - Vector<double>.Count; i += Vector<double>.Count)
        {
            sums += new Vector<double>(left[i..]) * new Vector<double>(right[i..]);
        }

        double sum = Vector.Sum(sums);
        for (; i < left.Length; i++)
        {
            sum += left[i] * right[i];
        }

        return sum;
    }
}

/// <summary>A function of all units of a row: a reduction to one element, softmax, layer_norm.</summary>
internal sealed class RowValue(int size, OracleValue operand, Action<double[], double[]> function)
    : OracleValue(size, operand.Shared)
{
    public override void Evaluate(int rows)
    {
        var source = new double[operand.Size];
        var result = new double[Size];
        for (int row = 0; row < (Shared ? 1 : rows); row++)
        {
            Array.Copy(operand.Data, row * operand.RowStride, source, 0, source.Length);
            function(source, result);
            Array.Copy(result, 0, Data, row * RowStride, Size);
        }
    }
}

/// <summary>Operands side by side.</summary>
internal sealed class ConcatValue(OracleValue[] operands)
    : OracleValue(operands.Sum(operand => operand.Size), operands.All(operand => operand.Shared))
{
    public override void Evaluate(int rows)
    {
        for (int row = 0; row < (Shared ? 1 : rows); row++)
        {
            int unit = 0;
            foreach (OracleValue operand in operands)
            {
                Array.Copy(operand.Data, row * operand.RowStride, Data, row * Size + unit, operand.Size);
                unit += operand.Size;
            }
        }
    }
}

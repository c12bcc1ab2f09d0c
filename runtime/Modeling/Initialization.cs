using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Unrolled;

/// <summary>Gives the parameters of a model the values they start with.</summary>
public static class Initialization
{
    /// <summary>
    /// Writes every parameter as its <see cref="ParameterInfo.Initializer"/> says. A seed gives the same bits in every version and on every
    /// machine. Each parameter draws from a stream of its own, fixed by the seed and its name: what else a model has does not change it.
    /// </summary>
    /// <param name="parameters">The block to write; its padding is left alone.</param>
    /// <param name="seed">The seed; every number is as good as any other.</param>
    public static void Initialize(ParameterBlock parameters, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        foreach (ParameterInfo parameter in parameters.Layout.Parameters)
        {
            float[] values = new float[parameter.Length];
            Fill(values, parameter, RandomStream.Of(seed, parameter.Name));
            parameters.Set(parameter, values);
        }
    }

    /// <summary>
    /// The parameters of a model whose constructor created none: those that the seed 0 gives. Emitted code asks for them when they are first
    /// used, so that a constructor of the user's own need not call the emitted one.
    /// </summary>
    /// <param name="created">Where the model keeps its parameters; threads that ask at once get the same ones.</param>
    /// <param name="layout">The model's layout.</param>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public static ParameterBlock Create(ref ParameterBlock? created, ModelLayout layout)
    {
        var parameters = new ParameterBlock(layout);
        Initialize(parameters, 0);
        return Interlocked.CompareExchange(ref created, parameters, null) ?? parameters;
    }

    private static void Fill(Span<float> values, ParameterInfo parameter, RandomStream random)
    {
        (InitializerKind kind, float first, float second) = parameter.Initializer;
        double gain = first == 0 ? 1 : first;

        // A vector is a diagonal: each of its elements joins one input and one output.
        int rows = parameter.Rows;
        int columns = parameter.IsMatrix ? parameter.Columns : 1;
        int inputs = columns;
        int outputs = parameter.IsMatrix ? rows : 1;
        switch (kind)
        {
            case InitializerKind.Zero:
                values.Clear();
                break;
            case InitializerKind.Constant:
                values.Fill(first);
                break;
            case InitializerKind.Identity:
                values.Clear();
                for (int row = 0; row < rows && (row < columns || !parameter.IsMatrix); row++)
                {
                    values[parameter.IsMatrix ? row * columns + row : row] = 1;
                }

                break;
            case InitializerKind.Orthogonal:
                FillOrthogonal(values, rows, columns, gain, random);
                break;
            case InitializerKind.Glorot:
                double limit = gain * Math.Sqrt(6.0 / ((double)inputs + outputs));
                FillUniform(values, -limit, limit, random);
                break;
            case InitializerKind.He:
                FillNormal(values, 0, gain * Math.Sqrt(2.0 / inputs), random);
                break;
            case InitializerKind.Uniform:
                FillUniform(values, first, second, random);
                break;
            case InitializerKind.Normal:
                FillNormal(values, first, second, random);
                break;
            default:
                throw new ArgumentException($"Parameter '{parameter.Name}' has no known initializer: {kind}.");
        }
    }

    private static void FillUniform(Span<float> values, double low, double high, RandomStream random)
    {
        foreach (ref float value in values)
        {
            value = (float)(low + (high - low) * random.NextDouble());
        }
    }

    private static void FillNormal(Span<float> values, double mean, double deviation, RandomStream random)
    {
        foreach (ref float value in values)
        {
            value = (float)(mean + deviation * random.NextNormal());
        }
    }

    /// <summary>
    /// Random normal vectors made orthonormal one after another (Gram and Schmidt): distributed uniformly over all such sets, which is
    /// what the Q of a QR decomposition with positive diagonal is.
    /// </summary>
    private static void FillOrthogonal(Span<float> values, int rows, int columns, double gain, RandomStream random)
    {
        bool wide = rows <= columns;
        int count = wide ? rows : columns;
        int length = wide ? columns : rows;
        int stride = (length + Width - 1) / Width * Width;
        double[] vectors = new double[checked(count * stride)];
        for (int i = 0; i < count; i++)
        {
            Span<double> vector = vectors.AsSpan(i * stride, stride);
            bool independent = false;
            while (!independent)
            {
                for (int k = 0; k < length; k++)
                {
                    vector[k] = random.NextNormal();
                }

                double before = Math.Sqrt(Dot(vector, vector));
                Subtract(vector, vectors, i, stride);
                double after = Math.Sqrt(Dot(vector, vector));

                // Where most of a vector was cancelled, what is left is not quite orthogonal: twice is enough (Kahan and Parlett).
                if (after < 1e-3 * before)
                {
                    Subtract(vector, vectors, i, stride);
                    after = Math.Sqrt(Dot(vector, vector));
                }

                independent = after > 1e-9 * before;
                if (independent)
                {
                    for (int k = 0; k < length; k++)
                    {
                        vector[k] /= after;
                    }
                }
            }
        }

        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
            {
                double value = wide ? vectors[row * stride + column] : vectors[column * stride + row];
                values[row * columns + column] = (float)(gain * value);
            }
        }
    }

    // Of a fixed width, so that sums have one order on every machine.
    private const int Width = 8;

    private static void Subtract(Span<double> vector, double[] vectors, int count, int stride)
    {
        for (int j = 0; j < count; j++)
        {
            ReadOnlySpan<double> other = vectors.AsSpan(j * stride, stride);
            ref double to = ref MemoryMarshal.GetReference(vector);
            ref double from = ref MemoryMarshal.GetReference(other);
            Vector256<double> share = Vector256.Create(Dot(vector, other));
            for (nuint k = 0; k < (nuint)stride; k += 4)
            {
                (Vector256.LoadUnsafe(ref to, k) - share * Vector256.LoadUnsafe(ref from, k)).StoreUnsafe(ref to, k);
            }
        }
    }

    private static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        ref double firstA = ref MemoryMarshal.GetReference(a);
        ref double firstB = ref MemoryMarshal.GetReference(b);
        Vector256<double> even = Vector256<double>.Zero;
        Vector256<double> odd = Vector256<double>.Zero;
        for (nuint k = 0; k < (nuint)a.Length; k += Width)
        {
            even += Vector256.LoadUnsafe(ref firstA, k) * Vector256.LoadUnsafe(ref firstB, k);
            odd += Vector256.LoadUnsafe(ref firstA, k + 4) * Vector256.LoadUnsafe(ref firstB, k + 4);
        }

        Vector256<double> four = even + odd;
        return (four.GetElement(0) + four.GetElement(2)) + (four.GetElement(1) + four.GetElement(3));
    }
}

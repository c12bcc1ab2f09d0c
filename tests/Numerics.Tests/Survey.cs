using System.Globalization;

namespace Unrolled.Tests;

/// <summary>The worst errors of one overload over a set of inputs.</summary>
internal sealed class Survey
{
    /// <summary>Results of at least 1e-6, below that, and below the smallest normal number.</summary>
    private static readonly string[] Regions = ["above 1e-6", "below", "denormal"];

    private readonly double[] _worst = new double[3];
    private readonly float[] _worstAt = new float[3];

    /// <summary>Inputs seen.</summary>
    public long Count { get; private set; }

    /// <summary>The largest quotient of error and allowed error, and where it is.</summary>
    public double Strain { get; private set; }

    public float StrainAt { get; private set; }

    public float StrainValue { get; private set; }

    /// <summary>The survey of <paramref name="inputs"/>; works in blocks, so the inputs may be any number.</summary>
    public static Survey Of<TFunction>(VectorWidth width, IEnumerable<uint> inputs)
        where TFunction : struct, IVectorFunction
    {
        var survey = new Survey();
        var block = new Block();
        var count = 0;
        foreach (var bits in inputs)
        {
            block.X[count++] = BitConverter.UInt32BitsToSingle(bits);
            if (count == Block.Length)
            {
                block.Measure<TFunction>(width, count, survey);
                count = 0;
            }
        }

        block.Measure<TFunction>(width, count, survey);
        return survey;
    }

    /// <summary>The surveys, a width each, of all 2^32 inputs.</summary>
    public static Survey[] OfEverything<TFunction>(VectorWidth[] widths)
        where TFunction : struct, IVectorFunction
    {
        const int parts = 256;
        var total = widths.Select(_ => new Survey()).ToArray();
        Parallel.For(0, parts, part =>
        {
            var surveys = widths.Select(_ => new Survey()).ToArray();
            var block = new Block();
            var first = (ulong)part << 24;
            for (var start = first; start < first + (1UL << 24); start += Block.Length)
            {
                for (var i = 0; i < Block.Length; i++)
                {
                    block.X[i] = BitConverter.UInt32BitsToSingle((uint)(start + (ulong)i));
                    block.Exact[i] = TFunction.Exact(block.X[i]);
                }

                for (var w = 0; w < widths.Length; w++)
                {
                    block.Compare<TFunction>(widths[w], Block.Length, surveys[w]);
                }
            }

            lock (total)
            {
                for (var w = 0; w < widths.Length; w++)
                {
                    total[w].Merge(surveys[w]);
                }
            }
        });
        return total;
    }

    public override string ToString()
    {
        var regions = Regions.Select((name, i) => string.Create(
            CultureInfo.InvariantCulture, $"{name} {_worst[i]:F3} at {_worstAt[i]:R}"));
        return $"{Count} inputs, worst ulp: {string.Join("; ", regions)}";
    }

    private void Add<TFunction>(float x, double exact, float actual)
        where TFunction : struct, IVectorFunction
    {
        var error = Ulp.Error(actual, exact);
        var magnitude = Math.Abs(exact);
        var region = magnitude < Ulp.SmallestNormal ? 2 : magnitude < 1e-6 ? 1 : 0;
        if (error > _worst[region])
        {
            _worst[region] = error;
            _worstAt[region] = x;
        }

        var strain = error / TFunction.AllowedUlp(x, exact);
        if (strain > Strain)
        {
            (Strain, StrainAt, StrainValue) = (strain, x, actual);
        }

        Count++;
    }

    private void Merge(Survey other)
    {
        for (var i = 0; i < _worst.Length; i++)
        {
            if (other._worst[i] > _worst[i])
            {
                (_worst[i], _worstAt[i]) = (other._worst[i], other._worstAt[i]);
            }
        }

        if (other.Strain > Strain)
        {
            (Strain, StrainAt, StrainValue) = (other.Strain, other.StrainAt, other.StrainValue);
        }

        Count += other.Count;
    }

    private sealed class Block
    {
        public const int Length = 4096;

        public float[] X { get; } = new float[Length];

        public double[] Exact { get; } = new double[Length];

        private float[] Actual { get; } = new float[Length];

        public void Measure<TFunction>(VectorWidth width, int count, Survey survey)
            where TFunction : struct, IVectorFunction
        {
            for (var i = 0; i < count; i++)
            {
                Exact[i] = TFunction.Exact(X[i]);
            }

            Compare<TFunction>(width, count, survey);
        }

        public void Compare<TFunction>(VectorWidth width, int count, Survey survey)
            where TFunction : struct, IVectorFunction
        {
            Vectors.Apply<TFunction>(width, X, Actual);
            for (var i = 0; i < count; i++)
            {
                survey.Add<TFunction>(X[i], Exact[i], Actual[i]);
            }
        }
    }
}

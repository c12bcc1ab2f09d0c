namespace Unrolled.Tests;

/// <summary>Numbers for tests, fixed by a seed.</summary>
internal static class Numbers
{
    public static float[] Normal(int count, ulong seed, float scale = 1)
    {
        var random = new RandomStream(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = scale * (float)random.NextNormal();
        }

        return values;
    }

    public static int[] Integers(int count, int below, ulong seed)
    {
        var random = new RandomStream(seed);
        int[] values = new int[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = (int)(random.NextDouble() * below);
        }

        return values;
    }

    /// <summary>Fills every parameter by name, so that the padding stays what it is.</summary>
    public static void FillNormal(ParameterBlock block, ulong seed, float scale = 1)
    {
        foreach (ParameterInfo parameter in block.Layout.Parameters)
        {
            block.Set(parameter.Name, Normal(parameter.Length, seed++, scale));
        }
    }

    /// <summary>The places of a block that belong to no parameter.</summary>
    public static List<int> PaddingOf(ModelLayout layout)
    {
        bool[] used = new bool[layout.BlockLength];
        foreach (ParameterInfo parameter in layout.Parameters)
        {
            for (int row = 0; row < parameter.Rows; row++)
            {
                for (int column = 0; column < Math.Max(1, parameter.Columns); column++)
                {
                    used[parameter.IndexOf(row, column)] = true;
                }
            }
        }

        return [.. Enumerable.Range(0, layout.BlockLength).Where(i => !used[i])];
    }

    public static void AssertPaddingIsZero(ParameterBlock block)
    {
        float[] values = block.Values.ToArray();
        Assert.All(PaddingOf(block.Layout), i => Assert.Equal(0, BitConverter.SingleToInt32Bits(values[i]) & int.MaxValue));
    }

    public static void AssertClose(double expected, double actual, double relative, double absolute = 0)
    {
        Assert.True(
            Math.Abs(expected - actual) <= relative * Math.Abs(expected) + absolute,
            $"expected {expected:R}, got {actual:R}");
    }
}

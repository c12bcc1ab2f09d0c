using Xunit;

namespace Unrolled.Generator.Tests.Harness;

/// <summary>One of our parameters in the terms of a library that recorded it.</summary>
/// <param name="Name">Our name.</param>
/// <param name="Sources">Tensors whose slices add up to it: two where the library has a bias on either side. Each slice's gradient is ours.</param>
internal sealed record RecordedParameter(string Name, params RecordedSlice[] Sources)
{
    /// <summary>Sets all of a model's parameters, each of which must be among <paramref name="parameters"/>.</summary>
    /// <param name="tensor">A recorded tensor by its name.</param>
    public static void SetAll(IModel model, IReadOnlyList<RecordedParameter> parameters, Func<string, float[]> tensor)
    {
        Assert.Equal(model.Layout.Parameters.Select(parameter => parameter.Name).Order(), parameters.Select(parameter => parameter.Name).Order());
        foreach (RecordedParameter parameter in parameters)
        {
            float[] values = parameter.Sources[0].Of(tensor(parameter.Sources[0].Tensor));
            foreach (RecordedSlice slice in parameter.Sources.Skip(1))
            {
                float[] other = slice.Of(tensor(slice.Tensor));
                for (int i = 0; i < values.Length; i++)
                {
                    values[i] = (float)((double)values[i] + other[i]);
                }
            }

            model.Parameters.Set(parameter.Name, values);
        }
    }
}

/// <summary>Block <paramref name="Block"/> of <paramref name="Blocks"/> equal blocks of rows of a tensor.</summary>
internal readonly record struct RecordedSlice(string Tensor, int Block, int Blocks)
{
    public float[] Of(float[] values) => values.AsSpan(values.Length / Blocks * Block, values.Length / Blocks).ToArray();
}

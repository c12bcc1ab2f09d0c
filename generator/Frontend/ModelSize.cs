using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Unrolled.Generator.Diagnostics;
using Unrolled.Generator.Frontend.Equations;
using Unrolled.Generator.Graph;

namespace Unrolled.Generator.Frontend;

/// <summary>
/// How large a model may be. What comes after counts offsets in 32 bits; this count, in 64, keeps it within them and names the layer that
/// goes too far.
/// </summary>
internal static class ModelSize
{
    /// <summary>Bytes of all parameters together.</summary>
    public const long MostParameterBytes = 1L << 31;

    /// <summary>Floats of one array; a few fewer than 2^31.</summary>
    public const long MostFloats = int.MaxValue - 1024;

    /// <summary>The layer with which the model becomes too large, or null.</summary>
    public static LayerError? Check(ModelSpec spec, ModelGraph graph)
    {
        Dictionary<string, int> layers = spec.Layers.Select((layer, index) => (layer.Name, index)).ToDictionary(pair => pair.Name, pair => pair.index);
        long bytes = 0, packed = 0, derived = 0;
        foreach (ParameterDeclaration parameter in graph.Parameters)
        {
            // Vectors of 16 floats are whole in memory, along the rows or, transposed, along the columns.
            NodeType type = parameter.Node.Type;
            long rows = System.Math.Max(type.Units, 1), columns = System.Math.Max(type.Columns, 1);
            bytes += sizeof(float) * rows * columns;
            packed += Whole(rows) * columns;
            derived += type.Columns > 0 ? Whole(columns) * rows : 0;
            int layer = layers[parameter.Node.Layer()];
            if (bytes > MostParameterBytes)
            {
                return Error(spec, layer, $"the parameters take {Number(bytes)} bytes with '{parameter.Node.Name}', more than {Number(MostParameterBytes)}");
            }

            if (packed > MostFloats || derived > MostFloats)
            {
                return Error(spec, layer, $"the parameters take more than an array's {Number(MostFloats)} numbers with '{parameter.Node.Name}', padded to whole vectors");
            }
        }

        long states = graph.States.Sum(state => Whole(System.Math.Max(state.Initial.Type.Units, 1)));
        return states > MostFloats ? Error(spec, spec.Layers.Count - 1, $"the states take {Number(states)} numbers, more than an array's {Number(MostFloats)}") : null;
    }

    private static LayerError Error(ModelSpec spec, int layer, string fact) => new(
        layer, new EquationError(DiagnosticIds.ModelTooLarge, $"The model '{spec.Class}' is too large: {fact} (use smaller sizes)", default));

    private static long Whole(long length) => (length + 15) / 16 * 16;

    private static string Number(long number) => number.ToString("#,0", CultureInfo.InvariantCulture);
}

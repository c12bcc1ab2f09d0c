namespace Unrolled;

/// <summary>
/// A model's parameters as safetensors files: every parameter under its name, F32, in its mathematical shape, so that other tools read
/// and write them.
/// </summary>
public static class ModelFiles
{
    /// <summary>Differences of a kind that a message lists.</summary>
    private const int MostTold = 8;

    /// <summary>Saves the parameters. Where it fails, a file that was there before is still there, unchanged.</summary>
    /// <param name="model">The model.</param>
    /// <param name="path">The file, usually <c>*.safetensors</c>; replaced where there is one.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written, or is a folder.</exception>
    public static void Save(this IModel model, string path)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrEmpty(path);
        AtomicFile.Write(path, stream => SafetensorsWriter.Write(stream, model.Parameters));
    }

    /// <summary>Saves the parameters to a stream, which stays open.</summary>
    /// <param name="model">The model.</param>
    /// <param name="stream">The stream.</param>
    /// <exception cref="IOException">The stream cannot be written.</exception>
    public static void Save(this IModel model, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(stream);
        SafetensorsWriter.Write(stream, model.Parameters);
    }

    /// <summary>
    /// Loads the parameters. The file must hold exactly the model's parameters, in their shapes, F32. Everything is checked before any
    /// parameter is written: where it fails, the model is what it was.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="path">The file.</param>
    /// <exception cref="SafetensorsException">The file is malformed, or holds something else; the message names every difference.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static void Load(this IModel model, string path)
    {
        ArgumentNullException.ThrowIfNull(model);
        Load(model.Parameters, SafetensorsFile.Open(path), path);
    }

    /// <summary>
    /// Loads the parameters from a stream, read to its end. It must hold exactly the model's parameters, in their shapes, F32. Everything
    /// is checked before any parameter is written: where it fails, the model is what it was.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="stream">The stream.</param>
    /// <exception cref="SafetensorsException">The contents are malformed or something else; the message names every difference.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    public static void Load(this IModel model, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(model);
        Load(model.Parameters, SafetensorsFile.Read(stream), "The stream");
    }

    private static void Load(ParameterBlock parameters, SafetensorsFile file, string source)
    {
        ModelLayout layout = parameters.Layout;
        List<string> differences = Differences(layout, file);
        if (differences.Count > 0)
        {
            throw new SafetensorsException($"{source} does not fit {layout}: {Some(differences, "; ")}.");
        }

        foreach (ParameterInfo parameter in layout.Parameters)
        {
            parameters.Set(parameter, file.ReadSingle(parameter.Name));
        }
    }

    private static List<string> Differences(ModelLayout layout, SafetensorsFile file)
    {
        var differences = new List<string>();
        var missing = new List<string>();
        var expected = new HashSet<string>(StringComparer.Ordinal);
        foreach (ParameterInfo parameter in layout.Parameters)
        {
            expected.Add(parameter.Name);
            if (!file.Contains(parameter.Name))
            {
                missing.Add(parameter.Name);
                continue;
            }

            IReadOnlyList<long> shape = file.Shape(parameter.Name);
            if (!shape.SequenceEqual(parameter.Shape.Select(extent => (long)extent)))
            {
                differences.Add(
                    $"'{parameter.Name}' has the shape [{string.Join(", ", shape)}] and not [{string.Join(", ", parameter.Shape)}]");
            }

            if (file.ElementType(parameter.Name) is var type and not "F32")
            {
                differences.Add($"'{parameter.Name}' is {type} and not F32");
            }
        }

        Add("missing", missing);
        Add("unexpected", file.Names.Where(name => !expected.Contains(name)));
        return differences;

        void Add(string what, IEnumerable<string> names)
        {
            List<string> quoted = [.. names.Select(name => $"'{name}'")];
            if (quoted.Count > 0)
            {
                // First: where whole layers differ, this says it best.
                differences.Insert(0, $"{what}: {Some(quoted, ", ")}");
            }
        }
    }

    /// <summary>The first few, and how many there are beside them.</summary>
    private static string Some(List<string> items, string separator) =>
        string.Join(separator, items.Take(MostTold)) + (items.Count > MostTold ? $"{separator}and {items.Count - MostTold} more" : "");
}

namespace Unrolled.Generator;

/// <summary>The names of the pipeline's steps, for tests and tools that ask why a step ran again.</summary>
public static class StepNames
{
    /// <summary>The shared cells of one source, a file or the attributes of one.</summary>
    public const string Cells = "Cells";

    /// <summary>A class's attributes read, or a file of JSON: the model, the places of its parts, its diagnostics.</summary>
    public const string Parse = "Parse";

    /// <summary>A model from attributes, with the shared cells it names.</summary>
    public const string Resolve = "Resolve";

    /// <summary>The model alone, without any place in a file.</summary>
    public const string Model = "Model";

    /// <summary>The emitted source of a model.</summary>
    public const string Compile = "Compile";

    /// <summary>The diagnostics of a model, from its attributes and its equations.</summary>
    public const string Diagnostics = "Diagnostics";
}

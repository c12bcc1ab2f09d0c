namespace Unrolled.Generator;

/// <summary>The names of the pipeline's steps, for tests and tools that ask why a step ran again.</summary>
public static class StepNames
{
    /// <summary>A class's attributes read: the model, the places of its parts, its diagnostics.</summary>
    public const string Parse = "Parse";

    /// <summary>The model alone, without any place in a file.</summary>
    public const string Model = "Model";

    /// <summary>The emitted source of a model.</summary>
    public const string Compile = "Compile";

    /// <summary>The diagnostics of a model, from its attributes and its equations.</summary>
    public const string Diagnostics = "Diagnostics";
}

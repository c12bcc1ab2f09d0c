using System.Globalization;
using System.Reflection;
using System.Runtime.Loader;

namespace Unrolled.Generator.Tests.Harness;

/// <summary>A loaded assembly of generated models. Everything but their construction goes through the interfaces.</summary>
internal sealed class CompiledModels
{
    private readonly AssemblyLoadContext _context = new("Generated models", isCollectible: true);

    public CompiledModels(byte[] image)
    {
        Image = image;
        using var stream = new MemoryStream(image);
        Assembly = _context.LoadFromStream(stream);
    }

    /// <summary>The assembly's bytes, for tests that read its code.</summary>
    public byte[] Image { get; }

    public Assembly Assembly { get; }

    /// <summary>A new model of a generated class, by its full name.</summary>
    public IModel Create(string fullName, ulong seed = 0)
    {
        Type type = Assembly.GetType(fullName, throwOnError: true)!;
        return (IModel)Activator.CreateInstance(
            type, BindingFlags.CreateInstance | BindingFlags.Public | BindingFlags.Instance, null, [seed], CultureInfo.InvariantCulture)!;
    }
}

/// <summary>A generated file: its hint name and its text.</summary>
internal sealed record GeneratedFile(string HintName, string Text);

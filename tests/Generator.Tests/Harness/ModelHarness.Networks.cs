using Unrolled.Generator.Frontend;

namespace Unrolled.Generator.Tests.Harness;

// Networks as the oracle reads them.
internal static partial class ModelHarness
{
    /// <summary>Compiles networks: those with attributes through the generator, the others through the compiler alone.</summary>
    public static CompiledModels Compile(IEnumerable<TestNetwork> networks, HarnessOptions? options = null)
    {
        var sources = new List<string>();
        var emitted = new List<GeneratedFile>();
        foreach (TestNetwork network in networks)
        {
            if (network.HasAttributes)
            {
                sources.Add(network.AttributeSource);
            }
            else
            {
                sources.Add($"namespace {TestNetwork.Namespace};\n\n/// <summary>A network under test.</summary>\npublic sealed partial class {network.Class};\n");
                emitted.Add(new GeneratedFile(network.Class + ".g.cs", CompileSpec(network.Spec)));
            }
        }

        return Compile(sources, emitted, options ?? HarnessOptions.Default);
    }

    /// <summary>The compiler's source for a spec.</summary>
    /// <exception cref="InvalidOperationException">The equations have mistakes.</exception>
    public static string CompileSpec(ModelSpec spec)
    {
        CompilationResult result = Compiler.Compile(spec);
        return result.Source ?? throw new InvalidOperationException(
            string.Join(Environment.NewLine, result.Errors.Select(error => $"{spec.Layers[error.Layer].Name}: {error.Error.Id} {error.Error.Message} at {error.Error.Span}")));
    }
}

using System.Security.Cryptography;
using System.Text;

namespace Unrolled.Generator.Tests.Harness;

/// <summary>
/// Assemblies of compiled models, kept beside the tests for as long as neither the generator nor the runtime changes: the processes
/// that run the same models under other instruction sets need not compile them again.
/// </summary>
internal static class ImageCache
{
    private static readonly string Folder = Open();

    /// <summary>The assembly made before from the same text, or a new one. What fails to compile is not kept.</summary>
    public static byte[] GetOrAdd(string key, Func<byte[]> compile)
    {
        string path = Path.Combine(Folder, Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(key)))[..32] + ".dll");
        if (File.Exists(path))
        {
            return File.ReadAllBytes(path);
        }

        byte[] image = compile();
        string temporary = path + "." + Guid.NewGuid().ToString("N");
        File.WriteAllBytes(temporary, image);
        File.Move(temporary, path, overwrite: true);
        return image;
    }

    private static string Open()
    {
        Type[] makers = [typeof(ModelGenerator), typeof(IModel), typeof(ModelHarness), typeof(Microsoft.CodeAnalysis.CSharp.CSharpCompilation)];
        string version = Convert.ToHexString(SHA256.HashData(makers.SelectMany(maker => maker.Assembly.ManifestModule.ModuleVersionId.ToByteArray()).ToArray()))[..16];
        string root = Path.Combine(AppContext.BaseDirectory, "compiled-models");
        string folder = Path.Combine(root, version);
        Directory.CreateDirectory(folder);
        foreach (string other in Directory.EnumerateDirectories(root).Where(other => other != folder))
        {
            Directory.Delete(other, recursive: true);
        }

        return folder;
    }
}

using System.Text;
using Xunit;

namespace Unrolled.Generator.Tests.Harness;

/// <summary>
/// Snapshots in Verify's conventions: <c>Test.Name.verified.cs</c> beside the test, a <c>.received.</c> file on a mismatch, new lines
/// normalised. UNROLLED_ACCEPT_SNAPSHOTS=1 accepts what comes. (Verify itself does not restore here; moving to it is this file.)
/// </summary>
internal static class Snapshot
{
    /// <summary>Compares a text with the one accepted before.</summary>
    /// <param name="text">The text.</param>
    /// <param name="test">The test class, in whose folder the snapshots are.</param>
    /// <param name="name">What is shown.</param>
    /// <param name="extension">The kind of text, as files name it.</param>
    public static void Verify(string text, string test, string name, string extension = "cs") => Verify(text, Repository.TestProject, test, name, extension);

    /// <summary>Compares a text that a test makes with a file of the repository that holds it.</summary>
    /// <param name="text">The text.</param>
    /// <param name="path">The file, from the repository's root.</param>
    public static void VerifyFile(string text, string path)
    {
        string file = Path.Combine(Repository.Root, path), normalised = Normalise(text);
        if (Environment.GetEnvironmentVariable("UNROLLED_ACCEPT_SNAPSHOTS") == "1")
        {
            Write(file, normalised);
        }

        string expected = File.Exists(file) ? Normalise(File.ReadAllText(file)) : "";
        Assert.True(expected == normalised, $"{path} differs at {FirstDifference(expected, normalised)} (UNROLLED_ACCEPT_SNAPSHOTS=1 writes it anew)");
    }

    internal static void Verify(string text, string folder, string test, string name, string extension)
    {
        string verified = Path.Combine(folder, $"{test}.{name}.verified.{extension}");
        string received = Path.Combine(folder, $"{test}.{name}.received.{extension}");
        string normalised = Normalise(text);
        if (Environment.GetEnvironmentVariable("UNROLLED_ACCEPT_SNAPSHOTS") == "1")
        {
            Write(verified, normalised);
            File.Delete(received);
            return;
        }

        string expected = File.Exists(verified) ? Normalise(File.ReadAllText(verified)) : "";
        if (expected == normalised)
        {
            File.Delete(received);
            return;
        }

        Write(received, normalised);
        Assert.Fail(
            $"{Path.GetFileName(verified)} {(expected.Length == 0 ? "is missing" : "differs at " + FirstDifference(expected, normalised))}; what came is in {Path.GetFileName(received)} (UNROLLED_ACCEPT_SNAPSHOTS=1 accepts it)");
    }

    private static string Normalise(string text) => text.Replace("\r\n", "\n", StringComparison.Ordinal).TrimEnd('\n') + "\n";

    private static void Write(string path, string text) => File.WriteAllText(path, text, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));

    private static string FirstDifference(string expected, string actual)
    {
        string[] old = expected.Split('\n');
        string[] now = actual.Split('\n');
        for (int line = 0; line < Math.Max(old.Length, now.Length); line++)
        {
            string before = line < old.Length ? old[line] : "(end)";
            string after = line < now.Length ? now[line] : "(end)";
            if (before != after)
            {
                return $"line {line + 1}: '{before.Trim()}' became '{after.Trim()}'";
            }
        }

        return "its end";
    }
}

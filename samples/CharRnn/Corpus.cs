using System.Reflection;

namespace CharRnn;

/// <summary>A text as bytes: its first 95 % to train on and its last 5 % held out.</summary>
internal sealed class Corpus
{
    private const int HeldOutShare = 20;
    private readonly byte[] _bytes;

    private Corpus(string name, byte[] bytes)
    {
        Name = name;
        _bytes = bytes;
        TrainingLength = bytes.Length - bytes.Length / HeldOutShare;
    }

    /// <summary>What the text is, for the user.</summary>
    public string Name { get; }

    /// <summary>The whole text; the held-out part begins at <see cref="TrainingLength"/>.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>How many bytes, from the start, may be trained on.</summary>
    public int TrainingLength { get; }

    /// <summary>How many bytes, at the end, are never trained on.</summary>
    public int HeldOutLength => _bytes.Length - TrainingLength;

    /// <summary>The shortest text that fills one training batch.</summary>
    public static int MinimumLength
    {
        get
        {
            var training = Training.BatchSize * Training.Steps + 1;
            return (training * HeldOutShare + HeldOutShare - 2) / (HeldOutShare - 1);
        }
    }

    /// <summary>Reads a text file, or the sources this program was built from when <paramref name="path"/> is null.</summary>
    /// <exception cref="UserException">The file cannot be read or is not a text one can train on.</exception>
    public static Corpus Read(string? path) => path is null ? FromSources() : FromFile(path);

    /// <summary>Takes bytes as a text, when they are one.</summary>
    /// <exception cref="UserException">The bytes are not a text one can train on.</exception>
    public static Corpus FromBytes(string name, byte[] bytes)
    {
        if (bytes.Length == 0)
        {
            throw new UserException($"{name} is empty.");
        }

        if (FindBinary(bytes) is { } reason)
        {
            throw new UserException($"{name} is not a text: {reason}.");
        }

        if (bytes.Length < MinimumLength)
        {
            throw new UserException(
                $"{name} is too short: {bytes.Length:N0} bytes, where {MinimumLength:N0} are needed for one batch of {Training.BatchSize} streams of {Training.Steps} characters and the held-out 5 %.");
        }

        return new Corpus(name, bytes);
    }

    private static Corpus FromFile(string path)
    {
        if (path.Length == 0)
        {
            throw new UserException("--text needs the name of a file.");
        }

        if (Directory.Exists(path))
        {
            throw new UserException($"{path} is a folder, not a text file.");
        }

        try
        {
            return FromBytes(path, File.ReadAllBytes(path));
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new UserException($"There is no file {path}.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new UserException($"{path} cannot be read: {exception.Message}");
        }
    }

    private static Corpus FromSources()
    {
        var assembly = Assembly.GetExecutingAssembly();
        var names = assembly.GetManifestResourceNames().Where(name => name.StartsWith("text/", StringComparison.Ordinal)).ToArray();

        // A folder's separator in a resource's name depends on the machine that built it; the order must not.
        Array.Sort(Array.ConvertAll(names, name => name.Replace('\\', '/')), names, StringComparer.Ordinal);

        using var text = new MemoryStream();
        foreach (var name in names)
        {
            using var source = assembly.GetManifestResourceStream(name)!;
            source.CopyTo(text);
        }

        // A checkout may have turned line feeds into pairs; the text should be the same everywhere.
        var bytes = text.ToArray();
        return FromBytes($"the project's own {names.Length} source files", Array.FindAll(bytes, value => value != '\r'));
    }

    private static string? FindBinary(ReadOnlySpan<byte> bytes)
    {
        var zero = bytes.IndexOf((byte)0);
        if (zero >= 0)
        {
            return $"it has a zero byte at offset {zero:N0}";
        }

        var controls = 0;
        foreach (var value in bytes)
        {
            if (value < 32 && value is not ((byte)'\t' or (byte)'\n' or (byte)'\r' or (byte)'\f'))
            {
                controls++;
            }
        }

        // Real texts hold a stray escape at most; compressed or executable data has one control character in ten bytes.
        return controls > bytes.Length / 100 ? $"{controls:N0} of its {bytes.Length:N0} bytes are control characters" : null;
    }
}

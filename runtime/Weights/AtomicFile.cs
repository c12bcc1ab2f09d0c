namespace Unrolled;

/// <summary>
/// Replaces a file only once its successor is wholly on the disk. The successor is written beside it, in a temporary file that takes over
/// its access mode and, where the system allows it, its owner; other hard links to the old file keep the old contents.
/// </summary>
internal static class AtomicFile
{
    private const string TemporaryStart = ".unrolled-";
    private const string TemporaryEnd = ".tmp";
    private const int UniqueDigits = 16;
    private const int MostAttempts = 10;
    private const int MostLinks = 40;

    /// <summary>
    /// Writes a temporary file beside the path and renames it; where anything fails, what was at the path stays. Links are followed: it
    /// is the file at their end that is replaced. Temporary files that killed writers of the same file left are removed.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="write">Writes the contents; called again in the rare case that another writer took the temporary file for a leftover.</param>
    /// <returns>Whether the folder was flushed, too, so that the new file survives a loss of power.</returns>
    /// <exception cref="IOException">The file cannot be written, or is a device, a pipe or a socket.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written, or is a folder.</exception>
    public static bool Write(string path, Action<Stream> write)
    {
        string target = Target(path, out string folder);
        RemoveLeftovers(target, folder);
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                WriteOnce(target, folder, write);
                return UnixFile.FlushFolder(folder);
            }
            catch (TemporaryFileLostException) when (attempt < MostAttempts)
            {
                // Another writer of this file removed it, in the moment when it was not locked.
            }
        }
    }

    /// <summary>Does all of <see cref="Write"/> but for the contents and the rename, and so throws where it would.</summary>
    public static void Probe(string path)
    {
        string target = Target(path, out string folder);
        using FileStream stream = Create(target, folder);
        TryDelete(stream.Name);
    }

    /// <summary>What the temporary files of a file begin with: the folder's other files are left alone.</summary>
    internal static string TemporaryPrefix(string target) =>
        // Without regard to case, as some file systems have it; hashed, as the file's own name may be as long as names can be.
        $"{TemporaryStart}{RandomStream.Hash(Path.GetFileName(target).ToUpperInvariant()):x16}-";

    private static void WriteOnce(string target, string folder, Action<Stream> write)
    {
        FileStream stream = Create(target, folder);
        string temporary = stream.Name;
        try
        {
            using (stream)
            {
                write(stream);
                stream.Flush(flushToDisk: true);
                if (!OperatingSystem.IsWindows())
                {
                    // Before it is unlocked, so that no other writer takes it for a leftover. On Windows nobody could read the file
                    // until it is closed.
                    Replace(temporary, target);
                }
            }

            if (OperatingSystem.IsWindows())
            {
                Replace(temporary, target);
            }
        }
        catch
        {
            TryDelete(temporary);
            throw;
        }
    }

    private static void Replace(string temporary, string target)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                File.Move(temporary, target, overwrite: true);
                return;
            }
            catch (FileNotFoundException exception)
            {
                throw new TemporaryFileLostException(temporary, exception);
            }
            catch (Exception exception) when (IsRefusal(exception) && OperatingSystem.IsWindows() && attempt < MostAttempts)
            {
                // Windows replaces no file that another program reads, or is replacing, at this moment.
                Thread.Sleep(10 * attempt);
            }
        }
    }

    /// <summary>The file to replace, and its folder.</summary>
    private static string Target(string path, out string folder)
    {
        string full = Path.GetFullPath(path);
        if (Path.EndsInDirectorySeparator(full) || Directory.Exists(full))
        {
            throw new UnauthorizedAccessException($"'{full}' is a folder (add the name of a file).");
        }

        if (UnixFile.StatusOf(full) is { IsRegular: false })
        {
            throw new IOException($"'{full}' is a device, a pipe or a socket and no file (open it, and save to the stream).");
        }

        string target = WithoutLinks(full);
        folder = Path.GetDirectoryName(target) ?? target;
        if (!Directory.Exists(folder))
        {
            throw new DirectoryNotFoundException($"There is no folder '{folder}' for '{Path.GetFileName(target)}' (create it first).");
        }

        if (File.Exists(target) && IsReadOnly(target))
        {
            throw new UnauthorizedAccessException($"'{target}' is read-only (make it writable, or give another name).");
        }

        return target;
    }

    /// <summary>Whether nobody may write a file, or this process may not: a rename would replace it all the same.</summary>
    private static bool IsReadOnly(string file)
    {
        const UnixFileMode Writable = UnixFileMode.UserWrite | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
        if (OperatingSystem.IsWindows())
        {
            return (File.GetAttributes(file) & FileAttributes.ReadOnly) != 0;
        }

        if ((File.GetUnixFileMode(file) & Writable) == 0)
        {
            return true;
        }

        try
        {
            // What is no file for certain may have a reader to wait for.
            if (UnixFile.StatusOf(file) is { IsRegular: true })
            {
                new FileStream(file, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 1).Dispose();
            }
        }
        catch (UnauthorizedAccessException)
        {
            return true;
        }
        catch (IOException)
        {
            // Another program has locked it, which keeps nobody from putting a new file in its place.
        }

        return false;
    }

    /// <summary>Where a path leads, through links in its folders and links to links, as the system would open it.</summary>
    private static string WithoutLinks(string path)
    {
        string reached = Path.GetPathRoot(path)!;
        var ahead = new Stack<string>();
        Push(path[reached.Length..]);
        int links = 0;
        while (ahead.TryPop(out string? name))
        {
            if (name == "..")
            {
                reached = Path.GetDirectoryName(reached) ?? reached;
                continue;
            }

            string next = Path.Combine(reached, name);
            if (new FileInfo(next).LinkTarget is not { } link)
            {
                reached = next;
                continue;
            }

            if (++links > MostLinks)
            {
                throw new IOException($"'{path}' leads through more than {MostLinks} links, or in a circle.");
            }

            if (Path.IsPathRooted(link))
            {
                reached = Path.GetPathRoot(Path.GetFullPath(link, reached))!;
                link = link[Path.GetPathRoot(link)!.Length..];
            }

            Push(link);
        }

        return reached;

        void Push(string names)
        {
            string[] parts = names.Split([Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar], StringSplitOptions.RemoveEmptyEntries);
            for (int i = parts.Length - 1; i >= 0; i--)
            {
                if (parts[i] != ".")
                {
                    ahead.Push(parts[i]);
                }
            }
        }
    }

    /// <summary>A new temporary file for a file's successor, locked: writers share it, <see cref="RemoveLeftovers"/> does not get it.</summary>
    private static FileStream Create(string target, string folder)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            Share = FileShare.Read | FileShare.Delete,
            BufferSize = 1 << 16,
        };
        UnixFileMode? mode = null;
        if (!OperatingSystem.IsWindows() && File.Exists(target))
        {
            mode = File.GetUnixFileMode(target);
            options.UnixCreateMode = mode;
        }

        FileStream stream = Open();
        if (!OperatingSystem.IsWindows() && mode is { } wanted)
        {
            try
            {
                if (UnixFile.StatusOf(target) is { } owner)
                {
                    UnixFile.SetOwner(stream.SafeFileHandle, owner);
                }

                // What the process's mask took away, or the change of the owner.
                if (File.GetUnixFileMode(stream.SafeFileHandle) != wanted)
                {
                    File.SetUnixFileMode(stream.SafeFileHandle, wanted);
                }
            }
            catch
            {
                stream.Dispose();
                TryDelete(stream.Name);
                throw;
            }
        }

        return stream;

        FileStream Open()
        {
            for (int attempt = 1; ; attempt++)
            {
                string temporary = TemporaryPrefix(target) + $"{Guid.NewGuid():N}"[..UniqueDigits] + TemporaryEnd;
                try
                {
                    return new FileStream(Path.Combine(folder, temporary), options);
                }
                catch (IOException) when (attempt < MostAttempts)
                {
                    // Another writer may have locked it, for a leftover, between its creation and its own lock.
                }
                catch (IOException exception)
                {
                    throw new IOException($"'{target}' cannot be written, for its folder takes no new file: {exception.Message}", exception);
                }
                catch (UnauthorizedAccessException exception)
                {
                    throw new UnauthorizedAccessException($"'{target}' cannot be written, for no file may be created in '{folder}'.", exception);
                }
            }
        }
    }

    /// <summary>Removes temporary files of a file whose writers have ended: the system unlocked those.</summary>
    private static void RemoveLeftovers(string target, string folder)
    {
        string prefix = TemporaryPrefix(target);
        var everything = new EnumerationOptions { AttributesToSkip = 0, IgnoreInaccessible = true, MatchCasing = MatchCasing.CaseSensitive };
        try
        {
            foreach (string path in Directory.EnumerateFiles(folder, $"{prefix}*{TemporaryEnd}", everything))
            {
                ReadOnlySpan<char> name = Path.GetFileName(path.AsSpan());
                if (name.Length == prefix.Length + UniqueDigits + TemporaryEnd.Length
                    && !name.Slice(prefix.Length, UniqueDigits).ContainsAnyExcept("0123456789abcdef")
                    && new FileInfo(path).LinkTarget is null
                    && UnixFile.StatusOf(path) is not { IsRegular: false })
                {
                    RemoveUnlessLocked(path);
                }
            }
        }
        catch (Exception exception) when (IsRefusal(exception))
        {
            // They stay until a save that may see them.
        }
    }

    private static void RemoveUnlessLocked(string path)
    {
        try
        {
            new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose).Dispose();
        }
        catch (Exception exception) when (IsRefusal(exception))
        {
            // It is being written, or gone.
        }
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception exception) when (IsRefusal(exception))
        {
            // The next save tries again. What is to be told is why this one failed.
        }
    }

    private static bool IsRefusal(Exception exception) => exception is IOException or UnauthorizedAccessException;

    private sealed class TemporaryFileLostException(string path, Exception exception)
        : IOException($"The temporary file '{path}' was removed while it was written.", exception);
}

using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Unrolled.Tests;

/// <summary>What a save does to files and folders, whatever is there and whoever else saves.</summary>
public sealed class AtomicFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("unrolled-").FullName;
    private readonly LeakyModel _model = new(0, 3, 17, Loss.None);
    private readonly LeakyModel _other;

    public AtomicFileTests() => _other = _model.Twin(99);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void What_killed_saves_left_is_removed_by_the_next_save_of_the_file()
    {
        string file = InFolder("model.safetensors");
        var leftovers = new HashSet<string>();
        for (int i = 0; i < 20; i++)
        {
            // A process killed in the middle of a save leaves the file it was writing, unlocked, as long as it got.
            string left = "";
            AtomicFile.Write(file, _ => left = Assert.Single(Directory.GetFiles(_folder, "*.tmp")));
            leftovers.Add(left);
        }

        Assert.Equal(20, leftovers.Count);
        foreach (string left in leftovers)
        {
            File.WriteAllBytes(left, new byte[leftovers.Count]);
        }

        _model.Save(file);
        Assert.Equal([file], Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void Files_that_are_not_its_own_are_left_alone()
    {
        string file = InFolder("model.safetensors");
        string prefix = AtomicFile.TemporaryPrefix(file);
        string[] foreign =
        [
            InFolder(AtomicFile.TemporaryPrefix(InFolder("other.safetensors")) + "0123456789abcdef.tmp"),
            InFolder(prefix + "0123456789abcdeg.tmp"),
            InFolder(prefix + "0123456789abcde.tmp"),
            InFolder(prefix + "0123456789abcdef0.tmp"),
            InFolder(prefix + "0123456789abcdef.tmp.bak"),
            InFolder("x" + prefix + "0123456789abcdef.tmp"),
            InFolder(prefix + ".tmp"),
            InFolder(".model.safetensors.0123456789abcdef0123456789abcdef.tmp"),
            InFolder("model.safetensors.tmp"),
        ];
        foreach (string path in foreign)
        {
            File.WriteAllText(path, "precious");
        }

        string folder = Directory.CreateDirectory(InFolder(prefix + "00000000000000aa.tmp")).FullName;
        string link = InFolder(prefix + "00000000000000bb.tmp");
        File.CreateSymbolicLink(link, foreign[^1]);
        _model.Save(file);
        Assert.All(foreign, path => Assert.Equal("precious", File.ReadAllText(path)));
        Assert.True(Directory.Exists(folder));
        Assert.True(File.Exists(link));
        Assert.Equal(foreign.Length + 3, Directory.GetFileSystemEntries(_folder).Length);
    }

    [Fact]
    public void A_file_that_is_being_written_is_no_leftover()
    {
        string file = InFolder("model.safetensors");
        AtomicFile.Write(file, stream =>
        {
            stream.Write(new byte[10]);
            stream.Flush();
            _model.Save(file);
            AssertHolds(_model, file);
            stream.Write(new byte[10]);
        });
        Assert.Equal(new byte[20], File.ReadAllBytes(file));
        Assert.Equal([file], Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void A_temporary_file_that_is_removed_all_the_same_is_written_again()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows removes no file that is open.");
        string file = InFolder("model.safetensors");
        int calls = 0;
        AtomicFile.Write(file, stream =>
        {
            stream.WriteByte((byte)++calls);
            if (calls < 3)
            {
                File.Delete(Assert.Single(Directory.GetFiles(_folder, "*.tmp")));
            }
        });
        Assert.Equal([3], File.ReadAllBytes(file));
    }

    [Fact]
    public async Task Parallel_saves_of_one_file_leave_one_of_them_whole()
    {
        string file = InFolder("model.safetensors");
        LeakyModel[] models = [.. Enumerable.Range(0, 4).Select(i => _model.Twin((ulong)i))];
        models[0].Save(file);
        int saving = models.Length;
        Task[] savers = [.. models.Select(model => Task.Run(() =>
        {
            for (int i = 0; i < 25; i++)
            {
                model.Save(file);
            }

            Interlocked.Decrement(ref saving);
        }))];
        LeakyModel reader = _model.Twin(1000);
        do
        {
            reader.Load(file);
            Assert.Contains(models, model => model.Parameters.Values.SequenceEqual(reader.Parameters.Values));
        }
        while (Volatile.Read(ref saving) > 0 && !savers.Any(saver => saver.IsFaulted));
        await Task.WhenAll(savers);
        Assert.Equal([file], Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void A_link_is_written_through()
    {
        string inner = Directory.CreateDirectory(InFolder("inner")).FullName;
        string deeper = Directory.CreateDirectory(Path.Combine(inner, "deeper")).FullName;
        string file = Path.Combine(inner, "model.safetensors");
        _model.Save(file);

        // A link to a link to the file, relative; and one in a linked folder, whose ".." is the folder's real parent.
        string link = Link("link", Path.Combine("inner", "link"));
        Link(Path.Combine("inner", "link"), "model.safetensors");
        Link("linked", deeper);
        string away = Link(Path.Combine("inner", "deeper", "away"), Path.Combine("..", "model.safetensors"));
        foreach (string path in (string[])[link, away, InFolder(Path.Combine("linked", "away")), Path.GetRelativePath(Environment.CurrentDirectory, link)])
        {
            _model.Save(file);
            _other.Save(path);
            AssertHolds(_other, file);
            AssertHolds(_other, path);
            Assert.NotNull(new FileInfo(link).LinkTarget);
            Assert.NotNull(new FileInfo(away).LinkTarget);
        }

        // A link to nothing yet makes its file, as opening it for writing would.
        string dangling = Link("dangling", Path.Combine("inner", "new"));
        _model.Save(dangling);
        AssertHolds(_model, Path.Combine(inner, "new"));
        Assert.NotNull(new FileInfo(dangling).LinkTarget);

        string nowhere = Link("nowhere", Path.Combine("none", "new"));
        Assert.Contains("There is no folder", Assert.Throws<DirectoryNotFoundException>(() => _model.Save(nowhere)).Message);
        string circle = Link("circle", "back");
        Link("back", "circle");
        Assert.Contains("in a circle", Assert.Throws<IOException>(() => _model.Save(circle)).Message);
        Assert.Contains("is a folder", Assert.Throws<UnauthorizedAccessException>(() => _model.Save(InFolder("linked"))).Message);
        Assert.Empty(Directory.GetFiles(_folder, "*.tmp", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite)]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherRead)]
    public void The_access_mode_is_kept(UnixFileMode mode)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no access modes.");
        string file = InFolder("model.safetensors");
        File.WriteAllText(InFolder("plain"), "");
        _model.Save(file);
#pragma warning disable CA1416 // Not on Windows: the test is skipped there.
        Assert.Equal(File.GetUnixFileMode(InFolder("plain")), File.GetUnixFileMode(file));
        File.SetUnixFileMode(file, mode);
        _other.Save(file);
        Assert.Equal(mode, File.GetUnixFileMode(file));
        AssertHolds(_other, file);

        // While it is written, too, nobody may read it who could not before.
        UnixFileMode during = 0;
        AtomicFile.Write(file, _ => during = File.GetUnixFileMode(Assert.Single(Directory.GetFiles(_folder, "*.tmp"))));
        Assert.Equal(mode, during);
#pragma warning restore CA1416
    }

    [Fact]
    public void The_owner_is_kept()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "Only Linux's root gives files away.");
        string file = InFolder("model.safetensors");
        _model.Save(file);
        Run("chown", "12345:23456", file);
        Run("chmod", "600", file);
        _other.Save(file);
        Assert.Equal(new UnixFile.Status(IsRegular: true, 12345, 23456), UnixFile.StatusOf(file));
        AssertHolds(_other, file);
    }

    [Fact]
    public void Devices_pipes_and_sockets_are_refused_and_stay()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux is asked what a file is.");
        string pipe = InFolder("pipe"), device = InFolder("device"), socket = InFolder("socket");
        Run("mkfifo", pipe);
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(socket));
        List<string> paths = [pipe, socket, Link("link", pipe)];
        if (Environment.IsPrivilegedProcess && Run("mknod", device, "c", "1", "3"))
        {
            paths.Add(device);
        }

        foreach (string path in paths)
        {
            Assert.Contains("is a device, a pipe or a socket", Assert.Throws<IOException>(() => _model.Save(path)).Message);
            Assert.Contains("is a device, a pipe or a socket", Assert.Throws<IOException>(() => ModelFiles.VerifyWritable(path)).Message);
            Assert.False(UnixFile.StatusOf(path)!.Value.IsRegular);
        }

        Assert.Equal(paths.Count, Directory.GetFileSystemEntries(_folder).Length);
    }

    [Theory]
    [InlineData('m', 230)]
    [InlineData('m', 255)]
    [InlineData('é', 127)]
    public void Names_as_long_as_names_can_be_are_written(char character, int length)
    {
        string file = InFolder(new string(character, length));
        _model.Save(file);
        _other.Save(file);
        AssertHolds(_other, file);
        Assert.Equal([file], Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void Folders_are_refused()
    {
        foreach (string path in (string[])[_folder, _folder + Path.DirectorySeparatorChar, InFolder("none") + Path.DirectorySeparatorChar, "."])
        {
            Assert.Contains("is a folder", Assert.Throws<UnauthorizedAccessException>(() => _model.Save(path)).Message);
            Assert.Contains("is a folder", Assert.Throws<UnauthorizedAccessException>(() => ModelFiles.VerifyWritable(path)).Message);
        }

        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void A_read_only_file_is_refused_and_stays()
    {
        string file = InFolder("model.safetensors");
        _model.Save(file);
        File.SetAttributes(file, FileAttributes.ReadOnly);
        Assert.Contains("is read-only", Assert.Throws<UnauthorizedAccessException>(() => _other.Save(file)).Message);
        Assert.Throws<UnauthorizedAccessException>(() => ModelFiles.VerifyWritable(file));
        AssertHolds(_model, file);
        File.SetAttributes(file, FileAttributes.Normal);
    }

    [Fact]
    public void A_folder_that_takes_no_file_is_named()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Directory.Exists("/sys"), "Linux's /sys is a folder that nobody, root neither, can write.");
        Exception exception = Assert.ThrowsAny<Exception>(() => _model.Save("/sys/model.safetensors"));
        Assert.True(exception is IOException or UnauthorizedAccessException);
        Assert.Contains("'/sys/model.safetensors' cannot be written", exception.Message);
        Assert.ThrowsAny<Exception>(() => ModelFiles.VerifyWritable("/sys/model.safetensors"));
    }

    [Fact]
    public void The_folder_is_flushed_as_the_file_is()
    {
        Assert.Equal(!OperatingSystem.IsWindows(), AtomicFile.Write(InFolder("model.safetensors"), stream => stream.WriteByte(1)));
        Assert.Equal(!OperatingSystem.IsWindows(), UnixFile.FlushFolder(_folder));
        Assert.False(UnixFile.FlushFolder(InFolder("none")));
    }

    [Fact]
    public void To_ask_whether_a_file_can_be_written_changes_nothing()
    {
        string file = InFolder("model.safetensors");
        ModelFiles.VerifyWritable(file);
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
        _model.Save(file);
        DateTime written = File.GetLastWriteTimeUtc(file);
        ModelFiles.VerifyWritable(file);
        Assert.Equal([file], Directory.GetFileSystemEntries(_folder));
        Assert.Equal(written, File.GetLastWriteTimeUtc(file));
        AssertHolds(_model, file);
        Assert.Throws<DirectoryNotFoundException>(() => ModelFiles.VerifyWritable(InFolder(Path.Combine("none", "model"))));
        Assert.Throws<ArgumentException>(() => ModelFiles.VerifyWritable(""));
    }

    private string InFolder(string name) => Path.Combine(_folder, name);

    private string Link(string name, string target) => File.CreateSymbolicLink(InFolder(name), target).FullName;

    private static bool Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    private void AssertHolds(LeakyModel model, string file)
    {
        LeakyModel loaded = _model.Twin(1234);
        loaded.Load(file);
        Assert.Equal(
            MemoryMarshal.Cast<float, int>(model.Parameters.Values).ToArray(),
            MemoryMarshal.Cast<float, int>(loaded.Parameters.Values).ToArray());
    }
}

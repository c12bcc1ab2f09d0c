using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Unrolled;

/// <summary>
/// What Unix can do with files and .NET has no method for. Where the system lacks a function (Windows; a C library that is none of the
/// usual), the answer is that nothing is known or was done.
/// </summary>
internal static partial class UnixFile
{
    private const string Library = "libc";

    // Linux, linux/stat.h and linux/fcntl.h: the same numbers on every processor.
    private const int CurrentFolder = -100;
    private const uint KindModeAndOwner = 0x1B;
    private const int KindMask = 0xF000;
    private const int RegularFile = 0x8000;

    /// <summary>What stands at a path.</summary>
    /// <param name="IsRegular">Whether it is a file, and not a folder, a device, a pipe or a socket.</param>
    /// <param name="User">The user it belongs to.</param>
    /// <param name="Group">The group it belongs to.</param>
    public readonly record struct Status(bool IsRegular, uint User, uint Group);

    /// <summary>What stands at a path, beyond all links; null where nothing does, or the system is not Linux.</summary>
    public static Status? StatusOf(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        try
        {
            return StatusOf(CurrentFolder, path, flags: 0, KindModeAndOwner, out LinuxStatus status) == 0
                ? new Status((status.Mode & KindMask) == RegularFile, status.User, status.Group)
                : null;
        }
        catch (Exception exception) when (IsMissing(exception))
        {
            return null;
        }
    }

    /// <summary>Gives an open file to another's user and group, where the system allows it.</summary>
    public static void SetOwner(SafeFileHandle file, Status owner)
    {
        try
        {
            _ = SetOwner(file, owner.User, owner.Group);
        }
        catch (Exception exception) when (IsMissing(exception))
        {
            // It belongs to who wrote it, as every new file does.
        }
    }

    /// <summary>Writes a folder's names to the disk: without it, a rename may be undone by a loss of power.</summary>
    /// <returns>Whether the system says so; Windows, which writes names by a journal of its own, is not asked.</returns>
    public static bool FlushFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return false;
        }

        try
        {
            using SafeFileHandle handle = Open(folder, flags: 0);
            return !handle.IsInvalid && Flush(handle) == 0;
        }
        catch (Exception exception) when (IsMissing(exception))
        {
            return false;
        }
    }

    private static bool IsMissing(Exception exception) => exception is DllNotFoundException or EntryPointNotFoundException;

    [LibraryImport(Library, EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatusOf(int folder, string path, int flags, uint mask, out LinuxStatus status);

    [LibraryImport(Library, EntryPoint = "fchown")]
    private static partial int SetOwner(SafeFileHandle file, uint user, uint group);

    [LibraryImport(Library, EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags);

    [LibraryImport(Library, EntryPoint = "fsync")]
    private static partial int Flush(SafeFileHandle file);

    /// <summary>The start of statx's answer, which has 256 bytes.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct LinuxStatus
    {
        [FieldOffset(20)]
        public uint User;

        [FieldOffset(24)]
        public uint Group;

        [FieldOffset(28)]
        public ushort Mode;
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Unrolled.Generator.Tests.Harness;

/// <summary>
/// Memory between two pages that nobody may touch: whoever reads or writes a byte before its first or behind its last ends the process.
/// </summary>
internal sealed class GuardedMemory : IDisposable
{
    private const int ReadWrite = 3;
    private const int PrivateAnonymous = 0x22;

    private static readonly int Page = Environment.SystemPageSize;

    private readonly nint _start;
    private readonly int _bytes;

    /// <param name="floats">How many numbers there is room for.</param>
    public GuardedMemory(int floats)
    {
        _bytes = (floats * sizeof(float) + Page - 1) / Page * Page;
        _start = Map(0, (nuint)(_bytes + 2 * Page), 0, PrivateAnonymous, -1, 0);
        if (_start == -1 || Protect(_start + Page, (nuint)_bytes, ReadWrite) != 0)
        {
            throw new InvalidOperationException("No memory to guard.");
        }
    }

    public static bool IsSupported => OperatingSystem.IsLinux();

    /// <summary>Numbers right before the page behind.</summary>
    public Span<T> Last<T>(int length)
        where T : unmanaged => At<T>(_start + Page + _bytes - length * Unsafe.SizeOf<T>(), length);

    /// <summary>Numbers right behind the page before.</summary>
    public Span<T> First<T>(int length)
        where T : unmanaged => At<T>(_start + Page, length);

    public void Dispose() => _ = Unmap(_start, (nuint)(_bytes + 2 * Page));

    private static Span<T> At<T>(nint address, int length)
        where T : unmanaged => MemoryMarshal.CreateSpan(ref Unsafe.AddByteOffset(ref Unsafe.NullRef<T>(), address), length);

    [DllImport("libc", EntryPoint = "mmap")]
    private static extern nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [DllImport("libc", EntryPoint = "mprotect")]
    private static extern int Protect(nint address, nuint length, int protection);

    [DllImport("libc", EntryPoint = "munmap")]
    private static extern int Unmap(nint address, nuint length);
}

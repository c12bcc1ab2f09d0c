namespace Unrolled;

/// <summary>
/// A model's parameters as safetensors files: every parameter under its name, F32, in its mathematical shape, so that other tools read
/// and write them.
/// </summary>
public static class ModelFiles
{
    /// <summary>
    /// Saves the parameters. Where it fails, a file that was there before is still there, unchanged. Where it ends, file and folder have
    /// been flushed to the disk. A link is followed to its file, and the file keeps its access mode; a temporary file beside it, which a
    /// killed process may leave, is removed by the next save of the same file.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="path">The file, usually <c>*.safetensors</c>; replaced where there is one.</param>
    /// <exception cref="IOException">The file cannot be written, or is a device, a pipe or a socket.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written, or is a folder.</exception>
    public static void Save(this IModel model, string path)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrEmpty(path);
        AtomicFile.Write(path, stream => Write(model, stream));
    }

    /// <summary>Saves the parameters to a stream, which stays open.</summary>
    /// <param name="model">The model.</param>
    /// <param name="stream">The stream.</param>
    /// <exception cref="IOException">The stream cannot be written.</exception>
    public static void Save(this IModel model, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(stream);
        Write(model, stream);
    }

    /// <summary>
    /// Throws where a save would, as long as nothing changes: to be asked before hours of training. Nothing that is there is touched.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">The file cannot be written, or is a device, a pipe or a socket.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written, or is a folder.</exception>
    public static void VerifyWritable(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        AtomicFile.Probe(path);
    }

    /// <summary>
    /// Loads the parameters. The file must hold exactly the model's parameters, in their shapes, F32. Everything is checked before any
    /// parameter is written: where it fails, the model is what it was.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="path">The file.</param>
    /// <param name="requireFinite">Whether a file with NaN or infinities is refused; the message names the parameters that hold them.</param>
    /// <exception cref="SafetensorsException">The file is malformed, or holds something else; the message names the differences.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static void Load(this IModel model, string path, bool requireFinite = false)
    {
        ArgumentNullException.ThrowIfNull(model);
        Load(model.Parameters, SafetensorsFile.Open(path), path, requireFinite);
    }

    /// <summary>
    /// Loads the parameters from a stream, read to its end. It must hold exactly the model's parameters, in their shapes, F32. Everything
    /// is checked before any parameter is written: where it fails, the model is what it was.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="stream">The stream.</param>
    /// <param name="requireFinite">Whether NaN and infinities are refused; the message names the parameters that hold them.</param>
    /// <exception cref="SafetensorsException">The contents are malformed or something else; the message names the differences.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    public static void Load(this IModel model, Stream stream, bool requireFinite = false)
    {
        ArgumentNullException.ThrowIfNull(model);
        Load(model.Parameters, SafetensorsFile.Read(stream), "The stream", requireFinite);
    }

    private static void Write(IModel model, Stream stream) =>
        SafetensorsWriter.Write(stream, [.. BlockFile.TensorsOf(model.Parameters)], [("model", model.Layout.Name)]);

    private static void Load(ParameterBlock parameters, SafetensorsFile file, string source, bool requireFinite) =>
        BlockFile.Load([.. BlockFile.TensorsOf(parameters)], file, source, parameters.Layout.Name, requireFinite);
}

using System.Globalization;

namespace Unrolled;

/// <summary>
/// An optimizer's state as safetensors files, beside its model's: what it remembers of every parameter under the parameter's name and its
/// own (<c>lstm_0.W_xi.first_moment</c>), F32, in mathematical shape; the steps taken and the hyperparameters are in the metadata.
/// Training that goes on from both files has the bits of training that was never interrupted.
/// </summary>
public static class OptimizerFiles
{
    private const string KindKey = "optimizer";
    private const string StepCountKey = "step_count";
    private const string LearningRateKey = "learning_rate";

    /// <summary>
    /// Saves the state, with the promises of <see cref="ModelFiles.Save(IModel, string)"/>: an old file stays where it fails.
    /// </summary>
    /// <param name="optimizer">The optimizer.</param>
    /// <param name="path">The file, usually <c>*.safetensors</c>; replaced where there is one.</param>
    /// <exception cref="IOException">The file cannot be written, or is a device, a pipe or a socket.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written, or is a folder.</exception>
    public static void Save(this Optimizer optimizer, string path)
    {
        ArgumentNullException.ThrowIfNull(optimizer);
        ArgumentException.ThrowIfNullOrEmpty(path);
        AtomicFile.Write(path, stream => Write(optimizer, stream));
    }

    /// <summary>Saves the state to a stream, which stays open.</summary>
    /// <param name="optimizer">The optimizer.</param>
    /// <param name="stream">The stream.</param>
    /// <exception cref="IOException">The stream cannot be written.</exception>
    public static void Save(this Optimizer optimizer, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(optimizer);
        ArgumentNullException.ThrowIfNull(stream);
        Write(optimizer, stream);
    }

    /// <summary>
    /// Loads the state, the steps taken and the learning rate. The file must come from an optimizer of this kind with the same other
    /// hyperparameters, of a model with the same parameters. Everything is checked before anything is written: where it fails, the
    /// optimizer is what it was.
    /// </summary>
    /// <param name="optimizer">The optimizer.</param>
    /// <param name="path">The file.</param>
    /// <param name="requireFinite">Whether a file with NaN or infinities is refused; the message names the parameters.</param>
    /// <exception cref="SafetensorsException">The file is malformed, or does not fit; the message names the differences.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static void Load(this Optimizer optimizer, string path, bool requireFinite = false)
    {
        ArgumentNullException.ThrowIfNull(optimizer);
        Load(optimizer, SafetensorsFile.Open(path), path, requireFinite);
    }

    /// <summary>Loads the state, the steps taken and the learning rate from a stream, read to its end; as from a file.</summary>
    /// <param name="optimizer">The optimizer.</param>
    /// <param name="stream">The stream.</param>
    /// <param name="requireFinite">Whether NaN and infinities are refused; the message names the parameters.</param>
    /// <exception cref="SafetensorsException">The contents are malformed, or do not fit; the message names the differences.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    public static void Load(this Optimizer optimizer, Stream stream, bool requireFinite = false)
    {
        ArgumentNullException.ThrowIfNull(optimizer);
        Load(optimizer, SafetensorsFile.Read(stream), "The stream", requireFinite);
    }

    private static void Write(Optimizer optimizer, Stream stream) => SafetensorsWriter.Write(
        stream,
        TensorsOf(optimizer),
        [
            ("model", optimizer.Layout.Name),
            (KindKey, optimizer.GetType().Name),
            (StepCountKey, optimizer.StepCount.ToString(CultureInfo.InvariantCulture)),
            (LearningRateKey, TextOf(optimizer.LearningRate)),
            .. optimizer.Hyperparameters.Select(hyperparameter => (hyperparameter.Name, TextOf(hyperparameter.Value))),
        ]);

    private static void Load(Optimizer optimizer, SafetensorsFile file, string source, bool requireFinite)
    {
        string kind = optimizer.GetType().Name;
        string owner = $"{kind} of {optimizer.Layout}";
        if (!file.Metadata.TryGetValue(KindKey, out string? savedKind))
        {
            throw new SafetensorsException($"{source} holds no optimizer's state (are these a model's weights?).");
        }

        if (savedKind != kind)
        {
            throw new SafetensorsException($"{source} does not fit {owner}: it holds the state of {Excerpt.Text(savedKind)}.");
        }

        var differences = new List<string>();
        foreach ((string name, float value) in optimizer.Hyperparameters)
        {
            if (NumberOf(Find(name)) != value)
            {
                differences.Add($"{name} is {Find(name)} and not {TextOf(value)}");
            }
        }

        if (!(NumberOf(Find(LearningRateKey)) is { } learningRate && learningRate >= 0 && float.IsFinite(learningRate)))
        {
            learningRate = 0;
            differences.Add($"{LearningRateKey} is {Find(LearningRateKey)}, which is none");
        }

        if (!long.TryParse(Find(StepCountKey), NumberStyles.None, CultureInfo.InvariantCulture, out long stepCount))
        {
            differences.Add($"{StepCountKey} is {Find(StepCountKey)}, which counts nothing");
        }

        BlockFile.Load(TensorsOf(optimizer), file, source, owner, requireFinite, [.. differences]);
        optimizer.Resume(stepCount, learningRate);

        string Find(string key) => file.Metadata.TryGetValue(key, out string? text) ? Excerpt.Text(text) : "missing";
    }

    private static BlockTensor[] TensorsOf(Optimizer optimizer) =>
        [.. optimizer.States.SelectMany(state => BlockFile.TensorsOf(state.Block, "." + state.Name))];

    private static string TextOf(float value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static float? NumberOf(string text) =>
        float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out float number) ? number : null;
}

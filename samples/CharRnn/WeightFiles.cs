using Unrolled;

namespace CharRnn;

/// <summary>Weight files by the names the user gave, with their mistakes told as one line.</summary>
internal static class WeightFiles
{
    /// <summary>Reads weights into a model.</summary>
    /// <exception cref="UserException">The file is missing, is no weight file, or holds the weights of another model.</exception>
    public static void Load(IModel model, string path, string cell)
    {
        if (Directory.Exists(path))
        {
            throw new UserException($"{path} is a folder, not a weight file.");
        }

        try
        {
            model.Load(path, requireFinite: true);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new UserException($"There is no file {path}.");
        }
        catch (SafetensorsException exception)
        {
            throw new UserException($"--cell {cell} cannot take these weights: {exception.Message}");
        }
        catch (Exception exception) when (IsFileTrouble(exception))
        {
            throw new UserException($"{path} cannot be read: {exception.Message}");
        }
    }

    /// <summary>Finds out whether weights could be written, without touching what is there.</summary>
    /// <exception cref="UserException">They could not.</exception>
    public static void CheckWritable(string path)
    {
        if (path.Length == 0)
        {
            throw new UserException("--save needs the name of a file.");
        }

        try
        {
            ModelFiles.VerifyWritable(path);
        }
        catch (Exception exception) when (IsFileTrouble(exception))
        {
            throw new UserException($"{path} cannot be written: {exception.Message}");
        }
    }

    /// <summary>Writes a model's weights; where that fails, says so and returns false, for a trained model can still be looked at.</summary>
    public static bool Save(IModel model, string path)
    {
        try
        {
            model.Save(path);
            Console.WriteLine($"saved the weights to {path}");
            return true;
        }
        catch (Exception exception) when (IsFileTrouble(exception))
        {
            Program.Complain($"{path} cannot be written: {exception.Message}");
            return false;
        }
    }

    private static bool IsFileTrouble(Exception exception) =>
        exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException;
}

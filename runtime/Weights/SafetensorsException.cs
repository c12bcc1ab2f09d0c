namespace Unrolled;

/// <summary>A safetensors file is malformed, or holds something else than the model needs.</summary>
public sealed class SafetensorsException : IOException
{
    /// <summary>An error with a message.</summary>
    public SafetensorsException(string message)
        : base(message)
    {
    }

    /// <summary>An error with a message and what caused it.</summary>
    public SafetensorsException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

namespace Unrolled;

/// <summary>
/// Makes a <c>partial class</c> a recurrent network: the generator writes its parameters, its sessions and its trainers.
/// Set exactly one of <see cref="Tokens"/> and <see cref="Features"/>; the layers follow as further attributes, first to last.
/// </summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class ModelAttribute : Attribute
{
    /// <summary>The number of different tokens, for a network that reads token ids 0 … <c>Tokens - 1</c>; 0 for vectors.</summary>
    public int Tokens { get; set; }

    /// <summary>The number of elements of an input vector, for a network that reads real-valued vectors; 0 for tokens.</summary>
    public int Features { get; set; }
}

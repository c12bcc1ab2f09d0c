namespace Unrolled;

/// <summary>How a parameter starts.</summary>
public enum InitializerKind
{
    /// <summary>All zeros.</summary>
    Zero,

    /// <summary>Every element the same number.</summary>
    Constant,

    /// <summary>Ones on the diagonal, zeros elsewhere (Le, Jaitly and Hinton 2015); a vector is all ones, the diagonal it stands for.</summary>
    Identity,

    /// <summary>A random matrix with orthonormal rows or columns, whichever are fewer (Saxe, McClelland and Ganguli 2014).</summary>
    Orthogonal,

    /// <summary>Uniform within ±√(6 / (rows + columns)) (Glorot and Bengio 2010, equation 16).</summary>
    Glorot,

    /// <summary>Normal with standard deviation √(2 / columns) (He et al. 2015, equation 10).</summary>
    He,

    /// <summary>Uniform between two numbers.</summary>
    Uniform,

    /// <summary>Normal with a given mean and standard deviation.</summary>
    Normal,
}

/// <summary>How a parameter starts, with the numbers of that kind.</summary>
/// <param name="Kind">The distribution.</param>
/// <param name="First">
/// Constant: the number. Uniform: the lower end. Normal: the mean. Glorot, He, Orthogonal: a gain the values are multiplied by, where
/// 0 means 1. Otherwise unused.
/// </param>
/// <param name="Second">Uniform: the upper end. Normal: the standard deviation. Otherwise unused.</param>
public sealed record Initializer(InitializerKind Kind, float First = 0, float Second = 0);

using System.ComponentModel;

namespace Unrolled.CompilerServices;

/// <summary>
/// The sizes of a stage of products: rows of values times panels of packed weights. Emitted code fills it with constants. A tile's
/// vectors lie at offsets of their own (the gates of a cell), up to four of them.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly record struct ProductShape
{
    /// <summary>Elements of a value that are summed over: the columns of the weights.</summary>
    public int Columns { get; init; }

    /// <summary>Floats from one row of values to the next.</summary>
    public int ValueStride { get; init; }

    /// <summary>Panels of weights.</summary>
    public int Panels { get; init; }

    /// <summary>Floats from one panel's sums to the next panel's.</summary>
    public int PanelStep { get; init; }

    /// <summary>Floats from one panel's weights to the next panel's.</summary>
    public int PanelFloats { get; init; }

    /// <summary>Floats from one row of starting values to the next; 0 for a bias, which all rows share.</summary>
    public int StartStride { get; init; }

    /// <summary>Where the first vector starts from.</summary>
    public int Start0 { get; init; }

    /// <summary>Where the second vector starts from.</summary>
    public int Start1 { get; init; }

    /// <summary>Where the third vector starts from.</summary>
    public int Start2 { get; init; }

    /// <summary>Where the fourth vector starts from.</summary>
    public int Start3 { get; init; }

    /// <summary>Floats from one row of sums to the next.</summary>
    public int SumStride { get; init; }

    /// <summary>Where the first vector's sums are stored.</summary>
    public int Sum0 { get; init; }

    /// <summary>Where the second vector's sums are stored.</summary>
    public int Sum1 { get; init; }

    /// <summary>Where the third vector's sums are stored.</summary>
    public int Sum2 { get; init; }

    /// <summary>Where the fourth vector's sums are stored.</summary>
    public int Sum3 { get; init; }
}

/// <summary>The sizes of a weight gradient: the outer products of rows of adjoints and rows of values, summed over rows.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly record struct GradientShape
{
    /// <summary>Elements of a value: the columns of the weights.</summary>
    public int Columns { get; init; }

    /// <summary>Floats from one row of values to the next.</summary>
    public int ValueStride { get; init; }

    /// <summary>Panels of weights.</summary>
    public int Panels { get; init; }

    /// <summary>Floats from one panel's adjoints to the next panel's.</summary>
    public int PanelStep { get; init; }

    /// <summary>Floats from one panel's weights to the next panel's.</summary>
    public int PanelFloats { get; init; }

    /// <summary>Floats from one column of weights to the next within a panel.</summary>
    public int WeightStride { get; init; }

    /// <summary>Floats from one row of adjoints to the next.</summary>
    public int AdjointStride { get; init; }

    /// <summary>Where the first vector's adjoints lie.</summary>
    public int Adjoint0 { get; init; }

    /// <summary>Where the second vector's adjoints lie.</summary>
    public int Adjoint1 { get; init; }

    /// <summary>Where the third vector's adjoints lie.</summary>
    public int Adjoint2 { get; init; }

    /// <summary>Where the fourth vector's adjoints lie.</summary>
    public int Adjoint3 { get; init; }

    /// <summary>Whether sums of the adjoints over rows are wanted too: the gradients of vectors.</summary>
    public bool SumsVectors { get; init; }

    /// <summary>Where the sums of the first vector's adjoints are added; negative where they are not wanted.</summary>
    public int Vector0 { get; init; }

    /// <summary>Where the sums of the second vector's adjoints are added; negative where they are not wanted.</summary>
    public int Vector1 { get; init; }

    /// <summary>Where the sums of the third vector's adjoints are added; negative where they are not wanted.</summary>
    public int Vector2 { get; init; }

    /// <summary>Where the sums of the fourth vector's adjoints are added; negative where they are not wanted.</summary>
    public int Vector3 { get; init; }
}

using System;
using System.Collections.Generic;
using System.Globalization;

namespace Unrolled.Generator.Graph;

/// <summary>The axes a value can have. Values align by axis, not by position; parameters have Unit and Column only.</summary>
[Flags]
internal enum Axes
{
    None = 0,

    /// <summary>The elements of a vector, the rows of a matrix.</summary>
    Unit = 1,

    /// <summary>The columns of a matrix: what its products sum over.</summary>
    Column = 2,

    /// <summary>Independent sequences worked on together.</summary>
    Batch = 4,

    /// <summary>Steps of a sequence.</summary>
    Time = 8,
}

/// <summary>An element type and a set of axes; Unit and Column carry their extent, Batch and Time are known at run time.</summary>
internal readonly record struct NodeType(Axes Axes, int Units = 0, int Columns = 0, bool IsToken = false)
{
    public static NodeType Scalar => new(Axes.None);

    public static NodeType Vector(int units) => new(Axes.Unit, units);

    public static NodeType Matrix(int rows, int columns) => new(Axes.Unit | Axes.Column, rows, columns);

    /// <summary>Elements along Unit; one where a value has none of its own and broadcasts.</summary>
    public int Elements => Math.Max(Units, 1);

    public bool Has(Axes axes) => (Axes & axes) == axes;

    public NodeType With(Axes axes) => this with { Axes = Axes | axes };

    /// <summary>The type that is left when <paramref name="axes"/> are summed away.</summary>
    public NodeType Without(Axes axes) => new(
        Axes & ~axes,
        (axes & Axes.Unit) != 0 ? 0 : Units,
        (axes & Axes.Column) != 0 ? 0 : Columns,
        IsToken);

    /// <summary>The type of an elementwise operation on <paramref name="types"/>: the union of their axes.</summary>
    /// <exception cref="InvalidOperationException">Two extents of one axis differ.</exception>
    public static NodeType Broadcast(IEnumerable<NodeType> types)
    {
        NodeType result = Scalar;
        foreach (NodeType type in types)
        {
            if (type.IsToken)
            {
                throw new InvalidOperationException("tokens have no elementwise operations");
            }

            result = new NodeType(
                result.Axes | type.Axes,
                Agree(result.Units, type.Units, "unit"),
                Agree(result.Columns, type.Columns, "column"));
        }

        return result;
    }

    private static int Agree(int left, int right, string axis)
    {
        if (left != 0 && right != 0 && left != right)
        {
            throw new InvalidOperationException($"extents {left} and {right} of one {axis} axis differ");
        }

        return Math.Max(left, right);
    }

    public override string ToString()
    {
        var parts = new List<string>();
        if (Has(Axes.Time))
        {
            parts.Add("time");
        }

        if (Has(Axes.Batch))
        {
            parts.Add("batch");
        }

        if (Has(Axes.Unit))
        {
            parts.Add(Units.ToString(CultureInfo.InvariantCulture));
        }

        if (Has(Axes.Column))
        {
            parts.Add(Columns.ToString(CultureInfo.InvariantCulture));
        }

        return (IsToken ? "token[" : "[") + string.Join(", ", parts) + "]";
    }
}

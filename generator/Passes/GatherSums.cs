using System.Collections.Immutable;
using System.Linq;
using Unrolled.Generator.Graph;
using Unrolled.Generator.Schedule;

namespace Unrolled.Generator.Passes;

/// <summary>
/// Gives the gradient of a vector that is a plain sum of adjoints, as a bias's is, to the weight gradient that gathers these adjoints:
/// they are in the first-level cache then, and need not come from memory once more.
/// </summary>
internal static class GatherSums
{
    public static ModelSchedule Run(ModelSchedule schedule)
    {
        ImmutableArray<Statement> statements = schedule.Backward;
        foreach (ColumnSums sums in statements.OfType<ColumnSums>().ToList())
        {
            ColumnSums left = sums;
            foreach ((Node parameter, Node value) in sums.Sums)
            {
                if (left.Loads.Where(load => load.Node == value).Select(load => (Operand?)load.Operand).FirstOrDefault() is { } adjoint
                    && statements.OfType<WeightGradient>().FirstOrDefault(gradient => Gathers(gradient, sums, adjoint)) is { } gathering)
                {
                    int slot = gathering.Adjoints.IndexOf(adjoint);
                    statements = statements.Replace(gathering, gathering with { Vectors = gathering.Vectors.SetItem(slot, parameter) });
                    left = left with { Sums = left.Sums.Remove((parameter, value)) };
                }
            }

            var read = left.Inputs().ToImmutableHashSet();
            left = left with { Loads = left.Loads.Where(load => read.Contains(load.Node)).ToImmutableArray() };
            statements = left.Sums.IsEmpty ? statements.Remove(sums) : statements.Replace(sums, left);
        }

        return schedule with { Backward = statements };
    }

    /// <summary>Whether all slots' adjoints are gathered, and this one's sum is not yet taken.</summary>
    private static bool Gathers(WeightGradient gradient, ColumnSums sums, Operand adjoint) =>
        !gradient.IsLookup && gradient.Extent == sums.Extent && gradient.Packing.Rows == sums.Units && gradient.Adjoints.All(other => other is not null)
        && gradient.Adjoints.IndexOf(adjoint) is >= 0 and int slot && gradient.Vectors[slot] is null;
}

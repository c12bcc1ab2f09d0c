using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Unrolled.Generator.Graph;
using Unrolled.Generator.Schedule;

namespace Unrolled.Generator.Passes;

/// <summary>
/// Divides a schedule among threads: statements in a row that are divided alike become one parallel statement, as long as no thread needs
/// what another one does in it. What is summed over rows is divided by what it writes, so that every sum keeps its one order.
/// </summary>
internal static class Divide
{
    public static ModelSchedule Run(ModelSchedule schedule) => schedule with
    {
        Forward = Grouped(schedule, schedule.Forward),
        Backward = Grouped(schedule, schedule.Backward),
    };

    private static ImmutableArray<Statement> Grouped(ModelSchedule schedule, ImmutableArray<Statement> statements)
    {
        var groups = new List<List<Statement>>();
        DividedAlike? last = null;
        foreach (Statement statement in statements)
        {
            if (last is null || IsHolder(statement) || IsHolder(groups[groups.Count - 1][0]) || !last.Admits(statement))
            {
                groups.Add(new List<Statement>());
                last = new DividedAlike(schedule, statement.DividedBy());
            }

            groups[groups.Count - 1].Add(statement);
            last.Add(statement);
        }

        return groups.Select(group => group[0] switch
        {
            StepBlocks blocks => (Statement)(blocks with { Body = Grouped(schedule, blocks.Body) }),
            OnRequest requested => requested with { Body = Grouped(schedule, requested.Body) },
            _ => new Parallel(string.Join("; ", group.Select(statement => statement.Name)), group[0].DividedBy(), group.ToImmutableArray()),
        }).ToImmutableArray();

        static bool IsHolder(Statement statement) => statement is StepBlocks or OnRequest;
    }
}

using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Unrolled.Generator.Graph;
using Unrolled.Generator.Schedule;

namespace Unrolled.Generator.Passes;

/// <summary>
/// Splits epilogues so that no loop chains two expensive functions: two short loops keep more of them in flight than a long one.
/// (A cell's gates and its state, then tanh of the state: 2.4 µs where one loop takes 3.4.)
/// </summary>
internal static class Fuse
{
    /// <summary>Operations from this cost on are what a loop should hold only one of in a row.</summary>
    private const double ExpensiveCycles = 0.3;

    public static ModelSchedule Run(ModelSchedule schedule)
    {
        List<StoredValue> values = schedule.Values.ToList();
        ImmutableArray<Statement> Visit(ImmutableArray<Statement> statements) => statements.SelectMany(statement => statement switch
        {
            Loop loop => new[] { loop with { Body = Visit(loop.Body) } },
            OnRequest requested => new[] { requested with { Body = Visit(requested.Body) } },
            MapStage stage => Split(stage, values),
            _ => new[] { statement },
        }).ToImmutableArray();
        return schedule with
        {
            Forward = Visit(schedule.Forward),
            Backward = Visit(schedule.Backward),
            Values = values.ToImmutableArray(),
        };
    }

    private static IEnumerable<Statement> Split(MapStage stage, List<StoredValue> values)
    {
        var loaded = new Dictionary<Node, Operand>();
        foreach (Binding load in stage.Loads)
        {
            loaded[load.Node] = load.Operand;
        }

        List<Node> nodes = stage.Computed();
        var depth = new Dictionary<Node, int>();
        foreach (Node node in nodes)
        {
            int inputs = node.Inputs.Where(depth.ContainsKey).Select(input => depth[input]).DefaultIfEmpty(0).Max();
            depth[node] = inputs + (OperationTable.Get(node.Name).Cycles >= ExpensiveCycles ? 1 : 0);
        }

        int first = depth.Values.DefaultIfEmpty(0).Min(), last = depth.Values.DefaultIfEmpty(0).Max();
        if (last <= 1 || first == last)
        {
            return new[] { stage };
        }

        // What is not expensive and comes before the first expensive function goes with it.
        foreach (Node node in nodes.Where(node => depth[node] == 0))
        {
            depth[node] = 1;
        }

        var parts = new List<Statement>();
        for (int level = 1; level <= last; level++)
        {
            List<Node> members = nodes.Where(node => depth[node] == level).ToList();
            var stores = stage.Stores.Where(store => depth.TryGetValue(store.Node, out int at) ? at == level : level == 1).ToList();
            foreach (Node node in members.Where(node => stores.All(store => store.Node != node)
                && nodes.Any(user => depth[user] > level && user.Inputs.Contains(node))))
            {
                var operand = new Operand(values.Count);
                values.Add(new StoredValue(values.Count, "between", stage.Units, stage.Extent.Scratch()));
                stores.Add(new Binding(node, operand));
            }

            var reductions = stage.Reductions.Where(r => depth.TryGetValue(r.Node.Inputs[0], out int at) ? at == level : level == 1).ToImmutableArray();
            var reads = members.SelectMany(node => node.Inputs).Concat(stores.Select(store => store.Node)).Concat(reductions.Select(r => r.Node.Inputs[0])).Distinct()
                .Where(loaded.ContainsKey).Select(node => new Binding(node, loaded[node])).ToImmutableArray();
            parts.Add(stage with { Name = stage.Name, Loads = reads, Stores = stores.ToImmutableArray(), Reductions = reductions });
            foreach (Binding store in stores.Where(store => !loaded.ContainsKey(store.Node)))
            {
                loaded[store.Node] = store.Operand;
            }
        }

        return parts;
    }
}

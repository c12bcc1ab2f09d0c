using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Unrolled.Generator.Graph;
using Unrolled.Generator.Schedule;

namespace Unrolled.Generator.Passes;

/// <summary>
/// Decides memory: which values take the place of others that are read for the last time (a gate its pre-activation's, an adjoint its
/// taped gate's), and which lie side by side in one buffer because one product reads or writes them together.
/// </summary>
internal static class Plan
{
    public static ModelSchedule Run(ModelSchedule schedule)
    {
        ImmutableArray<Statement> statements = schedule.AllStatements;
        var places = new Partition(schedule.Values.Length);
        Residence[] residences = schedule.Values.Select(value => value.Residence).ToArray();
        Reuse(schedule, statements, places, residences);

        // One product's accumulators, and one weight gradient's adjoints, are slots of one buffer.
        var buffers = new Partition(schedule.Values.Length);
        foreach (Statement statement in statements)
        {
            IEnumerable<int> together = statement switch
            {
                ProductStage stage => stage.Accumulators.Select(accumulator => accumulator.Target.Value),
                WeightGradient gradient => gradient.Adjoints.OfType<Operand>().Select(operand => operand.Value),
                _ => Enumerable.Empty<int>(),
            };
            List<int> members = together.Select(places.Find).ToList();
            foreach (int member in members.Skip(1))
            {
                buffers.Join(members[0], member);
            }
        }

        for (int value = 0; value < residences.Length; value++)
        {
            buffers.Join(buffers.Find(places.Find(value)), value);
        }

        // A buffer is kept as long as its longest kept slot.
        foreach (IGrouping<int, int> group in Enumerable.Range(0, residences.Length).GroupBy(buffers.Find))
        {
            Residence longest = group.Max(value => residences[value]);
            foreach (int value in group)
            {
                residences[value] = longest;
            }
        }

        ImmutableArray<Schedule.Buffer>.Builder list = ImmutableArray.CreateBuilder<Schedule.Buffer>();
        var placeOf = new Place[schedule.Values.Length];
        foreach (IGrouping<int, int> group in Enumerable.Range(0, residences.Length).GroupBy(buffers.Find))
        {
            List<int> slots = InOrderOfReading(statements, places, group.Select(places.Find).Distinct().ToList());
            StoredValue first = schedule.Values[group.First()];
            string name = slots.Count == 1 ? schedule.Values[slots[0]].Name : "sums";
            list.Add(new Schedule.Buffer(list.Count, name, first.Units, slots.Count, residences[group.Key], first.Index));
            foreach (int value in group)
            {
                placeOf[value] = new Place(list.Count - 1, slots.IndexOf(places.Find(value)));
            }
        }

        return schedule with { Buffers = list.ToImmutable(), Places = placeOf.ToImmutableArray() };
    }

    /// <summary>
    /// A buffer's slots in the order in which products read several of them: neighbours are one run of elements, through which the sums
    /// stay in registers. Then those that no product reads.
    /// </summary>
    private static List<int> InOrderOfReading(ImmutableArray<Statement> statements, Partition places, List<int> slots)
    {
        IEnumerable<int> read = statements.OfType<ProductStage>().SelectMany(stage => stage.Terms).Where(term => term.Operands.Length > 1)
            .SelectMany(term => term.Operands).Select(operand => places.Find(operand.Value));
        return read.Where(new HashSet<int>(slots).Contains).Concat(slots).Distinct().ToList();
    }

    /// <summary>Lets a stored value take over the memory of one that its stage is the last to read.</summary>
    private static void Reuse(ModelSchedule schedule, ImmutableArray<Statement> statements, Partition places, Residence[] residences)
    {
        var lastRead = new Dictionary<int, int>();
        var firstWrite = new Dictionary<int, int>();
        for (int index = 0; index < statements.Length; index++)
        {
            foreach (Operand read in statements[index].Reads())
            {
                lastRead[read.Value] = index;
            }

            foreach (Operand write in statements[index].Writes().Where(write => !firstWrite.ContainsKey(write.Value)))
            {
                firstWrite[write.Value] = index;
            }
        }

        // Two accumulators of one product must stay apart, and so must values that one stage reads after it wrote the other.
        for (int index = 0; index < statements.Length; index++)
        {
            if (statements[index] is not MapStage stage)
            {
                continue;
            }

            var donors = stage.Loads
                .Where(load => load.Node.Type.Units == stage.Units && load.Operand.Moment == Moment.Current && IsReusable(load.Operand.Value) && lastRead[load.Operand.Value] == index)
                .ToList();
            foreach (Binding store in stage.Stores.Where(store =>
                IsReusable(store.Operand.Value) && firstWrite[store.Operand.Value] == index && places.IsAlone(store.Operand.Value)))
            {
                int donor = donors.FindIndex(load => store.Node.Inputs.Contains(load.Node));
                if (donor < 0)
                {
                    donor = DonorBelow(store.Node, donors);
                }

                if (donor >= 0)
                {
                    int taken = donors[donor].Operand.Value, value = store.Operand.Value;
                    Residence longest = (Residence)System.Math.Max((int)residences[places.Find(taken)], (int)residences[value]);
                    places.Join(taken, value);
                    residences[places.Find(taken)] = longest;
                    donors.RemoveAt(donor);

                    // The memory lives on until the new value is read for the last time.
                    lastRead[taken] = int.MaxValue;
                }
            }
        }

        bool IsReusable(int value) => schedule.Values[value].Residence is Residence.Step or Residence.Steps;
    }

    /// <summary>The first donor that the stored value is computed from, directly or not; -1 if there is none.</summary>
    private static int DonorBelow(Node stored, List<Binding> donors)
    {
        var seen = new HashSet<Node>();
        var pending = new System.Collections.Generic.Stack<Node>();
        pending.Push(stored);
        while (pending.Count > 0)
        {
            Node node = pending.Pop();
            if (seen.Add(node) && node.Kind == NodeKind.Map)
            {
                foreach (Node input in node.Inputs)
                {
                    pending.Push(input);
                }
            }
        }

        return donors.FindIndex(load => seen.Contains(load.Node));
    }

    /// <summary>Disjoint sets of values; the smallest member names a set.</summary>
    private sealed class Partition
    {
        private readonly int[] _parent;

        public Partition(int count) => _parent = Enumerable.Range(0, count).ToArray();

        public int Find(int value)
        {
            while (_parent[value] != value)
            {
                value = _parent[value];
            }

            return value;
        }

        public void Join(int left, int right)
        {
            int a = Find(left), b = Find(right);
            _parent[System.Math.Max(a, b)] = System.Math.Min(a, b);
        }

        public bool IsAlone(int value) => Find(value) == value && _parent.Count(parent => parent == value) == 1;
    }
}

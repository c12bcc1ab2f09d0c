using Unrolled.Generator.Graph;
using Unrolled.Generator.Passes;
using Unrolled.Generator.Schedule;
using Xunit;

namespace Unrolled.Generator.Tests.PassTests;

public sealed class PlanTests
{
    [Theory]
    [MemberData(nameof(Networks.Names), MemberType = typeof(Networks))]
    public void Values_in_one_place_are_never_needed_at_the_same_time(string name)
    {
        ModelGraph network = Compiler.Network(Networks.Graph(name));
        ParameterLayout layout = ParameterLayout.Of(network);
        foreach (ModelGraph graph in new[] { Prune.Run(network), Prune.Run(Hoist.Run(network)), Compiler.Training(network) })
        {
            foreach (bool fused in new[] { false, true })
            {
                HoldLiveness(Schedules.Of(graph, layout, fused));
            }
        }
    }

    [Theory]
    [InlineData("lstm")]
    [InlineData("peephole lstm")]
    public void Gates_overwrite_their_pre_activations(string name)
    {
        ModelSchedule schedule = Schedules.Training(Networks.Graph(name));
        Loop loop = schedule.Forward.OfType<Loop>().Single();
        ProductStage product = Assert.Single(loop.Body.OfType<ProductStage>());
        List<Binding> gates = loop.Body.OfType<MapStage>().SelectMany(stage => stage.Stores)
            .Where(store => store.Node.Kind == NodeKind.Map && store.Node.Name is "sigmoid" or "tanh").Where(store => !store.Node.Inputs.Any(IsState)).ToList();
        Assert.Equal(4, gates.Count);
        Assert.Equal(
            product.Accumulators.Select(accumulator => schedule.PlaceOf(accumulator.Target)).OrderBy(place => place.Slot),
            gates.Select(gate => schedule.PlaceOf(gate.Operand)).OrderBy(place => place.Slot));

        // Where nothing is kept for an adjoint, the pre-activations are all the memory a step has beside the output.
        ModelSchedule sequence = Schedules.Sequence(Networks.Graph(name));
        Assert.Equal(4 + 1, sequence.Buffers.Where(buffer => buffer.Residence is Residence.Step or Residence.Steps or Residence.History).Sum(buffer => buffer.Slots));

        bool IsState(Node node) => loop.Body.OfType<MapStage>().SelectMany(stage => stage.Stores)
            .Any(store => (store.Node == node || (store.Node.IsMap(FlushStates.Operation) && store.Node.Inputs[0] == node))
                && schedule.BufferOf(store.Operand).Residence is Residence.History or Residence.Ring);
    }

    [Theory]
    [InlineData("lstm")]
    [InlineData("peephole lstm")]
    public void Adjoints_overwrite_what_the_tape_saved(string name)
    {
        ModelSchedule schedule = Schedules.Training(Networks.Graph(name));
        WeightGradient recurrent = schedule.Backward.OfType<WeightGradient>().First();
        HashSet<Place> taped = schedule.Forward.OfType<Loop>().SelectMany(loop => loop.Body).SelectMany(statement => statement.Writes()).Select(schedule.PlaceOf).ToHashSet();
        Assert.All(recurrent.Adjoints, adjoint => Assert.Contains(schedule.PlaceOf(adjoint!.Value), taped));

        // Four gates that become adjoints, tanh(c), and the two states: all that is kept of a step.
        Assert.Equal(7, schedule.Buffers.Where(buffer => buffer.Residence is Residence.Steps or Residence.History).Sum(buffer => buffer.Slots));
    }

    [Fact]
    public void What_one_product_writes_lies_side_by_side()
    {
        ModelSchedule schedule = Schedules.Training(Networks.Graph("deep stack"));
        foreach (ProductStage stage in schedule.AllStatements.OfType<ProductStage>().Where(stage => stage.Accumulators.Length > 1))
        {
            Assert.Single(stage.Accumulators.Select(accumulator => schedule.PlaceOf(accumulator.Target).Buffer).Distinct());
            Assert.Equal(stage.Accumulators.Length, stage.Accumulators.Select(accumulator => schedule.PlaceOf(accumulator.Target).Slot).Distinct().Count());
        }
    }

    [Theory]
    [MemberData(nameof(Networks.Names), MemberType = typeof(Networks))]
    public void Every_place_is_a_slot_of_its_buffer_and_keeps_its_value_long_enough(string name)
    {
        foreach (ModelSchedule schedule in new[] { Schedules.Step(Networks.Graph(name)), Schedules.Sequence(Networks.Graph(name)), Schedules.Training(Networks.Graph(name)) })
        {
            Assert.Equal(schedule.Values.Length, schedule.Places.Length);
            foreach (StoredValue value in schedule.Values)
            {
                Schedule.Buffer buffer = schedule.Buffers[schedule.Places[value.Id].Buffer];
                Assert.InRange(schedule.Places[value.Id].Slot, 0, buffer.Slots - 1);
                Assert.Equal(value.Units, buffer.Units);
                Assert.True(buffer.Residence >= value.Residence, $"'{value.Name}' needs {value.Residence} and has {buffer.Residence}");
                Assert.True(value.Residence <= Residence.History || buffer.Residence == value.Residence && buffer.Index == value.Index);
            }
        }
    }

    [Fact]
    public void The_interpreter_of_schedules_notices_two_values_in_one_place()
    {
        // The checks behind these tests and ScheduleValueTests hold each other: move one value to a place of another, and both see it or
        // neither (a value may as well move to another place that is free by then).
        ModelGraph network = Compiler.Network(Networks.Graph("lstm")), training = Compiler.Training(network);
        ParameterLayout layout = ParameterLayout.Of(network);
        ModelSchedule schedule = Schedules.Of(training, layout, fused: true);
        NetworkData data = NetworkData.Random(network, 2, 3);
        int noticed = 0, unnoticed = 0;
        List<int> movable = schedule.Values.Where(value => schedule.BufferOf(new Operand(value.Id)).Residence is Residence.Step or Residence.Steps).Select(value => value.Id).ToList();
        foreach (int value in movable)
        {
            foreach (Place other in movable.Select(other => schedule.Places[other]).Distinct().Where(place => place != schedule.Places[value]))
            {
                ModelSchedule broken = schedule with { Places = schedule.Places.SetItem(value, other) };
                bool isWrong = Record.Exception(() => HoldLiveness(broken)) is not null;
                Assert.Equal(isWrong, Record.Exception(() => ScheduleInterpreter.Evaluate(broken, training, layout, data)) is InvalidOperationException);
                (noticed, unnoticed) = isWrong ? (noticed + 1, unnoticed) : (noticed, unnoticed + 1);
            }
        }

        Assert.True(noticed > 10 && unnoticed > 0, $"{noticed} noticed, {unnoticed} not");
    }

    /// <summary>
    /// From each value's first write to its last read, nothing else may write its place. Only a stage of elementwise operations may read
    /// one value for the last time where it writes the next. What loops keep from step to step shares with nobody.
    /// </summary>
    private static void HoldLiveness(ModelSchedule schedule)
    {
        List<(Statement Statement, Loop? Loop)> order = [];
        foreach (Statement statement in schedule.Forward.Concat(schedule.Backward).SelectMany(statement => statement is OnRequest requested ? requested.Body : [statement]))
        {
            if (statement is Loop loop)
            {
                order.AddRange(loop.Body.Select(inner => (inner, (Loop?)loop)));
            }
            else
            {
                order.Add((statement, null));
            }
        }

        var lives = new Dictionary<int, (int Birth, int Death)>();
        var moments = new Dictionary<int, HashSet<Moment>>();
        void Touch(Operand operand, int at, bool isRead)
        {
            (int birth, int death) = lives.TryGetValue(operand.Value, out (int, int) life) ? life : (isRead ? -1 : at, at);

            // What a loop reads and something before it wrote for one step only is read again in the next step: to the loop's end.
            bool isPerStep = schedule.BufferOf(operand).Residence is Residence.Steps or Residence.History or Residence.Input or Residence.Output
                or Residence.OutputGradient or Residence.InputGradient or Residence.Tokens;
            int until = isRead && order[at].Loop is { } loop && !isPerStep && (birth < 0 || order[birth].Loop != loop)
                ? order.FindLastIndex(entry => entry.Loop == loop)
                : at;
            lives[operand.Value] = (birth, Math.Max(death, until));
            moments.TryAdd(operand.Value, []);
            moments[operand.Value].Add(operand.Moment);
        }

        for (int at = 0; at < order.Count; at++)
        {
            foreach (Operand read in order[at].Statement.Reads().ToList())
            {
                Touch(read, at, isRead: true);
            }

            foreach (Operand write in order[at].Statement.Writes().ToList())
            {
                Touch(write, at, isRead: false);
            }
        }

        foreach (IGrouping<Place, int> place in lives.Keys.GroupBy(value => schedule.Places[value]).Where(group => group.Count() > 1))
        {
            List<int> values = place.OrderBy(value => lives[value].Birth).ToList();
            string names = string.Join(", ", values.Select(value => schedule.Values[value].Name));
            Assert.All(values, value => Assert.True(moments[value].SetEquals([Moment.Current]), $"{names} share a place over steps"));
            for (int i = 1; i < values.Count; i++)
            {
                (int death, int birth) = (lives[values[i - 1]].Death, lives[values[i]].Birth);
                Assert.True(
                    death < birth || (death == birth && order[birth].Statement is MapStage),
                    $"'{schedule.Values[values[i]].Name}' is written at {birth} where '{schedule.Values[values[i - 1]].Name}' is read until {death}");
            }
        }
    }
}

using Unrolled.Generator.Graph;
using Unrolled.Generator.Passes;
using Unrolled.Generator.Schedule;
using Xunit;
using Parallel = Unrolled.Generator.Schedule.Parallel;

namespace Unrolled.Generator.Tests.PassTests;

/// <summary>Schedules compute what their graphs mean, on the memory they plan, with and without what makes them faster.</summary>
public sealed class ScheduleValueTests
{
    private static readonly (int Batch, int Steps)[] Shapes = [(1, 1), (1, 2), (1, 5), (3, 1), (3, 2), (3, 5)];

    public static TheoryData<string, bool> NetworksAndFusion
    {
        get
        {
            var data = new TheoryData<string, bool>();
            foreach (string network in Networks.Names.Select(row => row.Data))
            {
                data.Add(network, false);
                data.Add(network, true);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(NetworksAndFusion))]
    public void Step_after_step_gives_the_graphs_values(string name, bool fused)
    {
        ModelGraph network = Compiler.Network(Networks.Graph(name));
        ModelGraph streaming = Prune.Run(network);
        ParameterLayout layout = ParameterLayout.Of(network);
        ModelSchedule schedule = Schedules.Of(streaming, layout, fused);
        foreach ((int batch, int steps) in Shapes)
        {
            NetworkData data = NetworkData.Random(network, batch, steps);
            NetworkValues expected = GraphInterpreter.Evaluate(network, data);
            var states = new Dictionary<string, Tensor>();
            for (int step = 0; step < steps; step++)
            {
                NetworkValues actual = ScheduleInterpreter.Evaluate(schedule, streaming, layout, data.Slice(network, step, 1, states));
                NetworkValues.AssertEqual(
                    expected[NetworkValues.Output].At(step), actual[NetworkValues.Output].At(0), $"step {step} of {steps}, batch {batch}: output");
                states = network.States.ToDictionary(state => state.Initial.Name, state => actual[NetworkValues.Final(state.Name)]);
            }

            foreach (StateDeclaration state in network.States)
            {
                NetworkValues.AssertEqual(expected[NetworkValues.Final(state.Name)], states[state.Initial.Name], $"{steps} steps, batch {batch}: {state.Name}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Networks.Names), MemberType = typeof(Networks))]
    public void One_row_step_after_step_gives_the_graphs_values(string name)
    {
        ModelGraph network = Compiler.Network(Networks.Graph(name));
        ModelGraph streaming = Prune.Run(network);
        ParameterLayout layout = ParameterLayout.Of(network);
        ModelSchedule schedule = Compiler.Row(Generator.Passes.Stack.Run(streaming, layout, "Row"));
        NetworkData data = NetworkData.Random(network, 1, 5);
        NetworkValues expected = GraphInterpreter.Evaluate(network, data);
        var states = new Dictionary<string, Tensor>();
        for (int step = 0; step < data.Steps; step++)
        {
            NetworkValues actual = ScheduleInterpreter.Evaluate(schedule, streaming, layout, data.Slice(network, step, 1, states));
            NetworkValues.AssertEqual(expected[NetworkValues.Output].At(step), actual[NetworkValues.Output].At(0), $"step {step}: output");
            states = network.States.ToDictionary(state => state.Initial.Name, state => actual[NetworkValues.Final(state.Name)]);
        }

        foreach (StateDeclaration state in network.States)
        {
            NetworkValues.AssertEqual(expected[NetworkValues.Final(state.Name)], states[state.Initial.Name], state.Name);
        }
    }

    [Theory]
    [MemberData(nameof(NetworksAndFusion))]
    public void A_sequence_gives_the_graphs_values(string name, bool fused)
    {
        ModelGraph network = Compiler.Network(Networks.Graph(name));
        ModelGraph sequence = Prune.Run(Hoist.Run(network));
        ParameterLayout layout = ParameterLayout.Of(network);
        ModelSchedule schedule = Schedules.Of(sequence, layout, fused);
        foreach ((int batch, int steps) in Shapes)
        {
            NetworkData data = NetworkData.Random(network, batch, steps);
            GraphInterpreter.Evaluate(network, data).AssertEqual(
                ScheduleInterpreter.Evaluate(schedule, sequence, layout, data), $"batch {batch}, {steps} steps");
        }
    }

    [Theory]
    [MemberData(nameof(NetworksAndFusion))]
    public void Training_gives_the_graphs_values_and_gradients(string name, bool fused)
    {
        ModelGraph network = Compiler.Network(Networks.Graph(name));
        ModelGraph differentiated = Differentiate.Run(network), training = Compiler.Training(network);
        ParameterLayout layout = ParameterLayout.Of(network);
        ModelSchedule schedule = Schedules.Of(training, layout, fused);
        foreach ((int batch, int steps) in Shapes)
        {
            NetworkData data = NetworkData.Random(network, batch, steps);
            NetworkValues actual = ScheduleInterpreter.Evaluate(schedule, training, layout, data);
            Assert.Equal(1 + network.States.Length + differentiated.Gradients.Length, actual.All.Count);
            GraphInterpreter.Evaluate(differentiated, data).AssertEqual(actual, $"batch {batch}, {steps} steps");
        }
    }

    [Theory]
    [MemberData(nameof(Networks.Names), MemberType = typeof(Networks))]
    public void In_blocks_of_steps_training_gives_the_graphs_values_and_gradients(string name)
    {
        ModelGraph network = Compiler.Network(Networks.Graph(name));
        ModelGraph differentiated = Differentiate.Run(network), training = Compiler.Training(network);
        ParameterLayout layout = ParameterLayout.Of(network);
        ModelSchedule schedule = BlockSteps.Run(PlaceOutputs.Run(Schedules.Of(training, layout, fused: true)));
        foreach ((int batch, int steps, int block) in new[] { (1, 1, 1), (1, 5, 1), (3, 5, 2), (3, 5, 3), (3, 4, 2), (2, 3, 7) })
        {
            NetworkData data = NetworkData.Random(network, batch, steps);
            NetworkValues actual = ScheduleInterpreter.Evaluate(schedule, training, layout, data, block: block);
            GraphInterpreter.Evaluate(differentiated, data).AssertEqual(actual, $"batch {batch}, {steps} steps in blocks of {block}");
        }
    }

    [Theory]
    [MemberData(nameof(Networks.Names), MemberType = typeof(Networks))]
    public void Divided_among_threads_it_gives_the_same_numbers(string name)
    {
        ModelGraph network = Compiler.Network(Networks.Graph(name)), sequence = Prune.Run(Hoist.Run(network)), training = Compiler.Training(network);
        ParameterLayout layout = ParameterLayout.Of(network);
        foreach ((ModelGraph graph, ModelSchedule schedule) in new[] { (sequence, Schedules.Of(sequence, layout, fused: true)), (training, BlockSteps.Run(Schedules.Of(training, layout, fused: true))) }
            .SelectMany(both => new[] { both, (both.Item1, PlaceOutputs.Run(both.Item2)) }))
        {
            ModelSchedule divided = Divide.Run(schedule);
            AssertDivided(divided.Forward.Concat(divided.Backward));
            foreach ((int batch, int steps) in Shapes)
            {
                NetworkData data = NetworkData.Random(network, batch, steps);
                NetworkValues expected = ScheduleInterpreter.Evaluate(schedule, graph, layout, data);
                foreach ((int parts, bool lastFirst) in new[] { (1, false), (2, false), (2, true), (3, true), (5, false) })
                {
                    NetworkValues actual = ScheduleInterpreter.Evaluate(divided, graph, layout, data, parts, lastFirst);
                    foreach (string value in expected.All.Keys)
                    {
                        Assert.Equal(expected[value].Data, actual[value].Data);
                    }
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Networks.Names), MemberType = typeof(Networks))]
    public void Streaming_sequences_and_training_round_alike(string name)
    {
        ModelGraph network = Compiler.Network(Networks.Graph(name)), streaming = Prune.Run(network), sequence = Prune.Run(Hoist.Run(network));
        ModelGraph training = Compiler.Training(network);
        ParameterLayout layout = ParameterLayout.Of(network);
        NetworkData data = NetworkData.Random(network, 3, 5);
        NetworkValues run = ScheduleInterpreter.Evaluate(Schedules.Of(sequence, layout, fused: true), sequence, layout, data);
        NetworkValues trained = ScheduleInterpreter.Evaluate(Schedules.Of(training, layout, fused: true), training, layout, data);
        foreach (string value in run.All.Keys)
        {
            Assert.Equal(run[value].Data, trained[value].Data);
        }

        ModelSchedule step = Schedules.Of(streaming, layout, fused: true);
        var states = new Dictionary<string, Tensor>();
        for (int at = 0; at < data.Steps; at++)
        {
            NetworkValues streamed = ScheduleInterpreter.Evaluate(step, streaming, layout, data.Slice(network, at, 1, states));
            Assert.Equal(run[NetworkValues.Output].At(at).Data, streamed[NetworkValues.Output].Data);
            states = network.States.ToDictionary(state => state.Initial.Name, state => streamed[NetworkValues.Final(state.Name)]);
        }
    }

    [Theory]
    [MemberData(nameof(Networks.Names), MemberType = typeof(Networks))]
    public void Keep_the_rules(string name)
    {
        ModelGraph network = Compiler.Network(Networks.Graph(name));
        ParameterLayout layout = ParameterLayout.Of(network);
        foreach (ModelGraph graph in new[] { Prune.Run(network), Prune.Run(Hoist.Run(network)), Compiler.Training(network) })
        {
            ScheduleVerifier.Verify(Schedules.Of(graph, layout, fused: false));
            ScheduleVerifier.Verify(Schedules.Of(graph, layout, fused: true));
            ScheduleVerifier.Verify(Divide.Run(Schedules.Of(graph, layout, fused: true)));
            ScheduleVerifier.Verify(Divide.Run(BlockSteps.Run(PlaceOutputs.Run(Schedules.Of(graph, layout, fused: true)))));
        }
    }

    /// <summary>Every statement is a parallel one's, though these may stand in blocks of steps or under a condition.</summary>
    private static void AssertDivided(IEnumerable<Statement> statements) => Assert.All(statements, statement =>
    {
        if (statement is StepBlocks or OnRequest)
        {
            AssertDivided(statement is StepBlocks blocks ? blocks.Body : ((OnRequest)statement).Body);
        }
        else
        {
            Assert.IsType<Parallel>(statement);
        }
    });
}

internal static class Schedules
{
    public static ModelSchedule Of(ModelGraph graph, ParameterLayout layout, bool fused)
    {
        ModelSchedule stacked = Generator.Passes.Stack.Run(graph, layout, "Test");
        return fused ? Compiler.Schedule(stacked) : Plan.Run(stacked);
    }

    public static ModelSchedule Training(ModelGraph bound)
    {
        ModelGraph network = Compiler.Network(bound);
        return Of(Compiler.Training(network), ParameterLayout.Of(network), fused: true);
    }

    public static ModelSchedule Sequence(ModelGraph bound)
    {
        ModelGraph network = Compiler.Network(bound);
        return Of(Prune.Run(Hoist.Run(network)), ParameterLayout.Of(network), fused: true);
    }

    public static ModelSchedule Step(ModelGraph bound)
    {
        ModelGraph network = Compiler.Network(bound);
        return Of(Prune.Run(network), ParameterLayout.Of(network), fused: true);
    }
}

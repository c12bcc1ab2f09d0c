using Unrolled.Generator.Tests.Harness;
using Xunit;
using static Unrolled.Generator.Tests.Bits;

namespace Unrolled.Generator.Tests;

/// <summary>What emitted code promises: it allocates nothing, and a sequence's numbers have the same bits in any company.</summary>
public sealed class PromiseTests
{
    private const int Steps = 5;

    private static ModelSet Models => PromiseNetworks.Models;

    public static TheoryData<string> Names => [.. Models.Names];

    [Theory]
    [MemberData(nameof(Names))]
    [Trait("Category", "Emitted")]
    public void CallsAllocateNothing(string name)
    {
        IModel model = Models.Create(name, seed: 1);
        const int Rows = 3;
        var data = new PromiseData(model.Layout, Rows, Steps);
        ISession session = model.CreateSession(Rows);
        using ITrainer trainer = model.CreateTrainer(Rows, Steps, new TrainerOptions { InputGradients = !model.Layout.TakesTokens });
        var outputs = new float[Steps * Rows * model.Layout.OutputSize];
        AssertAllocatesNothing("Step", () => data.Step(session, 0, Rows, outputs.AsSpan(0, Rows * model.Layout.OutputSize)));
        AssertAllocatesNothing("Run", () => data.Run(session, outputs));
        AssertAllocatesNothing("ForwardBackward", () => data.ForwardBackward(trainer));
        AssertAllocatesNothing("Evaluate", () => data.Evaluate(trainer));
        AssertAllocatesNothing("Forward and Backward", () =>
        {
            data.Forward(trainer);
            trainer.Backward(data.OutputGradients, data.FinalGradients);
        });
        AssertAllocatesNothing("GetOutputs", () => trainer.GetOutputs(outputs));
        AssertAllocatesNothing("SetState", () => trainer.SetState(data.InitialStates));
        AssertAllocatesNothing("GetState", () => trainer.GetState(data.InitialStates));
        AssertAllocatesNothing("ResetState", () => trainer.ResetState());
        AssertAllocatesNothing("ResetState of a row", () => session.ResetState(1));
    }

    [Theory]
    [MemberData(nameof(Names))]
    [Trait("Category", "Emitted")]
    public void CallsOnSeveralThreadsAllocateNothing(string name)
    {
        IModel model = Models.Create(name, seed: 1);
        const int Rows = 3;
        var data = new PromiseData(model.Layout, Rows, Steps);
        ISession session = model.CreateSession(Rows, threads: 2);
        using ITrainer trainer = model.CreateTrainer(Rows, Steps, threads: 2);
        var outputs = new float[Steps * Rows * model.Layout.OutputSize];
        AssertAllocatesNothing("Run", () => data.Run(session, outputs));
        AssertAllocatesNothing("ForwardBackward", () => data.ForwardBackward(trainer));
        AssertAllocatesNothing("Evaluate", () => data.Evaluate(trainer));
    }

    [Theory]
    [MemberData(nameof(Names))]
    [Trait("Category", "Emitted")]
    public void EveryResultHasTheSameBitsOnAnyNumberOfThreads(string name)
    {
        IModel model = Models.Create(name, seed: 1);

        // More rows than threads, fewer, one; and a trainer with room for more rows than are given.
        foreach ((int rows, int room) in new[] { (17, 17), (4, 4), (1, 1), (7, 12) })
        {
            var data = new PromiseData(model.Layout, rows, Steps);
            Results one = Train(model, data, rows, room);
            (float[] losses, float[] gradients) = Losses(1);
            (float[] outputs, float[] states) = Run(1);
            foreach (int threads in new[] { 2, 3, 5, 8 })
            {
                string where = $", {rows} rows on {threads} threads";
                Results here = Train(model, data, rows, room, threads);
                SameBits(one.Outputs, here.Outputs, "outputs" + where);
                SameBits(one.FinalStates, here.FinalStates, "final states" + where);
                SameBits(one.InputGradients, here.InputGradients, "input gradients" + where);
                SameBits(one.InitialGradients, here.InitialGradients, "initial state gradients" + where);
                SameBits(one.ParameterGradients, here.ParameterGradients, "parameter gradients" + where);
                (float[] lossesHere, float[] gradientsHere) = Losses(threads);
                SameBits(losses, lossesHere, "losses" + where);
                SameBits(gradients, gradientsHere, "gradients of the loss" + where);
                (float[] outputsHere, float[] statesHere) = Run(threads);
                SameBits(outputs, outputsHere, "a session's outputs" + where);
                SameBits(states, statesHere, "a session's states" + where);
            }

            (float[] Losses, float[] Gradients) Losses(int threads)
            {
                using ITrainer trainer = model.CreateTrainer(room, Steps, new TrainerOptions { AccumulateGradients = true }, threads);
                var losses = new float[4];
                for (int call = 0; call < losses.Length; call++)
                {
                    losses[call] = call == 2 ? data.Evaluate(trainer, rows) : data.ForwardBackward(trainer, rows);
                }

                return (losses, Gradients(trainer));
            }

            (float[] Outputs, float[] States) Run(int threads)
            {
                ISession session = model.CreateSession(room, 2, threads);
                var outputs = new float[Steps * rows * model.Layout.OutputSize];
                data.Run(session, outputs, rows);
                return (outputs, State(session));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    [Trait("Category", "Emitted")]
    public void TrainersOfOneModelWorkAtTheSameTime(string name)
    {
        IModel model = Models.Create(name, seed: 1);
        const int Rows = 9;
        PromiseData[] data = [new(model.Layout, Rows, Steps, seed: 3), new(model.Layout, Rows, Steps, seed: 4), new(model.Layout, Rows, Steps, seed: 5)];
        Results[] alone = [.. data.Select(part => Train(model, part, Rows, Rows))];
        System.Threading.Tasks.Parallel.For(0, 30, call =>
        {
            Results here = Train(model, data[call % 3], Rows, Rows, threads: 1 + call % 2);
            SameBits(alone[call % 3].Outputs, here.Outputs, "outputs");
            SameBits(alone[call % 3].ParameterGradients, here.ParameterGradients, "parameter gradients");
        });
    }

    [Theory]
    [MemberData(nameof(Names))]
    [Trait("Category", "Emitted")]
    public void ASequenceHasTheSameBitsInAnyBatch(string name)
    {
        IModel model = Models.Create(name, seed: 1);
        const int Most = 33;
        var all = new PromiseData(model.Layout, Most, Steps);
        Results[] alone = Enumerable.Range(0, Most).Select(row => Train(model, all.Select(Most, row, 1), 1, 1)).ToArray();

        // Row counts around every tile an instruction set may use; in the last ones the trainer has room for more rows than are given.
        foreach ((int rows, int room) in new[] { (2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (7, 7), (8, 8), (12, 12), (16, 16), (17, 17), (33, 33), (5, 33), (1, 8) })
        {
            Results batch = Train(model, all.Select(Most, 0, rows), rows, room);
            for (int row = 0; row < rows; row++)
            {
                Results here = batch.Row(rows, row, Steps);
                SameBits(alone[row].Outputs, here.Outputs, $"outputs of row {row} of {rows}");
                SameBits(alone[row].FinalStates, here.FinalStates, $"final states of row {row} of {rows}");
                SameBits(alone[row].InputGradients, here.InputGradients, $"input gradients of row {row} of {rows}");
                SameBits(alone[row].InitialGradients, here.InitialGradients, $"initial state gradients of row {row} of {rows}");
            }
        }
    }

    /// <summary>A trainer goes through many rows in blocks of steps, through few rows in one.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    [Trait("Category", "Emitted")]
    public void ALongSequenceHasTheSameBitsInBlocksOfSteps(string name)
    {
        IModel model = Models.Create(name, seed: 1);

        // Blocks are of 2,048 rows at the most where a row has 64 floats or more: these are two at the least.
        const int Rows = 24, Long = 90;
        var data = new PromiseData(model.Layout, Rows, Long);
        Results batch = Train(model, data, Rows, Rows);
        var sum = new double[batch.ParameterGradients.Length];
        for (int row = 0; row < Rows; row++)
        {
            Results alone = Train(model, data.Select(Rows, row, 1), 1, 1), here = batch.Row(Rows, row, Long);
            SameBits(alone.Outputs, here.Outputs, $"outputs of row {row}");
            SameBits(alone.FinalStates, here.FinalStates, $"final states of row {row}");
            SameBits(alone.InputGradients, here.InputGradients, $"input gradients of row {row}");
            SameBits(alone.InitialGradients, here.InitialGradients, $"initial state gradients of row {row}");
            for (int i = 0; i < sum.Length; i++)
            {
                sum[i] += alone.ParameterGradients[i];
            }
        }

        // Sums of 2,160 terms in two orders: each rounds by √2160 × 2⁻²⁴ of its size, and terms of both signs leave a tenth of it.
        double largest = sum.Max(Math.Abs);
        Assert.All(sum.Zip(batch.ParameterGradients), pair => Assert.Equal(pair.First, pair.Second, 3e-5 * largest));
        Results threads = Train(model, data, Rows, Rows, threads: 3);
        SameBits(batch.Outputs, threads.Outputs, "outputs on 3 threads");
        SameBits(batch.InputGradients, threads.InputGradients, "input gradients on 3 threads");
        SameBits(batch.InitialGradients, threads.InitialGradients, "initial state gradients on 3 threads");
        SameBits(batch.ParameterGradients, threads.ParameterGradients, "parameter gradients on 3 threads");
    }

    [Theory]
    [MemberData(nameof(Names))]
    [Trait("Category", "Emitted")]
    public void StreamingHasTheBitsOfTraining(string name)
    {
        IModel model = Models.Create(name, seed: 1);
        const int Rows = 7;
        var data = new PromiseData(model.Layout, Rows, Steps);
        Results trained = Train(model, data, Rows, Rows);

        ISession stepping = model.CreateSession(Rows);
        stepping.SetState(data.InitialStates);
        int width = Rows * model.Layout.OutputSize;
        var outputs = new float[Steps * width];
        for (int step = 0; step < Steps; step++)
        {
            data.Step(stepping, step, Rows, outputs.AsSpan(step * width, width));
        }

        SameBits(trained.Outputs, outputs, "stepped outputs");
        SameBits(trained.FinalStates, State(stepping), "stepped states");

        // Pieces longer and shorter than the sequence, and one that does not divide it.
        foreach (int capacity in new[] { 1, 2, 3, 64 })
        {
            ISession running = model.CreateSession(Rows, capacity);
            running.SetState(data.InitialStates);
            Array.Clear(outputs);
            data.Run(running, outputs);
            SameBits(trained.Outputs, outputs, $"outputs of a run in pieces of {capacity}");
            SameBits(trained.FinalStates, State(running), $"states of a run in pieces of {capacity}");
        }

        for (int row = 0; row < Rows; row++)
        {
            PromiseData one = data.Select(Rows, row, 1);
            ISession single = model.CreateSession();
            single.SetState(one.InitialStates);
            var output = new float[model.Layout.OutputSize];
            for (int step = 0; step < Steps; step++)
            {
                one.Step(single, step, 1, output);
                SameBits(trained.Outputs.AsSpan(step * width + row * output.Length, output.Length).ToArray(), output, $"step {step} of row {row} streamed alone");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    [Trait("Category", "Emitted")]
    public void EveryResultRepeatsToTheBit(string name)
    {
        IModel model = Models.Create(name, seed: 1);
        const int Rows = 17;
        var data = new PromiseData(model.Layout, Rows, Steps);
        Results first = Train(model, data, Rows, Rows);
        Results second = Train(model, data, Rows, Rows);
        SameBits(first.Outputs, second.Outputs, "outputs");
        SameBits(first.ParameterGradients, second.ParameterGradients, "parameter gradients");
        Assert.Contains(first.ParameterGradients, value => value != 0);
    }

    [Theory]
    [MemberData(nameof(Names))]
    [Trait("Category", "Emitted")]
    public void RowsThatAreNotGivenKeepTheirStates(string name)
    {
        IModel model = Models.Create(name, seed: 1);
        const int Room = 9;
        const int Rows = 4;
        var data = new PromiseData(model.Layout, Room, Steps);
        PromiseData part = data.Select(Room, 0, Rows);
        int length = model.Layout.StateLength;
        ISession session = model.CreateSession(Room);
        using ITrainer trainer = model.CreateTrainer(Room, Steps);
        session.SetState(data.InitialStates);
        trainer.SetState(data.InitialStates);
        part.Run(session, new float[Steps * Rows * model.Layout.OutputSize], Rows);
        part.Forward(trainer, Rows);
        SameBits(data.InitialStates[(Rows * length)..], State(session)[(Rows * length)..], "states of a session's other rows");
        SameBits(data.InitialStates[(Rows * length)..], State(trainer)[(Rows * length)..], "states of a trainer's other rows");
        SameBits(State(session)[..(Rows * length)], State(trainer)[..(Rows * length)], "states of the rows given");
        Assert.NotEqual(data.InitialStates[0], State(session)[0]);

        float[] start = State(model.CreateSession());
        Assert.Equal(model.Layout.States.Any(state => state.LearnedStart is not null), start.Any(value => value != 0));
        session.ResetState(1);
        SameBits(start, State(session)[length..(2 * length)], "the state of a row that begins again");
        Assert.NotEqual(start, State(session)[..length]);
        session.CopyStateFrom(trainer);
        SameBits(State(trainer), State(session), "copied states");
        session.ResetState();
        for (int row = 0; row < Room; row++)
        {
            SameBits(start, State(session)[(row * length)..((row + 1) * length)], "the state of a row after all begin again");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    [Trait("Category", "Emitted")]
    public void PiecesOfASequenceCarryTheState(string name)
    {
        IModel model = Models.Create(name, seed: 1);
        const int Rows = 3;
        var data = new PromiseData(model.Layout, Rows, Steps);
        Results whole = Train(model, data, Rows, Rows);
        PromiseData first = data.Between(0, 2);
        PromiseData second = data.Between(2, Steps);
        using ITrainer trainer = model.CreateTrainer(Rows, Steps);
        trainer.SetState(data.InitialStates);
        int width = Rows * model.Layout.OutputSize;
        var outputs = new float[Steps * width];
        first.Forward(trainer);
        trainer.GetOutputs(outputs.AsSpan(0, 2 * width));
        second.Forward(trainer);
        trainer.GetOutputs(outputs.AsSpan(2 * width));
        SameBits(whole.Outputs, outputs, "outputs in two pieces");
        SameBits(whole.FinalStates, State(trainer), "states after two pieces");
    }

    [Theory]
    [MemberData(nameof(Names))]
    [Trait("Category", "Emitted")]
    public void GradientsOverwriteOrAccumulateAsAsked(string name)
    {
        IModel model = Models.Create(name, seed: 1);
        const int Rows = 3;
        var data = new PromiseData(model.Layout, Rows, Steps);
        float[] once = Train(model, data, Rows, Rows).ParameterGradients;
        using ITrainer trainer = model.CreateTrainer(Rows, Steps, new TrainerOptions { AccumulateGradients = true });
        for (int i = 0; i < 2; i++)
        {
            trainer.SetState(data.InitialStates);
            data.Forward(trainer);
            trainer.Backward(data.OutputGradients, data.FinalGradients);
        }

        float[] twice = Gradients(trainer);
        float largest = once.Max(Math.Abs);
        Assert.All(once.Zip(twice), pair => Assert.Equal(2 * pair.First, pair.Second, 1e-5f * largest));
    }

    [Theory]
    [MemberData(nameof(Names))]
    [Trait("Category", "Emitted")]
    public void PaddingStaysZero(string name)
    {
        IModel model = Models.Create(name, seed: 1);
        const int Rows = 5;
        var data = new PromiseData(model.Layout, Rows, Steps);
        using ITrainer trainer = model.CreateTrainer(Rows, Steps);
        data.Forward(trainer);
        trainer.Backward(data.OutputGradients, data.FinalGradients);
        var real = new HashSet<int>();
        foreach (ParameterInfo parameter in model.Layout.Parameters)
        {
            for (int row = 0; row < parameter.Rows; row++)
            {
                for (int column = 0; column < Math.Max(1, parameter.Columns); column++)
                {
                    Assert.True(real.Add(parameter.IndexOf(row, column)), $"{parameter.Name} [{row}, {column}] shares its place");
                }
            }
        }

        Assert.Equal(model.Layout.ParameterCount, real.Count);
        for (int i = 0; i < model.Layout.BlockLength; i++)
        {
            Assert.True(real.Contains(i) || trainer.Gradients.Values[i] == 0, $"padding at {i} has a gradient");
            Assert.True(real.Contains(i) || model.Parameters.Values[i] == 0, $"padding at {i} has a value");
        }
    }

    private static void AssertAllocatesNothing(string what, Action call)
    {
        for (int i = 0; i < 3; i++)
        {
            call();
        }

        // A collection that another test's thread starts adds what is left of this thread's allocation buffer, up to 8 KiB, without
        // an allocation. What a call really allocates it allocates in every round.
        long allocated = long.MaxValue;
        for (int round = 0; round < 5 && allocated != 0; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 10; i++)
            {
                call();
            }

            allocated = Math.Min(allocated, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.True(allocated == 0, $"{what} allocated {allocated} bytes in 10 calls");
    }

    private static Results Train(IModel model, PromiseData data, int rows, int room, int threads = 1)
    {
        ModelLayout layout = model.Layout;
        using ITrainer trainer = model.CreateTrainer(room, data.Steps, new TrainerOptions { InputGradients = !layout.TakesTokens }, threads);
        for (int row = 0; row < rows; row++)
        {
            trainer.SetState(row, data.InitialStates.AsSpan(row * layout.StateLength, layout.StateLength));
        }

        data.Forward(trainer, rows);
        var outputs = new float[data.Steps * rows * layout.OutputSize];
        trainer.GetOutputs(outputs);
        trainer.Backward(data.OutputGradients, data.FinalGradients);
        var inputGradients = new float[data.Inputs.Length];
        if (!layout.TakesTokens)
        {
            trainer.GetInputGradients(inputGradients);
        }

        var initialGradients = new float[rows * layout.StateLength];
        trainer.GetInitialStateGradients(initialGradients);
        return new Results(outputs, State(trainer)[..initialGradients.Length], inputGradients, initialGradients, Gradients(trainer));
    }

    private static float[] State(IStateful stateful)
    {
        var state = new float[stateful.BatchSize * stateful.Layout.StateLength];
        stateful.GetState(state);
        return state;
    }

    private static float[] Gradients(ITrainer trainer) =>
        trainer.Layout.Parameters.SelectMany(parameter => trainer.Gradients.ToArray(parameter.Name)).ToArray();

    private sealed record Results(float[] Outputs, float[] FinalStates, float[] InputGradients, float[] InitialGradients, float[] ParameterGradients)
    {
        public Results Row(int rows, int row, int steps) => new(
            PromiseData.Rows(Outputs, steps, rows, row, 1),
            PromiseData.Rows(FinalStates, 1, rows, row, 1),
            PromiseData.Rows(InputGradients, steps, rows, row, 1),
            PromiseData.Rows(InitialGradients, 1, rows, row, 1),
            []);
    }
}

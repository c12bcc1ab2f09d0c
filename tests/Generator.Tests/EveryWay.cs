using Xunit;
using static Unrolled.Generator.Tests.Bits;

namespace Unrolled.Generator.Tests;

/// <summary>
/// One network run in every way there is, each to the bits of the others: steps of one row and of several, whole sequences and pieces of
/// them, a trainer's forward, any batch, threads, after a state was set and after it was reset.
/// </summary>
internal static class EveryWay
{
    private const int Steps = 6, Rows = 5;

    public static void Check(IModel model)
    {
        ModelLayout layout = model.Layout;
        var data = new PromiseData(layout, Rows, Steps);
        foreach (bool begins in new[] { false, true })
        {
            string how = begins ? " from the start" : " from a state";
            (float[] outputs, float[] states) = Trained(Rows, threads: 1);
            AssertFinite(outputs);
            foreach (int threads in new[] { 2, 3, 4 })
            {
                Same((outputs, states), Trained(Rows, threads), $"a trainer on {threads} threads{how}");
            }

            Same((outputs, states), Trained(Rows + 3, threads: 1), $"a trainer with room for more rows{how}");
            foreach ((int capacity, int threads) in new[] { (0, 1), (1, 1), (2, 2), (4, 3), (64, 4) })
            {
                Same((outputs, states), Ran(Rows, capacity, threads, [Steps]), $"a run in pieces of {capacity} on {threads} threads{how}");
            }

            Same((outputs, states), Ran(Rows, 0, 1, [1, 3, Steps]), $"runs of 1, 2 and {Steps - 3} steps{how}");
            Same((outputs, states), Stepped(Rows), $"steps of {Rows} rows{how}");
            for (int row = 0; row < Rows; row++)
            {
                PromiseData one = data.Select(Rows, row, 1);
                (float[], float[]) expected = (PromiseData.Rows(outputs, Steps, Rows, row, 1), PromiseData.Rows(states, 1, Rows, row, 1));
                Same(expected, Stepped(1, one), $"steps of row {row} alone{how}");
                Same(expected, Ran(1, 0, 1, [Steps], one), $"a run of row {row} alone{how}");
                Same(expected, Ran(1, 1, 1, [2, 3, Steps], one), $"runs of row {row} alone in pieces{how}");
            }

            PromiseData two = data.Select(Rows, 1, 2);
            Same((PromiseData.Rows(outputs, Steps, Rows, 1, 2), PromiseData.Rows(states, 1, Rows, 1, 2)), Stepped(2, two), $"steps of two rows{how}");

            void Begin(IStateful stateful, PromiseData of)
            {
                int rows = of.InitialStates.Length / Math.Max(layout.StateLength, 1);
                if (layout.StateLength == 0)
                {
                    return;
                }

                // What another sequence left must not matter.
                for (int row = 0; row < stateful.BatchSize; row++)
                {
                    stateful.SetState(row, of.InitialStates.AsSpan(0, layout.StateLength));
                    if (!begins && row < rows)
                    {
                        stateful.SetState(row, of.InitialStates.AsSpan(row * layout.StateLength, layout.StateLength));
                    }
                    else
                    {
                        stateful.ResetState(row);
                    }
                }
            }

            (float[] Outputs, float[] States) Trained(int room, int threads)
            {
                using ITrainer trainer = model.CreateTrainer(room, Steps, threads: threads);
                data.Forward(trainer, Rows);
                Begin(trainer, data);
                data.Forward(trainer, Rows);
                var result = new float[LengthOf(Rows)];
                trainer.GetOutputs(result);
                return (result, StateOf(trainer, Rows));
            }

            (float[] Outputs, float[] States) Ran(int rows, int capacity, int threads, int[] ends, PromiseData? part = null)
            {
                PromiseData of = part ?? data;
                ISession session = capacity == 0 ? model.CreateSession(rows, threads: threads) : model.CreateSession(rows, capacity, threads);
                of.Run(session, new float[LengthOf(rows)], rows);
                Begin(session, of);
                var result = new float[LengthOf(rows)];
                int width = rows * layout.OutputSize, first = 0;
                foreach (int end in ends)
                {
                    of.Between(first, end).Run(session, result.AsSpan(first * width, (end - first) * width), rows);
                    first = end;
                }

                return (result, StateOf(session, rows));
            }

            (float[] Outputs, float[] States) Stepped(int rows, PromiseData? part = null)
            {
                PromiseData of = part ?? data;
                ISession session = model.CreateSession(rows);
                int width = rows * layout.OutputSize;
                var result = new float[LengthOf(rows)];
                of.Step(session, 0, rows, result.AsSpan(0, width));
                Begin(session, of);
                for (int step = 0; step < Steps; step++)
                {
                    of.Step(session, step, rows, result.AsSpan(step * width, width));
                }

                return (result, StateOf(session, rows));
            }

            int LengthOf(int rows) => Steps * rows * layout.OutputSize;
        }
    }

    private static float[] StateOf(IStateful stateful, int rows)
    {
        var state = new float[stateful.BatchSize * stateful.Layout.StateLength];
        stateful.GetState(state);
        return state[..(rows * stateful.Layout.StateLength)];
    }

    private static void AssertFinite(float[] values) => Assert.All(values, value => Assert.True(float.IsFinite(value), $"{value} proves nothing"));

    private static void Same((float[] Outputs, float[] States) expected, (float[] Outputs, float[] States) actual, string what)
    {
        SameBits(expected.Outputs, actual.Outputs, "outputs of " + what);
        SameBits(expected.States, actual.States, "states after " + what);
    }
}

/// <summary>Numbers compared as their bits: zeros of both signs differ.</summary>
internal static class Bits
{
    public static void SameBits(float[] expected, float[] actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            if (BitConverter.SingleToInt32Bits(expected[i]) != BitConverter.SingleToInt32Bits(actual[i]))
            {
                Assert.Fail($"{what}: element {i} is {actual[i]:G9}, not {expected[i]:G9}");
            }
        }
    }
}

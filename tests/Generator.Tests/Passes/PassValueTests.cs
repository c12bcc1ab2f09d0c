using Unrolled.Generator.Graph;
using Xunit;

namespace Unrolled.Generator.Tests.PassTests;

/// <summary>No pass changes a value: graphs before and after it are interpreted and compared.</summary>
public sealed class PassValueTests
{
    private static readonly int[] Batches = [1, 3];

    private static readonly int[] StepCounts = [1, 2, 5];

    public static TheoryData<string, string> NetworksAndPasses => PassSteps.NetworksAndPasses;

    [Theory]
    [MemberData(nameof(NetworksAndPasses))]
    public void Keeps_every_value(string network, string pass)
    {
        PassStep step = PassSteps.Of(network, pass);
        foreach ((int batch, int steps) in Batches.SelectMany(batch => StepCounts.Select(steps => (batch, steps))))
        {
            NetworkData data = NetworkData.Random(step.Before, batch, steps);
            NetworkValues before = GraphInterpreter.Evaluate(step.Before, data), after = GraphInterpreter.Evaluate(step.After, data);

            // Nothing gets lost either; Differentiate alone adds.
            Assert.Subset(after.All.Keys.ToHashSet(), before.All.Keys.ToHashSet());
            var common = new NetworkValues();
            foreach (string name in before.All.Keys)
            {
                common.Add(name, after[name]);
            }

            before.AssertEqual(common, $"{pass} at batch {batch}, {steps} steps");
        }
    }

    [Theory]
    [MemberData(nameof(Networks.Names), MemberType = typeof(Networks))]
    public void What_the_compiler_verifies_keeps_the_rules(string network)
    {
        List<PassStep> steps = PassSteps.Of(Networks.Graph(network)).ToList();
        GraphVerifier.Verify(steps[0].Before, "Bind");
        foreach (PassStep step in steps)
        {
            GraphVerifier.Verify(step.After, step.Pass);
        }
    }

    [Theory]
    [MemberData(nameof(Networks.Names), MemberType = typeof(Networks))]
    public void The_compiler_runs_these_passes_in_this_order(string network)
    {
        List<PassStep> steps = PassSteps.Of(Networks.Graph(network)).ToList();
        ModelGraph compiled = Compiler.Network(Networks.Graph(network));
        Assert.Equal(GraphText.Of(steps[4].After), GraphText.Of(compiled));
        Assert.Equal(GraphText.Of(steps[^1].After), GraphText.Of(Compiler.Training(compiled)));
    }
}

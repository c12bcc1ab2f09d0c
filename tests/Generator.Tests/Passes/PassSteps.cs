using Unrolled.Generator.Graph;
using Unrolled.Generator.Passes;
using Xunit;

namespace Unrolled.Generator.Tests.PassTests;

/// <summary>A graph before and after one pass.</summary>
internal sealed record PassStep(string Pass, ModelGraph Before, ModelGraph After);

/// <summary>The compiler's passes over graphs one at a time, in its order.</summary>
internal static class PassSteps
{
    public static readonly string[] Names =
    [
        "Simplify", "Capture", "OrderSums", "MultiplyAdd", "FlushStates", "Prune to a step", "Hoist", "Prune to a sequence",
        "Differentiate", "Simplify of gradients", "Tape", "OrderSums of gradients", "MultiplyAdd of gradients", "Hoist of gradients", "Prune of gradients",
    ];

    public static TheoryData<string, string> NetworksAndPasses
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (string network in Networks.Names.Select(row => row.Data))
            {
                foreach (string pass in Names)
                {
                    data.Add(network, pass);
                }
            }

            return data;
        }
    }

    /// <summary>Each pass runs when it is asked for, so that a fault shows as the fault of its pass.</summary>
    public static IEnumerable<PassStep> Of(ModelGraph bound)
    {
        int count = 0;
        PassStep Then(ModelGraph before, Func<ModelGraph, ModelGraph> pass) => new(Names[count++], before, pass(before));

        PassStep step = Then(bound, Simplify.Run);
        yield return step;
        step = Then(step.After, Capture.Run);
        yield return step;
        step = Then(step.After, graph => OrderSums.Run(graph, adjoints: false));
        yield return step;
        step = Then(step.After, graph => MultiplyAdd.Run(graph, adjoints: false));
        yield return step;
        step = Then(step.After, FlushStates.Run);
        yield return step;
        ModelGraph network = step.After;
        yield return Then(network, Prune.Run);
        step = Then(network, Hoist.Run);
        yield return step;
        yield return Then(step.After, Prune.Run);
        step = Then(network, Differentiate.Run);
        yield return step;
        foreach (Func<ModelGraph, ModelGraph> pass in new Func<ModelGraph, ModelGraph>[]
        {
            Simplify.Run, Tape.Run, graph => OrderSums.Run(graph, adjoints: true), graph => MultiplyAdd.Run(graph, adjoints: true), Hoist.Run, Prune.Run,
        })
        {
            step = Then(step.After, pass);
            yield return step;
        }
    }

    public static PassStep Of(string network, string pass) => Of(Networks.Graph(network)).First(step => step.Pass == pass);
}

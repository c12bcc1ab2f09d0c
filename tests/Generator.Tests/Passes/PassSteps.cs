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
        "Simplify", "OrderSums", "MultiplyAdd", "Prune to a step", "Hoist", "Prune to a sequence",
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

    public static List<PassStep> Of(ModelGraph bound)
    {
        var steps = new List<PassStep>();
        ModelGraph Then(ModelGraph before, Func<ModelGraph, ModelGraph> pass)
        {
            ModelGraph after = pass(before);
            steps.Add(new PassStep(Names[steps.Count], before, after));
            return after;
        }

        ModelGraph network = Then(bound, Simplify.Run);
        network = Then(network, graph => OrderSums.Run(graph, adjoints: false));
        network = Then(network, graph => MultiplyAdd.Run(graph, adjoints: false));
        Then(network, Prune.Run);
        Then(Then(network, Hoist.Run), Prune.Run);
        ModelGraph training = Then(network, Differentiate.Run);
        training = Then(training, Simplify.Run);
        training = Then(training, Tape.Run);
        training = Then(training, graph => OrderSums.Run(graph, adjoints: true));
        training = Then(training, graph => MultiplyAdd.Run(graph, adjoints: true));
        training = Then(training, Hoist.Run);
        Then(training, Prune.Run);
        return steps;
    }

    public static PassStep Of(string network, string pass) => Of(Networks.Graph(network)).Single(step => step.Pass == pass);
}

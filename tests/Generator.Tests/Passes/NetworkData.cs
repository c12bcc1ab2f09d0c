using Unrolled.Generator.Graph;
using Xunit;

namespace Unrolled.Generator.Tests.PassTests;

/// <summary>Numbers for everything a network reads: parameters, inputs, initial states, upstream gradients.</summary>
internal sealed record NetworkData(int Batch, int Steps, IReadOnlyDictionary<string, Tensor> Parameters, IReadOnlyDictionary<string, Tensor> Inputs)
{
    public Tensor Input(string name) => Inputs.TryGetValue(name, out Tensor? value) ? value : throw new InvalidOperationException($"no input is called {name}");

    /// <summary>Seeded numbers, of a size at which gates neither saturate nor act linearly.</summary>
    public static NetworkData Random(ModelGraph graph, int batch, int steps, int seed = 1)
    {
        var random = new Random(seed * 1000 + batch * 10 + steps);
        Tensor Fill(NodeType type, double scale)
        {
            var tensor = new Tensor(type, steps, batch);
            for (int i = 0; i < tensor.Data.Length; i++)
            {
                tensor.Data[i] = (random.NextDouble() * 2 - 1) * scale;
            }

            return tensor;
        }

        Dictionary<string, Tensor> parameters = graph.Parameters.ToDictionary(
            p => p.Node.Name, p => Fill(p.Node.Type, p.Node.Type.Has(Axes.Column) ? 1.5 / Math.Sqrt(p.Node.Type.Columns) : 0.7));
        var inputs = new Dictionary<string, Tensor>();
        if (graph.Input.Type.IsToken)
        {
            // The smallest matrix a token is looked up in says how many tokens there are.
            int tokens = graph.Output.SelfAndLoops().Where(node => node.Kind == NodeKind.Gather).Min(node => node.Inputs[0].Type.Columns);
            Tensor ids = Fill(graph.Input.Type, 1);
            for (int i = 0; i < ids.Data.Length; i++)
            {
                ids.Data[i] = random.Next(tokens);
            }

            inputs.Add(graph.Input.Name, ids);
        }
        else
        {
            inputs.Add(graph.Input.Name, Fill(graph.Input.Type, 1));
        }

        inputs.Add(UpstreamGradient.Output, Fill(graph.Output.Type, 1));
        foreach (StateDeclaration state in graph.States)
        {
            inputs.Add(state.Initial.Name, Fill(state.Initial.Type, 0.8));
            if (state.Fresh is { } fresh)
            {
                // The last row carries its state on, the others begin.
                Tensor rows = Fill(fresh.Type, 0);
                rows.ForEach((_, row, _, _) => rows[0, row, 0, 0] = row + 1 < batch || batch == 1 ? 1 : 0);
                inputs.Add(fresh.Name, rows);
            }

            inputs.Add(UpstreamGradient.Final(state.Name), Fill(state.Initial.Type, 1));
        }

        return new NetworkData(batch, steps, parameters, inputs);
    }

    /// <summary>Some steps of the same numbers, starting from <paramref name="states"/> where these say so.</summary>
    public NetworkData Slice(ModelGraph graph, int first, int steps, IReadOnlyDictionary<string, Tensor> states)
    {
        string input = graph.Input.Name;
        var inputs = Inputs.ToDictionary(pair => pair.Key, pair => states.TryGetValue(pair.Key, out Tensor? state) ? state : pair.Value);
        if (first > 0)
        {
            // No row is fresh after a step.
            foreach (StateDeclaration state in graph.States.Where(state => state.Fresh is not null))
            {
                inputs[state.Fresh!.Name] = new Tensor(state.Fresh.Type, 1, Batch);
            }
        }

        Tensor whole = Inputs[input];
        var part = new Tensor(whole.Axes, steps, whole.Batch, whole.Units, whole.Columns);
        part.ForEach((step, row, unit, column) => part[step, row, unit, column] = whole[first + step, row, unit, column]);
        inputs[input] = part;
        return this with { Steps = steps, Inputs = inputs };
    }
}

/// <summary>What a network gives: outputs, final states, gradients, by name.</summary>
internal sealed class NetworkValues
{
    public const string Output = "output";

    private readonly Dictionary<string, Tensor> _values = new();

    public IReadOnlyDictionary<string, Tensor> All => _values;

    public Tensor this[string name] => _values[name];

    public static string Final(string state) => "final " + state;

    public static string Gradient(GradientKind kind, Node target) => $"gradient of {kind} {target.Name}";

    public void Add(string name, Tensor value) => _values.Add(name, value);

    /// <summary>
    /// Holds every value of <paramref name="actual"/> to this one's. Passes only regroup sums and factors, so the results differ by
    /// roundings: some 1e-16 for each of a few hundred terms, far below 1e-12 of a tensor's largest element; a wrong term is far above.
    /// </summary>
    public void AssertEqual(NetworkValues actual, string what, double tolerance = 1e-12)
    {
        Assert.NotEmpty(actual._values);
        foreach ((string name, Tensor value) in actual._values)
        {
            AssertEqual(_values[name], value, $"{what}: {name}", tolerance);
        }
    }

    public static void AssertEqual(Tensor expected, Tensor actual, string what, double tolerance = 1e-12)
    {
        Assert.True(expected.Axes == actual.Axes && expected.Data.Length == actual.Data.Length, $"{what}: {actual.Axes} where {expected.Axes} is expected");
        double scale = Math.Max(expected.Data.Max(Math.Abs), 1e-3);
        for (int i = 0; i < expected.Data.Length; i++)
        {
            // Written so that a NaN fails.
            if (!(Math.Abs(expected.Data[i] - actual.Data[i]) <= tolerance * scale))
            {
                Assert.Fail($"{what}: element {i} is {actual.Data[i]:R}, not {expected.Data[i]:R}");
            }
        }
    }
}

internal static class GraphQuestions
{
    /// <summary>Everything a node depends on, loops' bodies included.</summary>
    public static IEnumerable<Node> SelfAndLoops(this Node node) => new[] { node }.SelfAndLoops();

    public static IEnumerable<Node> SelfAndLoops(this IEnumerable<Node> roots) =>
        roots.Reachable().SelectMany(node => node.Body is { } body ? body.Nodes().Append(node) : [node]).Distinct();

    public static IEnumerable<Node> SelfAndLoops(this ModelGraph graph) => graph.Roots.SelfAndLoops();

    /// <summary>The loops of a graph in the order they run.</summary>
    public static List<Node> Scans(this ModelGraph graph) => graph.Roots.Reachable().Where(node => node.Kind == NodeKind.Scan).ToList();
}

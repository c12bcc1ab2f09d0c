using System.Collections.Concurrent;

namespace Unrolled.Generator.Tests.Harness;

/// <summary>
/// Networks compiled together, a group at a time and each group when it is first asked for: one compilation of many is far cheaper
/// than many of one. Where a group fails, its networks are compiled one by one, so that only the culprit's tests fail.
/// </summary>
internal sealed class ModelSet
{
    private readonly Dictionary<string, (TestNetwork Network, Lazy<CompiledModels?> Group)> _networks = [];
    private readonly ConcurrentDictionary<string, Lazy<CompiledModels>> _alone = [];
    private readonly HarnessOptions? _options;

    public ModelSet(IEnumerable<TestNetwork> networks, int groupSize = 16, HarnessOptions? options = null)
    {
        _options = options;
        foreach (TestNetwork[] group in networks.Chunk(groupSize))
        {
            var compiled = new Lazy<CompiledModels?>(() => TryCompile(group));
            foreach (TestNetwork network in group)
            {
                _networks.Add(network.Class, (network, compiled));
            }
        }
    }

    public IEnumerable<string> Names => _networks.Keys;

    public TestNetwork this[string name] => _networks[name].Network;

    public IModel Create(string name, ulong seed = 0) => Compiled(name).Create(_networks[name].Network.FullName, seed);

    /// <summary>The assembly a network is in.</summary>
    public CompiledModels Compiled(string name) =>
        _networks[name].Group.Value
        ?? _alone.GetOrAdd(name, key => new Lazy<CompiledModels>(() => ModelHarness.Compile([_networks[key].Network], _options))).Value;

    /// <summary>Compiles everything that is not yet; what fails is left to the tests that ask for it.</summary>
    public void CompileAll()
    {
        foreach ((_, Lazy<CompiledModels?> group) in _networks.Values)
        {
            _ = group.Value;
        }
    }

    private CompiledModels? TryCompile(TestNetwork[] group)
    {
        try
        {
            return ModelHarness.Compile(group, _options);
        }
        catch (InvalidOperationException) when (group.Length > 1)
        {
            return null;
        }
    }
}

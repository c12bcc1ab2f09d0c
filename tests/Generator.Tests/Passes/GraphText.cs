using System.Globalization;
using System.Text;
using Unrolled.Generator.Graph;

namespace Unrolled.Generator.Tests.PassTests;

/// <summary>A graph as text in which equal graphs are equal, whatever tables they live in: nodes and loops numbered in the order they are met.</summary>
internal sealed class GraphText
{
    private readonly StringBuilder _text = new();
    private readonly Dictionary<Node, string> _names = new();
    private readonly Dictionary<int, int> _scopes = new();

    public static string Of(ModelGraph graph)
    {
        var writer = new GraphText();
        IEnumerable<string> roots = graph.Roots.Select(writer.Name).ToList();
        return writer._text + string.Join(" ", roots);
    }

    private string Name(Node node)
    {
        if (_names.TryGetValue(node, out string? name))
        {
            return name;
        }

        string inputs = string.Join(" ", node.Inputs.Select(Name).ToList());
        string body = "";
        if (node.Body is { } scan)
        {
            int scope = Scope(scan.Scope), primal = scan.Primal == 0 ? 0 : Scope(scan.Primal);
            body = $" loop {scope} of {primal} {(scan.Reverse ? "reverse" : "forward")}"
                + $" carried {string.Join(" ", scan.Carried.Select(c => Name(c.Argument) + ":" + Name(c.Next)).ToList())}"
                + $" sequences {string.Join(" ", scan.Sequences.Select(Name).ToList())} stacked {string.Join(" ", scan.Stacked.Select(Name).ToList())}";
        }

        // Arguments are told apart by their loop and by what the loop does with them; names with numbers of nodes in them say nothing.
        string own = node.Kind == NodeKind.Argument ? $"scope {Scope(node.Index)}" : $"{node.Name} {node.Index}";
        name = "%" + _names.Count;
        _names.Add(node, name);
        _text.AppendLine(string.Create(CultureInfo.InvariantCulture, $"{name} = {node.Kind} {own} {node.Type} {node.Value} {node.Over} ({inputs}){body}"));
        return name;
    }

    private int Scope(int scope)
    {
        _scopes.TryAdd(scope, _scopes.Count + 1);
        return _scopes[scope];
    }
}

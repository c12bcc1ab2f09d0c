using System;
using System.Collections.Generic;
using System.Linq;
using Unrolled.Generator.Graph;

namespace Unrolled.Generator.Emit;

/// <summary>Names of local vectors: what the equations call them, or a number.</summary>
internal sealed class Locals
{
    private static readonly string[] Reserved =
    {
        "x", "k", "unit", "token", "row", "rows", "chunk", "first", "count", "part", "parameters", "gradients", "derived", "scratch", "tokens", "V", "VectorMath", "Unsafe", "nint",
    };
    private readonly EquationPrinter _equations;
    private readonly Dictionary<Node, string> _names = new();
    private readonly HashSet<string> _taken = new(Reserved, StringComparer.Ordinal);
    private readonly HashSet<string> _outside;
    private readonly string _suffix;

    /// <param name="rows">Names of the kernel's parameters.</param>
    /// <param name="outer">Names of the scope around this one.</param>
    /// <param name="suffix">What tells names from those of other blocks of units.</param>
    public Locals(EquationPrinter equations, MemoryReferences rows, Locals? outer = null, string suffix = "")
    {
        _equations = equations;
        _suffix = suffix;
        _outside = new HashSet<string>(rows.Names.Concat(InstructionSet.All.Select(set => set.Factory)), StringComparer.Ordinal);
        foreach (KeyValuePair<Node, string> name in outer?._names ?? new Dictionary<Node, string>())
        {
            _names.Add(name.Key, name.Value);
            _taken.Add(name.Value);
        }
    }

    public string Name(Node node)
    {
        if (!_names.TryGetValue(node, out string? name))
        {
            string wanted = node.Kind == NodeKind.Constant ? "constant" + _taken.Count
                : node.Kind == NodeKind.Parameter ? Identifier.Local(_equations.Expression(node))
                : _equations.Name(node) is { } label ? Identifier.Local(label) : "v" + _taken.Count;
            name = Unique(wanted);
            _names.Add(node, name);
        }

        return name;
    }

    /// <summary>A name for what is no node's own: a sum before its equation is complete.</summary>
    public string Fresh(string label) => Unique(Identifier.Local(label));

    public bool Has(Node node) => _names.ContainsKey(node);

    /// <summary>Lets a node go by the name of a value that is there already.</summary>
    public void Call(Node node, string name) => _names[node] = name;

    private string Unique(string wanted)
    {
        string name = wanted + _suffix;
        for (int i = 2; _outside.Contains(name) || !_taken.Add(name); i++)
        {
            name = wanted + i + _suffix;
        }

        return name;
    }
}

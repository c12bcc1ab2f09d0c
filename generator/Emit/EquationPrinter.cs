using System.Linq;
using Unrolled.Generator.Graph;

namespace Unrolled.Generator.Emit;

/// <summary>Graph nodes as equations for the comments of emitted code.</summary>
internal sealed class EquationPrinter
{
    private const int LongestLine = 160;
    private const int DeepestExpression = 10;

    private readonly NodeTable _table;

    public EquationPrinter(NodeTable table) => _table = table;

    /// <summary><c>name = expression</c>, one line.</summary>
    public string Equation(Node node) => Shorten((Name(node) is { } name ? name + " = " : "") + Expression(node, isRoot: true));

    /// <summary>The same for a value that has no name of its own.</summary>
    public string Equation(string name, Node node) => Shorten($"{name} = {Expression(node, isRoot: true)}");

    /// <summary>What a value is called, or null if no equation names it.</summary>
    public string? Name(Node node) => _table.Label(node)?.Replace('.', '_');

    public string Expression(Node node, bool isRoot = false) => Print(node, isRoot, DeepestExpression).Text;

    /// <summary>How tightly an expression holds together: what binds looser than its place asks for stands in parentheses.</summary>
    private enum Binding
    {
        Sum,
        Ratio,
        Product,
        Atom,
    }

    private (string Text, Binding Binding) Print(Node node, bool isRoot, int depth)
    {
        // What is shared many times over would be written out as often.
        if (depth == 0)
        {
            return ("…", Binding.Atom);
        }

        if (!isRoot && Name(node) is { } name && node.Kind != NodeKind.Parameter)
        {
            return (name, Binding.Atom);
        }

        string Operand(int index, Binding least = Binding.Sum)
        {
            (string text, Binding binding) = Print(node.Inputs[index], false, depth - 1);
            return binding < least ? $"({text})" : text;
        }

        switch (node.Kind)
        {
            case NodeKind.Parameter:
                return (node.Name.WithoutLayer(), Binding.Atom);
            case NodeKind.Constant:
                return (SourceWriter.Number(node.Value).TrimEnd('f'), node.Value < 0 ? Binding.Ratio : Binding.Atom);
            case NodeKind.Map when node.Name == "held":
                return Print(node.Inputs[0], isRoot, depth - 1);
            case NodeKind.Map:
                return node.Name switch
                {
                    "add" => ($"{Operand(0)} + {Operand(1)}", Binding.Sum),
                    "sub" => ($"{Operand(0)} - {Operand(1, Binding.Ratio)}", Binding.Sum),
                    "mul" => ($"{Operand(0, Binding.Ratio)} * {Operand(1, Binding.Ratio)}", Binding.Ratio),
                    "div" => ($"{Operand(0, Binding.Ratio)} / {Operand(1, Binding.Atom)}", Binding.Ratio),
                    "neg" => ($"-{Operand(0, Binding.Product)}", Binding.Ratio),
                    "multiply_add" => ($"{Operand(0, Binding.Ratio)} * {Operand(1, Binding.Ratio)} + {Operand(2)}", Binding.Sum),
                    _ => ($"{node.Name}({string.Join(", ", node.Inputs.Select((_, index) => Operand(index)))})", Binding.Atom),
                };
            case NodeKind.Contract when node.Over == Axes.Column:
                return ($"{Operand(0, Binding.Atom)} @ {Operand(1, Binding.Atom)}", Binding.Product);
            case NodeKind.Contract when node.Over == Axes.Unit:
                return ($"transpose({Operand(0)}) @ {Operand(1, Binding.Atom)}", Binding.Product);
            case NodeKind.Contract:
                return ($"{Operand(0, Binding.Atom)} ⊗ {Operand(1, Binding.Atom)}", Binding.Product);
            case NodeKind.Gather:
                return ($"{Operand(0, Binding.Atom)} @ onehot({Operand(1)})", Binding.Product);
            case NodeKind.Reduce when (node.Over & Axes.Unit) != 0:
                return ($"{node.Name}({Operand(0)})", Binding.Atom);
            case NodeKind.Relabel or NodeKind.Reduce or NodeKind.ScatterAdd:
                return Print(node.Inputs[0], isRoot, depth - 1);
            case NodeKind.Shift:
                return (Operand(0, Binding.Atom) + "[t-1]", Binding.Atom);
            case NodeKind.Result:
                Node value = node.Name == "stacked" ? node.Inputs[0].Body!.Stacked[node.Index] : node.Inputs[0].Body!.Carried[node.Index].Next;
                return (Name(value) ?? "value", Binding.Atom);
            default:
                return (Name(node) ?? "value", Binding.Atom);
        }
    }

    public static string Shorten(string text) => text.Length <= LongestLine ? text : text.Substring(0, LongestLine - 2) + " …";
}

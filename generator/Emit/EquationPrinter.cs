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

    /// <summary>What a value is called, or null if no equation names it.</summary>
    public string? Name(Node node) => _table.Label(node)?.Replace('.', '_');

    public string Expression(Node node, bool isRoot = false) => Expression(node, isRoot, DeepestExpression);

    private string Expression(Node node, bool isRoot, int depth)
    {
        // What is shared many times over would be written out as often.
        if (depth == 0)
        {
            return "…";
        }

        if (!isRoot && Name(node) is { } name && node.Kind != NodeKind.Parameter)
        {
            return name;
        }

        string Operand(int index) => Expression(node.Inputs[index], false, depth - 1);
        switch (node.Kind)
        {
            case NodeKind.Parameter:
                return node.Name.Substring(node.Name.LastIndexOf('.') + 1);
            case NodeKind.Constant:
                return SourceWriter.Number(node.Value).TrimEnd('f');
            case NodeKind.Map when node.Name == "add" && (isRoot || node.Inputs[1].IsProduct()):
                return $"{Operand(0)} + {Operand(1)}";
            case NodeKind.Map when node.Name is "sub" or "multiply_add" && isRoot:
                return node.Name == "sub" ? $"{Operand(0)} - {Operand(1)}" : $"{Operand(0)} * {Operand(1)} + {Operand(2)}";
            case NodeKind.Map:
                return node.Name switch
                {
                    "add" => $"({Operand(0)} + {Operand(1)})",
                    "sub" => $"({Operand(0)} - {Operand(1)})",
                    "mul" => $"{Operand(0)} * {Operand(1)}",
                    "div" => $"{Operand(0)} / ({Operand(1)})",
                    "neg" => $"-{Operand(0)}",
                    "multiply_add" => $"({Operand(0)} * {Operand(1)} + {Operand(2)})",
                    _ => $"{node.Name}({string.Join(", ", node.Inputs.Select((_, index) => Operand(index)))})",
                };
            case NodeKind.Contract when node.Over == Axes.Column:
                return $"{Operand(0)} @ {Operand(1)}";
            case NodeKind.Contract when node.Over == Axes.Unit:
                return $"transpose({Operand(0)}) @ {Operand(1)}";
            case NodeKind.Contract:
                return $"{Operand(0)} ⊗ {Operand(1)}";
            case NodeKind.Gather:
                return $"{Operand(0)} @ onehot({Operand(1)})";
            case NodeKind.Relabel or NodeKind.Reduce or NodeKind.ScatterAdd:
                return Operand(0);
            case NodeKind.Shift:
                return Operand(0) + "[t-1]";
            case NodeKind.Result:
                Node value = node.Name == "stacked" ? node.Inputs[0].Body!.Stacked[node.Index] : node.Inputs[0].Body!.Carried[node.Index].Next;
                return Name(value) ?? "value";
            default:
                return Name(node) ?? "value";
        }
    }

    private static string Shorten(string text) => text.Length <= LongestLine ? text : text.Substring(0, LongestLine - 2) + " …";
}

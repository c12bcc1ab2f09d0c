using System;
using System.Globalization;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Text;

namespace Unrolled.Generator.Frontend.Equations;

/// <summary>Writes syntax back in the language's own form: one canonical spelling, no bracket that changes nothing.</summary>
internal static class SyntaxPrinter
{
    // How tightly a rule of the grammar binds; an operand that binds less than its place asks gets brackets.
    private const int Sum = 1;
    private const int Product = 2;
    private const int Unary = 3;
    private const int MatrixProduct = 4;
    private const int Atom = 5;

    public static string Print(CellSyntax cell) => string.Join("\n", cell.Statements.Select(Print));

    public static string Print(StatementSyntax statement)
    {
        var writer = new StringBuilder();
        Write(writer, statement, indent: 0);
        return writer.ToString();
    }

    public static string Print(ExpressionSyntax expression)
    {
        var writer = new StringBuilder();
        Write(writer, expression, Sum);
        return writer.ToString();
    }

    public static string Print(NameSyntax name)
    {
        var writer = new StringBuilder();
        Write(writer, name);
        return writer.ToString();
    }

    public static string Print(SizeSyntax size)
    {
        var writer = new StringBuilder();
        Write(writer, size, Sum);
        return writer.ToString();
    }

    public static string Print(FunctionValue function)
    {
        string arguments = string.Join(", ", function.Numbers.Select(Print));
        string inner = function.Inner is null ? "" : Print(function.Inner);
        return inner.Length + arguments.Length == 0 ? function.Name
            : $"{function.Name}({inner}{(inner.Length > 0 && arguments.Length > 0 ? ", " : "")}{arguments})";
    }

    /// <summary>A number in the fewest digits that read back as the same value, the same on every framework and culture.</summary>
    public static string Print(double number)
    {
        // "R" is not exact on .NET Framework, where an IDE may run the generator.
        string text = "";
        foreach (string format in new[] { "G15", "G16", "G17" })
        {
            text = number.ToString(format, CultureInfo.InvariantCulture);
            if (double.Parse(text, CultureInfo.InvariantCulture) == number)
            {
                break;
            }
        }

        // 1E-05 is written 1e-5.
        int exponent = text.IndexOf('E');
        if (exponent < 0)
        {
            return text;
        }

        string sign = text[exponent + 1] == '-' ? "-" : "";
        return text.Substring(0, exponent) + "e" + sign + text.Substring(exponent + 1).TrimStart('+', '-').TrimStart('0');
    }

    private static void Write(StringBuilder writer, StatementSyntax statement, int indent)
    {
        writer.Append(' ', indent);
        switch (statement)
        {
            case EquationSyntax equation:
                Write(writer, equation.Target);
                writer.Append("[t] = ");
                Write(writer, equation.Value, Sum);
                break;
            case SizeDeclaration size:
                writer.Append("size ").Append(size.Name).Append(" = ");
                Write(writer, size.Value, Sum);
                break;
            case ShapeDeclaration shape:
                writer.Append("shape ").Append(string.Join(", ", shape.Names.Select(Print))).Append(" : ");
                Write(writer, shape.Rows, Sum);
                if (shape.Columns is not null)
                {
                    writer.Append(", ");
                    Write(writer, shape.Columns, Sum);
                }

                break;
            case ParamDeclaration param:
                writer.Append("param ").Append(param.Name).Append(" = ").Append(param.Function is null ? Print(param.Number.GetValueOrDefault()) : Print(param.Function));
                break;
            case InitDeclaration init:
                writer.Append("init ");
                Write(writer, init.Name);
                writer.Append(" = ");
                string numbers = string.Join(", ", init.Arguments.Select(Print));
                writer.Append(
                    init.Function == Vocabulary.ConstantInitializer ? numbers
                    : numbers.Length == 0 ? init.Function
                    : $"{init.Function}({numbers})");
                break;
            case StartDeclaration start:
                writer.Append("start ");
                Write(writer, start.Name);
                writer.Append(start.Learned ? " = learned" : " = zero");
                break;
            case OutputDeclaration output:
                writer.Append("output ");
                Write(writer, output.Name);
                break;
            case LoopSyntax loop:
                writer.Append("for ");
                WriteRange(writer, loop.Variable, loop.First, loop.Last);
                writer.Append(" {");
                foreach (StatementSyntax inner in loop.Body)
                {
                    writer.Append('\n');
                    Write(writer, inner, indent + 4);
                }

                writer.Append('\n').Append(' ', indent).Append('}');
                break;
            default:
                throw new NotSupportedException(statement.GetType().Name);
        }
    }

    private static void Write(StringBuilder writer, ExpressionSyntax expression, int place)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        bool isBracketed = Binding(expression) < place;
        if (isBracketed)
        {
            writer.Append('(');
        }

        switch (expression)
        {
            case NumberExpression number:
                writer.Append(Print(number.Value));
                break;
            case ReferenceExpression reference:
                Write(writer, reference.Name);
                if (reference.DelaySize is not null)
                {
                    writer.Append("[t-");
                    Write(writer, reference.DelaySize, Product);
                    writer.Append(']');
                    break;
                }

                writer.Append(reference.Delay switch { null => "", 0 => "[t]", int delay => $"[t-{delay.ToString(CultureInfo.InvariantCulture)}]" });
                break;
            case NegateExpression negate:
                writer.Append('-');
                Write(writer, negate.Operand, Unary);
                break;
            case BinaryExpression { Operator: '@' } product:
                Write(writer, product.Left, Atom);
                writer.Append(" @ ");
                Write(writer, product.Right, MatrixProduct);
                break;
            case BinaryExpression binary:
                int own = Binding(binary);
                Write(writer, binary.Left, own);
                writer.Append(' ').Append(binary.Operator).Append(' ');
                Write(writer, binary.Right, own + 1);
                break;
            case CallExpression call:
                writer.Append(call.Function).Append('(');
                for (int index = 0; index < call.Arguments.Count; index++)
                {
                    writer.Append(index == 0 ? "" : ", ");
                    Write(writer, call.Arguments[index], Sum);
                }

                writer.Append(')');
                break;
            case FamilyExpression family:
                writer.Append(family.Operator).Append('{');
                WriteRange(writer, family.Variable, family.First, family.Last);
                writer.Append("}(");
                Write(writer, family.Value, Sum);
                writer.Append(')');
                break;
            default:
                throw new NotSupportedException(expression.GetType().Name);
        }

        if (isBracketed)
        {
            writer.Append(')');
        }
    }

    private static int Binding(ExpressionSyntax expression) => expression switch
    {
        BinaryExpression { Operator: '+' or '-' } => Sum,
        BinaryExpression { Operator: '*' or '/' } => Product,
        BinaryExpression => MatrixProduct,
        NegateExpression => Unary,
        // The grammar has no negative number; one that a setting put there reads as a sign.
        NumberExpression { Value: < 0 } => Unary,
        _ => Atom,
    };

    private static void WriteRange(StringBuilder writer, string variable, SizeSyntax first, SizeSyntax last)
    {
        writer.Append(variable).Append(" in ");
        Write(writer, first, Sum);
        writer.Append("..");
        Write(writer, last, Sum);
    }

    private static void Write(StringBuilder writer, NameSyntax name)
    {
        writer.Append(name.Name);
        if (name.Indices.Count > 0)
        {
            writer.Append('{').Append(string.Join(",", name.Indices.Select(Print))).Append('}');
        }
    }

    private static void Write(StringBuilder writer, SizeSyntax size, int place)
    {
        switch (size)
        {
            case SizeNumber number:
                writer.Append(number.Value.ToString(CultureInfo.InvariantCulture));
                break;
            case SizeName name:
                writer.Append(name.Name);
                break;
            case SizeBinary binary:
                int own = binary.Operator switch { '^' => Unary, '*' => Product, _ => Sum };
                writer.Append(own < place ? "(" : "");
                Write(writer, binary.Left, own + (binary.Operator == '^' ? 1 : 0));
                // Papers print W{k-1}, and so does this.
                writer.Append(binary.Operator);
                Write(writer, binary.Right, own + 1);
                writer.Append(own < place ? ")" : "");
                break;
            default:
                throw new NotSupportedException(size.GetType().Name);
        }
    }
}

using System.Globalization;
using System.Text;
using Microsoft.CodeAnalysis.Text;
using Unrolled.Generator.Diagnostics;
using Unrolled.Generator.Frontend.Equations;
using Xunit;

namespace Unrolled.Generator.Tests;

public sealed class ParserTests
{
    private static CellSyntax Parse(string text)
    {
        (CellSyntax? cell, EquatableArray<EquationError> errors) = Parser.Parse(text);
        Assert.Empty(errors);
        return Assert.IsType<CellSyntax>(cell);
    }

    private static string Structure(string expression) =>
        Structure(Assert.IsType<EquationSyntax>(Assert.Single(Parse("h[t] = " + expression).Statements)).Value);

    // Every operation bracketed, independent of the printer.
    private static string Structure(ExpressionSyntax expression) => expression switch
    {
        NumberExpression number => number.Value.ToString(CultureInfo.InvariantCulture),
        ReferenceExpression reference => reference.Name.Name
            + string.Concat(reference.Name.Indices.Select(index => "{" + Structure(index) + "}"))
            + (reference.Delay is int delay ? $"[{delay}]" : ""),
        NegateExpression negate => $"(- {Structure(negate.Operand)})",
        BinaryExpression binary => $"({Structure(binary.Left)} {binary.Operator} {Structure(binary.Right)})",
        CallExpression call => $"{call.Function}<{string.Join("; ", call.Arguments.Select(Structure))}>",
        FamilyExpression family => $"{family.Operator}<{family.Variable}={Structure(family.First)}..{Structure(family.Last)}; {Structure(family.Value)}>",
        _ => throw new InvalidOperationException(expression.GetType().Name),
    };

    private static string Structure(SizeSyntax size) => size switch
    {
        SizeNumber number => number.Value.ToString(CultureInfo.InvariantCulture),
        SizeName name => name.Name,
        SizeBinary binary => $"({Structure(binary.Left)} {binary.Operator} {Structure(binary.Right)})",
        _ => throw new InvalidOperationException(size.GetType().Name),
    };

    [Theory]
    [InlineData("a + b - c + d", "(((a + b) - c) + d)")]
    [InlineData("a * b / c * d", "(((a * b) / c) * d)")]
    [InlineData("a + b * c", "(a + (b * c))")]
    [InlineData("(a + b) * c", "((a + b) * c)")]
    [InlineData("A @ B @ c[t]", "(A @ (B @ c[0]))")]
    [InlineData("W @ x[t] * c", "((W @ x[0]) * c)")]
    [InlineData("c * W @ x[t]", "(c * (W @ x[0]))")]
    [InlineData("-W @ x[t]", "(- (W @ x[0]))")]
    [InlineData("(-W) @ x[t]", "((- W) @ x[0])")]
    [InlineData("W @ (-a)", "(W @ (- a))")]
    [InlineData("-a * b", "((- a) * b)")]
    [InlineData("a * -b", "(a * (- b))")]
    [InlineData("a - -b", "(a - (- b))")]
    [InlineData("--a", "(- (- a))")]
    [InlineData("a ⊙ b ∘ c", "((a * b) * c)")]
    [InlineData("1 + 0.5 + 1e-5 + 2.5E+3", "(((1 + 0.5) + 1E-05) + 2500)")]
    [InlineData("x[t] + x[t-1] + h[ t - 8 ]", "((x[0] + x[1]) + h[8])")]
    [InlineData("clip(a, 0, 1)", "clip<a; 0; 1>")]
    [InlineData("activation(a)", "activation<a>")]
    [InlineData("sum(a)", "sum<a>")]
    [InlineData("transpose(W) @ x[t]", "(transpose<W> @ x[0])")]
    [InlineData("W{k} @ h{j-1,2*(k+1)}[t-1]", "(W{k} @ h{(j - 1)}{(2 * (k + 1))}[1])")]
    [InlineData("sum{j in 1..2*L-1}(a{j})", "sum<j=1..((2 * L) - 1); a{j}>")]
    [InlineData("concat{k in a..b}(h{k}[t]) + 1", "(concat<k=a..b; h{k}[0]> + 1)")]
    public void Expressions_group_as_the_grammar_says(string text, string structure) => Assert.Equal(structure, Structure(text));

    [Theory]
    [InlineData("a\n+ b", "(a + b)")]
    [InlineData("a +\n\n   # why\n b", "(a + b)")]
    [InlineData("a\r\n@\r\nb", "(a @ b)")]
    [InlineData("tanh(\n a\n + b\n)", "tanh<(a + b)>")]
    [InlineData("(a # first\n + b)\n * c", "((a + b) * c)")]
    [InlineData("W{\n1,\n2\n}", "W{1}{2}")]
    [InlineData("h[\nt\n-\n1\n]", "h[1]")]
    public void Ends_of_line_are_white_space_in_brackets_and_beside_operators(string text, string structure) =>
        Assert.Equal(structure, Structure(text));

    [Theory]
    [InlineData("\n")]
    [InlineData("\r")]
    [InlineData("\r\n")]
    [InlineData("\u0085")]
    [InlineData("\u2028")]
    public void Every_end_of_line_ends_a_statement(string end)
    {
        CellSyntax cell = Parse($"# what it is{end}a[t] = x[t]{end}{end}h[t] = a[t] # the output{end}");
        Assert.Equal(["a", "h"], cell.Statements.Select(statement => ((EquationSyntax)statement).Target.Name));
    }

    [Fact]
    public void A_declaration_says_what_it_declares()
    {
        CellSyntax cell = Parse("""
            size n = 2*(units+1) - input
            shape a, W{1} : n, 3
            shape s : 1
            param slope = -0.25
            param activation = tanh
            init b = -1
            init W = uniform(-0.1, 0.1)
            init U = orthogonal
            start c = learned
            start x = zero
            output y
            for k in 1..n { y{k}[t] = x[t] }
            """);
        Assert.Collection(
            cell.Statements,
            size => Assert.Equal("((2 * (units + 1)) - input)", Structure(Assert.IsType<SizeDeclaration>(size).Value)),
            shape =>
            {
                var declaration = Assert.IsType<ShapeDeclaration>(shape);
                Assert.Equal(["a", "W"], declaration.Names.Select(name => name.Name));
                Assert.Equal("1", Structure(Assert.Single(declaration.Names[1].Indices)));
                Assert.Equal("n", Structure(declaration.Rows));
                Assert.Equal("3", Structure(declaration.Columns!));
            },
            shape => Assert.Null(Assert.IsType<ShapeDeclaration>(shape).Columns),
            param => Assert.Equal((-0.25, null), (((ParamDeclaration)param).Number, ((ParamDeclaration)param).Function)),
            param => Assert.Equal((null, "tanh"), (((ParamDeclaration)param).Number, ((ParamDeclaration)param).Function)),
            init => Assert.Equal(("constant", -1), (((InitDeclaration)init).Function, Assert.Single(((InitDeclaration)init).Arguments))),
            init => Assert.Equal([-0.1, 0.1], Assert.IsType<InitDeclaration>(init).Arguments),
            init => Assert.Equal("orthogonal", Assert.IsType<InitDeclaration>(init).Function),
            start => Assert.True(Assert.IsType<StartDeclaration>(start).Learned),
            start => Assert.False(Assert.IsType<StartDeclaration>(start).Learned),
            output => Assert.Equal("y", Assert.IsType<OutputDeclaration>(output).Name.Name),
            loop =>
            {
                var syntax = Assert.IsType<LoopSyntax>(loop);
                Assert.Equal(("k", "1", "n"), (syntax.Variable, Structure(syntax.First), Structure(syntax.Last)));
                Assert.IsType<EquationSyntax>(Assert.Single(syntax.Body));
            });
    }

    [Theory]
    [InlineData("[t-2^(k-1)]")]
    [InlineData("[t-k]")]
    [InlineData("[t-2*(k+1)^3]")]
    [InlineData("[t-(k-1)]")]
    public void A_delay_is_a_size(string index)
    {
        string text = $"h[t] = W @ h{index}";
        ExpressionSyntax product = Assert.IsType<EquationSyntax>(Assert.Single(Parse(text).Statements)).Value;
        Assert.NotNull(Assert.IsType<ReferenceExpression>(Assert.IsType<BinaryExpression>(product).Right).DelaySize);
        Assert.Equal(text, SyntaxPrinter.Print(Parse(text)));
    }

    [Theory]
    [InlineData("tanh")]
    [InlineData("clip(-3, 3)")]
    [InlineData("sigmoid(clip(-3, 3))")]
    [InlineData("affine(scaled_tanh(1.7159, 0.6667), 2, -0.5)")]
    public void A_param_holds_a_function_with_its_numbers_and_another_one_inside(string function)
    {
        CellSyntax cell = Parse($"param f = {function.Replace(", ", " ,\n", StringComparison.Ordinal)}\nh[t] = f(x[t])");
        FunctionValue value = Assert.IsType<ParamDeclaration>(cell.Statements[0]).Function!;
        Assert.Equal(function, value.ToString());
        Assert.Equal($"param f = {function}", SyntaxPrinter.Print(cell.Statements[0]));
        Assert.Equal(value, Parser.ParseFunction($" {function}").Function);
    }

    [Fact]
    public void Loops_nest()
    {
        CellSyntax cell = Parse("for j in 1..2 {\n  for k in 1..3 {\n    h{j,k}[t] = x[t]\n  }\n  g{j}[t] = x[t]\n}\nh[t] = x[t]");
        Assert.Equal(2, cell.Statements.Count);
        var outer = Assert.IsType<LoopSyntax>(cell.Statements[0]);
        Assert.IsType<LoopSyntax>(outer.Body[0]);
        Assert.IsType<EquationSyntax>(outer.Body[1]);
    }

    [Theory]
    [InlineData("é", "e\u0301")]
    [InlineData("ά_2", "α\u0301_2")]
    [InlineData("Å", "\u212B")]
    public void Names_are_compared_in_composed_form(string composed, string written)
    {
        Assert.NotEqual(composed, written);
        CellSyntax cell = Parse($"{written}[t] = x[t]\nh[t] = {composed}[t]");
        var first = (EquationSyntax)cell.Statements[0];
        Assert.Equal(composed, first.Target.Name);
        Assert.Equal(new TextSpan(0, written.Length), first.Target.Span);
    }

    [Theory]
    [InlineData("σ")]
    [InlineData("状態")]
    [InlineData("𝑊_x")]
    [InlineData("_")]
    [InlineData("h٣")]
    public void Names_take_letters_of_any_script(string name) => Assert.Equal(name, Structure(name));

    [Fact]
    public void A_byte_order_mark_is_no_text() => Assert.Single(Parse("\uFEFFh[t] = x[t]").Statements);

    [Fact]
    public void Spans_cover_exactly_what_was_written()
    {
        const string Text = "h[t] = (a + b) * W{1} @ tanh( c[t-1] )  # x";
        var equation = (EquationSyntax)Parse(Text).Statements[0];
        string Written(SyntaxNode node) => Text.Substring(node.Span.Start, node.Span.Length);
        var product = (BinaryExpression)equation.Value;
        var matrix = (BinaryExpression)product.Right;
        var call = (CallExpression)matrix.Right;
        Assert.Equal("h[t] = (a + b) * W{1} @ tanh( c[t-1] )", Written(equation));
        Assert.Equal("(a + b) * W{1} @ tanh( c[t-1] )", Written(product));
        Assert.Equal("a + b", Written(product.Left));
        Assert.Equal("W{1} @ tanh( c[t-1] )", Written(matrix));
        Assert.Equal("W{1}", Written(matrix.Left));
        Assert.Equal("tanh", Text.Substring(call.FunctionSpan.Start, call.FunctionSpan.Length));
        Assert.Equal("c[t-1]", Written(call.Arguments[0]));
        Assert.Equal("c", Written(((ReferenceExpression)call.Arguments[0]).Name));
    }

    public static TheoryData<string, string, string> Mistakes => new()
    {
        // What an equation lacks or has too much of
        { "h[t] =«»", DiagnosticIds.SyntaxError, "Expected a value, a number, a call or '(', but the line ends here" },
        { "h[t] = «=» 2", DiagnosticIds.SyntaxError, "Expected a value, a number, a call or '(', not '='" },
        { "h[t] = a «b»", DiagnosticIds.SyntaxError, "Expected an operator or the end of the line, not 'b' (write '@' between a matrix and a vector, '*' between elements)" },
        { "h[t] = tanh(W «x»[t])", DiagnosticIds.SyntaxError, "Expected an operator, ',' or ')', not 'x' (write '@' between a matrix and a vector, '*' between elements)" },
        { "h[t] = a *«*» 2", DiagnosticIds.SyntaxError, "Expected a value, a number, a call or '(', not '*' (write square(a) or a * a for a power)" },
        { "h[t] = a /«/» the previous state", DiagnosticIds.SyntaxError, "Expected a value, a number, a call or '(', not '/' (a comment begins with '#')" },
        { "h[t] = a +«»", DiagnosticIds.SyntaxError, "Expected a value, a number, a call or '(', but the line ends here" },
        { "h[t] = a +«»\nc[t] = b", DiagnosticIds.SyntaxError, "Expected a value, a number, a call or '(', but the line ends here" },
        { "h[t] = tanh«(»a", DiagnosticIds.SyntaxError, "'(' is never closed (add the ')')" },
        { "h[t] = tanh«(»a\nc[t] = b", DiagnosticIds.SyntaxError, "'(' is never closed (add the ')')" },
        { "h[t] = a«)»", DiagnosticIds.SyntaxError, "Expected an operator or the end of the line, not ')'" },
        { "h[t] = f(a, «)»", DiagnosticIds.SyntaxError, "Expected a value, a number, a call or '(', not ')'" },
        { "h[t] = (a«,» b)", DiagnosticIds.SyntaxError, "Expected an operator or ')', not ','" },
        { "h[t] = W @ «-»a", DiagnosticIds.SyntaxError, "'@' binds tighter than a sign (write W @ (-a), or -(W @ a))" },
        { "h«»", DiagnosticIds.SyntaxError, "Expected '[t] =' after the name of a value, but the line ends here" },
        { "«h» = a", DiagnosticIds.SyntaxError, "'h' is assigned without its step (write h[t] = …; a fixed number is a param)" },
        { "h«[t-1]» = a", DiagnosticIds.SyntaxError, "An equation gives a value at step t" },
        { "«3» = a", DiagnosticIds.SyntaxError, "Expected an equation, a declaration or a loop, not '3'" },
        { "«parm» a = 3", DiagnosticIds.SyntaxError, "'parm' starts no statement (did you mean 'param'?)" },

        // As papers and other languages write it
        { "«h_t» = tanh(W @ x[t])", DiagnosticIds.SyntaxError, "'h_t' is assigned without its step (write h[t] = …; a fixed number is a param)" },
        { "«h_new» = tanh(W @ x[t])", DiagnosticIds.SyntaxError, "'h_new' is assigned without its step (write h_new[t] = …" },
        { "«hₜ» = tanh(W @ x[t])", DiagnosticIds.SyntaxError, "'hₜ' is assigned without its step (write h[t] = …" },
        { "«h_{t» } = tanh(W @ x[t])", DiagnosticIds.SyntaxError, "A step stands in square brackets (write h[t])" },
        { "h[t] = tanh(U @ «h_{t»-1})", DiagnosticIds.SyntaxError, "A step stands in square brackets (write h[t], or h[t-1] for the step before)" },
        { "«h»(t) = tanh(W @ x[t])", DiagnosticIds.SyntaxError, "A step stands in square brackets (write h[t] = …)" },
        { "h[t] = tanh(«Uᵀ» @ h[t-1])", DiagnosticIds.SyntaxError, "'Uᵀ' is no name (write transpose(U) @ v)" },
        { "h[t] = tanh(U«^»T @ h[t-1])", DiagnosticIds.SyntaxError, "'^' is a power of sizes only (write transpose(U) @ v)" },
        { "h[t] = tanh(U«^»{T} @ h[t-1])", DiagnosticIds.SyntaxError, "'^' is a power of sizes only (write transpose(U) @ v)" },
        { "h[t] = tanh(U«^»⊤ @ h[t-1])", DiagnosticIds.SyntaxError, "'^' is a power of sizes only (write transpose(U) @ v)" },
        { "h[t] = tanh(U_h«'» @ h[t-1])", DiagnosticIds.SyntaxError, "''' is not part of the equation language (a name holds letters, digits and _ only; a transposed matrix is written transpose(U_h) @ v)" },
        { "h[t] = tanh(U«.»T @ h[t-1])", DiagnosticIds.SyntaxError, "'.' is not part of the equation language (write transpose(U) @ v)" },
        { "h[t] = tanh(U«⊤» @ h[t-1])", DiagnosticIds.SyntaxError, "'⊤' is not part of the equation language (write transpose(U) @ v)" },
        { "h[t] = torch«.»tanh(W @ x[t])", DiagnosticIds.SyntaxError, "'.' is not part of the equation language (functions stand by themselves, as in tanh(a))" },
        { "h[t] = a«²»", DiagnosticIds.SyntaxError, "'²' is not part of the equation language (write square(a) for a power)" },
        { "h[t] = W @ «[»x[t], h[t-1]]", DiagnosticIds.SyntaxError, "Expected a value, a number, a call or '(', not '[' (write concat(a, b) for vectors one after another, or a product for each: W @ a + U @ b)" },
        { "h[t] = W @ (x[t]«,» h[t-1])", DiagnosticIds.SyntaxError, "Expected an operator or ')', not ',' (write concat(a, b) for vectors one after another" },
        { "h[t] = W @ (x[t]«;» h[t-1])", DiagnosticIds.SyntaxError, "';' is not part of the equation language (end an equation with the end of its line, and write concat(a, b)" },
        { "param f = «swish»\nh[t] = f(a)", DiagnosticIds.UnknownName, "'swish' is no function (write silu)" },
        { "param f = «clamp»\nh[t] = f(a)", DiagnosticIds.UnknownName, "'clamp' is no function (write clip(low, high))" },
        { "param f = «mish»\nh[t] = f(a)", DiagnosticIds.UnknownName, "'mish' is no function (equations can write a * tanh(softplus(a)))" },
        { "param f = «sin»\nh[t] = f(a)", DiagnosticIds.UnknownName, "'sin' is no function (functions are sigmoid, tanh," },

        // Steps
        { "h[t] = c[«k»]", DiagnosticIds.SyntaxError, "Expected the step t, not 'k' (write [t] or [t-1]; a member of a family is W{k})" },
        { "h[t] = c[«1»]", DiagnosticIds.SyntaxError, "Expected the step t, not '1'" },
        { "h[t] = c[t«+»1]", DiagnosticIds.SyntaxError, "A later step cannot be read" },
        { "h[t] = c[t-«33»]", DiagnosticIds.LimitExceeded, "A value can be read at most 32 steps back, not 33" },
        { "h[t] = c[t-«,»]", DiagnosticIds.SyntaxError, "Expected a whole number of steps, not ','" },
        { "h[t] = c[t-k«+»1]", DiagnosticIds.SyntaxError, "Expected ']' after the step, not '+'" },
        { "h«[t-2^1]» = a", DiagnosticIds.SyntaxError, "An equation gives a value at step t" },
        { "h[t] = c[t-«1.5»]", DiagnosticIds.SyntaxError, "Expected a whole number of steps, not '1.5'" },

        // Reserved names
        { "«tanh»[t] = a", DiagnosticIds.SyntaxError, "'tanh' is a function and cannot name a value (choose another name)" },
        { "«x»[t] = a", DiagnosticIds.SyntaxError, "'x' is the layer's input and cannot name a value (choose another name)" },
        { "«in»[t] = a", DiagnosticIds.SyntaxError, "'in' is a keyword and cannot name a value (choose another name)" },
        { "size «units» = 3", DiagnosticIds.SyntaxError, "'units' is the number of elements of the output and cannot name a size" },
        { "for «t» in 1..2 { h{1}[t] = a }", DiagnosticIds.SyntaxError, "'t' is the step and cannot name a loop's variable" },
        { "h[t] = «tanh» + 1", DiagnosticIds.SyntaxError, "'tanh' is a function, not a value (write tanh(…))" },
        { "h[t] = «x»", DiagnosticIds.SyntaxError, "'x' is the layer's input and no value by itself (write x[t])" },
        { "h[t] = «units» * a", DiagnosticIds.SyntaxError, "'units' is the number of elements of the output and no value by itself" },
        { "h[t] = «x»(a)", DiagnosticIds.SyntaxError, "'x' is the layer's input and cannot be called (write * for a product)" },
        { "h[t] = «min»{k in 1..2}(a)", DiagnosticIds.SyntaxError, "'min' does not repeat over a range (only sum and concat do)" },

        // Characters
        { "h[t] = a «−» b", DiagnosticIds.SyntaxError, "'−' is not part of the equation language (write - for a minus)" },
        { "h[t] = a «×» b", DiagnosticIds.SyntaxError, "'×' is not part of the equation language (write * for an elementwise product" },
        { "h[t] = a«^»2", DiagnosticIds.SyntaxError, "'^' is a power of sizes only (write square(a)" },
        { "h[t] = «2a»", DiagnosticIds.SyntaxError, "A number runs into 'a' (write 2 * a for a product" },
        { "h[t] = «x\u0302»[t]", DiagnosticIds.SyntaxError, "'x\u0302' has a mark that forms no letter (write it out, as in x_hat)" },
        { "h[t] = «😀»", DiagnosticIds.SyntaxError, "'😀' is not part of the equation language" },
        { "h[t] = «1e99»", DiagnosticIds.SyntaxError, "The number is too large for a 32-bit float" },
        { "h[t] = «.»5", DiagnosticIds.SyntaxError, "'.' is not part of the equation language (a number starts with a digit" },

        // Declarations
        { "size n =«»", DiagnosticIds.SyntaxError, "Expected a size, but the line ends here" },
        { "size n = «1.5»", DiagnosticIds.SyntaxError, "A size is a whole number, not 1.5" },
        { "size n = «99999999999»", DiagnosticIds.LimitExceeded, "A size is at most 2147483647" },
        { "size n = «x»", DiagnosticIds.SyntaxError, "'x' is the layer's input and no size" },
        { "shape a «b» : 1", DiagnosticIds.SyntaxError, "Expected ',' and another name, or ':' and the shape, not 'b'" },
        { "shape a : 1, 2«,» 3", DiagnosticIds.SyntaxError, "A shape has at most two sizes (write rows, columns)" },
        { "param a = «tan»", DiagnosticIds.UnknownName, "'tan' is no function (did you mean 'tanh'?)" },
        { "param a = elu(«b»)", DiagnosticIds.UnknownName, "'b' is no function" },
        { "param a = «elu(1, 2)»", DiagnosticIds.SyntaxError, "'elu' takes 0 to 1 numbers after its value, not 2" },
        { "param a = sigmoid(«clip(3)»)", DiagnosticIds.SyntaxError, "'clip' takes 2 numbers after its value, not 1" },
        { "param a = tanh(«affine»)", DiagnosticIds.SyntaxError, "'affine' takes 2 numbers after its value, not 0" },
        { "param a = «sum(2)»", DiagnosticIds.SyntaxError, "'sum' takes no numbers after its value, not 1" },
        { "param a = elu(«)»", DiagnosticIds.SyntaxError, "Expected a number or a function, not ')'" },
        { "param a = clip(0, «relu»)", DiagnosticIds.SyntaxError, "Expected a number, not 'relu'" },
        { "param a = relu«(»relu", DiagnosticIds.SyntaxError, "'(' is never closed (add the ')')" },
        { "param a = " + string.Concat(Enumerable.Repeat("abs(", Limits.Composed)) + "«abs»" + new string(')', Limits.Composed), DiagnosticIds.LimitExceeded, "More than 8 functions inside one another" },
        { "param a«»", DiagnosticIds.SyntaxError, "Expected '=' and a number or a function, but the line ends here" },
        { "init b = «glorat»", DiagnosticIds.UnknownName, "'glorat' is no initialisation (did you mean 'glorot'?)" },
        { "init b = «something»", DiagnosticIds.UnknownName, "'something' is no initialisation (known are zero, identity," },
        { "init b = «uniform(1)»", DiagnosticIds.SyntaxError, "'uniform' does not take 1 number (write uniform(low, high))" },
        { "init b = «zero(1, 2)»", DiagnosticIds.SyntaxError, "'zero' does not take 2 numbers (write zero)" },
        { "start c = «one»", DiagnosticIds.SyntaxError, "Expected zero or learned, not 'one'" },
        { "output«»", DiagnosticIds.SyntaxError, "Expected the name of the output, but the line ends here" },

        // Loops
        { "«for» k in 1..2 {\n h{k}[t] = a", DiagnosticIds.SyntaxError, "The loop is never closed (add the '}')" },
        { "for k «of» 1..2 {\n h{k}[t] = a\n}", DiagnosticIds.SyntaxError, "Expected 'in' and a range, not 'of'" },
        { "for k in 1«»\n", DiagnosticIds.SyntaxError, "Expected '..' and the last number, but the line ends here" },
        { "for k in 1..2 { h{k}[t] = «=» a }", DiagnosticIds.SyntaxError, "Expected a value, a number, a call or '(', not '='" },
        { "h[t] = a\n«}»", DiagnosticIds.SyntaxError, "'}' closes no loop (remove it)" },
    };

    // By itself: half a surrogate pair does not survive a test runner's listing of theory data.
    [Fact]
    public void Half_a_surrogate_pair_is_named_by_its_number() =>
        A_mistake_is_one_error_on_the_exact_characters("h[t] = «\ud800»", DiagnosticIds.SyntaxError, "'U+D800' is not part of the equation language");

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void A_mistake_is_one_error_on_the_exact_characters(string marked, string id, string message)
    {
        Marked expected = Marked.Parse(marked);
        (CellSyntax? cell, EquatableArray<EquationError> errors) = Parser.Parse(expected.Text);
        Assert.Null(cell);
        EquationError error = Assert.Single(errors);
        expected.AssertTold(id, message, error);
    }

    [Theory]
    [InlineData("h[t] = «=» 1\nc[t] = a «b»\nd[t] = x[t]\n«e» = 2")]
    [InlineData("h[t] = tanh«(»a\nc[t] = b «c»")]
    [InlineData("h[t] = tanh(a «b»\n  + c)\nd[t] = «*» 3")]
    [InlineData("for k «of» 1..2 {\n  h{k}[t] = «=» 2\n}\nd[t] = a «b»")]
    [InlineData("for k in 1..2 { a{k}[t] = «*» }\nb[t] = «/»")]
    [InlineData("«foo» bar\nsize n = «,»\nW «@» x")]
    public void Each_line_reports_its_own_error(string marked)
    {
        Marked expected = Marked.Parse(marked);
        Assert.Equal(expected.Spans, Parser.Parse(expected.Text).Errors.Select(error => error.Span));
    }

    [Fact]
    public void Errors_stop_where_more_would_bury_the_first()
    {
        string text = string.Concat(Enumerable.Repeat("h[t] = =\n", 1000));
        Assert.Equal(Limits.Errors, Parser.Parse(text).Errors.Count);
    }

    [Theory]
    [InlineData("(", ")")]
    [InlineData("-", "")]
    [InlineData("W @ ", "")]
    [InlineData("tanh(", ")")]
    public void Nesting_ends_at_256_levels_with_a_diagnostic(string open, string close)
    {
        string Nested(int depth) => "h[t] = " + string.Concat(Enumerable.Repeat(open, depth)) + "a" + string.Concat(Enumerable.Repeat(close, depth));
        Assert.Empty(Parser.Parse(Nested(256)).Errors);
        Assert.Equal(DiagnosticIds.LimitExceeded, Assert.Single(Parser.Parse(Nested(257)).Errors).Id);
        Assert.Equal(DiagnosticIds.LimitExceeded, Assert.Single(Parser.Parse(Nested(8_000)).Errors).Id);
    }

    [Fact]
    public void Nested_loops_and_sizes_have_the_same_limit()
    {
        string loops = string.Concat(Enumerable.Range(0, 257).Select(index => $"for k{index} in 1..2 {{\n"));
        Assert.Equal(DiagnosticIds.LimitExceeded, Assert.Single(Parser.Parse(loops).Errors).Id);
        string size = "size n = " + new string('(', 257) + "1" + new string(')', 257);
        Assert.Equal(DiagnosticIds.LimitExceeded, Assert.Single(Parser.Parse(size).Errors).Id);
        string both = "size n = " + new string('(', 200) + "1" + string.Concat(Enumerable.Repeat("+1+1+1)", 200));
        Assert.Equal(DiagnosticIds.LimitExceeded, Assert.Single(Parser.Parse(both).Errors).Id);
        string sum = "size n = 1" + string.Concat(Enumerable.Repeat("+1", 20_000));
        Assert.Equal(DiagnosticIds.LimitExceeded, Assert.Single(Parser.Parse(sum).Errors).Id);
    }

    [Fact]
    public void A_chain_of_operators_is_as_deep_as_it_is_long()
    {
        string Chain(int terms) => "h[t] = " + string.Join("+", Enumerable.Repeat("a", terms));
        Assert.Empty(Parser.Parse(Chain(1_000)).Errors);
        Assert.Equal(DiagnosticIds.LimitExceeded, Assert.Single(Parser.Parse(Chain(1_001)).Errors).Id);
        Assert.Equal(DiagnosticIds.LimitExceeded, Assert.Single(Parser.Parse(Chain(32_000)).Errors).Id);
    }

    [Fact]
    public void A_text_has_at_most_64_KiB_of_UTF_8()
    {
        const string Equation = "h[t] = x[t]\n#";
        string Padded(int bytes) => Equation + new string('é', (bytes - Equation.Length) / 2) + new string('.', (bytes - Equation.Length) % 2);
        Assert.Equal(65_536, Encoding.UTF8.GetByteCount(Padded(65_536)));
        Assert.Empty(Parser.Parse(Padded(65_536)).Errors);
        EquationError error = Assert.Single(Parser.Parse(Padded(65_537)).Errors);
        Assert.Equal(DiagnosticIds.LimitExceeded, error.Id);
    }

    [Fact]
    public void Any_text_parses_or_reports_and_never_throws()
    {
        string[] pieces =
        [
            "h", "[t]", "[t-1]", "=", "+", "-", "*", "@", "(", ")", "{", "}", "[", "]", ",", ":", "..", "\n", "for k in 1..2 {", "size", "init",
            "sum{", "tanh(", "1", "0.5", "é", "e\u0301", "\ud800", "\udc00", "# c", "x", "t", "units", "\0", "⊙", ".", "in", "output ", "param a = ",
        ];
        var random = new Random(1);
        for (int round = 0; round < 20_000; round++)
        {
            string text = string.Concat(Enumerable.Range(0, random.Next(1, 25)).Select(_ => pieces[random.Next(pieces.Length)] + (random.Next(3) == 0 ? " " : "")));
            (CellSyntax? cell, EquatableArray<EquationError> errors) = Parser.Parse(text);
            Assert.True(cell is null == errors.Count > 0, text);
            Assert.All(errors, error => Assert.InRange(error.Span.End, error.Span.Start, text.Length));
            if (cell is not null)
            {
                string printed = SyntaxPrinter.Print(cell);
                Assert.Equal(printed, SyntaxPrinter.Print(Parse(printed)));
            }
        }
    }

    [Theory]
    [InlineData("((a) + (b*c)) - (d)", "a + b * c - d")]
    [InlineData("a + (b + c)", "a + (b + c)")]
    [InlineData("a - (b - c)", "a - (b - c)")]
    [InlineData("(a * b) / (c / d)", "a * b / (c / d)")]
    [InlineData("-(a + b)", "-(a + b)")]
    [InlineData("-(a * b)", "-(a * b)")]
    [InlineData("(-a) * (-b)", "-a * -b")]
    [InlineData("((A @ B) @ c)", "(A @ B) @ c")]
    [InlineData("A @ (B @ c)", "A @ B @ c")]
    [InlineData("(W @ x[t])*c", "W @ x[t] * c")]
    [InlineData("W @ (x[t]*c)", "W @ (x[t] * c)")]
    [InlineData("a⊙b∘h[ t-1 ]", "a * b * h[t-1]")]
    [InlineData("0.10 + 1E-05 + 2e+10 + 1e30 + 0.1234567890123456789", "0.1 + 1e-5 + 20000000000 + 1e30 + 0.12345678901234568")]
    [InlineData("sum{ j in 1 .. (2*L) - (1-k) }( a { (j) } )", "sum{j in 1..2*L-(1-k)}(a{j})")]
    public void Printing_is_canonical_with_the_fewest_brackets(string written, string canonical)
    {
        ExpressionSyntax expression = ((EquationSyntax)Parse("h[t] = " + written).Statements[0]).Value;
        Assert.Equal(canonical, SyntaxPrinter.Print(expression));
        Assert.Equal(Structure(expression), Structure(canonical));
    }

    [Fact]
    public void Statements_print_as_they_are_written()
    {
        const string Text = """
            size n = 2*(units+1)
            shape a, W{1} : n, 3
            param slope = -0.25
            param activation = tanh
            init b = -1
            init W = uniform(-0.1, 0.1)
            init U = orthogonal
            start c = learned
            start d{2} = zero
            output y
            for j in 1..n {
                for k in 1..j {
                    y{j,k}[t] = x[t]
                }
            }
            y[t] = (1 - f[t]) * y[t-1]
            """;
        Assert.Equal(Text.ReplaceLineEndings("\n"), SyntaxPrinter.Print(Parse(Text)));
    }

    [Fact]
    public void Random_expressions_survive_printing_and_parsing()
    {
        var random = new Random(7);
        for (int round = 0; round < 2_000; round++)
        {
            ExpressionSyntax expression = Generate(random, 6);
            Assert.Equal(Structure(expression), Structure(SyntaxPrinter.Print(expression)));
        }
    }

    private static ExpressionSyntax Generate(Random random, int depth)
    {
        TextSpan none = default;
        NameSyntax name = new("abcW"[random.Next(4)].ToString(), EquatableArray<SizeSyntax>.Empty, none);
        return (depth == 0 ? random.Next(2) : random.Next(10)) switch
        {
            0 => new NumberExpression(random.NextSingle() * Math.Pow(10, random.Next(-20, 20)), none),
            1 => new ReferenceExpression(name, random.Next(3) is var delay && delay == 2 ? null : delay, none),
            2 => new NegateExpression(Generate(random, depth - 1), none),
            3 => new CallExpression("clip", new EquatableArray<ExpressionSyntax>([Generate(random, depth - 1), Generate(random, depth - 1)]), none, none),
            4 => new FamilyExpression("sum", "k", new SizeNumber(1, none), new SizeName("L", none), Generate(random, depth - 1), none),
            int other => new BinaryExpression("+-*/@"[other - 5], Generate(random, depth - 1), Generate(random, depth - 1), none),
        };
    }

    [Fact]
    public void Numbers_print_alike_under_every_culture()
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = new CultureInfo("de-DE");
            Assert.Equal("h[t] = 1.5 * x[t-1]", SyntaxPrinter.Print(Parse("h[t]=1.5*x[t-1]")));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }
}

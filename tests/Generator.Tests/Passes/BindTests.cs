using Unrolled.Generator.Diagnostics;
using Unrolled.Generator.Frontend;
using Unrolled.Generator.Frontend.Equations;
using Unrolled.Generator.Graph;
using Unrolled.Generator.Passes;
using Xunit;

namespace Unrolled.Generator.Tests.PassTests;

/// <summary>What the binder finds wrong with equations, and what it decides where they say nothing.</summary>
public sealed class BindTests
{
    public static TheoryData<string, string, string> Mistakes => new()
    {
        { "start «c» = learned\nh[t] = tanh(W @ x[t] + U @ h[t-1])", DiagnosticIds.NotAssigned, "'c' is never assigned and starts nowhere" },
        { "start «hh» = zero\nhx[t] = W @ x[t]\nh[t] = tanh(hx[t] + U @ h[t-1])", DiagnosticIds.NotAssigned, "'hh' is never assigned and starts nowhere (did you mean" },
        { "«start h = learned»\nh[t] = tanh(W @ x[t])", DiagnosticIds.Unused, "'h' is never read at an earlier step and starts nowhere" },
        { "start «h» = learned\nh_start[t] = W @ x[t]\nh[t] = tanh(h_start[t] + U @ h[t-1])", DiagnosticIds.AssignedTwice, "'h_start' is the parameter that 'h' starts from, and is assigned too" },
        { "start «h» = learned\nh[t] = tanh(h_start @ x[t] + U @ h[t-1])", DiagnosticIds.MatrixAndVector, "'h_start' is used both as a matrix and as a vector" },
        { "shape h_start : 3\n«start h = learned»\nh[t] = tanh(W @ x[t] + U @ h[t-1])", DiagnosticIds.ShapeMismatch, "shape mismatch: 'h' has 4 elements, from the layer" },
        { "shape m : 1\nshape m_start : 3\n«start m = learned»\nm[t] = mean(x[t]) + m[t-1]\nh[t] = tanh(W @ x[t] + m[t])", DiagnosticIds.ShapeMismatch, "'m' has one element, but its start 'm_start' has 3" },
        { "shape z : 4\n«z[t] = mean(x[t])»\nh[t] = tanh(W @ x[t] + z[t])", DiagnosticIds.ShapeMismatch, "'z' is declared with 4 elements but its equation has one" },
        { "h[t] = tanh(W @ «mean(b)» + U @ x[t])", DiagnosticIds.ShapeMismatch, "right of '@' stands a vector, but mean(b) has one element (multiply with '*', or declare a matrix of one column: shape W : units, 1)" },
        { "shape W : units, 1\nh[t] = tanh(W @ («2 * 3») + U @ x[t])", DiagnosticIds.ShapeMismatch, "right of '@' stands a vector, but 2 * 3 has one element (multiply with '*')" },
        { "shape h_start : 1\n«start h = learned»\nh[t] = tanh(W @ x[t] + U @ h[t-1])", DiagnosticIds.ShapeMismatch, "'h' is a vector, but the shape line of its start 'h_start' gives it one element" },

        // A shape line constrains what it names.
        { "shape a : 1\n«a[t] = tanh(x[t])»\nh[t] = a[t] * tanh(W @ x[t])", DiagnosticIds.ShapeMismatch, "shape mismatch: 'a' has 1 element, from the shape line of 'a', but its equation has 3, from the layer's input" },
        { "shape a : 1\n«a[t] = sigmoid(W @ x[t])»\nshape W : 2, input\nh[t] = a[t] * tanh(V @ x[t])", DiagnosticIds.ShapeMismatch, "shape mismatch: 'a' has 1 element, from the shape line of 'a', but its equation has 2, from the shape line of 'W'" },
        { "size n = 1\nshape a : n\na[t] = sigmoid(W @ x[t])\nh[t] = tanh(«a[t] * h[t-1]»)", DiagnosticIds.ShapeMismatch, "shape mismatch: a[t] has 1 element, from the shape line of 'a', but h[t-1] has 4, from the layer's units (elementwise operations need one size; what a shape line says to have 1 element, as in 'shape a : 1', broadcasts)" },
        { "shape a : 4, 3\n«a»[t] = sigmoid(W @ x[t])\nh[t] = a[t] * h[t-1]", DiagnosticIds.ShapeMismatch, "'a' is a value, and its shape line gives it columns (a value has elements only: shape a : 4)" },
        { "shape w : 4, 4\nh[t] = tanh(«w» * h[t-1] + W @ x[t])", DiagnosticIds.MatrixAndVector, "'w' has rows and columns in its shape line, and stands where a vector does" },
        { "shape h : 1\n«h»[t] = tanh(W @ x[t])", DiagnosticIds.ShapeMismatch, "the output 'h' has one element, but the layer has 4 units" },
        { "«h»[t] = tanh(mean(x[t]))", DiagnosticIds.ShapeMismatch, "the output 'h' has one element, but the layer has 4 units" },

        // Nothing is said twice.
        { "shape a : 1\nshape «a» : 4\na[t] = sigmoid(W @ x[t])\nh[t] = a[t] * tanh(V @ x[t])", DiagnosticIds.AssignedTwice, "'a' has another shape line that says otherwise (remove one of them)" },
        { "param p = 1\nparam «p» = 2\nh[t] = tanh(W @ x[t] + p)", DiagnosticIds.AssignedTwice, "'p' has two lines that begin with 'param'" },
        { "init b = 1\ninit «b» = 1\nh[t] = tanh(W @ x[t] + b)", DiagnosticIds.AssignedTwice, "'b' has two lines that begin with 'init'" },
        { "start h = zero\nstart «h» = learned\nh[t] = tanh(W @ x[t] + h[t-1])", DiagnosticIds.AssignedTwice, "'h' has two lines that begin with 'start'" },
        { "output h\n«output c»\nc[t] = W @ x[t]\nh[t] = tanh(c[t])", DiagnosticIds.AssignedTwice, "The output has two lines that begin with 'output'" },

        // Two names that are one in files.
        { "h[t] = tanh(W{1} @ x[t] + «W_1» @ h[t-1])", DiagnosticIds.AssignedTwice, "W{1} and W_1 are one parameter, which files call 'W_1' (write it in one way, or give one of two another name)" },
        { "h[t] = tanh(W @ x[t] + b_1{2} + «b{1,2}»)", DiagnosticIds.AssignedTwice, "b_1{2} and b{1,2} are one parameter, which files call 'b_1_2'" },
        { "param b_1 = 2\nfor k in 1..2 {\ns{k}[t] = W{k} @ x[t] + «b{k}»\n}\nh[t] = tanh(s{1}[t] + s{2}[t])", DiagnosticIds.AssignedTwice, "b_1 and b{k} are one parameter, which files call 'b_1'" },

        // As it is set in print.
        { "h[t] = tanh(W_{«xi»} @ x[t])", DiagnosticIds.SizeUnknown, "'xi' is no size (write W_xi for a name with a subscript" },
        { "h[t] = «sin»(W @ x[t])", DiagnosticIds.UnknownName, "no function is called 'sin' (functions are sigmoid, tanh," },
        { "h[t] = «swish»(W @ x[t])", DiagnosticIds.UnknownName, "no function is called 'swish' (write silu(a))" },
        { "h[t] = «σ»(W @ x[t])", DiagnosticIds.UnknownName, "no function is called 'σ' (write sigmoid(a))" },
        { "h[t] = «Σ»(W @ x[t])", DiagnosticIds.UnknownName, "no function is called 'Σ' (write sum(a), or sum{k in 1..n}(a{k}))" },
        { "h[t] = «Sigmoid»(W @ x[t])", DiagnosticIds.UnknownName, "no function is called 'Sigmoid' (did you mean 'sigmoid'?)" },
        { "h[t] = «LeakyReLU»(W @ x[t])", DiagnosticIds.UnknownName, "no function is called 'LeakyReLU' (did you mean 'leaky_relu'?)" },
        { "h[t] = «tanhh»(W @ x[t])", DiagnosticIds.UnknownName, "no function is called 'tanhh' (did you mean 'tanh'?)" },
        { "h[t] = «mish»(W @ x[t])", DiagnosticIds.UnknownName, "no function is called 'mish' (write a * tanh(softplus(a)))" },
        { "h[t] = tanh(W @ «concatenate»(x[t], h[t-1]))", DiagnosticIds.UnknownName, "no function is called 'concatenate' (write concat(a, b))" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Tells_a_mistake_on_its_characters(string marked, string id, string message)
    {
        Marked expected = Marked.Parse(marked);
        EquationError error = Assert.Single(Compiler.Compile(Networks.Features(3, Layer(expected.Text))).Errors).Error;
        expected.AssertTold(id, message, error);
    }

    [Theory]
    [InlineData(60, 32, null)] // 1,920 values of earlier steps
    [InlineData(63, 32, "The cell computes 0 values in a step and keeps 2016 of the steps before, one for every step back, together more than 2000 (")]
    [InlineData(1500, 1, null)]
    [InlineData(2001, 1, "The cell computes 0 values in a step and keeps 2001 of the steps before")]
    public void A_cell_keeps_so_many_values_of_earlier_steps(int values, int delay, string? message)
    {
        string text = $"for k in 1..{values} {{\nz{{k}}[t] = z{{k-1}}[t-{delay}]\n}}\nz{{0}}[t] = x[t]\noutput z{{{values}}}";
        var errors = new List<LayerError>();
        ModelGraph? graph = Bind.Run(Networks.Features(4, Layer(text)), errors);
        Assert.Equal(message is null, graph is not null);
        if (message is not null)
        {
            EquationError error = Assert.Single(errors).Error;
            Assert.Equal(DiagnosticIds.LimitExceeded, error.Id);
            Assert.StartsWith(message, error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("W", "uniform(-2.9, 2.9)")]
    [InlineData("V", "glorot()")]
    [InlineData("U", "orthogonal()")]
    [InlineData("Q", "he()")]
    [InlineData("h_start", "zero()")]
    public void Starts_a_parameter_by_what_it_is_applied_to(string parameter, string initializer)
    {
        // W is looked up; V too, but it also meets a vector; Q is looked up and says for itself how it starts.
        const string text = "start h = learned\ninit Q = he\nh[t] = tanh(W @ x[t] + V @ x[t] + Q @ x[t] + U @ h[t-1] + V @ a)";
        ModelGraph graph = Networks.Bind(Networks.Tokens(9, Layer(text)));
        ParameterDeclaration declaration = graph.Parameters.Single(p => p.Node.Name == "cell." + parameter);
        Assert.Equal(initializer, $"{declaration.Initializer}({string.Join(", ", declaration.Arguments.Select(SourceText))})");
    }

    [Theory]
    [InlineData(0.5, 0.5)]
    [InlineData(0, 0)]
    public void A_start_that_is_bound_to_a_number_is_no_parameter(double number, double start)
    {
        ModelGraph graph = Networks.BindCell("start h = learned\nh[t] = tanh(W @ x[t] + U @ h[t-2])", 4, 3, Networks.Bound("h_start", number));
        Assert.Equal(["cell.W", "cell.U"], graph.Parameters.Select(parameter => parameter.Node.Name));
        Assert.All(graph.States, state => Assert.Equal((start, null), (state.StartNumber, state.LearnedStart)));
        Assert.All(graph.States, state => Assert.Same(state.Initial, state.Start));
    }

    [Fact]
    public void Every_age_of_a_value_starts_alike()
    {
        ModelGraph graph = Networks.BindCell("start h = learned\nh[t] = tanh(W @ x[t-1] + U @ h[t-3])", 4);
        Assert.Equal(
            [("cell.h", "cell.h_start"), ("cell.h[t-2]", "cell.h_start"), ("cell.h[t-3]", "cell.h_start"), ("cell.x", null)],
            graph.States.Select(state => (state.Name, state.LearnedStart?.Name)).Order());
        Assert.Equal(3, graph.States.Select(state => state.Fresh).OfType<Node>().Distinct().Count());
    }

    private static string SourceText(double number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static LayerSpec Layer(string text) => new("cell", "cell", text, 4, EquatableArray<CellSetting>.Empty);
}

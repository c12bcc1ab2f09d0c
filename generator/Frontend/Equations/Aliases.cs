using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using System.Text.RegularExpressions;

namespace Unrolled.Generator.Frontend.Equations;

/// <summary>
/// What papers and other libraries call something, a row each, and what is written here instead: the remedy of a message. Names are compared
/// without case, underscores and hyphens, and without what stands before a point (<c>nn.LSTMCell</c>).
/// </summary>
internal static class Aliases
{
    /// <summary>How the step before is written behind a value's name.</summary>
    public const string EarlierStep = "[t-1]";

    /// <summary>Functions of equations.</summary>
    public static readonly ImmutableDictionary<string, string> Functions = Rows(
        ("write sigmoid(a)", "σ logistic sigm expit logsig sigma"),
        ("write tanh(a)", "th tansig tgh hyperbolic_tangent"),
        ("write relu(a)", "rectifier rectify ramp rectified_linear"),
        ("write silu(a)", "swish"),
        ("write clip(a, 0, 6)", "relu6"),
        ("write a * hard_sigmoid(a)", "hard_swish hard_silu hswish"),
        ("write a * tanh(softplus(a))", "mish"),
        ("write 1.05070099 * elu(a, 1.67326324)", "selu"),
        ("write leaky_relu(a, p), with a parameter p", "prelu"),
        ("write a * sigmoid(b)", "glu"),
        ("write -softplus(-a)", "log_sigmoid"),
        ("write a - tanh(a)", "tanh_shrink"),
        ("write softmax(-a)", "softmin"),
        ("write a itself, or identity(a)", "linear none id"),
        ("write layer_norm(a)", "ln_norm norm_layer batch_norm group_norm instance_norm"),
        ("write a / sqrt(mean(square(a)) + 1e-5)", "rms_norm"),
        ("write exp(b * log(a)) where a is positive, square(a), or sqrt(a)", "pow power"),
        ("write square(a)", "sqr"),
        ("write 1 / sqrt(a)", "rsqrt"),
        ("write 1 / a", "reciprocal recip inv inverse"),
        ("write log(a)", "ln"),
        ("write log(1 + a)", "log1p"),
        ("write 1.44269504 * log(a)", "log2"),
        ("write 0.434294482 * log(a)", "log10"),
        ("write exp(0.693147181 * a)", "exp2"),
        ("write exp(a) - 1", "expm1"),
        ("write -a", "neg negative negate"),
        ("write 1 - a", "one_minus complement"),
        ("write a + b", "add plus"),
        ("write a - b", "sub subtract minus"),
        ("write a * b", "mul multiply hadamard times"),
        ("write a / b", "div divide"),
        ("write W @ a for a product with a matrix", "matmul mm mv matvec linear_map einsum"),
        ("write sum(a * b)", "dot inner inner_product"),
        ("write mean(a)", "avg average"),
        ("write sum(a), or sum{k in 1..n}(a{k})", "Σ reduce_sum"),
        ("write max(a, b), or max(a) for the greatest element", "maximum amax"),
        ("write min(a, b)", "minimum amin"),
        ("write clip(a, low, high)", "clamp clip_by_value saturate"),
        ("write mean(square(a - mean(a)))", "var variance"),
        ("write sqrt(mean(square(a - mean(a))))", "std stddev"),
        ("write concat(a, b)", "cat concatenate stack hstack vstack join"),
        ("write transpose(W)", "trans t"));

    /// <summary>Functions that there are none of, and that no other should be taken for by a likeness of their names.</summary>
    public static readonly ImmutableHashSet<string> NoFunctions = ImmutableHashSet.CreateRange(
        StringComparer.Ordinal,
        "sin cos sinh cosh asin acos atan sign sgn erf floor ceil round mod step heaviside where if prod argmax random rand noise dropout conv convolve"
            .Split(' '));

    /// <summary>Cells and layers.</summary>
    public static readonly ImmutableDictionary<string, string> Cells = Rows(
        ("write lstm", "lstm_cell long_short_term_memory basic_lstm vanilla_lstm cudnn_lstm"),
        ("write lstm, which has peepholes", "peephole_lstm lstm_peephole"),
        ("write lstm_projected", "lstmp projected_lstm"),
        ("write lstm_layer_norm", "ln_lstm layer_norm_lstm"),
        ("write lstm_coupled", "cifg cifg_lstm coupled_lstm"),
        ("write gru_reset_after, as in PyTorch and Keras, or gru, as in its paper", "gru_cell cudnn_gru gated_recurrent_unit"),
        ("write gru", "gru_reset_before"),
        ("write rnn", "simple_rnn rnn_cell vanilla_rnn elman elman_rnn basic_rnn recurrent"),
        ("write dense", "linear fully_connected fc feed_forward inner_product affine mlp perceptron"),
        ("write minimal_gated", "mgu mgru minimal_gated_unit"),
        ("write recurrent_highway", "rhn"),
        ("write clockwork", "cw_rnn clockwork_rnn"),
        ("write leaky_integrator", "leaky_rnn esn echo_state reservoir ctrnn"),
        ("the first layer looks tokens up: state the number of tokens as the model's input", "embedding lookup"),
        ("layers run forward only: give the reversed sequence to a model of its own", "bidirectional bilstm bigru birnn"),
        ("an activation belongs to a layer, for example to dense", "activation relu tanh sigmoid softmax"),
        ("there is no such layer; layer_norm(a) is a function of equations", "layer_norm layer_normalization batch_norm batch_normalization"),
        ("there is no dropout; leave it out", "dropout"));

    /// <summary>What a layer's properties and settings are called elsewhere.</summary>
    public static readonly ImmutableDictionary<string, string> Settings = Rows(
        ("the number of units stands beside the cell's name", "units hidden_size hidden size num_units n_units n_hidden hidden_units hidden_dim output_size out_features output_dim dim neurons width"),
        ("what a layer reads follows from the layer before it, or from the model's input", "input input_size input_dim input_shape in_features"),
        ("write the layer once for each", "num_layers n_layers layers stacked"),
        ("layers run forward only: give the reversed sequence to a model of its own", "bidirectional direction reverse go_backwards backward"),
        ("sequences are [step, batch, feature]", "batch_first time_major layout"),
        ("there is no dropout; leave it out", "dropout recurrent_dropout zoneout"),
        ("activations are params of the cell: set them, as in activation = relu", "activation nonlinearity act gate_activation cell_activation"),
        ("a layer gives every step; take the last where one is wanted", "return_sequences return_sequence"),
        ("a session carries its state from call to call", "stateful return_state"),
        ("take the layer lstm_projected, whose size cells is the wider one", "proj_size projection_size num_proj"),
        ("bias = false takes the biases away", "use_bias"),
        ("the forget gate's bias starts at forget_bias", "unit_forget_bias"),
        ("set gate_activation", "recurrent_activation inner_activation"),
        ("a function has its limits with it: tanh(clip(-3, 3))", "clip cell_clip"),
        ("init lines and settings say where a parameter starts, as in init W_x = he", "initializer kernel_initializer recurrent_initializer bias_initializer initialization"));

    /// <summary>The properties of a JSON layer by which other formats name its cell.</summary>
    public static readonly ImmutableArray<string> CellProperties = ImmutableArray.Create("type", "cell", "kind", "layer", "class", "class_name", "layer_type", "op");

    /// <summary>Losses.</summary>
    public static readonly ImmutableDictionary<string, string> Losses = Rows(
        ("write softmax_cross_entropy", "cross_entropy cross_entropy_loss categorical_crossentropy sparse_categorical_crossentropy softmax ce nll nll_loss log_loss"),
        ("write mean_squared_error", "mse mse_loss l2 squared_error quadratic"));

    /// <summary>The members of a JSON model and of its input.</summary>
    public static readonly ImmutableDictionary<string, string> Model = Rows(
        ("write class", "name model class_name type"),
        ("write layers", "layer network modules"),
        ("write input", "inputs input_size input_shape input_dim"),
        ("write tokens", "vocab vocabulary vocab_size num_tokens num_embeddings classes num_classes characters"),
        ("write features", "size dim dims channels input_features n_features num_features in_features units vectors"),
        ("training is code: new Adam(model)", "optimizer learning_rate epochs batch_size training"));

    /// <summary>
    /// The parts of a name by which a parameter is taken for a value of another step or of this one, behind the value's name or before it, as
    /// in <c>h_prev</c>, <c>prev_h</c>, <c>h_t</c>.
    /// </summary>
    public static readonly ImmutableDictionary<string, string> Steps = Rows(
        (EarlierStep, "prev previous old last past before tm1 t_1 t_minus_1"),
        ("[t]", "t ₜ now cur curr current"));

    /// <summary>What a row says of a name, or null.</summary>
    public static string? Find(ImmutableDictionary<string, string> rows, string name) =>
        rows.TryGetValue(name, out string? remedy) || rows.TryGetValue(Key(name), out remedy) ? remedy : null;

    /// <summary>The remedy for a function that there is none of.</summary>
    /// <param name="known">The functions there are, and params that hold one.</param>
    /// <param name="isCalled">Whether it stands before its values; otherwise it is what a param holds.</param>
    public static string FunctionRemedy(string name, IEnumerable<string> known, bool isCalled)
    {
        string[] names = known.Distinct().ToArray();
        string all = $"functions are {string.Join(", ", names)}";
        string advice = NoFunctions.Contains(Key(name)) ? all : Nearest.Advice(name, names, all, Functions);
        if (isCalled || advice == all || !advice.StartsWith("write ", StringComparison.Ordinal))
        {
            return $"({advice})";
        }

        // A param holds a function without its value: clip(0, 6).
        Match call = Regex.Match(advice, @"^write (\w+)\(a(?:, ([^()]*))?\)$", RegexOptions.CultureInvariant);
        return !call.Success ? $"(equations can {advice})"
            : call.Groups[2].Success ? $"(write {call.Groups[1].Value}({call.Groups[2].Value}))"
            : $"(write {call.Groups[1].Value})";
    }

    /// <summary>A name without what does not tell two names apart. Letters of other alphabets keep their case: σ is a function, and Σ is another.</summary>
    public static string Key(string name) => string.Concat(name.Skip(name.LastIndexOf('.') + 1)
        .Where(character => character is not ('_' or '-'))
        .Select(character => character is >= 'A' and <= 'Z' ? char.ToLowerInvariant(character) : character));

    private static ImmutableDictionary<string, string> Rows(params (string Remedy, string Names)[] rows) =>
        rows.SelectMany(row => row.Names.Split(' ').Select(name => new KeyValuePair<string, string>(Key(name), row.Remedy)))
            .ToImmutableDictionary(StringComparer.Ordinal);
}

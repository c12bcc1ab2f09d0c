using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace CharRnn;

/// <summary>What the user asked for.</summary>
internal sealed record Options(
    string? Text,
    string Cell,
    double Seconds,
    int? Updates,
    float Temperature,
    int Length,
    ulong Seed,
    int Threads,
    string? Save,
    string? Load,
    string Prompt);

/// <summary>A mistake the user can mend: shown as one line, exit code 2.</summary>
internal sealed class UserException(string message) : Exception(message);

/// <summary>The command line.</summary>
internal static class CommandLine
{
    private const double SecondsInYear = 365.0 * 24 * 3600;

    private static readonly Option<string?> s_text = new("--text")
    {
        HelpName = "FILE",
        Description = "The text to learn; the project's own source files where none is given.",
    };

    private static readonly Option<string> s_cell = new("--cell")
    {
        HelpName = string.Join('|', Cells.Names),
        Description = "The recurrent cell.",
        DefaultValueFactory = _ => Cells.Default,
        CustomParser = result => Parse(result, Cells.Names.Contains, text => text, "one of " + string.Join(", ", Cells.Names)) ?? "",
    };

    private static readonly Option<double> s_seconds = new("--seconds")
    {
        HelpName = "N",
        Description = "How long to train; 0 only evaluates and samples.",
        DefaultValueFactory = _ => 60,
        CustomParser = result => Parse(result, value => value is >= 0 and <= SecondsInYear, ParseDouble, "a number from 0 to 31,536,000 (a year)"),
    };

    private static readonly Option<int?> s_updates = new("--updates")
    {
        HelpName = "N",
        Description = "How many updates to train, whatever time they take: then the machine's speed does not decide what is learned.",
        CustomParser = result => Parse<int?>(result, value => value >= 0, text => int.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture), "a whole number from 0 to 2147483647"),
    };

    private static readonly Option<float> s_temperature = new("--temperature")
    {
        HelpName = "T",
        Description = "Below 1 the sample is more careful, above 1 more surprising; 0 always takes the likeliest byte.",
        DefaultValueFactory = _ => 0.7f,
        CustomParser = result => Parse(result, value => value is 0 or >= 0.01f and <= 100, text => (float)ParseDouble(text), "0 or a number from 0.01 to 100"),
    };

    private static readonly Option<int> s_length = new("--length")
    {
        HelpName = "N",
        Description = "How many bytes to write.",
        DefaultValueFactory = _ => 1000,
        CustomParser = result => Parse(result, value => value >= 0, text => int.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture), "a whole number from 0 to 2147483647"),
    };

    private static readonly Option<ulong> s_seed = new("--seed")
    {
        HelpName = "N",
        Description = "Decides the first parameters and the sample.",
        DefaultValueFactory = _ => 1,
        CustomParser = result => Parse(result, _ => true, text => ulong.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture), "a whole number from 0 to 18446744073709551615"),
    };

    private static readonly Option<int> s_threads = new("--threads")
    {
        HelpName = "N",
        Description = "How many threads train; they decide the time, not the result.",
        DefaultValueFactory = _ => 1,
        CustomParser = result => Parse(result, value => value is >= 1 and <= 1024, text => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture), "a whole number from 1 to 1024"),
    };

    private static readonly Option<string?> s_save = new("--save") { HelpName = "FILE", Description = "Where to write the weights (safetensors)." };

    private static readonly Option<string?> s_load = new("--load") { HelpName = "FILE", Description = "Weights to begin with (safetensors)." };

    private static readonly Option<string> s_prompt = new("--prompt")
    {
        HelpName = "TEXT",
        Description = "What the model reads before it writes.",
        DefaultValueFactory = _ => "",
    };

    /// <summary>Reads the command line and runs the program, or writes the help.</summary>
    /// <exception cref="UserException">The command line has a mistake.</exception>
    public static int Run(string[] arguments, Func<Options, int> run)
    {
        var root = new RootCommand("Trains a byte-level character model and lets it write.")
        {
            s_text, s_cell, s_seconds, s_updates, s_temperature, s_length, s_seed, s_threads, s_save, s_load, s_prompt,
        };
        root.Validators.Add(result =>
        {
            if (result.GetResult(s_updates) is not null && result.GetResult(s_seconds) is { Implicit: false })
            {
                result.AddError("--seconds and --updates both say how long to train: give one of them.");
            }
        });
        root.SetAction(result => run(new Options(
            result.GetValue(s_text),
            result.GetValue(s_cell)!,
            result.GetValue(s_seconds),
            result.GetValue(s_updates),
            result.GetValue(s_temperature),
            result.GetValue(s_length),
            result.GetValue(s_seed),
            result.GetValue(s_threads),
            result.GetValue(s_save),
            result.GetValue(s_load),
            result.GetValue(s_prompt)!)));

        // A name beginning with @ is a file's name, not a file of further options.
        var parsed = root.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
        {
            throw new UserException(parsed.Errors[0].Message);
        }

        return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
    }

    private static double ParseDouble(string text) => double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);

    private static T? Parse<T>(ArgumentResult result, Func<T, bool> accepts, Func<string, T> parse, string expected)
    {
        var text = result.Tokens[0].Value;
        try
        {
            var value = parse(text);
            if (accepts(value))
            {
                return value;
            }
        }
        catch (Exception exception) when (exception is FormatException or OverflowException)
        {
            // Told below with everything else that does not fit.
        }

        var option = ((OptionResult)result.Parent!).Option.Name;
        result.AddError($"{option} must be {expected}, not '{text}'.");
        return default;
    }
}

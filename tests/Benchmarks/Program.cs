using System.CommandLine;
using System.Text.RegularExpressions;
using Unrolled.Benchmarks;

// Each command has an argument of its own: a symbol has one parent.
static Argument<Regex> Filter() => new("regex")
{
    Description = "Which cases, by their names.",
    DefaultValueFactory = _ => new Regex("."),
    CustomParser = result =>
    {
        try
        {
            return new Regex(result.Tokens[0].Value);
        }
        catch (ArgumentException error)
        {
            result.AddError(error.Message);
            return null;
        }
    },
};

static Command Filtered(string name, string description, Action<Regex> run)
{
    var filter = Filter();
    var command = new Command(name, description) { filter };
    command.SetAction(result => run(result.GetRequiredValue(filter)));
    return command;
}

var details = new Option<bool>("--details") { Description = "Adds a comment line on the arithmetic rate reached." };
var casesFilter = Filter();
var cases = new Command("cases", "Prints 'NAME VALUE UNIT' a line: the machine's limits, then the median time of one call of each case.")
{
    casesFilter,
    details,
};
cases.SetAction(result => CaseRunner.Run(result.GetRequiredValue(casesFilter), result.GetValue(details), Console.Out));

var list = Filtered("list", "Prints the names of the cases.", filter =>
{
    foreach (var benchmark in AllCases.List().Where(benchmark => filter.IsMatch(benchmark.Name)))
    {
        Console.WriteLine(benchmark.Name);
    }
});

var limits = Filtered("limits", "Shows what share of the machine's limit each case reaches, and how a step divides.", LimitReport.Run);
var statistics = Filtered("bdn", "Runs cases under BenchmarkDotNet, with its statistics and its memory diagnoser.", CaseBenchmarks.Run);

var silence = new Command("silence", "Shows what a step costs while states decay to nothing: an impulse, then 200,000 zeros.");
silence.SetAction(_ => SilenceReport.Run());

const string Code = "code";
var axis = new Argument<string[]>("axis")
{
    Description = "What grows, or the emitted code's own cost; everything in turn where nothing is named.",
    Arity = ArgumentArity.ZeroOrMore,
    DefaultValueFactory = _ => [.. ScaleReport.Names, Code],
};
axis.AcceptOnlyFromAmong([.. ScaleReport.Names, Code]);
var upTo = new Option<int>("--up-to") { Description = "Leaves larger values out.", DefaultValueFactory = _ => int.MaxValue };
var scale = new Command("scale", "Shows how a training step's time and memory grow along each axis.") { axis, upTo };
scale.SetAction(result =>
{
    foreach (var name in result.GetRequiredValue(axis))
    {
        if (name == Code)
        {
            CodeReport.Run();
        }
        else
        {
            ScaleReport.Run(name, result.GetRequiredValue(upTo));
        }
    }
});

Tables.Widen();
return new RootCommand("Benchmarks of compiled models.") { cases, limits, statistics, scale, silence, list }.Parse(args).Invoke();

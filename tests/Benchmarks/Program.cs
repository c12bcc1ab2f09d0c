using System.CommandLine;
using System.Text.RegularExpressions;
using BenchmarkDotNet.Running;
using Unrolled.Benchmarks;

var filter = new Argument<string>("regex")
{
    Description = "Which cases to run, by their names.",
    DefaultValueFactory = _ => ".",
};
filter.Validators.Add(result =>
{
    try
    {
        _ = new Regex(result.GetValueOrDefault<string>());
    }
    catch (ArgumentException error)
    {
        result.AddError(error.Message);
    }
});
var details = new Option<bool>("--details") { Description = "Adds a comment line on the arithmetic rate reached." };
var cases = new Command("cases", "Prints 'NAME VALUE UNIT' a line: the machine's limits, then the median time of one call of each case.")
{
    filter,
    details,
};
cases.SetAction(result => CaseRunner.Run(
    new Regex(result.GetRequiredValue(filter)), result.GetValue(details), Console.Out));

var list = new Command("list", "Prints the names of the cases.");
list.SetAction(_ =>
{
    foreach (var benchmark in AllCases.List())
    {
        Console.WriteLine(benchmark.Name);
    }
});

var statistics = new Command("statistics", "Runs the cases under BenchmarkDotNet; arguments after -- are its own.");
var arguments = new Argument<string[]>("arguments") { Arity = ArgumentArity.ZeroOrMore };
statistics.Add(arguments);
statistics.SetAction(result => { BenchmarkRunner.Run<CaseBenchmarks>(args: result.GetValue(arguments)); });

return new RootCommand("Benchmarks of compiled models, on one thread.") { cases, list, statistics }.Parse(args).Invoke();

using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis.Text;
using Unrolled.Generator.Frontend;
using Unrolled.Generator.Frontend.Json;
using Unrolled.Generator.Tests.Harness;
using Xunit;

namespace Unrolled.Generator.Tests;

/// <summary>The JSON Schema that goes with the package, against the generator itself: both judge the same files.</summary>
public sealed partial class SchemaTests
{
    private const string File = "generator/Frontend/Json/unrolled.schema.json";

    private const string Validator = "ajv@8.20.0";

    /// <summary>Reads the schema and texts from a file, and writes for each text whether it is valid.</summary>
    private const string Script = """
        const { default: Ajv } = require('ajv');
        const { schema, texts } = JSON.parse(require('fs').readFileSync(process.argv[2], 'utf8'));
        const validate = new Ajv({ strict: true, strictTypes: false, strictRequired: false }).compile(schema);
        console.log(JSON.stringify(texts.map(text => validate(JSON.parse(text)) ? '' : JSON.stringify(validate.errors[0]))));
        """;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    /// <summary>Structural mistakes, each in one part of a file that is right without it.</summary>
    internal static IReadOnlyList<string> Wrong { get; } =
    [
        "[]",
        "7",
        "null",
        "{}",
        With("\"class\": \"M\", ", ""),
        With("\"input\": { \"features\": 3 }, ", ""),
        With(", \"layers\": [ { \"a\": 4 }, { \"rnn\": 2 } ]", ""),
        With("\"M\"", "null"),
        With("\"M\"", "\"\""),
        With("\"M\"", "\"A.\""),
        With("\"M\"", "\"A.1B\""),
        With("\"M\"", "\"A<T>\""),
        With("\"M\"", $"\"{new string('a', 501)}\""),
        With("\"M\"", "\"M\", \"public\": 1"),
        With("\"M\"", "\"M\", \"public\": \"true\""),
        With("\"loss\"", "\"lost\""),
        With("\"none\"", "\"nome\""),
        With("\"none\"", "0"),
        With("\"none\"", "\"None\""),
        With("{ \"features\": 3 }", "{}"),
        With("{ \"features\": 3 }", "3"),
        With("{ \"features\": 3 }", "{ \"features\": 3, \"tokens\": 2 }"),
        With("{ \"features\": 3 }", "{ \"features\": 3, \"rows\": 2 }"),
        With("{ \"features\": 3 }", "{ \"feature\": 3 }"),
        With("3 }", "0 }"),
        With("3 }", "-1 }"),
        With("3 }", "1.5 }"),
        With("3 }", "1000001 }"),
        With("3 }", "1e999 }"),
        With("3 }", "\"3\" }"),
        With("[ { \"a\": 4 }, { \"rnn\": 2 } ]", "[]"),
        With("[ { \"a\": 4 }, { \"rnn\": 2 } ]", "{ \"rnn\": 2 }"),
        With("{ \"rnn\": 2 }", "7"),
        With("{ \"rnn\": 2 }", "{}"),
        With("{ \"rnn\": 2 }", "{ \"name\": \"x\" }"),
        With("{ \"rnn\": 2 }", "{ \"bias\": true }"),
        With("{ \"rnn\": 2 }", "{ \"name\": \"x\", \"set\": {}, \"init\": {} }"),
        With("\"rnn\": 2", "\"rnn\": 2, \"gru\": 3"),
        With("\"rnn\": 2", "\"rnn\": 2, \"a\": 3"),
        With("\"a\": 4", "\"a\": 4, \"b\": 4"),
        With("\"a\": 4", "\"a\": 4, \"b\": 4, \"name\": \"c\""),
        With("\"rnn\": 2", "\"rnn\": -2"),
        With("\"rnn\": 2", "\"rnn\": true"),
        With("\"rnn\": 2", "\"Rnn\": true"),
        With("\"rnn\": 2", "\"rnn\": [2]"),
        With("\"rnn\": 2", "\"indrnn\": 0"),
        With("\"a\": 4", "\"a\": 0"),
        With("\"a\": 4", "\"a\": \"4\""),
        With("\"a\": 4", "\"a\": 4, \"bias\": false"),
        With("\"rnn\": 2", "\"rnn\": 2, \"peepholes\": true"),
        With("\"rnn\": 2", "\"indrnn\": 2, \"bias\": true"),
        With("\"rnn\": 2", "\"rnn\": 2, \"bias\": 0"),
        With("\"rnn\": 2", "\"rnn\": 2, \"bias\": \"true\""),
        With("\"rnn\": 2", "\"rnn\": 2, \"nonlinearity\": \"rely\""),
        With("\"rnn\": 2", "\"rnn\": 2, \"nonlinearity\": true"),
        With("\"rnn\": 2", "\"lstm\": 2, \"forget_bias\": \"1\""),
        With("\"rnn\": 2", "\"lstm\": 2, \"forget_bias\": 1e39"),
        With("\"rnn\": 2", "\"rnn\": 2, \"name\": \"a.b\""),
        With("\"rnn\": 2", "\"rnn\": 2, \"name\": 3"),
        With("\"a\": 4", "\"a\": 4, \"name\": \"\""),
        With("\"a\": 4", "\"a\": 4, \"init\": { \"b\": 1e39 }"),
        With("\"a\": 4", "\"a\": 4, \"init\": { \"b\": \"tanh\" }"),
        With("\"a\": 4", "\"a\": 4, \"set\": { \"b\": [] }"),
        With("\"a\": 4", "\"a\": 4, \"set\": { \"b\": true }"),
        With("\"a\": 4", "\"a\": 4, \"set\": { \"b\": \"tahn\" }"),
        With("\"a\": 4", "\"a\": 4, \"set\": \"b = 0\""),
        With("\"rnn\": 2", "\"rnn\": 2, \"set\": 3"),
        With("\"rnn\": 2", "\"recurrent_highway\": 2, \"set\": { \"depth\": 1.5 }"),
        With("\"rnn\": 2", "\"recurrent_highway\": 2, \"set\": { \"activation\": 1 }"),
        With("\"h[t] = W @ x[t] + b\"", "[ 1 ]"),
        With("\"h[t] = W @ x[t] + b\"", "{}"),
        With("\"cells\": { \"a\"", "\"cells\": { \"1\": \"\", \"a\""),
        With("\"cells\": { \"a\"", "\"cells\": { \"bias\": \"\", \"a\""),
        With("\"cells\": { \"a\"", "\"cells\": { \"name\": \"\", \"a\""),
        With("{ \"a\": \"h[t] = W @ x[t] + b\" }", "[]"),
    ];

    /// <summary>Files that are right, from the tests, the README and the page of diagnostics.</summary>
    private static IEnumerable<string> Right() =>
    [
        With("", ""),
        With("\"M\"", "\"M\", \"public\": true"),
        .. JsonTests.BothForms.Select(row => row.Data.Item2),
        JsonTests.EverySetting().Json,
        .. DiagnosticExamples.All.Where(example => example.Path.EndsWith(".json", StringComparison.Ordinal)).Select(example => example.Right!),
        .. Fenced().Matches(System.IO.File.ReadAllText(Path.Combine(Repository.Root, "README.md"))).Select(match => match.Groups[1].Value),
        .. Directory.EnumerateFiles(Repository.Root, "*" + JsonFrontend.Extension, SearchOption.AllDirectories)
            .Where(path => !path.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
                && !path.Contains($"{Path.DirectorySeparatorChar}bin{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .Select(System.IO.File.ReadAllText),
    ];

    // A right file with a part replaced.
    private static string With(string part, string instead)
    {
        const string model = """{ "class": "M", "input": { "features": 3 }, "cells": { "a": "h[t] = W @ x[t] + b" }, "layers": [ { "a": 4 }, { "rnn": 2 } ], "loss": "none" }""";
        Assert.Contains(part, model, StringComparison.Ordinal);
        return part.Length == 0 ? model : model.Replace(part, instead, StringComparison.Ordinal);
    }

    [Fact]
    public void The_schema_says_what_the_generator_goes_by() => Snapshot.VerifyFile(SchemaText.Make(), File);

    [Fact]
    public void The_generator_refuses_what_is_wrong_and_takes_what_is_right()
    {
        // Cells of files are not known here; only what a layer's structure says is asked for.
        Assert.All(Wrong, text => Assert.True(Parse(text).Diagnostics.Any(diagnostic => diagnostic.IsError), text));
        Assert.All(Right(), text => Assert.True(Parse(text).Request is not null, $"{text}\n{string.Join('\n', Parse(text).Diagnostics.Select(diagnostic => diagnostic.ToDiagnostic("")))}"));
    }

    private static ParsedModel Parse(string text) => JsonFrontend.Parse("m.rnn.json", SourceText.From(text), SharedCells.None);

    [Fact]
    public async Task An_editors_validator_judges_as_the_generator_does()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("unrolled-schema-");
        try
        {
            await Install(folder.FullName);
            string[] right = [.. Right()];
            await System.IO.File.WriteAllTextAsync(Path.Combine(folder.FullName, "validate.js"), Script, TestContext.Current.CancellationToken);
            await System.IO.File.WriteAllTextAsync(
                Path.Combine(folder.FullName, "input.json"),
                JsonSerializer.Serialize(new
                {
                    schema = JsonSerializer.Deserialize<JsonElement>(await System.IO.File.ReadAllTextAsync(Path.Combine(Repository.Root, File), TestContext.Current.CancellationToken)),
                    texts = right.Concat(Wrong),
                }),
                TestContext.Current.CancellationToken);
            (int exitCode, string output) = await Run("node", folder.FullName, "validate.js", "input.json");
            Assert.True(exitCode == 0, output);
            string[] judged = JsonSerializer.Deserialize<string[]>(output)!;
            Assert.Equal(right.Length + Wrong.Count, judged.Length);
            Assert.All(right.Zip(judged), pair => Assert.True(pair.Second.Length == 0, $"{pair.First}\n{pair.Second}"));
            Assert.All(Wrong.Zip(judged.Skip(right.Length)), pair => Assert.True(pair.Second.Length > 0, $"valid: {pair.First}"));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task Install(string folder)
    {
        foreach (string program in new[] { "node", "npm" })
        {
            try
            {
                _ = await Run(program, folder, "--version");
            }
            catch (System.ComponentModel.Win32Exception)
            {
                Assert.Skip($"There is no {program} here to run {Validator} with (on Debian: apt-get install nodejs npm).");
            }
        }

        (int exitCode, string output) = await Run("npm", folder, "install", "--no-audit", "--no-fund", "--prefer-offline", "--no-save", Validator);
        if (exitCode != 0)
        {
            Assert.Skip($"npm cannot install {Validator}: {output}");
        }
    }

    private static async Task<(int ExitCode, string Output)> Run(string program, string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            return (-1, $"{program} did not end within {Patience}");
        }

        return (process.ExitCode, process.ExitCode == 0 ? await output : await output + await error);
    }

    [GeneratedRegex("```json\\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Fenced();
}

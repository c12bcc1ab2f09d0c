using System.IO.Compression;
using System.Reflection;
using System.Runtime.Loader;
using Aot.Tests;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Text;

namespace Package.Tests;

/// <summary>The package, as a user takes it: packed, restored from a folder, built with and run.</summary>
public sealed class PackageTests(PackedLibrary library) : IClassFixture<PackedLibrary>
{
    [Fact]
    public async Task It_holds_the_runtime_the_generator_with_what_it_needs_and_the_schema()
    {
        using ZipArchive package = ZipFile.OpenRead(await library.Pack());
        string[] entries = [.. package.Entries.Select(entry => entry.FullName)];
        string[] expected =
        [
            "README.md",
            "Unrolled.nuspec",
            "analyzers/dotnet/cs/System.Text.Json.dll",
            "analyzers/dotnet/cs/Unrolled.CodeFixes.dll",
            "analyzers/dotnet/cs/Unrolled.Generator.dll",
            "build/Unrolled.props",
            "buildTransitive/Unrolled.props",
            "diagnostics.md",
            "lib/net10.0/Unrolled.dll",
            "lib/net10.0/Unrolled.xml",
            "lib/net8.0/Unrolled.dll",
            "lib/net8.0/Unrolled.xml",
            "schema/unrolled.schema.json",
        ];
        Assert.Superset(expected.ToHashSet(), entries.ToHashSet());
        Assert.DoesNotContain(entries, entry => entry.Contains("Microsoft.CodeAnalysis", StringComparison.Ordinal));
        Assert.DoesNotContain(entries, entry => entry.StartsWith("lib/", StringComparison.Ordinal) && !expected.Contains(entry));

        // A user of the package needs no other one.
        using var reader = new StreamReader(package.GetEntry("Unrolled.nuspec")!.Open());
        Assert.DoesNotContain("<dependency ", await reader.ReadToEndAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_program_takes_attributes_JSON_and_a_cell_file_through_it()
    {
        string folder = await library.Program();
        string output = await Command.Run("dotnet", [Path.Combine(folder, "bin", "Release", "net10.0", "App.dll")]);
        Assert.Equal("same parameters True\nsame outputs True\nlearns True\n", output.ReplaceLineEndings("\n"));
        Assert.Equal(
            await File.ReadAllTextAsync(Path.Combine(PackedLibrary.Root, "generator", "Frontend", "Json", "unrolled.schema.json"), TestContext.Current.CancellationToken),
            await File.ReadAllTextAsync(Path.Combine(folder, "obj", "unrolled.schema.json"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task The_generator_finds_what_it_needs_beside_it()
    {
        _ = await library.Program();
        var context = new PackedAssemblies(Path.Combine(library.Packages, "unrolled", PackedLibrary.Version, "analyzers", "dotnet", "cs"));
        var generator = (IIncrementalGenerator)Activator.CreateInstance(context.LoadFromAssemblyName(new AssemblyName("Unrolled.Generator")).GetType("Unrolled.Generator.ModelGenerator", throwOnError: true)!)!;
        GeneratorRunResult result = CSharpGeneratorDriver.Create(generator)
            .AddAdditionalTexts([new Text("m.rnn.json", """{ "class": "M", "input": { "features": 3 }, "layers": [ { "lstm": 2 } ] }""")])
            .RunGenerators(CSharpCompilation.Create("Models"), TestContext.Current.CancellationToken)
            .GetRunResult().Results.Single();
        Assert.Null(result.Exception);
        Assert.Empty(result.Diagnostics);
        Assert.Single(result.GeneratedSources);
        Assert.Contains("System.Text.Json", context.Assemblies.Select(assembly => assembly.GetName().Name));
    }

    /// <summary>
    /// As an older compiler that brings no System.Text.Json of this version along: it comes from the package with what it needs. The
    /// assemblies that hold types of the core library, like Span, every .NET has itself; they are in the package for .NET Framework.
    /// </summary>
    private sealed class PackedAssemblies(string folder) : AssemblyLoadContext("package")
    {
        private static readonly string[] s_core =
            ["System.Buffers", "System.Memory", "System.Numerics.Vectors", "System.Runtime.CompilerServices.Unsafe", "System.Threading.Tasks.Extensions"];

        protected override Assembly? Load(AssemblyName assemblyName) =>
            !s_core.Contains(assemblyName.Name) && Path.Combine(folder, assemblyName.Name + ".dll") is var path && File.Exists(path) ? LoadFromAssemblyPath(path) : null;
    }

    private sealed class Text(string path, string text) : AdditionalText
    {
        public override string Path => path;

        public override SourceText GetText(CancellationToken cancellationToken = default) => SourceText.From(text);
    }
}

/// <summary>Packs the library into a folder and builds a program with it, with packages and everything else in a folder of its own.</summary>
public sealed class PackedLibrary : IDisposable
{
    /// <summary>A version no other package has.</summary>
    public const string Version = "0.0.0-test";

    private static readonly string s_project = typeof(PackedLibrary).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(attribute => attribute.Key == "RuntimeProject").Value!;

    private static readonly (string Path, string Text)[] s_files =
    [
        ("App.csproj", $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <Nullable>enable</Nullable>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                <UseAppHost>false</UseAppHost>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="Unrolled" Version="{Version}" />
              </ItemGroup>
            </Project>
            """),
        ("nuget.config", """
            <configuration>
              <packageSources>
                <clear />
                <add key="packed" value="../feed" />
              </packageSources>
            </configuration>
            """),
        ("cells/leaky.cell", """
            # A leaky integrator, shared by two models
            param leak = 0.5
            h[t] = (1 - leak) * h[t-1] + leak * tanh(W @ x[t] + b)
            """),
        ("models/from-json.rnn.json", """
            {
              "$schema": "../obj/unrolled.schema.json",
              "class": "App.FromJson",
              "input": { "features": 3 },
              "layers": [ { "lstm": 8, "peepholes": true }, { "leaky": 4, "set": { "leak": 0.25 } }, { "dense": 2 } ],
              "loss": "mean_squared_error"
            }
            """),
        ("Program.cs", """
            using System;
            using System.Linq;
            using Unrolled;

            var first = new App.FromAttributes(seed: 1);
            var second = new App.FromJson(seed: 1);
            Console.WriteLine("same parameters " + first.Parameters.Values.SequenceEqual(second.Parameters.Values));
            float[] left = new float[2], right = new float[2];
            var one = first.CreateSession();
            var two = second.CreateSession();
            bool same = true;
            for (int step = 0; step < 10; step++)
            {
                float[] input = { step, 0.5f * step, -1 };
                one.Step(input, left);
                two.Step(input, right);
                same &= left.SequenceEqual(right) && left[0] != 0;
            }

            Console.WriteLine("same outputs " + same);
            using var trainer = first.CreateTrainer(batchSize: 1, steps: 2);
            var optimizer = new Adam(first, learningRate: 0.01f);
            float[] inputs = { 0.5f, -1f, 0.25f, 1f, 0f, -0.5f }, targets = { 0.1f, 0.2f, 0.4f, 0.3f };
            float start = 0, end = 0;
            for (int step = 0; step < 100; step++)
            {
                trainer.ResetState();
                end = trainer.ForwardBackward(inputs, targets);
                start = step == 0 ? end : start;
                optimizer.Step(trainer.Gradients);
            }

            Console.WriteLine("learns " + (end < start / 2));

            namespace App
            {
                [Model(Features = 3)]
                [Lstm(8, Peepholes = true)]
                [Layer("leaky", 4, Set = "leak = 0.25")]
                [Dense(2)]
                [Loss(Loss.MeanSquaredError)]
                internal sealed partial class FromAttributes;
            }
            """),
    ];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("unrolled-package-");
    private string? _package;
    private string? _program;

    /// <summary>The repository.</summary>
    public static string Root { get; } = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(s_project)!, ".."));

    /// <summary>The folder packages are restored to, apart from the user's own.</summary>
    public string Packages => Path.Combine(_folder.FullName, "packages");

    /// <summary>The package's file.</summary>
    internal async Task<string> Pack()
    {
        if (_package is null)
        {
            string feed = Path.Combine(_folder.FullName, "feed");
            string log = await Command.Run(
                "dotnet",
                [
                    "pack", s_project, "--configuration", "Release", "--output", feed, "--artifacts-path", Path.Combine(_folder.FullName, "artifacts"),
                    "-p:Version=" + Version, "-nodeReuse:false",
                ]);
            Assert.DoesNotContain("warning ", log, StringComparison.OrdinalIgnoreCase);
            _package = Assert.Single(Directory.GetFiles(feed));
        }

        return _package;
    }

    /// <summary>The folder of a program that is built with the package.</summary>
    internal async Task<string> Program()
    {
        if (_program is null)
        {
            _ = await Pack();
            string folder = Path.Combine(_folder.FullName, "app");
            foreach ((string path, string text) in s_files)
            {
                string file = Path.Combine(folder, path);
                Directory.CreateDirectory(Path.GetDirectoryName(file)!);
                await File.WriteAllTextAsync(file, text);
            }

            _ = await Command.Run(
                "dotnet", ["build", folder, "--configuration", "Release", "-nodeReuse:false", "-p:UseSharedCompilation=false"], ("NUGET_PACKAGES", Packages));
            _program = folder;
        }

        return _program;
    }

    /// <inheritdoc/>
    public void Dispose() => _folder.Delete(recursive: true);
}

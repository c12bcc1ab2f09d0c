using System.IO.Compression;
using System.Reflection;
using System.Runtime.Loader;
using System.Text.RegularExpressions;
using Aot.Tests;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Text;

namespace Package.Tests;

/// <summary>The package, as a user takes it: packed, restored from a folder, built with and run.</summary>
public sealed partial class PackageTests(PackedLibrary library) : IClassFixture<PackedLibrary>
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
            "build/Unrolled.targets",
            "buildTransitive/Unrolled.props",
            "buildTransitive/Unrolled.targets",
            "docs/cells.md",
            "docs/cells/lstm.cell",
            "docs/diagnostics.md",
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
        string description = await Read("Unrolled.nuspec");
        Assert.DoesNotContain("<dependency ", description, StringComparison.Ordinal);
        foreach (string told in new[] { "<license type=\"expression\">MIT</license>", "<readme>README.md</readme>", "<description>Recurrent networks", "<tags>rnn lstm gru ", "<repository type=\"git\"" })
        {
            Assert.Contains(told, description, StringComparison.Ordinal);
        }

        // Every page that the package's own one names is there; links into the web or the repository would lead nowhere.
        string readme = await Read("README.md");
        Assert.All(Named().Matches(readme).Select(match => match.Groups[1].Value), name => Assert.Contains(entries, entry => entry == name || entry.StartsWith(name + "/", StringComparison.Ordinal)));
        Assert.DoesNotContain("](", readme, StringComparison.Ordinal);
        Assert.Equal(
            Directory.GetFiles(Path.Combine(PackedLibrary.Root, "generator", "Cells"), "*.cell").Select(Path.GetFileName).Order(),
            entries.Where(entry => entry.StartsWith("docs/cells/", StringComparison.Ordinal)).Select(Path.GetFileName).Order());

        async Task<string> Read(string entry)
        {
            using var reader = new StreamReader(package.GetEntry(entry)!.Open());
            return await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
        }
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
    public async Task The_schema_is_there_before_the_first_build()
    {
        string folder = await library.Restored("loaded");
        string schema = Path.Combine(folder, "obj", "unrolled.schema.json");
        Assert.False(File.Exists(schema));

        // As an editor asks when it loads a project.
        _ = await library.Run("msbuild", folder, "-target:Compile", "-p:DesignTimeBuild=true", "-p:SkipCompilerExecution=true", "-p:ProvideCommandLineArgs=true");
        Assert.True(File.Exists(schema));
        Assert.Empty(Directory.GetFiles(folder, "App.dll", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_diagnostics_link_leads_to_its_place_on_the_page_of_the_package()
    {
        string folder = await library.Restored("mistaken", ("models/mistaken.rnn.json", """{ "class": "App.Mistaken", "input": { "features": 0 }, "layers": [ { "lstm": 2 } ] }"""));
        string log = await Command.Fail("dotnet", PackedLibrary.Arguments("build", folder, "--no-restore"), library.Environment);
        Match told = Link().Match(log);
        Assert.True(told.Success, log);
        var link = new Uri(told.Groups["link"].Value);
        Assert.Equal("#unr006", link.Fragment);
        Assert.StartsWith(library.Packages, Path.GetFullPath(link.LocalPath), StringComparison.Ordinal);
        string[] page = await File.ReadAllLinesAsync(link.LocalPath, TestContext.Current.CancellationToken);
        Assert.Contains("## UNR006", page);
        Assert.Contains("## UNR200", page);
    }

    [Fact]
    public async Task Emitted_files_in_the_project_are_no_sources_of_the_next_build()
    {
        string folder = await library.Restored("emitting");
        for (int build = 0; build < 2; build++)
        {
            string log = await library.Run(
                "build", folder, "--no-restore", "--no-incremental", "-p:EmitCompilerGeneratedFiles=true", "-p:CompilerGeneratedFilesOutputPath=Emitted");
            Assert.DoesNotContain("warning ", log, StringComparison.OrdinalIgnoreCase);
            Assert.Equal(2, Directory.GetFiles(Path.Combine(folder, "Emitted"), "*.g.cs", SearchOption.AllDirectories).Count(file => Path.GetFileName(file).StartsWith("App.", StringComparison.Ordinal)));
        }
    }

    [Theory]
    [InlineData("net10.0", "linux-x64", "", "<IlcInstructionSet>x86-64-v3</IlcInstructionSet>")]
    [InlineData("net8.0", "win-x64", "", "<IlcInstructionSet>x86-x64-v3</IlcInstructionSet>")]
    [InlineData("net10.0", "linux-x64", "-p:IlcInstructionSet=native", null)]
    [InlineData("net10.0", "linux-x64", "-p:NoWarn=UNR200", null)]
    [InlineData("net10.0", "linux-arm64", "", null)]
    [InlineData("net10.0", "linux-x64", "-p:PublishAot=false", null)]
    public async Task Publishing_ahead_of_time_without_an_instruction_set_warns_with_the_line_to_add(string framework, string runtime, string more, string? line)
    {
        string folder = await library.Restored("published");
        string log = await library.Run(
            "msbuild",
            folder,
            "-target:PrepareForPublish",
            "-p:PublishAot=true",
            "-p:TargetFramework=" + framework,
            "-p:RuntimeIdentifier=" + runtime,
            "-p:PublishDir=" + Path.Combine(folder, "published"),
            more);
        if (line is null)
        {
            Assert.DoesNotContain("UNR200", log, StringComparison.Ordinal);
        }
        else
        {
            Assert.Contains("warning UNR200: ", log, StringComparison.Ordinal);
            Assert.Contains(line, log, StringComparison.Ordinal);
            Assert.Contains("<IlcInstructionSet>native</IlcInstructionSet>", log, StringComparison.Ordinal);
        }
    }

    [GeneratedRegex("`((?:docs|schema)/[^`]*)`")]
    private static partial Regex Named();

    [GeneratedRegex(@"error UNR006: [^\n]*\((?<link>file:[^)]*)\)")]
    private static partial Regex Link();

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
    private readonly Dictionary<string, string> _restored = [];
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

    /// <summary>What a build with the package needs to be told.</summary>
    internal (string Name, string Value) Environment => ("NUGET_PACKAGES", Packages);

    /// <summary>The folder of a program that is built with the package.</summary>
    internal async Task<string> Program()
    {
        if (_program is null)
        {
            string folder = await Restored("app");
            _ = await Run("build", folder, "--no-restore", "--configuration", "Release");
            _program = folder;
        }

        return _program;
    }

    /// <summary>The folder of the same program, only restored, for a test that does more with it.</summary>
    internal async Task<string> Restored(string name, params (string Path, string Text)[] more)
    {
        if (!_restored.TryGetValue(name, out string? folder))
        {
            _ = await Pack();
            folder = Path.Combine(_folder.FullName, name);
            foreach ((string path, string text) in s_files.Concat(more))
            {
                string file = Path.Combine(folder, path);
                Directory.CreateDirectory(Path.GetDirectoryName(file)!);
                await File.WriteAllTextAsync(file, text);
            }

            _ = await Run("restore", folder);
            _restored.Add(name, folder);
        }

        return folder;
    }

    /// <summary>Runs a command of the SDK on a program.</summary>
    internal Task<string> Run(string verb, string folder, params string[] more) => Command.Run("dotnet", Arguments(verb, folder, more), Environment);

    internal static string[] Arguments(string verb, string folder, params string[] more) =>
        [verb, Path.Combine(folder, "App.csproj"), .. more.Where(argument => argument.Length > 0), "-nodeReuse:false", "-p:UseSharedCompilation=false"];

    /// <inheritdoc/>
    public void Dispose() => _folder.Delete(recursive: true);
}

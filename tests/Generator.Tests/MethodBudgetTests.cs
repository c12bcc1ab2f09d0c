using System.Text.RegularExpressions;
using Unrolled.Generator.Tests.Harness;
using Xunit;

namespace Unrolled.Generator.Tests;

/// <summary>
/// No emitted method may come near where RyuJIT gives up optimising (60,000 IL bytes, 20,000 instructions, 8,000 references to locals) or stops inlining
/// (near 900 locals): the budget of the design's section on emitted code, held on wide networks.
/// </summary>
public sealed class MethodBudgetTests(ITestOutputHelper output)
{
    private const int Instructions = 8000;
    private const int LocalReferences = 3000;
    private const int Locals = 255;
    private const int InlinedHelpers = 100;

    private static readonly ModelSet Models = new(
    [
        new TestNetwork("WideLstm", 65, 0, [TestLayer.Lstm("lower", 512, peepholes: true), TestLayer.Lstm("upper", 512), TestLayer.Dense("head", 65)], Loss.SoftmaxCrossEntropy),
        new TestNetwork("WideGru", 0, 64, [TestLayer.Gru("lower", 512), TestLayer.Gru("upper", 512, resetAfter: false), TestLayer.Dense("head", 512, "tanh")], Loss.MeanSquaredError),
        new TestNetwork("WideRnn", 0, 512, [TestLayer.Rnn("lower", 512), TestLayer.Rnn("upper", 512, "relu")]),
    ]);

    public static TheoryData<string> Names => [.. Models.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void EmittedMethodsKeepTheBudget(string name)
    {
        MethodSize[] methods = IlReader.Read(Models.Compiled(name)).Where(method => method.Instructions > 0).ToArray();
        Assert.Contains(methods, method => method.Instructions > 50);
        foreach (MethodSize method in methods.OrderByDescending(method => method.Instructions).Take(10))
        {
            output.WriteLine(method.ToString());
        }

        MethodSize[] over = methods.Where(method => method is { Instructions: > Instructions } or { LocalReferences: > LocalReferences } or { Locals: > Locals } or { InlinedHelpers: > InlinedHelpers }).ToArray();
        Assert.True(over.Length == 0, string.Join(Environment.NewLine, over.Select(method => method.ToString())));
    }

    [Theory]
    [MemberData(nameof(Names))]
    [Trait("Category", "EmittedWide")]
    public void WideNetworksRun(string name)
    {
        IModel model = Models.Create(name, seed: 1);
        var data = new PromiseData(model.Layout, rows: 5, steps: 2);
        using ITrainer trainer = model.CreateTrainer(5, 2, new TrainerOptions { InputGradients = !model.Layout.TakesTokens });
        data.Forward(trainer);
        trainer.Backward(data.OutputGradients, data.FinalGradients);
        ISession session = model.CreateSession(5);
        data.Run(session, new float[data.OutputGradients.Length]);
        var outputs = new float[5 * model.Layout.OutputSize];
        data.Step(session, 0, 5, outputs);
        Assert.All(outputs, value => Assert.True(float.IsFinite(value)));
        Assert.Contains(trainer.Gradients.ToArray(model.Layout.Parameters[0].Name), value => value != 0);
    }

    [Fact]
    public void TheJitOptimisesEveryEmittedMethod()
    {
        Assert.SkipWhen(ChildRun.IsChild, "This is a child process already");
        string summary = Path.GetTempFileName();
        try
        {
            ChildRun run = ChildRun.Start("EmittedWide", new Dictionary<string, string>
            {
                ["DOTNET_JitStdOutFile"] = summary,
                ["DOTNET_JitDisasmSummary"] = "1",
            });
            run.AssertPassed(Models.Names.Count());
            string[] emitted = File.ReadLines(summary).Where(line => line.Contains(TestNetwork.Namespace + ".Wide", StringComparison.Ordinal)).ToArray();
            output.WriteLine($"{emitted.Length} emitted methods were compiled");
            Assert.True(emitted.Length >= 10, $"Only {emitted.Length} emitted methods in the JIT's summary");
            Assert.DoesNotContain(emitted, line => line.Contains("MinOpts", StringComparison.Ordinal));
        }
        finally
        {
            File.Delete(summary);
        }
    }

    [Theory]
    [InlineData("rnn")]
    [InlineData("lstm")]
    [InlineData("lstm_layer_norm")]
    [InlineData("lstm_projected")]
    [InlineData("gru")]
    [InlineData("gru_reset_after")]
    [InlineData("highway")]
    [InlineData("recurrent_highway")]
    [InlineData("minimal_gated")]
    public void LayersAlikeShareTheirKernels(string cell)
    {
        // The first and the last layer differ from those between: in what they read and in whose gradient they take.
        int Kernels(int layers) => Regex.Count(
            ModelHarness.Generate([$"using Unrolled; [Model(Features = 40){string.Concat(Enumerable.Repeat($", Layer(\"{cell}\", 40)", layers))}, Dense(40)] partial class Deep;"]).Single().Text,
            " static void ");
        int few = Kernels(3);
        output.WriteLine($"{few} kernels");
        Assert.InRange(few, 50, 450);
        Assert.Equal(few, Kernels(7));
    }

    [Fact]
    public void TheReaderCountsWhatIsThere()
    {
        CompiledModels known = ModelHarness.Compile([
            """
            using System.Runtime.CompilerServices;
            namespace Known;
            public static class Sample
            {
                [MethodImpl(MethodImplOptions.AggressiveInlining)]
                public static float Helper(float value) => value;

                public static float Calls(float value)
                {
                    float first = Helper(value);
                    float second = Helper(first);
                    ref float reference = ref Unsafe.Add(ref first, 0);
                    return first + second + reference;
                }
            }
            """,
        ]);
        MethodSize method = IlReader.Read(known).Single(size => size.Name == "Sample.Calls");
        Assert.Equal(2, method.InlinedHelpers);
        Assert.InRange(method.Locals, 1, 3);
        Assert.InRange(method.LocalReferences, 5, 12);
        Assert.InRange(method.Instructions, 12, 25);
    }
}

using System.Runtime.InteropServices;
using Unrolled.Generator.Tests.Harness;
using Unrolled.Generator.Tests.Onnx;
using Unrolled.Generator.Tests.Torch;
using Xunit;

namespace Unrolled.Generator.Tests;

/// <summary>
/// Runs every test of emitted code again in processes that hide instruction sets. The names of the switches are
/// CoreCLR's: without AVX-512 the AVX2 kernels run, without AVX2 the portable ones, and without any the portable ones' own fallback.
/// </summary>
public sealed class InstructionSetTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("DOTNET_EnableAVX512", "Avx2", "Emitted", 100)]
    [InlineData("DOTNET_EnableAVX2", "Portable", "Emitted", 100)]
    [InlineData("DOTNET_EnableHWIntrinsic", "Scalar", "EmittedSmall", 4)]
    public void EmittedCodeIsRightWithout(string hidden, string left, string category, int atLeast)
    {
        Assert.SkipWhen(ChildRun.IsChild, "This is a child process already");
        Assert.SkipUnless(RuntimeInformation.ProcessArchitecture == Architecture.X64, "The switches are those of x64");
        Assert.SkipWhen(left == "Avx2" && InstructionSets.Widest is not ("Avx512" or "Avx2"), $"This machine has no AVX2 ({InstructionSets.Description})");

        // The children find these compiled: one compilation serves all instruction sets.
        ModelSet[] sets =
        [
            GradientTests.Models, GradientTests.SmallModels, PromiseNetworks.Models, TorchOracleTests.Models, HighwayTests.Models, OnnxOracleTests.Models,
            CellLibraryTests.Models, RandomCellTests.Models, BroadCellTests.Models, EveryWayTests.Models,
            Edges.FunctionEdgeTests.Models, Edges.FunctionPageTests.Models, SilenceTests.Models, SilenceTests.Exact, .. SurroundingsTests.Sets,
        ];
        foreach (ModelSet models in sets)
        {
            models.CompileAll();
        }

        string report = Path.GetTempFileName();
        try
        {
            ChildRun run = ChildRun.Start(category, new Dictionary<string, string>
            {
                [hidden] = "0",
                [InstructionSets.Expected] = left,
                [InstructionSets.Report] = report,
            });
            string had = File.ReadAllText(report);
            output.WriteLine($"{hidden}=0 had {had}; {run}");
            Assert.StartsWith(left + ":", had, StringComparison.Ordinal);
            run.AssertPassed(atLeast, TorchOracleTests.WhyAbsent, GradientCheck.WhyOnKink);
        }
        finally
        {
            File.Delete(report);
        }
    }
}

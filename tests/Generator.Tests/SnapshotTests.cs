using System.Collections.Immutable;
using System.Globalization;
using Unrolled.Generator.Tests.Harness;
using Xunit;

namespace Unrolled.Generator.Tests;

/// <summary>The emitted source of a few networks, so that a change in the compiler shows as a readable diff.</summary>
public sealed class SnapshotTests
{
    private static readonly Dictionary<string, string> Sources = new()
    {
        ["Rnn"] = """
            using Unrolled;

            namespace Samples;

            [Model(Features = 3)]
            [Rnn(5)]
            public sealed partial class Rnn;
            """,
        ["PeepholeLstm"] = """
            using Unrolled;

            namespace Samples;

            [Model(Tokens = 65)]
            [Lstm(128, Peepholes = true)]
            [Dense(65)]
            [Loss(Loss.SoftmaxCrossEntropy)]
            public sealed partial class PeepholeLstm;
            """,
        ["GruResetAfter"] = """
            using Unrolled;

            namespace Samples;

            [Model(Features = 16)]
            [Gru(17)]
            [Loss(Loss.MeanSquaredError)]
            public sealed partial class GruResetAfter;
            """,
        ["GruResetBefore"] = """
            using Unrolled;

            namespace Samples;

            [Model(Features = 16)]
            [Gru(17, ResetAfter = false)]
            public sealed partial class GruResetBefore;
            """,
    };

    public static TheoryData<string> Names => [.. Sources.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void EmittedSourceIsAsAccepted(string name) => Snapshot.Verify(Emit(name), nameof(SnapshotTests), name);

    [Theory]
    [MemberData(nameof(Names))]
    public void TheCultureChangesNothing(string name)
    {
        string expected = Emit(name);
        CultureInfo own = CultureInfo.CurrentCulture;
        var hostile = (CultureInfo)CultureInfo.GetCultureInfo("sv-SE").Clone();
        hostile.NumberFormat.NegativeSign = "\u2212";
        hostile.NumberFormat.NumberDecimalSeparator = ",";
        hostile.NumberFormat.NumberGroupSeparator = "\u00A0";
        try
        {
            CultureInfo.CurrentCulture = hostile;
            CultureInfo.CurrentUICulture = hostile;
            Assert.Equal("\u22121,5", (-1.5).ToString(CultureInfo.CurrentCulture));
            Assert.Equal(expected, Emit(name));
        }
        finally
        {
            CultureInfo.CurrentCulture = own;
            CultureInfo.CurrentUICulture = own;
        }
    }

    [Fact]
    public void NumbersOfACellSurviveAnyCulture()
    {
        TestNetwork network = new("Numbers", 0, 3, [TestLayer.Own("cell", "h[t] = -0.25 * tanh(W @ x[t] - 1.5e-3 * h[t-1]) + 1e7 * b", 5)]);
        string expected = ModelHarness.CompileSpec(network.Spec);
        CultureInfo own = CultureInfo.CurrentCulture;
        var hostile = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        hostile.NumberFormat.NegativeSign = "\u2212";
        hostile.NumberFormat.NumberDecimalSeparator = ",";
        try
        {
            CultureInfo.CurrentCulture = hostile;
            Assert.Equal(expected, ModelHarness.CompileSpec(network.Spec));
        }
        finally
        {
            CultureInfo.CurrentCulture = own;
        }
    }

    [Fact]
    public void AChangedSnapshotIsNoticed()
    {
        string folder = Directory.CreateTempSubdirectory("unrolled-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "Test.Text.verified.cs"), "one\r\ntwo\r\n");
            Snapshot.Verify("one\ntwo", folder, "Test", "Text", "cs");
            Exception difference = Assert.ThrowsAny<Exception>(() => Snapshot.Verify("one\nthree", folder, "Test", "Text", "cs"));
            Assert.Contains("line 2", difference.Message, StringComparison.Ordinal);
            Assert.True(File.Exists(Path.Combine(folder, "Test.Text.received.cs")));
            Assert.ThrowsAny<Exception>(() => Snapshot.Verify("one", folder, "Test", "Missing", "cs"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Emit(string name)
    {
        ImmutableArray<GeneratedFile> files = ModelHarness.Generate([Sources[name]]);
        return string.Join("\n", files.Select(file => file.Text));
    }
}

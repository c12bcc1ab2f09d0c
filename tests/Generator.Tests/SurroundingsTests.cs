using Unrolled.Generator.Tests.Harness;
using Xunit;

namespace Unrolled.Generator.Tests;

/// <summary>Emitted code in projects unlike ours: every warning an error, overflow checked, documentation required, names of the framework taken.</summary>
public sealed class SurroundingsTests
{
    private const int Seed = 7;

    // Names that emitted code could mean without saying global::.
    private const string OwnNames = """
        namespace Networks.System { public static class Math { } public struct Span { } public static class Runtime { } }
        namespace Networks.Unrolled { public static class Padding { } }
        namespace Networks
        {
            public static class Vector512 { }
            public static class Vector256 { }
            public static class Vector128 { }
            public static class Unsafe { }
            public static class MemoryMarshal { }
            public static class VectorMath { }
            public static class Math { }
            public static class GC { }
            public sealed class Session { }
            public sealed class Trainer { }
            public sealed class ModelLayout { }
            public sealed class ParameterInfo { }
            public sealed class Array { }
            public sealed class Single { }
            public sealed class Span { }
        }
        """;

    private static readonly TestNetwork[] Networks =
    [
        new("Tokens", 11, 0, [TestLayer.Lstm("lstm", 17, peepholes: true), TestLayer.Dense("head", 11)], Loss.SoftmaxCrossEntropy),
        new("Vectors", 0, 5, [TestLayer.Gru("gru", 17), TestLayer.Gru("upper", 5, resetAfter: false), TestLayer.Rnn("rnn", 16), TestLayer.Dense("head", 3)], Loss.MeanSquaredError),
    ];

    public static TheoryData<string> Names => [.. Networks.Select(network => network.Class)];

    private static readonly ModelSet Checked = new(Networks, options: new HarnessOptions { CheckOverflow = true });

    private static readonly ModelSet Crowded = new(Networks, options: new HarnessOptions { ExtraSource = OwnNames });

    private static readonly ModelSet Documented = new(Networks, options: new HarnessOptions { Documentation = true });

    internal static IEnumerable<ModelSet> Sets => [Checked, Crowded];

    [Theory]
    [MemberData(nameof(Names))]
    [Trait("Category", "Emitted")]
    public void RunsWithOverflowChecked(string name) => GradientCheck.Run(Checked[name], Checked.Create(name), rows: 3, steps: 4, Seed);

    [Theory]
    [MemberData(nameof(Names))]
    [Trait("Category", "Emitted")]
    public void RunsAmongNamesOfTheFramework(string name) => GradientCheck.Run(Crowded[name], Crowded.Create(name), rows: 3, steps: 4, Seed);

    [Theory]
    [MemberData(nameof(Names))]
    public void HasDocumentationForWhatIsPublic(string name) => Assert.NotNull(Documented.Create(name));
}

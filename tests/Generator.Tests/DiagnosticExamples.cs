using Microsoft.CodeAnalysis.CSharp;
using Unrolled.Generator.Diagnostics;

namespace Unrolled.Generator.Tests;

/// <summary>A mistake, on its marked characters, and the same file without it.</summary>
/// <param name="Path">The file: C#, JSON or a cell.</param>
/// <param name="Right">Null where nothing in the file could be better.</param>
/// <param name="Path2">Another file that belongs to it.</param>
internal sealed record DiagnosticExample(string Id, string Path, string Wrong, string? Right, string? Path2 = null, string? Text2 = null)
{
    /// <summary>The C# of the project in which it is a mistake.</summary>
    public LanguageVersion Language { get; init; } = LanguageVersion.CSharp12;

    /// <summary>Whether the project refers to the runtime itself; otherwise it has attributes alone.</summary>
    public bool HasRuntime { get; init; }
}

/// <summary>An example of every diagnostic: what the tests run is what the page in generator/Diagnostics shows.</summary>
internal static class DiagnosticExamples
{
    public static IReadOnlyList<DiagnosticExample> All { get; } =
    [
        Source(DiagnosticIds.ClassNotPartial, """
            [Model(Features = 3), Rnn(4)]
            class «Motor»;
            """, """
            [Model(Features = 3), Rnn(4)]
            partial class Motor;
            """),
        Source(DiagnosticIds.GenericClass, """
            [Model(Features = 3), Rnn(4)]
            partial class «Motor»<T>;
            """, """
            [Model(Features = 3), Rnn(4)]
            partial class Motor;
            """),
        Source(DiagnosticIds.UnsupportedClass, """
            [Model(Features = 3), Rnn(4)]
            static partial class «Motor»;
            """, """
            [Model(Features = 3), Rnn(4)]
            partial class Motor;
            """),
        Source(DiagnosticIds.ContainingTypeNotPartial, """
            class «Plant»
            {
                [Model(Features = 3), Rnn(4)]
                partial class Motor;
            }
            """, """
            partial class Plant
            {
                [Model(Features = 3), Rnn(4)]
                partial class Motor;
            }
            """),
        Source(DiagnosticIds.InputNotStated, """
            [«Model», Rnn(4)]
            partial class Motor;
            """, """
            [Model(Features = 3), Rnn(4)]
            partial class Motor;
            """),
        Source(DiagnosticIds.InvalidSize, """
            [Model(Features = 3), Rnn(«0»)]
            partial class Motor;
            """, """
            [Model(Features = 3), Rnn(4)]
            partial class Motor;
            """),
        Json(DiagnosticIds.InvalidSize, """
            { "class": "Motor", "input": { "features": «1.5» }, "layers": [ { "rnn": 4 } ] }
            """, """
            { "class": "Motor", "input": { "features": 2 }, "layers": [ { "rnn": 4 } ] }
            """),
        Source(DiagnosticIds.NoLayers, """
            [Model(Features = 3)]
            partial class «Motor»;
            """, """
            [Model(Features = 3), Rnn(4)]
            partial class Motor;
            """),
        Source(DiagnosticIds.LayersInSeveralDeclarations, """
            [Model(Features = 3), Rnn(4)]
            partial class Motor;

            [«Dense(2)»]
            partial class Motor;
            """, """
            [Model(Features = 3), Rnn(4), Dense(2)]
            partial class Motor;
            """),
        Source(DiagnosticIds.DuplicateLayerName, """
            [Model(Features = 3), Rnn(4, Name = "hidden"), Rnn(4, Name = «"hidden"»)]
            partial class Motor;
            """, """
            [Model(Features = 3), Rnn(4, Name = "lower"), Rnn(4, Name = "upper")]
            partial class Motor;
            """),
        Source(DiagnosticIds.InvalidLayerName, """
            [Model(Features = 3), Rnn(4, Name = «"the hidden one"»)]
            partial class Motor;
            """, """
            [Model(Features = 3), Rnn(4, Name = "hidden")]
            partial class Motor;
            """),
        Source(DiagnosticIds.UnknownLayer, """
            [Model(Features = 3), «Future(4)»]
            partial class Motor;
            """, null),
        Source(DiagnosticIds.UnknownLoss, """
            [Model(Features = 3), Rnn(4), Loss(«(Loss)7»)]
            partial class Motor;
            """, """
            [Model(Features = 3), Rnn(4), Loss(Loss.MeanSquaredError)]
            partial class Motor;
            """),
        Source(DiagnosticIds.LossNeedsMoreOutputs, """
            [Model(Features = 3), Rnn(4), Dense(1), «Loss(Loss.SoftmaxCrossEntropy)»]
            partial class Motor;
            """, """
            [Model(Features = 3), Rnn(4), Dense(2), Loss(Loss.SoftmaxCrossEntropy)]
            partial class Motor;
            """),
        Source(DiagnosticIds.UnknownCell, """
            [Model(Features = 3), Layer(«"minimal_gate"», 4)]
            partial class Motor;
            """, """
            [Model(Features = 3), Layer("minimal_gated", 4)]
            partial class Motor;
            """),
        Json(DiagnosticIds.UnknownCell, """
            { "class": "Motor", "input": { "features": 3 }, "layers": [ { «"lsmt"»: 4 } ] }
            """, """
            { "class": "Motor", "input": { "features": 3 }, "layers": [ { "lstm": 4 } ] }
            """),
        Source(DiagnosticIds.DuplicateCell, """
            [Model(Features = 3), Layer("own", 4)]
            [Cell("own", "h[t] = tanh(W @ x[t])")]
            [Cell(«"own"», "h[t] = relu(W @ x[t])")]
            partial class Motor;
            """, """
            [Model(Features = 3), Layer("own", 4), Layer("other", 4)]
            [Cell("own", "h[t] = tanh(W @ x[t])")]
            [Cell("other", "h[t] = relu(W @ x[t])")]
            partial class Motor;
            """),
        Source(DiagnosticIds.InvalidCellName, """
            [Model(Features = 3), Layer("my cell", 4)]
            [Cell(«"my cell"», "h[t] = tanh(W @ x[t])")]
            partial class Motor;
            """, """
            [Model(Features = 3), Layer("my_cell", 4)]
            [Cell("my_cell", "h[t] = tanh(W @ x[t])")]
            partial class Motor;
            """),
        Json(DiagnosticIds.InvalidJson, """
            { "class": "Motor", "input": { "features": 3 }, "layers": [ { "lstm": 4 }, «]» }
            """, """
            { "class": "Motor", "input": { "features": 3 }, "layers": [ { "lstm": 4 } ] }
            """),
        Json(DiagnosticIds.InvalidJsonModel, """
            { "class": "Motor", "input": { "features": 3 }, "layers": [ { "lstm": 4, «"peephole"»: true } ] }
            """, """
            { "class": "Motor", "input": { "features": 3 }, "layers": [ { "lstm": 4, "peepholes": true } ] }
            """),
        new(DiagnosticIds.ModelDeclaredTwice, "motor.rnn.json", """
            { "class": «"Motor"», "input": { "features": 3 }, "layers": [ { "lstm": 4 } ] }
            """, """
            { "class": "OtherMotor", "input": { "features": 3 }, "layers": [ { "lstm": 4 } ] }
            """, "Motor.cs", "[Model(Features = 3), Rnn(4)]\npartial class Motor;"),
        Source(DiagnosticIds.ModelTooLarge, """
            [Model(Features = 40000), Dense(1000), «Dense(1000000)»]
            partial class Motor;
            """, """
            [Model(Features = 40000), Dense(1000), Dense(100000)]
            partial class Motor;
            """),
        Source(DiagnosticIds.UnusedCell, """
            [Model(Features = 3), Rnn(4)]
            [Cell(«"own"», "h[t] = tanh(W @ x[t])")]
            partial class Motor;
            """, """
            [Model(Features = 3), Layer("own", 4)]
            [Cell("own", "h[t] = tanh(W @ x[t])")]
            partial class Motor;
            """),
        Source(DiagnosticIds.NoModel, """
            [Lstm(8), Dense(2)]
            partial class «Motor»;
            """, """
            [Model(Features = 3), Lstm(8), Dense(2)]
            partial class Motor;
            """),
        Source(DiagnosticIds.LanguageTooOld, """
            // <LangVersion>10</LangVersion> in the project
            [Model(Features = 3), Rnn(4)]
            partial class «Motor» { }
            """, """
            // <LangVersion>11</LangVersion> in the project
            [Model(Features = 3), Rnn(4)]
            partial class Motor { }
            """) with { Language = LanguageVersion.CSharp10 },
        new(DiagnosticIds.EmittedFileCompiled, "Motor.g.cs", """
            // <auto-generated/>
            // …
            namespace Unrolled.«Emitted».Motor
            {
            }
            """, """
            // <Compile Remove="$(CompilerGeneratedFilesOutputPath)/**" /> in the project
            """, "Motor.cs", "[Model(Features = 3), Rnn(4)]\npartial class Motor { }"),
        Source(DiagnosticIds.NameHidden, """
            [Model(Features = 3), Rnn(4)]
            partial class Motor { }

            class «System» { }
            """, """
            [Model(Features = 3), Rnn(4)]
            partial class Motor { }

            class Plant { }
            """) with { HasRuntime = true },
        Cell(DiagnosticIds.SyntaxError, """
            h[t] = tanh(W @ x[t] «b»)
            """, """
            h[t] = tanh(W @ x[t] + b)
            """),
        Cell(DiagnosticIds.SyntaxError, """
            i[t] = sigmoid«(»W_i @ x[t]
            h[t] = i[t] * tanh(W_h @ x[t])
            """, """
            i[t] = sigmoid(W_i @ x[t])
            h[t] = i[t] * tanh(W_h @ x[t])
            """),
        Cell(DiagnosticIds.SyntaxError, """
            h[t] = tanh(W @ x[t] + «Uᵀ» @ h[t-1])
            """, """
            h[t] = tanh(W @ x[t] + transpose(U) @ h[t-1])
            """),
        Cell(DiagnosticIds.UnknownName, """
            h[t] = «tahn»(W @ x[t])
            """, """
            h[t] = tanh(W @ x[t])
            """),
        Cell(DiagnosticIds.ShapeMismatch, """
            h[t] = tanh(W @ x[t] + «W @ h[t-1]»)
            """, """
            h[t] = tanh(W @ x[t] + U @ h[t-1])
            """),
        Cell(DiagnosticIds.ShapeMismatch, """
            shape a : 1
            «a[t] = sigmoid(x[t] + b)»
            h[t] = a[t] * tanh(W @ x[t])
            """, """
            shape a : 1
            a[t] = sigmoid(w @ x[t] + b)
            h[t] = a[t] * tanh(W @ x[t])
            """),
        Cell(DiagnosticIds.ShapeMismatch, """
            shape s : 2
            s[t] = S @ x[t]
            «h[t] = tanh(W @ x[t] + s[t])»
            """, """
            shape s : 2
            s[t] = S @ x[t]
            h[t] = tanh(W @ x[t] + V @ s[t])
            """),
        Cell(DiagnosticIds.NotAssigned, """
            h[t] = tanh(W @ x[t] + U @ «c[t-1]»)
            """, """
            c[t] = 0.9 * c[t-1] + 0.1 * h[t]
            h[t] = tanh(W @ x[t] + U @ c[t-1])
            """),
        Cell(DiagnosticIds.Unused, """
            «f»[t] = sigmoid(W_f @ x[t])
            h[t] = tanh(W @ x[t])
            """, """
            f[t] = sigmoid(W_f @ x[t])
            h[t] = f[t] * tanh(W @ x[t])
            """),
        Cell(DiagnosticIds.Unused, """
            param «leak» = 0.5
            h[t] = (1 - leek) * h[t-1] + leek * tanh(W @ x[t])
            """, """
            param leak = 0.5
            h[t] = (1 - leak) * h[t-1] + leak * tanh(W @ x[t])
            """),
        Cell(DiagnosticIds.MatrixAndVector, """
            h[t] = tanh(W @ x[t] + «W»)
            """, """
            h[t] = tanh(W @ x[t] + b)
            """),
        Cell(DiagnosticIds.CycleWithinStep, """
            g[t] = sigmoid(U @ h[t])
            h[t] = «g[t]» * tanh(W @ x[t])
            """, """
            g[t] = sigmoid(U @ h[t-1])
            h[t] = g[t] * tanh(W @ x[t])
            """),
        Cell(DiagnosticIds.AssignedTwice, """
            h[t] = tanh(W @ x[t])
            «h»[t] = relu(W @ x[t])
            """, """
            h[t] = tanh(W @ x[t]) + relu(W @ x[t])
            """),
        Cell(DiagnosticIds.AssignedTwice, """
            h[t] = tanh(W{1} @ x[t] + «W_1» @ h[t-1])
            """, """
            h[t] = tanh(W{1} @ x[t] + W{2} @ h[t-1])
            """),
        Cell(DiagnosticIds.LimitExceeded, """
            h[t] = tanh(W @ x[t] + U @ h[t-«33»])
            """, """
            h[t] = tanh(W @ x[t] + U @ h[t-32])
            """),
        Cell(DiagnosticIds.LimitExceeded, """
            shape s : «input - 3»
            s[t] = S @ x[t]
            h[t] = tanh(W @ s[t])
            """, """
            shape s : input - 1
            s[t] = S @ x[t]
            h[t] = tanh(W @ s[t])
            """),
        Cell(DiagnosticIds.UnsupportedHere, """
            h[t] = tanh(«x[t]» @ W)
            """, """
            h[t] = tanh(W @ x[t])
            """),
        Cell(DiagnosticIds.SizeUnknown, """
            size rank = 2
            shape s : «rang»
            s[t] = S @ x[t]
            h[t] = tanh(W @ s[t])
            """, """
            size rank = 2
            shape s : rank
            s[t] = S @ x[t]
            h[t] = tanh(W @ s[t])
            """),
        Source(DiagnosticIds.BadSetting, """
            [Model(Features = 3), Layer("recurrent_highway", 4, Set = "«deep» = 3")]
            partial class Motor;
            """, """
            [Model(Features = 3), Layer("recurrent_highway", 4, Set = "depth = 3")]
            partial class Motor;
            """),
        Json(DiagnosticIds.BadSetting, """
            { "class": "Motor", "input": { "features": 3 }, "layers": [ { "rnn": 4, "nonlinearity": «"rely"» } ] }
            """, """
            { "class": "Motor", "input": { "features": 3 }, "layers": [ { "rnn": 4, "nonlinearity": "relu" } ] }
            """),
        Cell(DiagnosticIds.MistakenParameter, """
            h[t] = tanh(W @ x[t] + U @ «h_prev»)
            """, """
            h[t] = tanh(W @ x[t] + U @ h[t-1])
            """),
        Cell(DiagnosticIds.MistakenParameter, """
            f[t] = sigmoid(W_f @ x[t])
            h[t] = (1 - «F») * h[t-1] + f[t] * tanh(W @ x[t])
            """, """
            f[t] = sigmoid(W_f @ x[t])
            h[t] = (1 - f[t]) * h[t-1] + f[t] * tanh(W @ x[t])
            """),
    ];

    private static DiagnosticExample Source(string id, string wrong, string? right) => new(id, "Motor.cs", wrong, right);

    private static DiagnosticExample Json(string id, string wrong, string right) => new(id, "motor.rnn.json", wrong, right);

    private static DiagnosticExample Cell(string id, string wrong, string right) =>
        new(id, "own.cell", wrong, right, "Motor.cs", "[Model(Features = 3), Layer(\"own\", 4)]\npartial class Motor;");
}

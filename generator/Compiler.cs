using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Unrolled.Generator.Frontend;
using Unrolled.Generator.Frontend.Equations;
using Unrolled.Generator.Graph;
using Unrolled.Generator.Passes;
using Unrolled.Generator.Schedule;

namespace Unrolled.Generator;

/// <summary>What a compilation gives: the emitted source, or the mistakes found in a layer's equations. Beside a source they are warnings.</summary>
internal sealed record CompilationResult(string? Source, EquatableArray<LayerError> Errors);

/// <summary>From a model's spec to C#: the passes in their order.</summary>
internal static class Compiler
{
    public static CompilationResult Compile(ModelSpec spec)
    {
        // What is computed.
        var errors = new List<LayerError>();
        ModelGraph? bound = Bind.Run(spec, errors);
        if (bound is null)
        {
            return new CompilationResult(null, errors.ToImmutableArray());
        }

        if (ModelSize.Check(spec, bound) is LayerError tooLarge)
        {
            return new CompilationResult(null, ImmutableArray.Create(tooLarge));
        }

        ModelGraph network = Network(bound);
        ModelGraph streaming = Prune.Run(network);
        ModelGraph sequence = Prune.Run(Hoist.Run(network));
        ModelGraph training = Training(network);
        GraphVerifier.Verify(streaming, nameof(Prune));
        GraphVerifier.Verify(sequence, nameof(Prune));
        GraphVerifier.Verify(training, nameof(Prune));
        GraphVerifier.VerifyFlushed(training);

        // How.
        ParameterLayout layout = ParameterLayout.Of(network);
        ModelSchedule step = Stack.Run(streaming, layout, "Step");
        ModelSchedule rowSchedule = Row(step);
        ModelSchedule stepSchedule = Schedule(step);
        ModelSchedule runSchedule = Divided(PlaceOutputs.Run(Schedule(Stack.Run(sequence, layout, "Run"))));
        ModelSchedule trainingSchedule = Divided(BlockSteps.Run(PlaceOutputs.Run(Schedule(Stack.Run(training, layout, "Training")))));
        return new CompilationResult(
            Emit.ModelEmitter.Run(spec, network, layout, rowSchedule, stepSchedule, runSchedule, trainingSchedule), Warnings(spec));
    }

    /// <summary>What equations say that is right and was most likely not meant.</summary>
    private static EquatableArray<LayerError> Warnings(ModelSpec spec)
    {
        var warnings = new List<LayerError>();
        for (int index = 0; index < spec.Layers.Count; index++)
        {
            LayerSpec layer = spec.Layers[index];
            if (Parser.Parse(layer.Text).Cell is CellSyntax cell)
            {
                var bound = new HashSet<string>(layer.Settings.Select(setting => setting.Name), StringComparer.Ordinal);
                warnings.AddRange(MistakenParameters.Find(cell, bound).Select(warning => new LayerError(index, warning)));
            }
        }

        return new EquatableArray<LayerError>(warnings);
    }

    /// <summary>The network in its final form: what streaming, sequences and training all start from.</summary>
    internal static ModelGraph Network(ModelGraph bound)
    {
        GraphVerifier.Verify(bound, nameof(Bind));
        return FlushStates.Run(MultiplyAdd.Run(OrderSums.Run(Capture.Run(Simplify.Run(bound)), adjoints: false), adjoints: false));
    }

    /// <summary>The network and its gradients.</summary>
    internal static ModelGraph Training(ModelGraph network)
    {
        ModelGraph differentiated = Simplify.Run(Differentiate.Run(network));
        ModelGraph taped = MultiplyAdd.Run(OrderSums.Run(Tape.Run(differentiated), adjoints: true), adjoints: true);
        return Prune.Run(Hoist.Run(taped));
    }

    /// <summary>One row of one step: streaming as most do it.</summary>
    internal static ModelSchedule Row(ModelSchedule step)
    {
        ModelSchedule schedule = Plan.Run(Stream.Run(step));
        ScheduleVerifier.Verify(schedule);
        return schedule;
    }

    /// <summary>A program in its stages, with its memory.</summary>
    internal static ModelSchedule Schedule(ModelSchedule stacked)
    {
        ModelSchedule schedule = Plan.Run(GatherSums.Run(Fuse.Run(stacked)));
        ScheduleVerifier.Verify(schedule);
        return schedule;
    }

    /// <summary>A schedule for any number of threads.</summary>
    internal static ModelSchedule Divided(ModelSchedule schedule)
    {
        ModelSchedule divided = Divide.Run(schedule);
        ScheduleVerifier.Verify(divided);
        return divided;
    }
}

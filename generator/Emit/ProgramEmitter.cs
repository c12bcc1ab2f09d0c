using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Unrolled.Generator.Graph;
using Unrolled.Generator.Schedule;

namespace Unrolled.Generator.Emit;

/// <summary>A schedule's statements as calls of kernels, with the addresses of what they work on.</summary>
internal sealed class ProgramEmitter
{
    private readonly ModelSchedule _schedule;
    private readonly KernelEmitter _kernels;
    private readonly string _prefix;
    private readonly string _kernelNamespace;

    /// <param name="prefix">What the fields of this schedule's own buffers begin with.</param>
    public ProgramEmitter(ModelSchedule schedule, KernelEmitter kernels, string prefix, string kernelNamespace)
    {
        _schedule = schedule;
        _kernels = kernels;
        _prefix = prefix;
        _kernelNamespace = kernelNamespace;
    }

    /// <summary>The field that holds where a buffer starts.</summary>
    public string Field(Buffer buffer) => buffer.Residence switch
    {
        Residence.Input => "_input",
        Residence.Output => "_output",
        Residence.State => $"_state{buffer.Index}",
        Residence.OutputGradient => "_outputGradient",
        Residence.FinalGradient => $"_finalGradient{buffer.Index}",
        Residence.InitialGradient => $"_initialGradient{buffer.Index}",
        Residence.InputGradient => "_inputGradient",
        _ => Numbered($"_{(_prefix.Length == 0 ? Identifier.Camel(buffer.Name) : _prefix + Identifier.Pascal(buffer.Name))}", buffer.Id),
    };

    /// <summary>A name no other field has: <c>h1</c> number 2 is not <c>h</c> number 12, and a value called state is no state's buffer.</summary>
    private static string Numbered(string name, int number) =>
        name + (char.IsDigit(name[name.Length - 1]) || name is "_state" or "_finalGradient" or "_initialGradient" ? "_" : "") + number;

    /// <summary>Buffers of this schedule alone, with the rows they need.</summary>
    public IEnumerable<(Buffer Buffer, string Field, string Rows)> OwnBuffers(string batch, string steps) => _schedule.Buffers
        .Where(buffer => buffer.Residence is Residence.Step or Residence.Ring or Residence.Steps or Residence.History)
        .Select(buffer => (buffer, Field(buffer), buffer.Residence switch
        {
            Residence.Step => $"(long){batch}",
            Residence.Ring => $"2L * {batch}",
            Residence.Steps => $"(long){batch} * {steps}",
            _ => $"(long){batch} * ({steps} + 1)",
        }));

    /// <param name="oneStep">Whether the program is for one step, so that loops vanish.</param>
    public void Emit(SourceWriter writer, ImmutableArray<Statement> statements, bool oneStep)
    {
        foreach (Statement statement in statements)
        {
            if (statement is not Loop loop)
            {
                Statement(writer, statement, inLoop: false, oneStep, "");
                continue;
            }

            if (loop.Body.IsEmpty)
            {
                continue;
            }

            writer.Line();
            writer.Line($"// {loop.Name}{(oneStep ? "" : loop.Reverse ? ", from the last step to the first" : ", step by step")}");
            string header = oneStep ? ""
                : loop.Reverse ? "for (int t = steps - 1; t >= 0; t--)" : "for (int t = 0; t < steps; t++)";
            using (writer.Block(header))
            {
                if (UsesRing(loop) && !oneStep)
                {
                    writer.Line($"int turn = {(loop.Reverse ? "(steps - 1 - t)" : "t")} & 1;");
                }

                foreach (Statement inner in loop.Body)
                {
                    Statement(writer, inner, inLoop: true, oneStep, Identifier.Pascal(loop.Name));
                }
            }

            writer.Line();
        }
    }

    private bool UsesRing(Loop loop) => loop.Body
        .SelectMany(statement => Passes.StatementExtensions.Reads(statement).Concat(Passes.StatementExtensions.Writes(statement)))
        .Any(operand => _schedule.BufferOf(operand).Residence == Residence.Ring);

    private void Statement(SourceWriter writer, Statement statement, bool inLoop, bool oneStep, string layer)
    {
        if (statement is CopyRows copy)
        {
            Copy(writer, copy, inLoop, oneStep);
            return;
        }

        KernelCall call = _kernels.Emit(_schedule, statement, layer);
        IEnumerable<string> rows = call.Buffers.Distinct().Select(row => $"ref {Address(row.Buffer, row.Moment, 0, inLoop, oneStep)}");
        IEnumerable<string> arguments = (call.UsesTokens ? new[] { inLoop && !oneStep ? "ref _tokens[t * rows]" : "ref _tokens[0]" } : System.Array.Empty<string>())
            .Concat(rows)
            .Concat(call.Others.Select(other => "ref " + (other is "zeros" or "gathered" ? $"_memory.At(_{other})" : other)))
            .Append(inLoop || oneStep ? "rows" : "rows * steps");
        writer.Line($"{_kernelNamespace}.Kernels.{call.Kernel}({string.Join(", ", arguments)});");
    }

    private void Copy(SourceWriter writer, CopyRows copy, bool inLoop, bool oneStep)
    {
        // Whole rows take their padding along; parts are copied to the element.
        bool isWhole = copy.FromElement == 0 && copy.ToElement == 0
            && (copy.From is not { } whole || _schedule.ValueOf(whole).Units == _schedule.ValueOf(copy.To).Units);
        int length = isWhole ? Packing.Padded(copy.Units) : copy.Units;
        string rows = copy.Extent == Extent.Step || oneStep ? "rows" : "rows * steps";
        string target = AddressOf(copy.To, copy.ToElement);
        Buffer to = _schedule.BufferOf(copy.To);
        writer.Line(copy.From is { } from
            ? $"global::Unrolled.WorkingMemory.CopyRows(ref {AddressOf(from, copy.FromElement)}, {_schedule.BufferOf(from).RowStride}, ref {target}, {to.RowStride}, {length}, {rows});"
            : $"global::Unrolled.WorkingMemory.ClearRows(ref {target}, {to.RowStride}, {length}, {rows});");

        string AddressOf(Operand operand, int element) =>
            Address(_schedule.PlaceOf(operand).Buffer, operand.Moment, _schedule.PlaceOf(operand).Slot * Packing.Padded(_schedule.BufferOf(operand).Units) + element, inLoop, oneStep);
    }

    /// <summary>The first row of a buffer at a moment.</summary>
    private string Address(int bufferId, Moment moment, int floats, bool inLoop, bool oneStep)
    {
        Buffer buffer = _schedule.Buffers[bufferId];

        // Which step of the buffer; null where it is the first one.
        string? step = (buffer.Residence, moment, inLoop) switch
        {
            (Residence.Ring, Moment.Previous, true) => oneStep ? null : "turn",
            (Residence.Ring, Moment.Current, true) => oneStep ? "1" : "(1 - turn)",
            (Residence.Ring, Moment.Final, _) => oneStep ? "1" : "(steps & 1)",
            (Residence.History, Moment.Previous, true) => oneStep ? null : "t",
            (Residence.History, Moment.Current, true) => oneStep ? "1" : "(t + 1)",
            (Residence.History, Moment.Current, false) => "1",
            (Residence.History, Moment.Final, _) => oneStep ? "1" : "steps",
            (Residence.Steps or Residence.Input or Residence.Output or Residence.OutputGradient or Residence.InputGradient, _, true) => oneStep ? null : "t",
            _ => null,
        };
        string rows = step switch
        {
            null => "",
            "1" => $" + (nint)rows * {buffer.RowStride}",
            _ => $" + (nint){step} * rows * {buffer.RowStride}",
        };
        return $"_memory.At({Field(buffer)}{rows}{(floats == 0 ? "" : $" + {floats}")})";
    }
}

using System.Collections.Generic;
using System.Collections.Immutable;
using System.Globalization;
using System.Linq;
using Unrolled.Generator.Graph;
using Unrolled.Generator.Schedule;

namespace Unrolled.Generator.Emit;

/// <summary>A field that holds where a buffer starts.</summary>
/// <param name="Rows">Rows to reserve, as code.</param>
/// <param name="Floats">Floats of a row.</param>
/// <param name="Shape">For who reads the code: the buffer's shape, and what lies in its slots.</param>
internal sealed record MemoryField(string Name, string Rows, int Floats, string Shape);

/// <summary>A schedule's statements as calls of kernels, with the addresses of what they work on.</summary>
internal sealed class ProgramEmitter
{
    /// <summary>More rows than these keep the multipliers busy while weights come from afar.</summary>
    private const int FewRows = 4;

    private readonly ModelSchedule _schedule;
    private readonly KernelEmitter _kernels;
    private readonly ParameterLayout _layout;
    private readonly int _derivedOffset;
    private readonly string _prefix;
    private readonly string _kernelNamespace;

    /// <param name="derivedOffset">Where this schedule's derived packings begin among those of the class.</param>
    /// <param name="prefix">What the fields of this schedule's own buffers begin with.</param>
    public ProgramEmitter(ModelSchedule schedule, KernelEmitter kernels, ParameterLayout layout, int derivedOffset, string prefix, string kernelNamespace)
    {
        _schedule = schedule;
        _kernels = kernels;
        _layout = layout;
        _derivedOffset = derivedOffset;
        _prefix = prefix;
        _kernelNamespace = kernelNamespace;
    }

    /// <summary>Whether a program for one step asks for the direction in which it goes through weights.</summary>
    public bool Turns { get; private set; }

    /// <summary>The field that holds where a buffer starts.</summary>
    public string Field(Buffer buffer) => buffer.Residence switch
    {
        Residence.Input => "_input",
        Residence.Output => "_output",
        Residence.State => $"_state{buffer.Index}",
        Residence.Fresh => $"_fresh{buffer.Index}",
        Residence.OutputGradient => "_outputGradient",
        Residence.FinalGradient => $"_finalGradient{buffer.Index}",
        Residence.InitialGradient => $"_initialGradient{buffer.Index}",
        Residence.InputGradient => "_inputGradient",
        _ => Numbered($"_{(_prefix.Length == 0 ? Identifier.Camel(buffer.Name) : _prefix + Identifier.Pascal(buffer.Name))}", buffer.Id),
    };

    /// <summary>A name no other field has: <c>h1</c> number 2 is not <c>h</c> number 12, and a value called state is no state's buffer.</summary>
    private static string Numbered(string name, int number) =>
        name + (char.IsDigit(name[name.Length - 1]) || name is "_state" or "_finalGradient" or "_initialGradient" ? "_" : "") + number;

    /// <summary>Buffers of this schedule alone that a statement reads or writes: what stays in registers needs none.</summary>
    /// <param name="batch">Rows of a step, as code.</param>
    /// <param name="steps">Steps of a call, as code.</param>
    public IEnumerable<MemoryField> OwnBuffers(string batch, string steps)
    {
        var used = new HashSet<int>(_schedule.AllStatements
            .SelectMany(statement => statement.Reads().Concat(statement.Writes()))
            .Select(operand => _schedule.BufferOf(operand).Id));
        foreach (Buffer buffer in _schedule.Buffers.Where(buffer => used.Contains(buffer.Id)))
        {
            bool isOneRow = batch == "1", isOneStep = steps == "1";
            (string Rows, string Shape)? extent = buffer.Residence switch
            {
                Residence.Once => ("1", ""),
                Residence.Step => ($"(long){batch}", isOneRow ? "" : "rows, "),
                Residence.Ring => ($"2L * {batch}", isOneRow ? "2, " : "2, rows, "),
                Residence.Steps => ($"(long){batch} * {steps}", (isOneStep ? "" : "steps, ") + (isOneRow ? "" : "rows, ")),
                Residence.History => ($"(long){batch} * ({steps} + 1)", (isOneStep ? "2, " : "steps + 1, ") + (isOneRow ? "" : "rows, ")),
                _ => null,
            };
            if (extent is { } found)
            {
                string slots = buffer.Slots == 1 ? "" : buffer.Slots.ToString(CultureInfo.InvariantCulture) + ", ";
                List<string> named = Enumerable.Range(0, buffer.Slots).Select(slot => NameOf(new Place(buffer.Id, slot))).ToList();
                string names = buffer.Slots == 1 || named.All(IsGeneral) ? "" : ": " + string.Join(", ", named);
                yield return new MemoryField(Field(buffer), found.Rows, buffer.RowStride, $"[{found.Shape}{slots}{buffer.Units.ToString(CultureInfo.InvariantCulture)}]{names}");
            }
        }

        // The first of a slot's values that an equation names.
        string NameOf(Place place)
        {
            List<string> names = _schedule.Values.Where(value => _schedule.Places[value.Id] == place).Select(value => value.Name).ToList();
            return names.FirstOrDefault(name => !IsGeneral(name)) ?? names[0];
        }

        static bool IsGeneral(string name) => name is "sum" or "value" or "between";
    }

    /// <summary>The program for one row of one step, whose input comes as an argument, and where it leaves the outputs.</summary>
    public void EmitRow(SourceWriter writer)
    {
        var position = new Position(InLoop: false, OneStep: true, Division: null, OneRow: true, Turns: AreFar(_schedule.Forward));
        foreach (Statement statement in _schedule.Forward)
        {
            Statement(writer, statement, position, "");
        }

        Operand outputs = _schedule.Outputs!.Value;
        writer.Line($"return ref {Address(_schedule.PlaceOf(outputs).Buffer, outputs.Moment, _schedule.PlaceOf(outputs).Slot * Packing.Padded(_schedule.BufferOf(outputs).Units), position)};");
    }

    /// <param name="oneStep">Whether the program is for one step, so that loops vanish.</param>
    public void Emit(SourceWriter writer, ImmutableArray<Statement> statements, bool oneStep) =>
        Emit(writer, statements, new Position(InLoop: false, oneStep, Division: null, Turns: oneStep && AreFar(statements)), isFirst: true);

    /// <param name="isFirst">Whether nothing ran before that threads must have ended.</param>
    private void Emit(SourceWriter writer, ImmutableArray<Statement> statements, Position position, bool isFirst)
    {
        foreach (Statement statement in statements)
        {
            switch (statement)
            {
                case Parallel parallel:
                    if (!isFirst)
                    {
                        writer.Separate();
                        writer.Line("part.Meet();");
                        writer.Line();
                    }

                    EmitParallel(writer, parallel, position);
                    break;
                case StepBlocks blocks:
                    EmitBlocks(writer, blocks, position);
                    break;
                case OnRequest requested:
                    writer.Separate();
                    using (writer.Block("if (Options.InputGradients)"))
                    {
                        Emit(writer, requested.Body, position, isFirst);
                    }

                    writer.Separate();
                    break;
                default:
                    EmitSeparated(writer, statement, position, isFirst);
                    break;
            }

            isFirst = false;
        }
    }

    private void EmitParallel(SourceWriter writer, Parallel parallel, Position position)
    {
        writer.Line(parallel.Division switch
        {
            Division.Rows => $"// Each thread has rows of its own, at all {(position.InBlock ? "these " : "")}steps.",
            Division.RowsOfSteps => $"// {(position.InBlock ? "These" : "All")} steps at once: each thread has some of the rows.",
            Division.One => "// What depends on parameters alone: one thread computes it for all.",
            _ => "// Each thread writes blocks of its own, from all rows.",
        });
        using (parallel.Division == Division.One ? writer.Block("if (part.Index == 0)") : default)
        {
            for (int i = 0; i < parallel.Body.Length; i++)
            {
                EmitSeparated(writer, parallel.Body[i], position with { Division = parallel.Division }, isFirst: i == 0);
            }
        }
    }

    /// <summary>A statement; a loop stands apart from the statement before it.</summary>
    private void EmitSeparated(SourceWriter writer, Statement statement, Position position, bool isFirst)
    {
        if (statement is Loop { Body.IsEmpty: false } && !isFirst)
        {
            writer.Separate();
        }

        Emit(writer, statement, position);
    }

    private void EmitBlocks(SourceWriter writer, StepBlocks blocks, Position position)
    {
        writer.Separate();
        writer.Line($"// Some steps at a time, {blocks.Rows} rows or a little less, which are still in the cache when they are read again.");
        writer.Line($"int block = global::System.Math.Max({blocks.Rows} / rows, 1);");
        using (writer.Block(blocks.Reverse ? "for (int end = steps; end > 0; end -= block)" : "for (int begin = 0; begin < steps; begin += block)"))
        {
            writer.Line(blocks.Reverse ? "int begin = global::System.Math.Max(end - block, 0);" : "int end = global::System.Math.Min(begin + block, steps);");
            if (ModelSchedule.Flat(blocks.Body).OfType<Parallel>().Any(parallel => parallel.Division == Division.RowsOfSteps))
            {
                writer.Line("(int first, int own) = part.Of(rows * (end - begin));");
            }

            Emit(writer, blocks.Body, position with { InBlock = true }, isFirst: false);
        }

        writer.Separate();
    }

    private void Emit(SourceWriter writer, Statement statement, Position position)
    {
        if (statement is not Loop loop)
        {
            Statement(writer, statement, position, "");
            return;
        }

        bool oneStep = position.OneStep;

        if (loop.Body.IsEmpty)
        {
            return;
        }

        writer.Line($"// {loop.Name}{(oneStep ? "" : loop.Reverse ? ", from the last step to the first" : ", step by step")}");
        string header = oneStep ? ""
            : (loop.Reverse, position.InBlock) switch
            {
                (false, false) => "for (int t = 0; t < steps; t++)",
                (false, true) => "for (int t = begin; t < end; t++)",
                (true, false) => "for (int t = steps - 1; t >= 0; t--)",
                (true, true) => "for (int t = end - 1; t >= begin; t--)",
            };
        using (writer.Block(header))
        {
            if (UsesRing(loop) && !oneStep)
            {
                writer.Line($"int turn = {(loop.Reverse ? "(steps - 1 - t)" : "t")} & 1;");
            }

            Position body = position with { InLoop = true, Turns = oneStep ? position.Turns : AreFar(loop.Body) };
            foreach (Statement inner in loop.Body)
            {
                Statement(writer, inner, body, Identifier.Pascal(loop.Name));
            }
        }

        writer.Separate();
    }

    /// <summary>Where in a program a statement stands, which decides the rows it is on.</summary>
    /// <param name="Turns">Whether every second step goes through the weights backward.</param>
    /// <param name="InBlock">Whether the steps are those from <c>begin</c> to before <c>end</c>, not all.</param>
    private readonly record struct Position(bool InLoop, bool OneStep, Division? Division, bool OneRow = false, bool InBlock = false, bool Turns = false)
    {
        /// <summary>The step at hand, in a loop or a block of steps; null for the first.</summary>
        public string? Step => OneStep ? null : InLoop ? "t" : InBlock ? "begin" : null;

        /// <summary>The first of this thread's rows; null where it has all.</summary>
        public string? FirstRow => Division switch { Schedule.Division.Rows => "firstRow", Schedule.Division.RowsOfSteps => "first", _ => null };

        /// <summary>How many rows.</summary>
        public string Rows(Extent extent) => Division switch
        {
            _ when OneRow || extent == Extent.Once => "1",
            Schedule.Division.Rows => "ownRows",
            Schedule.Division.RowsOfSteps => "own",
            _ => extent == Extent.Step || InLoop || OneStep ? "rows" : InBlock ? "rows * (end - begin)" : "rows * steps",
        };

        /// <summary>The number of the first of this thread's rows at a step; null for 0.</summary>
        /// <param name="step">The step; null for the first one.</param>
        public string? RowAt(string? step) => (step, FirstRow) switch
        {
            (null, null) => null,
            (null, { } first) => $"(long){first}",
            ("1", null) => "(long)rows",
            ("1", { } first) => $"((long)rows + {first})",
            (_, null) => $"(long){step} * rows",
            (_, { } first) => $"((long){step} * rows + {first})",
        };
    }

    private static bool AreFar(IEnumerable<Statement> statements) => ModelSchedule.Flat(statements)
        .SelectMany(statement => statement.Products()).Where(term => !term.IsLookup).Select(term => term.Packing).Distinct()
        .Sum(packing => (long)packing.Length * sizeof(float)) > Machine.FarBytes;

    private bool UsesRing(Loop loop) => loop.Body
        .SelectMany(statement => statement.Reads().Concat(statement.Writes()))
        .Any(operand => _schedule.BufferOf(operand).Residence == Residence.Ring);

    private void Statement(SourceWriter writer, Statement statement, Position position, string layer)
    {
        switch (statement)
        {
            case CopyRows copy:
                Copy(writer, copy, position);
                return;
            case Repack repack:
                Repack(writer, repack.Packing, position);
                return;
        }

        KernelCall call = _kernels.Emit(_schedule, statement, layer, position.Turns);
        IEnumerable<string> rows = call.Buffers.Distinct().Select(row => $"ref {Address(row.Buffer, row.Moment, 0, position)}");
        string token = (position.Step, position.FirstRow) switch
        {
            _ when call.IsOneRow => "token",
            _ when position.OneRow => "ref token",
            (null, var first) => $"ref _tokens[{first ?? "0"}]",
            ({ } step, null) => $"ref _tokens[{step} * rows]",
            ({ } step, { } first) => $"ref _tokens[{step} * rows + {first}]",
        };
        IEnumerable<string> arguments = (call.UsesTokens ? new[] { token } : System.Array.Empty<string>())
            .Concat(rows)
            .Concat(call.Others.Select(other => "ref " + other.Name switch
            {
                "parameters" => $"_parameters.At({other.First})",
                "gradients" => $"_gradients.At({other.First})",
                "derived" => Derived(other.First),
                "gathered" => $"_memory.At(_gathered + part.Index * {TileEmitter.GatheredFloats})",
                _ => $"_memory.At(_{other.Name})",
            }));
        if (!call.IsOneRow)
        {
            arguments = arguments.Append(position.Rows(statement.RowExtent()));
        }

        if (call.TakesPart)
        {
            arguments = arguments.Append("part");
        }

        if (call.Turns)
        {
            Turns |= position.Step is null;
            arguments = arguments.Append(position.Step is null ? "_isBackward" : $"(t & 1) != 0 && {position.Rows(Extent.Step)} <= {FewRows}");
        }

        writer.Line($"{_kernelNamespace}.Kernels.{call.Kernel}({string.Join(", ", arguments)});");
    }

    private void Copy(SourceWriter writer, CopyRows copy, Position position)
    {
        // Whole rows take their padding along; parts are copied to the element.
        bool isWhole = copy.FromElement == 0 && copy.ToElement == 0
            && (copy.From is not { } whole || _schedule.ValueOf(whole).Units == _schedule.ValueOf(copy.To).Units);
        int length = isWhole ? Packing.Padded(copy.Units) : copy.Units;
        string rows = position.Rows(copy.Extent);
        string target = AddressOf(copy.To, copy.ToElement);
        Buffer to = _schedule.BufferOf(copy.To);
        writer.Line(copy.From is { } from
            ? $"global::Unrolled.CompilerServices.WorkingMemory.CopyRows(ref {AddressOf(from, copy.FromElement)}, {_schedule.BufferOf(from).RowStep}, ref {target}, {to.RowStride}, {length}, {rows});"
            : $"global::Unrolled.CompilerServices.WorkingMemory.ClearRows(ref {target}, {to.RowStride}, {length}, {rows});");

        string AddressOf(Operand operand, int element) =>
            Address(_schedule.PlaceOf(operand).Buffer, operand.Moment, _schedule.PlaceOf(operand).Slot * Packing.Padded(_schedule.BufferOf(operand).Units) + element, position);
    }

    private void Repack(SourceWriter writer, Packing packing, Position position)
    {
        int column = 0;
        string part = position.Division is null ? "" : ", part";
        foreach (Node matrix in packing.Matrices)
        {
            int index = _layout.IndexOf(matrix);
            string target = "ref " + Derived(packing.Offset);
            writer.Line(packing.IsTransposed
                ? $"global::Unrolled.CompilerServices.PackedWeights.CopyTransposed(_parameters, {index}, {target}, {packing.PanelVectors}, {column}, {packing.Columns}{part}); // {matrix.Name}"
                : $"global::Unrolled.CompilerServices.PackedWeights.Copy(_parameters, {index}, {target}, {packing.PanelVectors}{part}); // {matrix.Name}");
            column += matrix.Type.Units;
        }
    }

    private string Derived(int offset) => $"_memory.At(_derived{(_derivedOffset + offset == 0 ? "" : $" + {_derivedOffset + offset}")})";

    /// <summary>The first row of a buffer at a moment.</summary>
    private string Address(int bufferId, Moment moment, int floats, Position position)
    {
        Buffer buffer = _schedule.Buffers[bufferId];
        if (position.OneRow && buffer.Residence == Residence.Input)
        {
            return floats == 0 ? "input" : $"Unsafe.Add(ref input, {floats})";
        }

        // Which step of the buffer; null where it is the first one.
        string? step = (buffer.Residence, moment, position.InLoop) switch
        {
            (Residence.Ring, Moment.Previous, true) => position.OneStep ? null : "turn",
            (Residence.Ring, Moment.Current, true) => position.OneStep ? "1" : "(1 - turn)",
            (Residence.Ring, Moment.Final, _) => position.OneStep ? "1" : "(steps & 1)",
            (Residence.History, Moment.Previous, _) => position.Step,
            (Residence.History, Moment.Current, _) => position.Step is { } at ? $"({at} + 1)" : "1",
            (Residence.History, Moment.Final, _) => position.OneStep ? "1" : "steps",
            (Residence.Steps or Residence.Input or Residence.Output or Residence.OutputGradient or Residence.InputGradient, _, _) => position.Step,
            _ => null,
        };
        string row = buffer.Residence != Residence.Once && position.RowAt(step) is { } first ? $" + {first} * {buffer.RowStride}" : "";
        return $"_memory.At({Field(buffer)}{row}{(floats == 0 ? "" : $" + {floats}")})";
    }
}

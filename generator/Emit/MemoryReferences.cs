using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Unrolled.Generator.Graph;
using Unrolled.Generator.Schedule;

namespace Unrolled.Generator.Emit;

/// <summary>
/// The memory a kernel works on: rows of buffers, with one reference and one constant stride each, and parameters, from the first one
/// it uses: layers alike share their kernels, wherever their parameters lie.
/// </summary>
internal sealed class MemoryReferences
{
    private readonly ModelSchedule _schedule;
    private readonly ParameterLayout _layout;
    private readonly int _firstParameter;
    private readonly int _firstDerived;
    private readonly List<(int Buffer, Moment Moment)> _rows = new();
    private readonly List<string> _names = new();

    public MemoryReferences(ModelSchedule schedule, ParameterLayout layout, Statement statement)
    {
        _schedule = schedule;
        _layout = layout;
        _firstParameter = statement.Parameters().Select(parameter => layout.PlaceOf(parameter).Offset).DefaultIfEmpty(0).Min();
        _firstDerived = statement.Products().Where(term => schedule.IsDerived(term.Packing)).Select(term => term.Packing.Offset).DefaultIfEmpty(0).Min();
    }

    public ImmutableArray<(int Buffer, Moment Moment)> All => _rows.ToImmutableArray();

    public IReadOnlyList<string> Names => _names;

    public int Index(Operand operand)
    {
        (int Buffer, Moment Moment) row = (_schedule.PlaceOf(operand).Buffer, operand.Moment);
        int index = _rows.IndexOf(row);
        if (index < 0)
        {
            index = _rows.Count;
            _rows.Add(row);
            string wanted = Identifier.Camel(_schedule.Buffers[row.Buffer].Name) + (row.Moment == Moment.Previous ? "Previous" : "") + "Row", name = wanted;
            for (int number = 2; _names.Contains(name); number++)
            {
                name = wanted + number;
            }

            _names.Add(name);
        }

        return index;
    }

    public string Name(int index) => _names[index];

    public string Name(Operand operand) => Name(Index(operand));

    public int IndexOf(string name) => _names.IndexOf(name);

    public int Stride(int index) => _schedule.Buffers[_rows[index].Buffer].RowStep;

    /// <summary>Floats from the start of the row to the operand's slot.</summary>
    public int Offset(Operand operand) => _schedule.PlaceOf(operand).Slot * Packing.Padded(_schedule.BufferOf(operand).Units);

    /// <summary>Floats from the first parameter that the kernel uses.</summary>
    public int Offset(Node parameter) => _layout.PlaceOf(parameter).Offset - _firstParameter;

    /// <summary>Floats from the first parameter, or the first derived packing, that the kernel uses.</summary>
    public int Offset(Packing packing) => packing.Offset - FirstOf(_schedule.IsDerived(packing) ? "derived" : "parameters");

    /// <summary>The float that a reference handed to the kernel begins at.</summary>
    public int FirstOf(string reference) => reference switch
    {
        "parameters" or "gradients" => _firstParameter,
        "derived" => _firstDerived,
        _ => 0,
    };
}

using System.Collections.Generic;
using System.Linq;
using Unrolled.Generator.Graph;

namespace Unrolled.Generator.Schedule;

/// <summary>
/// Statements that threads divide alike, and what they touch: it says whether another one may join them, or whether a thread's part of
/// it touches what another thread's part of them writes.
/// </summary>
internal sealed class DividedAlike
{
    private readonly ModelSchedule _schedule;
    private readonly Division _division;
    private readonly HashSet<Operand> _reads = new();
    private readonly HashSet<Operand> _writes = new();
    private readonly Dictionary<Place, HashSet<Moment>> _readMoments = new();
    private readonly Dictionary<Place, HashSet<Moment>> _writtenMoments = new();
    private readonly HashSet<Node> _summed = new();
    private readonly HashSet<Node> _gathered = new();
    private readonly Dictionary<Packing, bool> _lookups = new();

    public DividedAlike(ModelSchedule schedule, Division division)
    {
        _schedule = schedule;
        _division = division;
    }

    public void Add(Statement statement)
    {
        foreach (Operand read in statement.Reads())
        {
            _reads.Add(read);
            Moments(_readMoments, read).Add(read.Moment);
        }

        foreach (Operand write in statement.Writes())
        {
            _writes.Add(write);
            Moments(_writtenMoments, write).Add(write.Moment);
        }

        switch (statement)
        {
            case ColumnSums sums:
                _summed.UnionWith(sums.Sums.Select(sum => sum.Parameter));
                break;
            case WeightGradient gradient:
                _gathered.UnionWith(gradient.Vectors.OfType<Node>());
                _lookups[gradient.Packing] = gradient.IsLookup;
                break;
        }
    }

    /// <summary>Whether no thread needs what another one does, if the statement goes with those that were added.</summary>
    public bool Admits(Statement statement) => statement.DividedBy() == _division && _division switch
    {
        // All steps of a row are one thread's, and so is what one thread does.
        Division.Rows or Division.One => true,

        // One row's number at two moments means two rows.
        Division.RowsOfSteps => !statement.Writes().Any(write => IsElsewhere(_readMoments, write) || IsElsewhere(_writtenMoments, write))
            && !statement.Reads().Any(read => IsElsewhere(_writtenMoments, read)),

        // Gradients of one packing by its panels and by its columns, of one vector by two packings' panels; sums over rows that others read.
        _ => !statement.Writes().Any(_reads.Contains) && !statement.Reads().Any(_writes.Contains) && statement switch
        {
            ColumnSums sums => !sums.Sums.Any(sum => _gathered.Contains(sum.Parameter)),
            WeightGradient gradient => !gradient.Vectors.OfType<Node>().Any(vector => _gathered.Contains(vector) || _summed.Contains(vector))
                && !(_lookups.TryGetValue(gradient.Packing, out bool isLookup) && isLookup != gradient.IsLookup),
            _ => true,
        },
    };

    /// <summary>Whether threads may divide the statement at all.</summary>
    public static bool IsDivisible(ModelSchedule schedule, Statement statement)
    {
        // Its vectors' gradients, which two statements must not share, are its own.
        var alone = new DividedAlike(schedule, statement.DividedBy());
        alone.Add(statement);
        alone._gathered.Clear();
        return alone.Admits(statement);
    }

    private HashSet<Moment> Moments(Dictionary<Place, HashSet<Moment>> moments, Operand operand)
    {
        Place place = _schedule.PlaceOf(operand);
        if (!moments.TryGetValue(place, out HashSet<Moment>? known))
        {
            moments[place] = known = new HashSet<Moment>();
        }

        return known;
    }

    private bool IsElsewhere(Dictionary<Place, HashSet<Moment>> moments, Operand operand) =>
        moments.TryGetValue(_schedule.PlaceOf(operand), out HashSet<Moment>? known) && known.Any(moment => moment != operand.Moment);
}

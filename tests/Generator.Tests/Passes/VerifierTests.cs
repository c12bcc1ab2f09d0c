using System.Collections.Immutable;
using Unrolled.Generator.Graph;
using Unrolled.Generator.Passes;
using Unrolled.Generator.Schedule;
using Xunit;
using Parallel = Unrolled.Generator.Schedule.Parallel;

namespace Unrolled.Generator.Tests.PassTests;

/// <summary>Graphs and schedules broken by hand, one rule each.</summary>
public sealed class VerifierTests
{
    private const Axes Sequence = Axes.Time | Axes.Batch;

    public static TheoryData<string, string> BrokenGraphs => new()
    {
        { "argument outside", "an argument stands outside its loop" },
        { "argument twice", "an argument is declared twice" },
        { "argument of another loop", "an argument of another loop stands in the loop" },
        { "input in a body", "a body holds no loops and reads no sequences but its own" },
        { "time in a body", "a body sees one step" },
        { "carried type", "a carried value keeps its type" },
        { "order", "inputs are made before their users" },
        { "arity", "an operation has its number of inputs" },
        { "map of columns", "elementwise operations are on vectors" },
        { "contract without axis", "both sides of a product have the axes it sums over" },
        { "contract over nothing", "both sides of a product have the axes it sums over" },
        { "reduce without axis", "a sum runs over axes its input has" },
        { "gather without tokens", "a lookup takes a matrix and tokens" },
        { "gather in a vector", "a lookup takes a matrix and tokens" },
        { "scatter without tokens", "a scatter takes vectors and tokens" },
        { "concat of matrices", "only vectors are joined and cut" },
        { "slice beyond its vector", "a slice lies inside its vector" },
        { "output of one step", "the output is a sequence of vectors" },
        { "gradient of another type", "the gradient of rnn.b has its type" },
    };

    [Theory]
    [MemberData(nameof(BrokenGraphs))]
    public void A_broken_graph_is_told(string mistake, string rule)
    {
        ModelGraph graph = Compiler.Network(Networks.Graph("rnn"));
        GraphVerifier.Verify(graph, "the test");
        Exception fault = Assert.Throws<InvalidOperationException>(() => GraphVerifier.Verify(Break(graph, mistake), "the test"));
        Assert.StartsWith("after the test: ", fault.Message, StringComparison.Ordinal);
        Assert.Contains(rule, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_state_that_is_not_flushed_is_told()
    {
        ModelGraph network = Compiler.Network(Networks.Graph("lstm"));
        GraphVerifier.VerifyFlushed(Compiler.Training(network));
        var unflushed = new GraphRewriter(network.Table, node => node.IsMap(FlushStates.Operation) ? node.Inputs[0] : node);
        Assert.Throws<InvalidOperationException>(() => GraphVerifier.VerifyFlushed(unflushed.Visit(network)));

        // The network's own loops are as they should be, the adjoint's reads what it carries.
        ModelGraph training = Compiler.Training(network);
        var unread = new GraphRewriter(
            network.Table, node => node.IsMap(FlushStates.AdjointOperation) && node.Inputs[0].Kind == NodeKind.Argument ? node.Inputs[0] : node);
        Assert.Throws<InvalidOperationException>(() => GraphVerifier.VerifyFlushed(unread.Visit(training)));
    }

    private static ModelGraph Break(ModelGraph graph, string mistake)
    {
        NodeTable table = graph.Table;
        Node scan = graph.Scans().Single(), output = graph.Output;
        ScanBody body = scan.Body!;
        Node state = body.Carried[0].Argument, matrix = graph.Parameters.First(p => p.Node.Type.Has(Axes.Column)).Node;
        Node vector = graph.Parameters.Single(p => p.Node.Name == "rnn.b").Node;
        Node tokens = table.Input("tokens", new NodeType(Sequence, IsToken: true));
        ModelGraph With(Node value) => graph with { Output = value };
        ModelGraph WithBody(ScanBody broken) => With(table.Stacked(table.Scan(broken, scan.Inputs), 0));
        ModelGraph WithNext(Node next) => WithBody(body with { Carried = [new Carried(state, next)], Stacked = [next] });
        ScanBody WithSequence(Node argument) => body with { Sequences = body.Sequences.Add(argument), Stacked = [table.Add(state, argument)] };
        return mistake switch
        {
            "argument outside" => With(table.Add(output, state)),
            "argument twice" => With(table.Stacked(table.Scan(body with { Sequences = body.Sequences.Add(state) }, scan.Inputs.Add(graph.Input)), 0)),
            "argument of another loop" => WithNext(table.Add(body.Carried[0].Next, table.Argument("stray", state.Type, body.Scope + 1))),
            "input in a body" => WithNext(table.Add(body.Carried[0].Next, table.Input("stray", state.Type))),
            "time in a body" => With(table.Stacked(table.Scan(WithSequence(table.Argument("whole", output.Type, body.Scope)), scan.Inputs.Add(output)), 0)),
            "carried type" => WithNext(table.Add(vector, vector)),
            "order" => With(new Node(0, NodeKind.Map, "tanh", output.Type, [output], 0, 0, Axes.None, null)),
            "arity" => With(new Node(output.Id + 1000, NodeKind.Map, "add", output.Type, [output], 0, 0, Axes.None, null)),
            "map of columns" => With(table.Map("tanh", table.Relabel(output))),
            "contract without axis" => With(table.Contract(output, output, Axes.Column)),
            "contract over nothing" => With(table.Contract(output, output, Axes.None)),
            "reduce without axis" => With(new Node(output.Id + 1000, NodeKind.Reduce, "sum", output.Type, [output], 0, 0, Axes.Column, null)),
            "gather without tokens" => With(table.Gather(matrix, output)),
            "gather in a vector" => With(table.Gather(vector, tokens)),
            "scatter without tokens" => With(table.ScatterAdd(output, output, 3)),
            "concat of matrices" => With(table.Concat([matrix, matrix])),
            "slice beyond its vector" => With(table.Slice(output, output.Type.Units - 1, 2)),
            "output of one step" => With(table.Final(scan, 0)),
            "gradient of another type" => graph with { Gradients = [new Gradient(GradientKind.Parameter, vector, output)] },
            _ => throw new ArgumentOutOfRangeException(nameof(mistake), mistake, null),
        };
    }

    public static TheoryData<string, string> BrokenSchedules => new()
    {
        { "missing statement", "is read before it is written" },
        { "missing copy", "is read before it is written" },
        { "accumulators in one place", "accumulators have places of their own" },
        { "accumulators apart", "accumulators lie in one buffer" },
        { "accumulators of two sizes", "accumulators have the same units" },
        { "packing of too few slots", "a packing has a slot for each accumulator" },
        { "packing of too many columns", "a packing has a column for each element" },
        { "product in place", "a product does not overwrite its operand" },
        { "two stores in one place", "an epilogue stores each place once" },
        { "epilogue of two sizes", "an epilogue has one size" },
        { "adjoints apart", "adjoints lie in one buffer" },
        { "two values in the runtime's buffer", "that the runtime reads holds one value" },
        { "stale packing", "a derived packing is brought up to date before it is read" },
        { "all steps in a loop", "a loop's body is on the rows of one step" },
        { "two divisions", "parallel statements are divided alike" },
        { "parallel in parallel", "parallel statements are divided alike" },
        { "the row before", "a thread needs nothing of another's part" },
        { "panels and columns", "a thread needs nothing of another's part" },
    };

    [Theory]
    [MemberData(nameof(BrokenSchedules))]
    public void A_broken_schedule_is_told(string mistake, string rule)
    {
        ModelSchedule schedule = Schedules.Training(Networks.Graph("lstm"));
        ScheduleVerifier.Verify(schedule);
        Exception fault = Assert.Throws<InvalidOperationException>(() => ScheduleVerifier.Verify(Break(schedule, mistake)));
        Assert.Contains(rule, fault.Message, StringComparison.Ordinal);
    }

    private static ModelSchedule Break(ModelSchedule schedule, string mistake)
    {
        ProductStage product = schedule.Forward.OfType<ProductStage>().First();
        Loop loop = schedule.Forward.OfType<Loop>().Single();
        ProductStage inLoop = loop.Body.OfType<ProductStage>().Single();
        MapStage maps = loop.Body.OfType<MapStage>().First(stage => stage.Stores.Length > 1);
        WeightGradient gradient = schedule.Backward.OfType<WeightGradient>().First();
        int first = product.Accumulators[0].Target.Value, second = product.Accumulators[1].Target.Value;
        ModelSchedule Replace(Statement old, Statement replacement) => schedule with { Forward = schedule.Forward.Replace(old, replacement) };
        ModelSchedule ReplaceInLoop(Statement old, Statement replacement) => Replace(loop, loop with { Body = loop.Body.Replace(old, replacement) });
        ModelSchedule Move(int value, Place place) => schedule with { Places = schedule.Places.SetItem(value, place) };
        switch (mistake)
        {
            case "missing statement":
                return schedule with { Forward = schedule.Forward.Remove(product) };
            case "missing copy":
                return schedule with { Forward = schedule.Forward.RemoveAll(statement => statement is CopyRows { To.Moment: Moment.Initial }) };
            case "accumulators in one place":
                return Move(first, schedule.Places[second]);
            case "accumulators apart":
                return Move(first, new Place(schedule.Buffers.Length - 1, 0));
            case "accumulators of two sizes":
                Node wide = new NodeTable().Input("wide", NodeType.Vector(7).With(Axes.Batch));
                return Replace(product, product with { Accumulators = product.Accumulators.SetItem(0, product.Accumulators[0] with { Value = wide }) });
            case "packing of too few slots":
                Term few = product.Terms[0] with { Packing = product.Terms[0].Packing with { Matrices = product.Terms[0].Packing.Matrices.RemoveAt(0) } };
                return Replace(product, product with { Terms = [few] });
            case "packing of too many columns":
                Term wider = product.Terms[0] with { Packing = product.Terms[0].Packing with { Columns = 99 } };
                return Replace(product, product with { Terms = [wider] });
            case "product in place":
                Term itself = inLoop.Terms[0] with { Operands = [inLoop.Accumulators[0].Target] };
                return ReplaceInLoop(inLoop, inLoop with { Terms = [itself] });
            case "two stores in one place":
                return Move(maps.Stores[0].Operand.Value, schedule.PlaceOf(maps.Stores[1].Operand));
            case "epilogue of two sizes":
                return ReplaceInLoop(maps, maps with { Units = 7 });
            case "adjoints apart":
                return Move(gradient.Adjoints[0]!.Value.Value, new Place(schedule.Buffers.Length - 1, 0));
            case "two values in the runtime's buffer":
                Schedule.Buffer output = schedule.Buffers.Single(buffer => buffer.Residence == Residence.Output);
                return schedule with { Buffers = schedule.Buffers.Replace(output, output with { Slots = 2 }) };
            case "stale packing":
                return schedule with { Backward = schedule.Backward.RemoveAll(statement => statement is Repack) };
            case "all steps in a loop":
                return Replace(loop, loop with { Body = loop.Body.Add(product) });
            case "two divisions":
                return Replace(product, new Parallel("both", Division.RowsOfSteps, [product, loop]));
            case "parallel in parallel":
                return Replace(product, new Parallel("outer", Division.RowsOfSteps, [new Parallel("inner", Division.RowsOfSteps, [product])]));
            case "the row before":
                // A copy to all steps of a state's history, then one of each step's state before.
                Operand history = new(schedule.Values.First(value => schedule.BufferOf(new Operand(value.Id)).Residence == Residence.History).Id);
                CopyRows write = new("write", Extent.Sequence, 1, null, history), read = new("read", Extent.Sequence, 1, history with { Moment = Moment.Previous }, product.Accumulators[0].Target);
                return schedule with { Backward = schedule.Backward.Add(new Parallel("both", Division.RowsOfSteps, [write, read])) };
            case "panels and columns":
                return schedule with { Backward = schedule.Backward.Add(new Parallel("both", Division.Blocks, [gradient, gradient with { IsLookup = true }])) };
            default:
                throw new ArgumentOutOfRangeException(nameof(mistake), mistake, null);
        }
    }
}

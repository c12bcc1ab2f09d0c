using Unrolled.Generator.Graph;
using Unrolled.Generator.Schedule;
using Xunit;

namespace Unrolled.Generator.Tests.PassTests;

/// <summary>What parameters alone decide is computed once a call.</summary>
public sealed class CaptureTests
{
    [Theory]
    [InlineData("h[t] = tanh(W @ x[t] + U @ h[t-1] + V @ b)")]
    [InlineData("h[t] = tanh(W @ x[t] + U @ h[t-1] + (V @ sigmoid(a)) * h[t-1])")]
    [InlineData("h[t] = sigmoid(a) * h[t-1] + W @ x[t]")]
    [InlineData("h[t] = softmax(a) * h[t-1] + W @ x[t]")]
    [InlineData("h[t] = a / b * h[t-1] + W @ x[t]")]
    public void Nothing_that_is_the_same_in_every_step_is_left_in_a_loop(string text)
    {
        ModelGraph network = Compiler.Network(Networks.BindCell(text, 4));
        ScanBody body = Assert.Single(network.Scans()).Body!;
        Assert.Single(body.Captured);
        Assert.DoesNotContain(body.Nodes(), node => node.Kind is not (NodeKind.Parameter or NodeKind.Constant or NodeKind.Argument) && !node.Type.Has(Axes.Batch));

        foreach (ModelSchedule schedule in new[] { Schedules.Step(network), Schedules.Sequence(network), Schedules.Training(network) })
        {
            IEnumerable<Statement> once = schedule.Forward.Where(statement => statement.RowExtent() == Extent.Once);
            Assert.NotEmpty(once);
            Assert.All(schedule.AllStatements.OfType<ProductStage>().Where(stage => stage.Extent == Extent.Once), stage =>
                Assert.All(stage.Terms.SelectMany(term => term.Operands), operand => Assert.Equal(Residence.Once, schedule.BufferOf(operand).Residence)));
        }
    }

    [Theory]
    [InlineData("h[t] = (1 - a) * h[t-1] + W @ x[t] + (b + c)")]
    [InlineData("h[t] = tanh(W @ x[t] + 2 * b)")]
    public void What_costs_no_more_than_reading_it_stays(string text)
    {
        ModelGraph bound = Networks.BindCell(text, 4);
        Assert.Equal(GraphText.Of(bound), GraphText.Of(Generator.Passes.Capture.Run(bound)));
    }
}

using Unrolled.Generator.Graph;
using Unrolled.Generator.Passes;
using Xunit;

namespace Unrolled.Generator.Tests.PassTests;

/// <summary>Where states are flushed, and what does not wait for it.</summary>
public sealed class FlushStatesTests
{
    [Theory]
    [MemberData(nameof(Networks.Names), MemberType = typeof(Networks))]
    public void What_is_carried_is_flushed_once(string network)
    {
        foreach (ScanBody body in Compiler.Network(Networks.Graph(network)).Scans().Select(scan => scan.Body!))
        {
            Assert.All(body.Carried.Where(carried => FlushStates.IsComputed(carried.Next)), carried => Assert.True(carried.Next.IsMap(FlushStates.Operation)));
            Assert.All(body.Nodes().Where(node => node.IsMap(FlushStates.Operation)), flush =>
            {
                Assert.False(flush.Inputs[0].IsMap(FlushStates.Operation));

                // Neither an output nor a product sees anything else than what is stored.
                Assert.DoesNotContain(flush.Inputs[0], body.Roots());
                Assert.All(body.Nodes().Where(node => node.Inputs.Contains(flush.Inputs[0])), user => Assert.Equal(NodeKind.Map, user.Kind));
            });
        }
    }

    [Fact]
    public void Equations_of_another_state_do_not_wait()
    {
        ScanBody body = Compiler.Network(Networks.Graph("lstm")).Scans().Single().Body!;
        Assert.Equal(2, body.Nodes().Count(node => node.IsMap(FlushStates.Operation)));
        Assert.DoesNotContain(body.Nodes(), node => node.Inputs.Any(input => input.IsMap(FlushStates.Operation)));
    }

    [Fact]
    public void Copies_of_earlier_steps_and_inputs_are_as_they_are()
    {
        ScanBody body = Compiler.Network(Networks.BindCell("h[t] = tanh(W @ x[t-2] + U @ h[t-3])", 4)).Scans().Single().Body!;
        Assert.Single(body.Nodes(), node => node.IsMap(FlushStates.Operation));
    }
}

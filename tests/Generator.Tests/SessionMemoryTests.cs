using Unrolled.Generator.Tests.Harness;
using Xunit;

namespace Unrolled.Generator.Tests;

/// <summary>What a session takes of memory, and what it trusts.</summary>
public sealed class SessionMemoryTests
{
    [Theory]
    [InlineData(0, 32)]
    [InlineData(1, 12)]
    public void OneRowTakesWhatItNeeds(int steps, int kilobytes)
    {
        // 64 features, 128 units: the state and a step's sums are 4 KB, and a sequence's sums 2.75 KB a step.
        IModel model = PromiseNetworks.Models.Create("Wide");
        model.CreateSession(1, steps);
        long before = GC.GetAllocatedBytesForCurrentThread();
        ISession session = model.CreateSession(1, steps);
        long taken = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.InRange(taken, 4 << 10, kilobytes << 10);
        GC.KeepAlive(session);
    }

    [Fact]
    public void ParametersOfAnotherLayoutAreRefused()
    {
        CompiledModels models = ModelHarness.Compile(
        [
            """
            using Unrolled;

            [Model(Features = 64)]
            [Lstm(32)]
            public sealed partial class Borrower
            {
                public Borrower(ParameterBlock parameters)
                    : this(0UL) => _createdParameters = parameters;
            }

            [Model(Features = 1)]
            [Rnn(1)]
            public sealed partial class Lender;
            """,
        ]);
        IModel lender = models.Create("Lender", 0);
        var borrower = (IModel)Activator.CreateInstance(models.Create("Borrower", 0).GetType(), lender.Parameters)!;
        Assert.Contains("Lender", Assert.Throws<ArgumentException>(() => borrower.CreateSession()).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => borrower.CreateTrainer(1, 1));
    }
}

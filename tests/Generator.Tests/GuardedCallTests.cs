using System.Reflection;
using Unrolled.Generator.Tests.Harness;
using Xunit;

namespace Unrolled.Generator.Tests;

/// <summary>
/// Every public member that takes spans, with spans of every wrong and right length that end or begin at a page nobody may touch: a call is
/// served or refused with what is documented, and never reads or writes beside what it was given.
/// </summary>
[Trait("Category", "Emitted")]
public sealed class GuardedCallTests
{
    private const int Rows = 3;
    private const int Steps = 4;

    public static TheoryData<string> Names => ["Characters", "Signals", "Plain", "Learned"];

    private delegate void Call(Argument first, Argument second);

    [Theory]
    [MemberData(nameof(Names))]
    public void SpansOfEveryLengthAreServedOrRefused(string name)
    {
        Assert.SkipUnless(GuardedMemory.IsSupported, "Pages are guarded by Linux's calls.");
        IModel model = PromiseNetworks.Models.Create(name, seed: 1);
        using var first = new GuardedMemory(1 << 16);
        using var second = new GuardedMemory(1 << 16);
        int served = 0, refused = 0;
        using ITrainer trainer = model.CreateTrainer(Rows, Steps, new TrainerOptions { InputGradients = true });
        foreach (Member member in MembersOf(model, trainer))
        {
            bool wasServed = false;
            foreach (int firstLength in Lengths(member.First))
            {
                foreach (int secondLength in Lengths(member.Second))
                {
                    foreach (bool atEnd in (bool[])[true, false])
                    {
                        bool isServed = Try(() => member.Call(new Argument(first, firstLength, atEnd), new Argument(second, secondLength, atEnd)));
                        wasServed |= isServed && firstLength == member.First && secondLength == member.Second;
                        (served, refused) = isServed ? (served + 1, refused) : (served, refused + 1);
                    }
                }
            }

            Assert.True(wasServed || member.IsRefused, $"{member.Name} refuses what fits.");

            // Both spans in one memory, one over the other.
            foreach (int shift in (int[])[0, 1, member.First / 2, member.First])
            {
                Try(() => member.Call(new Argument(first, member.First, true), new Argument(first, member.Second, true, shift)));
                Try(() => member.Call(new Argument(first, member.First, true, shift), new Argument(first, member.Second, true)));
            }
        }

        Assert.True(served > 100 && refused > 100, $"{served} served, {refused} refused");
    }

    [Fact]
    public void NoMemberThatTakesSpansIsLeftOut()
    {
        string[] all =
        [
            .. typeof(IModel).Assembly.GetExportedTypes().Where(type => !PublicSurface.IsHidden(type))
                .SelectMany(type => PublicSurface.MembersOf(type).OfType<MethodInfo>())
                .Where(method => method.GetParameters().Any(parameter => parameter.ParameterType.Name is "Span`1" or "ReadOnlySpan`1"))
                .Select(method => $"{method.DeclaringType!.Name}.{method.Name}").Distinct().Order(StringComparer.Ordinal),
        ];
        using ITrainer trainer = PromiseNetworks.Models.Create("Signals").CreateTrainer(1, 1);
        IEnumerable<string> tried = MembersOf(PromiseNetworks.Models.Create("Signals"), trainer).Select(member => member.Name.Split('(')[0]).Distinct();
        Assert.Equal(all, tried.Order(StringComparer.Ordinal));
    }

    private static List<Member> MembersOf(IModel model, ITrainer trainer)
    {
        ModelLayout layout = model.Layout;
        bool tokens = layout.TakesTokens;
        int inputs = tokens ? 1 : layout.InputSize, outputs = layout.OutputSize, states = layout.StateLength, all = Rows * Steps;
        ISession one = model.CreateSession(), session = model.CreateSession(Rows, 2), threaded = model.CreateSession(Rows, 2, threads: 2);
        StateInfo state = layout.States[0];
        ParameterInfo parameter = layout.Parameters[0];
        var sampler = new Sampler(1, new RandomStream(1), topK: 3);
        List<Member> members =
        [
            new("ISession.Step(float)", inputs, outputs, (a, b) => one.Step(a.Floats, b.Floats), tokens),
            new("ISession.Step(float, rows)", Rows * inputs, Rows * outputs, (a, b) => session.Step(a.Floats, b.Floats), tokens),
            new("ISession.Step(int)", 1, outputs, (a, b) => one.Step(a.Identifiers, b.Floats), !tokens),
            new("ISession.Step(int, rows)", Rows, Rows * outputs, (a, b) => session.Step(a.Identifiers, b.Floats), !tokens),
            new("ISession.Step(token)", outputs, 0, (a, _) => one.Step(3, a.Floats), !tokens),
        ];
        foreach (ISession runs in (ISession[])[session, threaded])
        {
            members.Add(new("ISession.Run(float)", all * inputs, all * outputs, (a, b) => runs.Run(a.Floats, b.Floats), tokens));
            members.Add(new("ISession.Run(int)", all, all * outputs, (a, b) => runs.Run(a.Identifiers, b.Floats), !tokens));
            members.Add(new("ISession.Run(float, rows)", 2 * Steps * inputs, 2 * Steps * outputs, (a, b) => runs.Run(a.Floats, b.Floats, 2), tokens));
        }

        foreach (IStateful stateful in (IStateful[])[session, trainer])
        {
            members.Add(new("IStateful.GetState", Rows * states, 0, (a, _) => stateful.GetState(a.Floats)));
            members.Add(new("IStateful.SetState", Rows * states, 0, (a, _) => stateful.SetState(a.Floats)));
            members.Add(new("IStateful.GetState(row)", states, 0, (a, _) => stateful.GetState(Rows - 1, a.Floats)));
            members.Add(new("IStateful.SetState(row)", states, 0, (a, _) => stateful.SetState(Rows - 1, a.Floats)));
            members.Add(new("IStateful.GetState(name)", Rows * state.Units, 0, (a, _) => stateful.GetState(state.Name, a.Floats)));
            members.Add(new("IStateful.SetState(name)", Rows * state.Units, 0, (a, _) => stateful.SetState(state.Name, a.Floats)));
        }

        (Loss squared, Loss entropy) = (Loss.MeanSquaredError, Loss.SoftmaxCrossEntropy);
        members.AddRange(
        [
            new("ITrainer.ForwardBackward(float, float)", all * inputs, all * outputs, (a, b) => trainer.ForwardBackward(a.Floats, b.Floats), tokens || layout.Loss != squared),
            new("ITrainer.ForwardBackward(float, int)", all * inputs, all, (a, b) => trainer.ForwardBackward(a.Floats, b.Identifiers), tokens || layout.Loss != entropy),
            new("ITrainer.ForwardBackward(int, float)", all, all * outputs, (a, b) => trainer.ForwardBackward(a.Identifiers, b.Floats), !tokens || layout.Loss != squared),
            new("ITrainer.ForwardBackward(int, int)", all, all, (a, b) => trainer.ForwardBackward(a.Identifiers, b.Identifiers), !tokens || layout.Loss != entropy),
            new("ITrainer.Evaluate(float, float)", all * inputs, all * outputs, (a, b) => trainer.Evaluate(a.Floats, b.Floats), tokens || layout.Loss != squared),
            new("ITrainer.Evaluate(float, int)", all * inputs, all, (a, b) => trainer.Evaluate(a.Floats, b.Identifiers), tokens || layout.Loss != entropy),
            new("ITrainer.Evaluate(int, float)", all, all * outputs, (a, b) => trainer.Evaluate(a.Identifiers, b.Floats), !tokens || layout.Loss != squared),
            new("ITrainer.Evaluate(int, int)", all, all, (a, b) => trainer.Evaluate(a.Identifiers, b.Identifiers), !tokens || layout.Loss != entropy),
            new("ITrainer.Forward(int)", all, 0, (a, _) => trainer.Forward(a.Identifiers), !tokens),
            new("ITrainer.Forward(float)", all * inputs, 0, (a, _) => trainer.Forward(a.Floats), tokens),
            new("ITrainer.Backward", all * outputs, Rows * states, (a, b) =>
            {
                // One Forward for each; the shapes are the last Forward's.
                Forward(trainer, all * inputs);
                trainer.Backward(a.Floats, b.Floats);
            }),
            new("ITrainer.GetOutputs", all * outputs, 0, (a, _) => trainer.GetOutputs(a.Floats)),
            new("ITrainer.GetInputGradients", all * inputs, 0, (a, _) => trainer.GetInputGradients(a.Floats), tokens),
            new("ITrainer.GetInitialStateGradients", Rows * states, 0, (a, _) => trainer.GetInitialStateGradients(a.Floats)),
            new("ParameterBlock.Get", parameter.Length, 0, (a, _) => model.Parameters.Get(parameter.Name, a.Floats)),
            new("ParameterBlock.Set", parameter.Length, 0, (a, _) => model.Parameters.Set(parameter.Name, a.Floats)),
            new("Sampler.Sample", outputs, 0, (a, _) => sampler.Sample(a.Floats)),
            new("SoftmaxCrossEntropy.Evaluate", 3 * outputs, 3, (a, b) => SoftmaxCrossEntropy.Evaluate(a.Floats, b.Identifiers)),
            new("SoftmaxCrossEntropy.ForwardBackward", 3 * outputs, 3 * outputs, (a, b) => SoftmaxCrossEntropy.ForwardBackward(a.Floats, [0, 1, 2], b.Floats)),
            new("SquaredError.Evaluate", 3 * outputs, 3 * outputs, (a, b) => SquaredError.Evaluate(a.Floats, b.Floats)),
            new("SquaredError.ForwardBackward", 3 * outputs, 3 * outputs, (a, b) => SquaredError.ForwardBackward(a.Floats, a.Floats, b.Floats)),
        ]);
        return members;

        static void Forward(ITrainer trainer, int length)
        {
            if (trainer.Layout.TakesTokens)
            {
                trainer.Forward(new int[length]);
            }
            else
            {
                trainer.Forward(new float[length]);
            }
        }
    }

    private static IEnumerable<int> Lengths(int fitting) =>
        fitting == 0 ? [0] : new[] { 0, 1, fitting - 1, fitting, fitting + 1, fitting + 16, 2 * fitting }.Distinct();

    /// <summary>Whether a call was served; it may be refused by what is documented, and by nothing else.</summary>
    private static bool Try(Action call)
    {
        try
        {
            call();
            return true;
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>A member and the lengths that fit it.</summary>
    private sealed record Member(string Name, int First, int Second, Call Call, bool IsRefused = false);

    /// <summary>A span at one end of guarded memory.</summary>
    private sealed record Argument(GuardedMemory Memory, int Length, bool AtEnd, int Shift = 0)
    {
        public Span<float> Floats => Numbers<float>();

        /// <summary>Numbers that are tokens and class ids of every model here.</summary>
        public Span<int> Identifiers
        {
            get
            {
                Span<int> numbers = Numbers<int>();
                numbers.Fill(2);
                return numbers;
            }
        }

        private Span<T> Numbers<T>()
            where T : unmanaged => AtEnd ? Memory.Last<T>(Length + Shift)[..Length] : Memory.First<T>(Length);
    }
}

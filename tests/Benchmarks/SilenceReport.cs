using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Spectre.Console;
using Unrolled.Benchmarks.Models;

namespace Unrolled.Benchmarks;

/// <summary>
/// What silence costs: an impulse and zeros after it, a step at a time. States that decay pass through the denormal numbers, on which
/// many processors are slow, and rounding keeps them there for good unless they are set to zero.
/// </summary>
internal static class SilenceReport
{
    private const int Seed = 1;
    private const int Windows = 100;
    private const int WindowSteps = 2_000;
    private const int Pairs = 7;

    // Another program's turn on the processor must not count: the best of a few.
    private const int Repetitions = 5;

    private static readonly (string Name, Func<IModel> Create)[] Networks =
    [
        ("lstm-8", () => new SilentLstm8(Seed)),
        ("lstm-64", () => new SilentLstm64(Seed)),
        ("gru-8", () => new SilentGru8(Seed)),
        ("gru-64", () => new SilentGru64(Seed)),
        ("minimal_gated-8", () => new SilentMinimalGated8(Seed)),
        ("minimal_gated-64", () => new SilentMinimalGated64(Seed)),
        ("leaky_integrator-8", () => new SilentLeakyIntegrator8(Seed)),
        ("leaky_integrator-64", () => new SilentLeakyIntegrator64(Seed)),
        ("indrnn-8", () => new SilentIndRnn8(Seed)),
        ("indrnn-64", () => new SilentIndRnn64(Seed)),
    ];

    /// <summary>Measures 200,000 steps in windows; the slowest and the fastest then again, in turn.</summary>
    public static void Run()
    {
        var decays = Array.ConvertAll(Networks, network => new Decay(network.Create()));
        Stopclock.WarmUp(Array.ConvertAll<Decay, Action>(decays, decay => () => decay.Time(0)));
        var table = Tables.New("network", "ns/step, first window", "fastest", "slowest", "which", "slowest / fastest", "largest state at the end");
        for (var i = 0; i < Networks.Length; i++)
        {
            var decay = decays[i];
            var times = Enumerable.Range(0, Windows).Select(decay.Time).ToArray();
            int fastest = Array.IndexOf(times, times.Min()), slowest = Array.IndexOf(times, times.Max());
            var ratios = Enumerable.Range(0, Pairs).Select(_ => decay.Time(slowest) / decay.Time(fastest)).Order().ToArray();
            table.AddRow(
                Networks[i].Name, Nanoseconds(times[0]), Nanoseconds(times[fastest]), Nanoseconds(times[slowest]),
                (slowest + 1).ToString(CultureInfo.InvariantCulture), Tables.Ratio(ratios[Pairs / 2]), decay.Largest.ToString("E1", CultureInfo.InvariantCulture));
        }

        Tables.Show(table);
    }

    private static string Nanoseconds(double seconds) => (seconds * 1e9).ToString("F1", CultureInfo.InvariantCulture);

    /// <summary>A session and its states where each window of the silence begins.</summary>
    private sealed class Decay
    {
        private readonly ISession _session;
        private readonly float[] _input = new float[1];
        private readonly float[] _output;
        private readonly float[][] _states = new float[Windows + 1][];

        public Decay(IModel model)
        {
            _session = model.CreateSession();
            _output = new float[model.Layout.OutputSize];
            _input[0] = 1;
            _session.Step(_input, _output);
            _input[0] = 0;
            for (var window = 0; window <= Windows; window++)
            {
                _states[window] = new float[model.Layout.StateLength];
                _session.GetState(_states[window]);
                Steps();
            }
        }

        /// <summary>The largest magnitude a state has in the end.</summary>
        public float Largest => _states[Windows].Max(MathF.Abs);

        /// <summary>Seconds of a step in a window.</summary>
        public double Time(int window)
        {
            var best = double.MaxValue;
            for (var repetition = 0; repetition < Repetitions; repetition++)
            {
                _session.SetState(_states[window]);
                var start = Stopwatch.GetTimestamp();
                Steps();
                best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds / WindowSteps);
            }

            return best;
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Steps()
        {
            for (var step = 0; step < WindowSteps; step++)
            {
                _session.Step(_input, _output);
            }
        }
    }
}

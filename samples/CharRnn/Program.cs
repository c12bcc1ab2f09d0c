using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Unrolled;

namespace CharRnn;

/// <summary>Trains a byte-level character model, measures it on held-out text and lets it write.</summary>
internal static class Program
{
    private const int Failure = 1;
    private const int Mistake = 2;

    private static int Main(string[] arguments)
    {
        Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        try
        {
            return CommandLine.Run(arguments, Run);
        }
        catch (UserException exception)
        {
            Complain(exception.Message);
            return Mistake;
        }
        catch (NotFiniteNumberException exception)
        {
            Complain(exception.Message);
            return Failure;
        }
    }

    private static int Run(Options options)
    {
        // Everything that can be wrong is found before the training, which may take hours.
        var corpus = Corpus.Read(options.Text);
        var model = Cells.Create(options.Cell, options.Seed);
        if (options.Load is not null)
        {
            WeightFiles.Load(model, options.Load, options.Cell);
        }

        if (options.Save is not null)
        {
            WeightFiles.CheckWritable(options.Save);
        }

        Console.WriteLine($"{options.Cell}, 2 layers of 128: {model.Layout.ParameterCount:N0} parameters");
        Console.WriteLine($"{corpus.Name}: {corpus.TrainingLength:N0} bytes to train on, {corpus.HeldOutLength:N0} held out");

        using var trainer = model.CreateTrainer(Training.BatchSize, Training.Steps, threads: options.Threads);
        if ((options.Updates ?? options.Seconds) > 0)
        {
            Train(options, model, trainer, corpus);
        }

        var exitCode = options.Save is null || WeightFiles.Save(model, options.Save) ? 0 : Failure;

        var nats = HeldOut.Evaluate(trainer, corpus);
        if (!double.IsFinite(nats))
        {
            throw new NotFiniteNumberException($"The model's loss on the held-out text is {nats}: its weights are out of range.");
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"held-out {nats:F3} nats/char ({nats / Math.Log(2):F3} bits)"));

        WriteSample(options, model);
        return exitCode;
    }

    private static void Train(Options options, IModel model, ITrainer trainer, Corpus corpus)
    {
        // The first Ctrl-C ends the training; the second ends the program.
        using var stop = new CancellationTokenSource();
        void Stop(PosixSignalContext context)
        {
            context.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        }

        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

        var training = new Training(model, trainer, corpus, options.Seed);
        var state = Progress.Show(report => training.Run(options.Seconds, options.Updates, report, stop.Token));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{(stop.IsCancellationRequested ? "stopped after" : "trained for")} {state.Elapsed:F1} s: {state.Characters:N0} characters, {state.CharactersPerSecond:N0} a second, loss {state.Loss:F3}"));
    }

    private static void WriteSample(Options options, IModel model)
    {
        Console.WriteLine();
        var prompt = Encoding.UTF8.GetBytes(options.Prompt);
        var sampler = new Sampler(options.Temperature, new RandomStream(options.Seed));
        using var output = new StreamWriter(Console.OpenStandardOutput(), Console.OutputEncoding) { AutoFlush = false };
        Sampling.Write(output, prompt.Concat(Sampling.Draw(model, prompt, sampler).Take(options.Length)));
        output.WriteLine();
    }

    /// <summary>Writes one line, whatever is in it: the names in a weight file are anyone's.</summary>
    internal static void Complain(string message)
    {
        Sampling.Write(Console.Error, Encoding.UTF8.GetBytes("CharRnn: " + message.ReplaceLineEndings(" ")));
        Console.Error.WriteLine();
    }
}

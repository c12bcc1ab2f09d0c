using System.Text;
using CharRnn;
using Unrolled;

namespace Samples.Tests;

/// <summary>What is read for training, what for the held-out loss.</summary>
public sealed class CorpusTests
{
    [Fact]
    public void The_last_twentieth_is_held_out()
    {
        var corpus = RandomText(12_345, seed: 1);
        Assert.Equal(617, corpus.HeldOutLength);
        Assert.Equal(12_345 - 617, corpus.TrainingLength);
    }

    [Fact]
    public void The_shortest_text_fills_one_batch_and_no_shorter_one_does()
    {
        var corpus = RandomText(Corpus.MinimumLength, seed: 2);
        Assert.True(corpus.TrainingLength > Training.BatchSize * Training.Steps);
        Assert.True(corpus.HeldOutLength > 0);
        Assert.True(new Streams(corpus, Training.BatchSize, Training.Steps, new RandomStream(1)).Advance());
        Assert.Throws<UserException>(() => RandomText(Corpus.MinimumLength - 1, seed: 2));
    }

    [Fact]
    public void The_default_text_is_the_projects_sources_without_carriage_returns()
    {
        var text = Encoding.UTF8.GetString(Corpus.Read(null).Bytes);
        Assert.Contains("namespace Unrolled;", text, StringComparison.Ordinal);
        Assert.Contains("namespace Unrolled.Generator", text, StringComparison.Ordinal);
        Assert.Contains("internal static class Cells", text, StringComparison.Ordinal);
        Assert.DoesNotContain('\r', text);
        Assert.True(
            text.IndexOf("namespace Unrolled.Generator", StringComparison.Ordinal) < text.IndexOf("internal static class Cells", StringComparison.Ordinal),
            "The sources are not in the order of their names.");
    }

    [Fact]
    public void A_batch_reads_contiguous_streams_of_the_training_part()
    {
        const int rows = 7, steps = 20;
        var corpus = RandomText(4_000, seed: 3);
        var training = corpus.Bytes[..corpus.TrainingLength].ToArray();
        var streams = new Streams(corpus, rows, steps, new RandomStream(4));
        var length = (corpus.TrainingLength - 1) / rows;
        var chunksInPass = length / steps;

        var ends = new int[rows];
        var firstStarts = new HashSet<int>();
        for (var chunk = 0; chunk < 5 * chunksInPass; chunk++)
        {
            Assert.Equal(chunk % chunksInPass == 0, streams.Advance());
            for (var row = 0; row < rows; row++)
            {
                var inputs = Column(streams.Inputs, row, rows);
                var start = training.AsSpan().IndexOf(inputs);
                Assert.InRange(start, row * length, (row + 1) * length - steps);
                Assert.Equal(training[(start + 1)..(start + steps + 1)], Column(streams.Targets, row, rows));
                if (chunk % chunksInPass > 0)
                {
                    Assert.Equal(ends[row], start);
                }
                else if (row == 0)
                {
                    firstStarts.Add(start);
                }

                ends[row] = start + steps;
            }
        }

        Assert.True(firstStarts.Count > 1, "Every pass began at the same character.");
    }

    [Theory]
    [InlineData(3_000)]
    [InlineData(45_003)]
    public void The_held_out_loss_counts_every_held_out_character_once(int length)
    {
        // A model that reads nothing but its newest character makes the loss independent of streams and warm-up.
        var corpus = RandomText(length, seed: 5);
        IModel model = new RnnModel(6);
        model.Parameters.Set("rnn_0.W_h", new float[128 * 128]);
        model.Parameters.Set("rnn_1.W_h", new float[128 * 128]);
        using var trainer = model.CreateTrainer(Training.BatchSize, Training.Steps);
        Assert.Equal(Expected(model, corpus, corpus.TrainingLength - 1), HeldOut.Evaluate(trainer, corpus), 1e-5);
    }

    [Fact]
    public void The_held_out_loss_of_one_stream_is_that_of_a_session_that_reads_on()
    {
        var corpus = RandomText(3_000, seed: 7);
        IModel model = new PeepholeLstmModel(8);
        using var trainer = model.CreateTrainer(Training.BatchSize, Training.Steps);
        trainer.SetState(Enumerable.Repeat(1f, trainer.BatchSize * model.Layout.StateLength).ToArray());
        Assert.Equal(Expected(model, corpus, corpus.TrainingLength - 1 - HeldOut.WarmUp), HeldOut.Evaluate(trainer, corpus), 1e-5);
    }

    /// <summary>The mean loss over the held-out part, by a session that reads from <paramref name="from"/> to the text's end.</summary>
    private static double Expected(IModel model, Corpus corpus, int from)
    {
        var session = model.CreateSession();
        var logits = new float[256];
        var sum = 0.0;
        for (var index = from; index < corpus.Bytes.Length - 1; index++)
        {
            session.Step(corpus.Bytes[index], logits);
            if (index + 1 >= corpus.TrainingLength)
            {
                sum += Math.Log(logits.Sum(logit => Math.Exp(logit))) - logits[corpus.Bytes[index + 1]];
            }
        }

        return sum / corpus.HeldOutLength;
    }

    private static byte[] Column(int[] values, int row, int rows) =>
        [.. Enumerable.Range(0, values.Length / rows).Select(step => (byte)values[step * rows + row])];

    private static Corpus RandomText(int length, int seed)
    {
        var random = new Random(seed);
        var bytes = new byte[length];
        for (var index = 0; index < length; index++)
        {
            bytes[index] = (byte)random.Next('a', 'z' + 1);
        }

        return Corpus.FromBytes("random letters", bytes);
    }
}

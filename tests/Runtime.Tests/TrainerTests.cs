namespace Unrolled.Tests;

public class TrainerTests
{
    private const int Batch = 3;
    private const int Steps = 4;
    private const int Features = 5;
    private const int Outputs = 17;

    [Fact]
    public void The_loss_and_gradients_of_squared_error_agree_with_central_differences()
    {
        var model = new LeakyModel(0, Features, Outputs, Loss.MeanSquaredError);
        float[] inputs = Numbers.Normal(Steps * Batch * Features, 1);
        float[] targets = Numbers.Normal(Steps * Batch * Outputs, 2);
        float[] state = Numbers.Normal(Batch * (Outputs + 1), 3);
        using ITrainer trainer = model.CreateTrainer(Batch, Steps, new TrainerOptions { InputGradients = true });
        float Measure()
        {
            trainer.SetState(state);
            return trainer.Evaluate(inputs, targets);
        }

        trainer.SetState(state);
        float loss = trainer.ForwardBackward(inputs, targets);
        Assert.Equal(loss, Measure());
        Numbers.AssertClose(SquaredErrorOf(trainer, targets), loss, 1e-6);

        trainer.SetState(state);
        trainer.ForwardBackward(inputs, targets);
        float[] inputGradients = new float[inputs.Length];
        trainer.GetInputGradients(inputGradients);
        float[] stateGradients = new float[state.Length];
        trainer.GetInitialStateGradients(stateGradients);
        float[] weightGradients = trainer.Gradients.ToArray(LeakyModel.Weights);
        float[] decayGradients = trainer.Gradients.ToArray(LeakyModel.Decay);
        AssertGradient(inputs, inputGradients, Measure);
        AssertGradient(state, stateGradients, Measure);
        foreach ((string name, float[] gradients) in ((string, float[])[])[(LeakyModel.Weights, weightGradients), (LeakyModel.Decay, decayGradients)])
        {
            float[] values = model.Parameters.ToArray(name);
            AssertGradient(values, gradients, () =>
            {
                model.Parameters.Set(name, values);
                return Measure();
            });
        }

        Numbers.AssertPaddingIsZero(trainer.Gradients);
    }

    [Theory]
    [InlineData(LossReduction.Mean)]
    [InlineData(LossReduction.Sum)]
    public void The_loss_and_gradients_of_cross_entropy_agree_with_central_differences(LossReduction reduction)
    {
        var model = new LeakyModel(Features, 0, Outputs, Loss.SoftmaxCrossEntropy);
        int[] inputs = Numbers.Integers(Steps * Batch, Features, 1);
        int[] targets = Numbers.Integers(Steps * Batch, Outputs, 2);
        using ITrainer trainer = model.CreateTrainer(Batch, Steps, new TrainerOptions { Reduction = reduction });
        float loss = trainer.ForwardBackward(inputs, targets);
        float[] outputs = new float[Steps * Batch * Outputs];
        trainer.GetOutputs(outputs);
        double expected = 0;
        for (int i = 0; i < targets.Length; i++)
        {
            float[] logits = outputs[(i * Outputs)..((i + 1) * Outputs)];
            expected += Math.Log(logits.Sum(logit => Math.Exp(logit))) - logits[targets[i]];
        }

        double scale = reduction == LossReduction.Mean ? 1.0 / targets.Length : 1;
        Numbers.AssertClose(expected * scale, loss, 1e-6);

        foreach (string name in (string[])[LeakyModel.Weights, LeakyModel.Decay])
        {
            float[] values = model.Parameters.ToArray(name);
            float[] gradients = [.. trainer.Gradients.ToArray(name).Select(g => (float)(g / scale / targets.Length))];
            AssertGradient(values, gradients, () =>
            {
                model.Parameters.Set(name, values);
                trainer.ResetState();
                return (float)(trainer.Evaluate(inputs, targets) / scale / targets.Length);
            });
        }
    }

    [Fact]
    public void Vectors_can_have_classes_as_targets_and_tokens_vectors()
    {
        using ITrainer classes = new LeakyModel(0, 2, 3, Loss.SoftmaxCrossEntropy).CreateTrainer(1, 2);
        float expected = classes.ForwardBackward([1f, 2, 3, 4], [2, 0]);
        classes.ResetState();
        Assert.Equal(expected, classes.Evaluate([1f, 2, 3, 4], [2, 0]));

        using ITrainer vectors = new LeakyModel(4, 0, 3, Loss.MeanSquaredError).CreateTrainer(1, 2);
        expected = vectors.ForwardBackward([3, 1], [0f, 1, 2, 3, 4, 5]);
        vectors.ResetState();
        Assert.Equal(expected, vectors.Evaluate([3, 1], [0f, 1, 2, 3, 4, 5]));
        float[] outputs = new float[6];
        vectors.GetOutputs(outputs);
        Numbers.AssertClose(outputs.Select((y, i) => Math.Pow(y - i, 2)).Average(), expected, 1e-6);
    }

    [Fact]
    public void Forward_and_backward_with_the_losses_gradient_are_the_built_in_loss()
    {
        var model = new LeakyModel(0, Features, Outputs, Loss.MeanSquaredError);
        float[] inputs = Numbers.Normal(Steps * Batch * Features, 1);
        float[] targets = Numbers.Normal(Steps * Batch * Outputs, 2);
        using ITrainer builtIn = model.CreateTrainer(Batch, Steps);
        builtIn.ForwardBackward(inputs, targets);

        using ITrainer own = model.CreateTrainer(Batch, Steps);
        own.Forward(inputs);
        float[] gradients = new float[targets.Length];
        own.GetOutputs(gradients);
        for (int i = 0; i < gradients.Length; i++)
        {
            gradients[i] = (gradients[i] - targets[i]) * (2 * (float)(1.0 / gradients.Length));
        }

        float[] state = SessionTests.StateOf(own);
        own.Backward(gradients);
        Assert.True(own.Gradients.Values.SequenceEqual(builtIn.Gradients.Values));
        Assert.Equal(state, SessionTests.StateOf(own));
    }

    [Fact]
    public void Gradients_of_final_states_go_back_to_the_initial_ones()
    {
        var model = new LeakyModel(0, 1, 2, Loss.None);
        model.Parameters.Set(LeakyModel.Decay, [0.5f, 2]);
        using ITrainer trainer = model.CreateTrainer(3, 2);
        trainer.Forward(new float[4], rows: 2);
        trainer.ResetState();
        trainer.Backward(new float[8], [4, 1, 7, 8, 10, 9]);
        float[] gradients = new float[6];
        trainer.GetInitialStateGradients(gradients);
        Assert.Equal([1f, 4, 7, 2, 40, 9], gradients);

        // Where none are given they are zero, whatever was there before.
        trainer.Forward(new float[4], rows: 2);
        trainer.Backward(new float[8]);
        trainer.GetInitialStateGradients(gradients);
        Assert.All(gradients, value => Assert.Equal(0, value));
    }

    [Fact]
    public void Gradients_overwrite_or_accumulate()
    {
        var model = new LeakyModel(0, Features, Outputs, Loss.MeanSquaredError);
        float[] inputs = Numbers.Normal(Batch * Features, 1);
        float[] targets = Numbers.Normal(Batch * Outputs, 2);
        using ITrainer overwriting = model.CreateTrainer(Batch, Steps);
        using ITrainer accumulating = model.CreateTrainer(Batch, Steps, new TrainerOptions { AccumulateGradients = true });
        foreach (ITrainer trainer in (ITrainer[])[overwriting, accumulating])
        {
            trainer.ForwardBackward(inputs, targets);
        }

        float[] once = overwriting.Gradients.Values.ToArray();
        Assert.Equal(once, accumulating.Gradients.Values.ToArray());
        foreach (ITrainer trainer in (ITrainer[])[overwriting, accumulating])
        {
            trainer.ResetState();
            trainer.ForwardBackward(inputs, targets);
        }

        Assert.Equal(once, overwriting.Gradients.Values.ToArray());
        float[] twice = accumulating.Gradients.Values.ToArray();
        for (int i = 0; i < once.Length; i++)
        {
            Numbers.AssertClose(2 * once[i], twice[i], 1e-5, 1e-7);
        }
    }

    [Fact]
    public void Partial_batches_and_short_sequences_give_the_mean_over_what_there_is()
    {
        var model = new LeakyModel(0, Features, Outputs, Loss.MeanSquaredError);
        float[] inputs = Numbers.Normal(2 * 2 * Features, 1);
        float[] targets = Numbers.Normal(2 * 2 * Outputs, 2);
        using ITrainer exact = model.CreateTrainer(2, 2);
        using ITrainer larger = model.CreateTrainer(Batch, Steps);
        larger.ForwardBackward(Numbers.Normal(Steps * Batch * Features, 3), Numbers.Normal(Steps * Batch * Outputs, 4));
        larger.ResetState();
        Assert.Equal(exact.ForwardBackward(inputs, targets), larger.ForwardBackward(inputs, targets, rows: 2));
        Assert.True(exact.Gradients.Values.SequenceEqual(larger.Gradients.Values));
    }

    [Fact]
    public void The_state_is_carried_from_piece_to_piece_as_in_a_session()
    {
        var model = new LeakyModel(0, Features, Outputs, Loss.MeanSquaredError);
        float[] inputs = Numbers.Normal(2 * Steps * Batch * Features, 1);
        float[] expected = new float[2 * Steps * Batch * Outputs];
        ISession session = model.CreateSession(Batch);
        session.Run(inputs, expected);

        using ITrainer trainer = model.CreateTrainer(Batch, Steps);
        float[] outputs = new float[expected.Length];
        for (int piece = 0; piece < 2; piece++)
        {
            trainer.Forward(inputs.AsSpan(piece * inputs.Length / 2, inputs.Length / 2));
            trainer.GetOutputs(outputs.AsSpan(piece * outputs.Length / 2, outputs.Length / 2));
        }

        Assert.Equal(expected, outputs);
        Assert.Equal(SessionTests.StateOf(session), SessionTests.StateOf(trainer));
    }

    [Fact]
    public void Calls_that_do_not_fit_are_refused_and_touch_nothing()
    {
        var model = new LeakyModel(0, Features, Outputs, Loss.MeanSquaredError);
        using var trainer = model.CreateLeakyTrainer(Batch, Steps);
        trainer.ForwardBackward(Numbers.Normal(Batch * Features, 1), Numbers.Normal(Batch * Outputs, 2));

        AssertRefused<ArgumentException>(trainer, t => t.ForwardBackward(new float[Batch * Features - 1], new float[Batch * Outputs]));
        AssertRefused<ArgumentException>(trainer, t => t.ForwardBackward(ReadOnlySpan<float>.Empty, ReadOnlySpan<float>.Empty));
        AssertRefused<ArgumentException>(trainer, t => t.ForwardBackward(new float[Batch * Features], new float[Batch * Outputs - 1]));
        AssertRefused<ArgumentException>(trainer, t => t.Evaluate(new float[Batch * Features], new float[Batch * Outputs + 1]));
        AssertRefused<ArgumentException>(trainer, t => t.ForwardBackward(new float[5 * Batch * Features], new float[5 * Batch * Outputs]));
        AssertRefused<ArgumentException>(trainer, t => t.Forward(new float[5 * Batch * Features]));
        AssertRefused<ArgumentOutOfRangeException>(trainer, t => t.ForwardBackward(new float[Features], new float[Outputs], rows: -1));
        AssertRefused<ArgumentOutOfRangeException>(trainer, t => t.Forward(new float[4 * Features], rows: 4));

        // The wrong kind of input or target
        AssertRefused<InvalidOperationException>(trainer, t => t.ForwardBackward(new int[Batch], new float[Batch * Outputs]));
        AssertRefused<InvalidOperationException>(trainer, t => t.ForwardBackward(new float[Batch * Features], new int[Batch]));
        AssertRefused<InvalidOperationException>(trainer, t => t.Evaluate(new float[Batch * Features], new int[Batch]));
        AssertRefused<InvalidOperationException>(trainer, t => t.Forward(new int[Batch]));
    }

    [Fact]
    public void Tokens_and_classes_that_are_none_are_refused_and_touch_nothing()
    {
        var model = new LeakyModel(Features, 0, Outputs, Loss.SoftmaxCrossEntropy);
        using var trainer = model.CreateLeakyTrainer(2, 2);
        trainer.ForwardBackward([1, 2], [3, 4]);
        AssertRefused<ArgumentOutOfRangeException>(trainer, t => t.ForwardBackward([0, 1, 2, Features], [0, 0, 0, 0]));
        AssertRefused<ArgumentOutOfRangeException>(trainer, t => t.ForwardBackward([0, 1, 2, -1], [0, 0, 0, 0]));
        AssertRefused<ArgumentOutOfRangeException>(trainer, t => t.ForwardBackward([0, 1, 2, 3], [0, 0, 0, Outputs]));
        AssertRefused<ArgumentOutOfRangeException>(trainer, t => t.Evaluate([0, 1, 2, 3], [0, 0, 0, -1]));
        AssertRefused<ArgumentOutOfRangeException>(trainer, t => t.Forward([0, Features]));
        AssertRefused<ArgumentException>(trainer, t => t.ForwardBackward([0, 1, 2, 3], [0, 0, 0]));
    }

    [Fact]
    public void A_model_without_a_loss_says_so()
    {
        using var trainer = new LeakyModel(0, Features, Outputs, Loss.None).CreateLeakyTrainer(1, 1);
        var exception = Assert.Throws<InvalidOperationException>(() => trainer.ForwardBackward(new float[Features], new float[Outputs]));
        Assert.Contains("[Loss(", exception.Message);
        Assert.Throws<InvalidOperationException>(() => trainer.Evaluate(new float[Features], new int[1]));
        Assert.Equal(0, trainer.ForwardCalls);
    }

    [Fact]
    public void Backward_follows_one_forward()
    {
        using var trainer = new LeakyModel(0, Features, Outputs, Loss.MeanSquaredError).CreateLeakyTrainer(1, 2);
        AssertRefused<InvalidOperationException>(trainer, t => t.Backward(new float[Outputs]));
        trainer.Forward(new float[Features]);
        AssertRefused<ArgumentException>(trainer, t => t.Backward(new float[2 * Outputs]));
        AssertRefused<ArgumentException>(trainer, t => t.Backward(new float[Outputs], new float[Outputs]));
        trainer.Backward(new float[Outputs]);
        AssertRefused<InvalidOperationException>(trainer, t => t.Backward(new float[Outputs]));
        trainer.ForwardBackward(new float[Features], new float[Outputs]);
        AssertRefused<InvalidOperationException>(trainer, t => t.Backward(new float[Outputs]));
        trainer.Evaluate(new float[Features], new float[Outputs]);
        AssertRefused<InvalidOperationException>(trainer, t => t.Backward(new float[Outputs]));
    }

    [Fact]
    public void What_was_not_computed_cannot_be_read()
    {
        var model = new LeakyModel(0, Features, Outputs, Loss.MeanSquaredError);
        using ITrainer trainer = model.CreateTrainer(1, 2);
        Assert.Throws<InvalidOperationException>(() => trainer.GetOutputs(new float[Outputs]));
        Assert.Throws<InvalidOperationException>(() => trainer.GetInitialStateGradients(new float[Outputs + 1]));
        trainer.Evaluate(new float[Features], new float[Outputs]);
        trainer.GetOutputs(new float[Outputs]);
        Assert.Throws<ArgumentException>(() => trainer.GetOutputs(new float[2 * Outputs]));
        Assert.Throws<InvalidOperationException>(() => trainer.GetInitialStateGradients(new float[Outputs + 1]));
        trainer.ForwardBackward(new float[Features], new float[Outputs]);
        trainer.GetInitialStateGradients(new float[Outputs + 1]);
        Assert.Throws<ArgumentException>(() => trainer.GetInitialStateGradients(new float[Outputs]));
        Assert.Throws<InvalidOperationException>(() => trainer.GetInputGradients(new float[Features]));

        using ITrainer asked = model.CreateTrainer(1, 2, new TrainerOptions { InputGradients = true });
        Assert.Throws<InvalidOperationException>(() => asked.GetInputGradients(new float[Features]));
        asked.Forward(new float[Features]);
        Assert.Throws<InvalidOperationException>(() => asked.GetInputGradients(new float[Features]));
        asked.Backward(new float[Outputs]);
        asked.GetInputGradients(new float[Features]);
        Assert.Throws<ArgumentException>(() => asked.GetInputGradients(new float[Features + 1]));

        using ITrainer tokens = new LeakyModel(4, 0, 3, Loss.SoftmaxCrossEntropy).CreateTrainer(1, 1, new TrainerOptions { InputGradients = true });
        tokens.ForwardBackward([1], [2]);
        Assert.Throws<InvalidOperationException>(() => tokens.GetInputGradients(new float[4]));
    }

    [Fact]
    public void Tokens_and_class_ids_that_change_during_a_call_are_refused_or_taken_and_never_past_the_check()
    {
        const int Length = 6;
        int[] tokens = new int[Length], targets = new int[Length];
        using ITrainer trainer = new LeakyModel(5, 0, 7, Loss.SoftmaxCrossEntropy).CreateTrainer(3, 2);

        // The model itself would refuse the parameter's column, and the loss an index.
        Raced.Identifiers("inputs", Length, valid: 4, invalid: 5, raced => trainer.ForwardBackward(raced, targets));
        Raced.Identifiers("inputs", Length, valid: 4, invalid: -1, raced => trainer.Forward(raced));
        Raced.Identifiers("targets", Length, valid: 6, invalid: 7, raced => trainer.ForwardBackward(tokens, raced));
        Raced.Identifiers("targets", Length, valid: 6, invalid: int.MinValue, raced => trainer.Evaluate(tokens, raced));
        Assert.True(float.IsFinite(trainer.ForwardBackward(tokens, targets)));
    }

    [Fact]
    public void A_class_id_that_is_none_is_called_that()
    {
        using ITrainer trainer = new LeakyModel(5, 0, 7, Loss.SoftmaxCrossEntropy).CreateTrainer(3, 2);
        var exception = Assert.Throws<ArgumentOutOfRangeException>(() => trainer.ForwardBackward([1, 2, 3], [1, 7, 3]));
        Assert.Equal("targets", exception.ParamName);
        Assert.StartsWith("The class id at 1 is 7; it must be 0 to 6.", exception.Message, StringComparison.Ordinal);
        exception = Assert.Throws<ArgumentOutOfRangeException>(() => trainer.ForwardBackward([1, 2, 5], [1, 2, 3]));
        Assert.StartsWith("The token at 2 is 5; it must be 0 to 4.", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_disposed_trainer_refuses_everything()
    {
        var model = new LeakyModel(0, Features, Outputs, Loss.MeanSquaredError);
        var trainer = model.CreateLeakyTrainer(1, 2);
        trainer.Forward(new float[Features]);
        trainer.Dispose();
        trainer.Dispose();
        Assert.Equal(1, trainer.DisposeCalls);
        float[] state = new float[Outputs + 1];
        foreach (Action<ITrainer> call in (Action<ITrainer>[])
            [
                t => t.ForwardBackward(new float[Features], new float[Outputs]),
                t => t.ForwardBackward(new float[Features], new int[1]),
                t => t.ForwardBackward(new int[1], new float[Outputs]),
                t => t.ForwardBackward(new int[1], new int[1]),
                t => t.Evaluate(new float[Features], new float[Outputs]),
                t => t.Evaluate(new float[Features], new int[1]),
                t => t.Evaluate(new int[1], new float[Outputs]),
                t => t.Evaluate(new int[1], new int[1]),
                t => t.Forward(new float[Features]),
                t => t.Forward(new int[1]),
                t => t.Backward(new float[Outputs]),
                t => t.GetOutputs(new float[Outputs]),
                t => t.GetInputGradients(new float[Features]),
                t => t.GetInitialStateGradients(state),
                t => t.ResetState(),
                t => t.ResetState(0),
                t => t.GetState(state),
                t => t.SetState(state),
                t => t.GetState(0, state),
                t => t.SetState(0, state),
                t => t.GetState(LeakyModel.Counter, new float[1]),
                t => t.SetState(LeakyModel.Counter, new float[1]),
                t => t.CopyStateFrom(model.CreateSession()),
                t => model.CreateSession().CopyStateFrom(t),
            ])
        {
            Assert.Throws<ObjectDisposedException>(() => call(trainer));
        }

        Assert.Equal(1, trainer.ForwardCalls);
    }

    private static double SquaredErrorOf(ITrainer trainer, float[] targets)
    {
        float[] outputs = new float[targets.Length];
        trainer.GetOutputs(outputs);
        return outputs.Zip(targets, (y, t) => Math.Pow((double)y - t, 2)).Average();
    }

    /// <summary>Central differences of a loss that reads the values; both losses here are smooth.</summary>
    private static void AssertGradient(float[] values, float[] gradients, Func<float> loss)
    {
        const float Difference = 1f / 64;
        Assert.Equal(values.Length, gradients.Length);
        float greatest = gradients.Max(Math.Abs);
        for (int i = 0; i < values.Length; i++)
        {
            float value = values[i];
            values[i] = value + Difference;
            double above = loss();
            values[i] = value - Difference;
            double below = loss();
            values[i] = value;
            Numbers.AssertClose((above - below) / (2 * Difference), gradients[i], 2e-3, 2e-3 * greatest + 2e-5);
        }

        loss();
    }

    private static void AssertRefused<TException>(LeakyModel.LeakyTrainer trainer, Action<ITrainer> call)
        where TException : Exception
    {
        float[] state = SessionTests.StateOf(trainer);
        float[] gradients = trainer.Gradients.Values.ToArray();
        int calls = trainer.ForwardCalls + trainer.BackwardCalls;
        Assert.Throws<TException>(() => call(trainer));
        Assert.Equal(state, SessionTests.StateOf(trainer));
        Assert.Equal(gradients, trainer.Gradients.Values.ToArray());
        Assert.Equal(calls, trainer.ForwardCalls + trainer.BackwardCalls);
    }
}

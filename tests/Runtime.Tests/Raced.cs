namespace Unrolled.Tests;

/// <summary>Calls whose arguments another thread changes while they run.</summary>
internal static class Raced
{
    /// <summary>
    /// Makes calls while another thread turns the last number of a span bad and good again, until enough of them were served and enough
    /// refused, or there were very many.
    /// </summary>
    /// <param name="argument">The argument that may be refused; nothing else may.</param>
    /// <param name="length">How many numbers there are.</param>
    /// <param name="valid">What they all are, and the last one half of the time.</param>
    /// <param name="invalid">What that one is otherwise.</param>
    /// <param name="call">The call.</param>
    public static void Identifiers(string argument, int length, int valid, int invalid, Action<int[]> call)
    {
        const int Enough = 10_000, Most = 200_000;
        int[] numbers = [.. Enumerable.Repeat(valid, length)];
        bool isOver = false;
        var other = new Thread(() =>
        {
            for (int i = 0; !Volatile.Read(ref isOver); i++)
            {
                Volatile.Write(ref numbers[^1], i % 2 == 0 ? invalid : valid);
                Thread.SpinWait(i % 37);
            }
        })
        { IsBackground = true };
        other.Start();
        try
        {
            for (int served = 0, refused = 0; served + refused < Most && (served < Enough || refused < Enough);)
            {
                try
                {
                    call(numbers);
                    served++;
                }
                catch (ArgumentOutOfRangeException exception)
                {
                    Assert.Equal(argument, exception.ParamName);
                    refused++;
                }
            }
        }
        finally
        {
            Volatile.Write(ref isOver, true);
            other.Join();
        }
    }
}

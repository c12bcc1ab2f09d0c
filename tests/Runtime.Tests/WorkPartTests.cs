namespace Unrolled.Tests;

public class WorkPartTests
{
    [Fact]
    public void The_whole_is_one_part()
    {
        WorkPart whole = default;
        Assert.Equal(1, whole.Count);
        Assert.Equal(0, whole.Index);
        Assert.Equal((0, 7), whole.Of(7));
        Assert.Equal((0, 7, 0, 9), whole.Of(7, 9));
        whole.Meet();
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(6)]
    [InlineData(8)]
    public void Parts_cover_everything_once(int count)
    {
        var crew = new ThreadTeam.Crew(count);
        for (int length = 1; length < 30; length++)
        {
            int next = 0;
            for (int index = 0; index < count; index++)
            {
                (int first, int own) = new WorkPart(crew, index, count).Of(length);
                Assert.Equal(next, first);
                Assert.True(first < length, "even an empty part begins inside");
                Assert.InRange(own, length / count, (length + count - 1) / count);
                next += own;
            }

            Assert.Equal(length, next);
            for (int columns = 1; columns < 12; columns++)
            {
                int[,] visits = new int[length, columns];
                for (int index = 0; index < count; index++)
                {
                    (int firstBlock, int blocks, int firstColumn, int own) = new WorkPart(crew, index, count).Of(length, columns);
                    for (int block = firstBlock; block < firstBlock + blocks; block++)
                    {
                        for (int column = firstColumn; column < firstColumn + own; column++)
                        {
                            visits[block, column]++;
                        }
                    }
                }

                Assert.All(visits.Cast<int>(), visit => Assert.Equal(1, visit));
            }
        }
    }

    [Fact]
    public void A_great_length_does_not_overflow()
    {
        var crew = new ThreadTeam.Crew(1000);
        Assert.Equal(Array.MaxLength, Enumerable.Range(0, 1000).Sum(index => (long)new WorkPart(crew, index, 1000).Of(Array.MaxLength).Count));
        Assert.Equal(Array.MaxLength, Enumerable.Range(0, 1000).Sum(index => (long)new WorkPart(crew, index, 1000).Of(1, Array.MaxLength).Columns));
    }
}

namespace Unrolled;

/// <summary>Losses are summed in blocks of rows and then block after block: one order on any number of threads, in trainers and outside.</summary>
internal static class LossBlocks
{
    /// <summary>Rows of a block.</summary>
    public const int Rows = 16;

    /// <summary>How many blocks a number of rows makes.</summary>
    public static int Of(int rows) => (rows + Rows - 1) / Rows;
}

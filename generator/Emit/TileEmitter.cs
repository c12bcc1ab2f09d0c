using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Unrolled.Generator.Schedule;
using static Unrolled.Generator.Emit.KernelText;

namespace Unrolled.Generator.Emit;

/// <summary>
/// Tiles: rows × vectors of accumulators in registers and one loop over what is summed. Each accumulator is one chain in one order,
/// whatever the tile's height, so a row has the same bits alone and in any batch.
/// </summary>
internal static class TileEmitter
{
    /// <summary>Rows of a tile that share a reference: an address has room for one or two strides beside it.</summary>
    private const int ReferenceRows = 3;

    /// <summary>Floats of the memory where a thread gathers a panel's adjoints.</summary>
    public const int GatheredFloats = WeightGradient.ChunkRows * 4 * 16;

    /// <summary>Products of any number of rows with panels of <paramref name="vectors"/> vectors.</summary>
    public static void Product(SourceWriter writer, InstructionSet set, int vectors)
    {
        writer.Line($"// Rows of values times panels of {vectors * 16} columns of packed weights.");
        Optimized(writer);
        using (writer.Block($"internal static void Product{vectors}(ref float values, ref float weights, ref float start, ref float sums, in ProductShape shape, int rows)"))
        using (writer.Block("unchecked"))
        {
            writer.Line("int panel = 0;");
            if (set.RowPanels > 1)
            {
                writer.Line();
                writer.Line($"// One row alone: {set.RowPanels} panels at a time, so that additions need not wait for each other.");
                using (writer.Block($"for (; rows == 1 && panel + {set.RowPanels} <= shape.Panels; panel += {set.RowPanels})"))
                {
                    writer.Line($"ProductRow{vectors}(ref values, ref weights, ref start, ref sums, in shape);");
                    Advance(writer, $"{set.RowPanels} * ");
                }

                writer.Line();
            }

            using (writer.Block("for (; panel < shape.Panels; panel++)"))
            {
                Panel(writer, set, vectors, "ProductRows");
            }
        }

        writer.Line();
        if (set.WholePanels)
        {
            Rows(writer, set, vectors);
            Row(writer, set, vectors);
        }
    }

    /// <summary>All rows against the panel at hand, whole or 16 columns at a time, and on to the next one.</summary>
    private static void Panel(SourceWriter writer, InstructionSet set, int vectors, string rowsMethod)
    {
        if (set.WholePanels)
        {
            writer.Line($"{rowsMethod}{vectors}(ref values, ref weights, ref start, ref sums, in shape, rows);");
        }
        else
        {
            for (int v = 0; v < vectors; v++)
            {
                writer.Line($"{rowsMethod}(ref values, ref Unsafe.Add(ref weights, {v * 16}), {vectors * 16}, ref Unsafe.Add(ref start, shape.Start{v}), ref Unsafe.Add(ref sums, shape.Sum{v}), in shape, rows);");
            }
        }

        Advance(writer, "");
    }

    private static void Advance(SourceWriter writer, string times)
    {
        writer.Line($"weights = ref Unsafe.Add(ref weights, {times}shape.PanelFloats);");
        writer.Line($"start = ref Unsafe.Add(ref start, {times}shape.PanelStep);");
        writer.Line($"sums = ref Unsafe.Add(ref sums, {times}shape.PanelStep);");
    }

    /// <summary>All rows against one panel, in tiles of falling height; sets with few registers take 16 columns at a time.</summary>
    public static void Rows(SourceWriter writer, InstructionSet set, int vectors)
    {
        string suffix = set.WholePanels ? vectors.ToString() : "";
        string stride = set.WholePanels ? "" : "int weightStride, ", argument = set.WholePanels ? "" : "weightStride, ";
        ImmutableArray<int> heights = set.RowTiles[vectors];
        Optimized(writer);
        using (writer.Block($"private static void ProductRows{suffix}(ref float values, ref float weights, {stride}ref float start, ref float sums, in ProductShape shape, int rows)"))
        using (writer.Block("unchecked"))
        {
            foreach (int height in heights)
            {
                using (writer.Block($"for (; rows >= {height}; rows -= {height})"))
                {
                    if (set.WholePanels && height == heights[0])
                    {
                        writer.Line("// What the next rows start from comes while these are summed.");
                        using (writer.Block("if (shape.StartStride != 0)"))
                        {
                            for (int r = 0; r < height; r++)
                            {
                                writer.Line($"ref float next{r} = ref Unsafe.Add(ref start, {height + r} * shape.StartStride);");
                                for (int v = 0; v < vectors; v++)
                                {
                                    writer.Line($"VectorMath.Prefetch(ref Unsafe.Add(ref next{r}, shape.Start{v}));");
                                }
                            }
                        }

                        writer.Line();
                    }

                    writer.Line($"Product{height}x{vectors}(ref values, ref weights, {argument}ref start, ref sums, in shape);");
                    writer.Line($"values = ref Unsafe.Add(ref values, {Times(height, "shape.ValueStride")});");
                    writer.Line($"start = ref Unsafe.Add(ref start, {Times(height, "shape.StartStride")});");
                    writer.Line($"sums = ref Unsafe.Add(ref sums, {Times(height, "shape.SumStride")});");
                }

                writer.Line();
            }
        }

        writer.Line();
        foreach (int height in heights)
        {
            Tile(writer, set, height, vectors);
        }
    }

    private static void Tile(SourceWriter writer, InstructionSet set, int height, int vectors)
    {
        string stride = set.WholePanels ? "" : "int weightStride, ";
        List<(int Vector, int Part)> lanes = Lanes(set, vectors);
        Optimized(writer);
        using (writer.Block($"private static void Product{height}x{vectors}(ref float values, ref float weights, {stride}ref float start, ref float sums, in ProductShape shape)"))
        using (writer.Block("unchecked"))
        {
            // References that walk from row to row, and few of them: an index for each row and vector would cost more instructions than the sums.
            string[] starts = Walks("start", "Start");
            Stride("nint stride", "StartStride");
            Each(starts, (sum, place) => $"V {sum} = {place};");

            Stride("stride", "ValueStride");
            if (height > 2)
            {
                writer.Line("nint twice = 2 * stride;");
            }

            for (int r = ReferenceRows; r < height; r += ReferenceRows)
            {
                writer.Line($"ref float values{r} = ref Unsafe.Add(ref values{(r == ReferenceRows ? "" : (r - ReferenceRows).ToString())}, {ReferenceRows} * stride);");
            }

            writer.Line("int columns = shape.Columns;");
            using (writer.Block("for (int k = 0; k < columns; k++)"))
            {
                for (int v = 0; v < lanes.Count && height > 1; v++)
                {
                    writer.Line($"V w{v} = {Load("weights", Constant(Offset(set, lanes[v])))};");
                }

                for (int r = 0; r < height; r++)
                {
                    writer.Line($"{(r == 0 ? "V x" : "x")} = {set.Factory}.Create({At(Values(r), r % ReferenceRows == 0 ? "" : r % ReferenceRows == 1 ? "stride" : "twice")});");
                    for (int v = 0; v < lanes.Count; v++)
                    {
                        string w = height > 1 ? $"w{v}" : Load("weights", Constant(Offset(set, lanes[v])));
                        writer.Line($"s{r}_{v} = {string.Format(set.MultiplyAdd, "x", w, $"s{r}_{v}")};");
                    }
                }

                for (int r = 0; r < height; r += ReferenceRows)
                {
                    writer.Line($"{Values(r)} = ref Unsafe.Add(ref {Values(r)}, 1);");
                }

                writer.Line($"weights = ref Unsafe.Add(ref weights, {(set.WholePanels ? (vectors * 16).ToString() : "weightStride")});");
            }

            string[] sums = Walks("sums", "Sum");
            Stride("stride", "SumStride");
            Each(sums, (sum, place) => $"{place} = {sum};");
        }

        writer.Line();

        void Stride(string variable, string field)
        {
            if (height > 1)
            {
                writer.Line($"{variable} = shape.{field};");
            }
        }

        static string Values(int row) => row < ReferenceRows ? "values" : $"values{row / ReferenceRows * ReferenceRows}";

        // One reference for each 16 lanes: a panel's lie apart, and a set that takes 16 at a time has only these.
        string[] Walks(string name, string field)
        {
            for (int v = 0; v < vectors && set.WholePanels; v++)
            {
                writer.Line($"ref float {name}{v} = ref Unsafe.Add(ref {name}, shape.{field}{v});");
            }

            return Enumerable.Range(0, vectors).Select(v => set.WholePanels ? name + v : name).ToArray();
        }

        void Each(string[] walks, Func<string, string, string> line)
        {
            for (int r = 0; r < height; r++)
            {
                for (int v = 0; v < lanes.Count; v++)
                {
                    writer.Line(line($"s{r}_{v}", Load(walks[lanes[v].Vector], Constant(lanes[v].Part * set.Lanes))));
                    if (r + 1 < height && lanes[v].Part == set.Parts - 1)
                    {
                        writer.Line($"{walks[lanes[v].Vector]} = ref Unsafe.Add(ref {walks[lanes[v].Vector]}, stride);");
                    }
                }
            }
        }
    }

    /// <summary>One row against several panels.</summary>
    private static void Row(SourceWriter writer, InstructionSet set, int vectors)
    {
        Optimized(writer);
        using (writer.Block($"private static void ProductRow{vectors}(ref float values, ref float weights, ref float start, ref float sums, in ProductShape shape)"))
        using (writer.Block("unchecked"))
        {
            writer.Line("int step = shape.PanelStep;");
            for (int panel = 0; panel < set.RowPanels; panel++)
            {
                for (int v = 0; v < vectors; v++)
                {
                    writer.Line($"V s{panel}_{v} = {Load("start", Sum(Times(panel, "step"), $"shape.Start{v}"))};");
                }
            }

            writer.Line("int columns = shape.Columns;");
            for (int panel = 1; panel < set.RowPanels; panel++)
            {
                writer.Line($"ref float weights{panel} = ref Unsafe.Add(ref weights{(panel == 1 ? "" : (panel - 1).ToString())}, shape.PanelFloats);");
            }

            using (writer.Block("for (int k = 0; k < columns; k++)"))
            {
                writer.Line($"V x = {set.Factory}.Create(values);");
                for (int panel = 0; panel < set.RowPanels; panel++)
                {
                    string weights = panel == 0 ? "weights" : $"weights{panel}";
                    for (int v = 0; v < vectors; v++)
                    {
                        writer.Line($"s{panel}_{v} = {string.Format(set.MultiplyAdd, "x", Load(weights, Constant(v * 16)), $"s{panel}_{v}")};");
                    }

                    writer.Line($"{weights} = ref Unsafe.Add(ref {weights}, {vectors * 16});");
                }

                writer.Line("values = ref Unsafe.Add(ref values, 1);");
            }

            for (int panel = 0; panel < set.RowPanels; panel++)
            {
                for (int v = 0; v < vectors; v++)
                {
                    writer.Line($"{Load("sums", Sum(Times(panel, "step"), $"shape.Sum{v}"))} = s{panel}_{v};");
                }
            }
        }

        writer.Line();
    }

    /// <summary>
    /// Products with few columns, whose sums are split into chains: a row of 16 columns at a time, or of a whole panel. What is multiplied
    /// is in the first-level cache, so that a taller tile would save little.
    /// </summary>
    public static void ShortProduct(SourceWriter writer, InstructionSet set, int vectors)
    {
        writer.Line($"// Rows of few values times panels of {vectors * 16} columns of packed weights, each sum in {set.ShortChains} interleaved chains.");
        Optimized(writer);
        using (writer.Block($"internal static void ShortProduct{vectors}(ref float values, ref float weights, ref float start, ref float sums, in ProductShape shape, int rows)"))
        using (writer.Block("unchecked"))
        using (writer.Block("for (int panel = 0; panel < shape.Panels; panel++)"))
        {
            Panel(writer, set, vectors, "ShortRows");
        }

        writer.Line();
        if (set.WholePanels)
        {
            ShortRows(writer, set, vectors);
        }
    }

    public static void ShortRows(SourceWriter writer, InstructionSet set, int vectors)
    {
        string suffix = set.WholePanels ? vectors.ToString() : "", stride = set.WholePanels ? "" : "int weightStride, ";
        string weightStride = set.WholePanels ? (vectors * 16).ToString() : "weightStride";
        List<(int Vector, int Part)> lanes = Lanes(set, vectors);
        int chains = set.ShortChains;
        Optimized(writer);
        using (writer.Block($"private static void ShortRows{suffix}(ref float values, ref float weights, {stride}ref float start, ref float sums, in ProductShape shape, int rows)"))
        using (writer.Block("unchecked"))
        {
            writer.Line("int columns = shape.Columns;");
            using (writer.Block("for (; rows > 0; rows--)"))
            {
                for (int v = 0; v < lanes.Count; v++)
                {
                    writer.Line($"V s{v}_0 = {Load("start", Sum(set.WholePanels ? $"shape.Start{lanes[v].Vector}" : "", Constant(lanes[v].Part * set.Lanes)))};");
                    for (int chain = 1; chain < chains; chain++)
                    {
                        writer.Line($"V s{v}_{chain} = V.Zero;");
                    }
                }

                writer.Line("ref float w = ref weights;");
                writer.Line("int k = 0;");
                using (writer.Block($"for (; k + {chains} <= columns; k += {chains})"))
                {
                    for (int chain = 0; chain < chains; chain++)
                    {
                        Column(chain, chain == 0 ? "k" : $"k + {chain}", Times(chain, weightStride));
                    }

                    writer.Line($"w = ref Unsafe.Add(ref w, {chains} * {weightStride});");
                }

                writer.Line();
                for (int chain = 0; chain + 1 < chains; chain++)
                {
                    using (writer.Block($"if (k{(chain == 0 ? "" : $" + {chain}")} < columns)"))
                    {
                        Column(chain, chain == 0 ? "k" : $"k + {chain}", Times(chain, weightStride));
                    }

                    writer.Line();
                }

                for (int v = 0; v < lanes.Count; v++)
                {
                    string sum = InstructionSet.Joined(Enumerable.Range(0, chains).Select(chain => $"s{v}_{chain}").ToList());
                    writer.Line($"{Load("sums", Sum(set.WholePanels ? $"shape.Sum{lanes[v].Vector}" : "", Constant(lanes[v].Part * set.Lanes)))} = {sum};");
                }

                writer.Line("values = ref Unsafe.Add(ref values, shape.ValueStride);");
                writer.Line("start = ref Unsafe.Add(ref start, shape.StartStride);");
                writer.Line("sums = ref Unsafe.Add(ref sums, shape.SumStride);");
            }
        }

        writer.Line();

        void Column(int chain, string k, string offset)
        {
            writer.Line($"V x{chain} = {set.Factory}.Create(Unsafe.Add(ref values, {k}));");
            for (int v = 0; v < lanes.Count; v++)
            {
                writer.Line($"s{v}_{chain} = {string.Format(set.MultiplyAdd, $"x{chain}", Load("w", Sum(offset, Constant(Offset(set, lanes[v])))), $"s{v}_{chain}")};");
            }
        }
    }

    /// <summary>Gradients of panels of <paramref name="vectors"/> vectors, added to what is there.</summary>
    public static void Gradient(SourceWriter writer, InstructionSet set, int vectors)
    {
        writer.Line($"// Adds adjoints ⊗ values to the gradients of panels of {vectors * 16} columns, in chunks of rows that stay in the cache.");
        writer.Line("// A panel's adjoints are gathered first: every tile reads them again, and together they need few pages and cache sets.");
        writer.Line("// Their sums over rows, the gradients of biases, are taken on the way.");
        Optimized(writer);
        using (writer.Block($"internal static void Gradient{vectors}(ref float values, ref float adjoints, ref float gradients, ref float vectors, ref float gathered, in GradientShape shape, int rows)"))
        using (writer.Block("unchecked"))
        using (writer.Block($"for (; rows > 0; rows -= {WeightGradient.ChunkRows})"))
        {
            writer.Line($"int chunk = rows < {WeightGradient.ChunkRows} ? rows : {WeightGradient.ChunkRows};");
            writer.Line("ref float adjoint = ref adjoints;");
            writer.Line("ref float gradient = ref gradients;");
            writer.Line("ref float vector = ref vectors;");
            using (writer.Block("for (int panel = 0; panel < shape.Panels; panel++)"))
            {
                writer.Line($"Gather{vectors}(ref adjoint, ref gathered, in shape, chunk);");
                using (writer.Block("if (shape.SumsVectors)"))
                {
                    writer.Line($"SumRows{vectors}(ref gathered, ref vector, in shape, chunk);");
                }

                writer.Line();
                if (set.WholePanels)
                {
                    writer.Line("// The last panel is followed by the next rows' first.");
                    writer.Line($"ref float next = ref (panel + 1 < shape.Panels ? ref Unsafe.Add(ref adjoint, shape.PanelStep) : ref Unsafe.Add(ref adjoints, {WeightGradient.ChunkRows} * shape.AdjointStride));");
                    writer.Line($"GradientColumns{vectors}(ref values, ref gathered, ref gradient, ref next, in shape, chunk);");
                }
                else
                {
                    for (int v = 0; v < vectors; v++)
                    {
                        writer.Line($"GradientColumns(ref values, ref {At("gathered", Constant(v * 16 * WeightGradient.ChunkRows))}, ref {At("gradient", Constant(v * 16))}, in shape, chunk);");
                    }
                }

                writer.Line("adjoint = ref Unsafe.Add(ref adjoint, shape.PanelStep);");
                writer.Line("vector = ref Unsafe.Add(ref vector, shape.PanelStep);");
                writer.Line("gradient = ref Unsafe.Add(ref gradient, shape.PanelFloats);");
            }

            writer.Line();
            writer.Line($"values = ref Unsafe.Add(ref values, {WeightGradient.ChunkRows} * shape.ValueStride);");
            writer.Line($"adjoints = ref Unsafe.Add(ref adjoints, {WeightGradient.ChunkRows} * shape.AdjointStride);");
        }

        writer.Line();
        Gather(writer, set, vectors);
        SumRows(writer, set, vectors);
        if (set.WholePanels)
        {
            GradientColumns(writer, set, vectors);
        }
    }

    /// <summary>Copies a panel's adjoints together: row after row for tiles of whole panels, 16 columns after each other for narrow ones.</summary>
    private static void Gather(SourceWriter writer, InstructionSet set, int vectors)
    {
        Optimized(writer);
        using (writer.Block($"private static void Gather{vectors}(ref float adjoints, ref float gathered, in GradientShape shape, int rows)"))
        using (writer.Block("unchecked"))
        {
            writer.Line("int stride = shape.AdjointStride;");
            writer.Line("int " + string.Join(", ", Enumerable.Range(0, vectors).Select(v => $"adjoint{v} = shape.Adjoint{v}")) + ";");
            using (writer.Block("for (int row = 0; row < rows; row++)"))
            {
                foreach ((int vector, int part) in Lanes(set, vectors))
                {
                    writer.Line($"{Load("gathered", Constant(GatheredAt(set, vector, part)))} = {Load("adjoints", Sum($"adjoint{vector}", Constant(part * set.Lanes)))};");
                }

                writer.Line("adjoints = ref Unsafe.Add(ref adjoints, stride);");
                writer.Line($"gathered = ref Unsafe.Add(ref gathered, {(set.WholePanels ? vectors * 16 : 16)});");
            }
        }

        writer.Line();
    }

    /// <summary>Adds the sums of gathered adjoints to the gradients of vectors.</summary>
    private static void SumRows(SourceWriter writer, InstructionSet set, int vectors)
    {
        Optimized(writer);
        using (writer.Block($"private static void SumRows{vectors}(ref float gathered, ref float vectors, in GradientShape shape, int rows)"))
        using (writer.Block("unchecked"))
        {
            List<(int Vector, int Part)> lanes = Lanes(set, vectors);
            for (int v = 0; v < lanes.Count; v++)
            {
                writer.Line($"V total{v} = V.Zero;");
            }

            using (writer.Block("for (int row = 0; row < rows; row++)"))
            {
                for (int v = 0; v < lanes.Count; v++)
                {
                    writer.Line($"total{v} = total{v} + {Load("gathered", GatheredAt(set, lanes[v].Vector, lanes[v].Part))};");
                }

                writer.Line($"gathered = ref Unsafe.Add(ref gathered, {(set.WholePanels ? vectors * 16 : 16)});");
            }

            writer.Line();
            for (int v = 0; v < lanes.Count; v++)
            {
                using (writer.Block($"if (shape.Vector{lanes[v].Vector} >= 0)"))
                {
                    string target = Load("vectors", Sum($"shape.Vector{lanes[v].Vector}", Constant(lanes[v].Part * set.Lanes)));
                    writer.Line($"{target} = {target} + total{v};");
                }

                writer.Line();
            }
        }

        writer.Line();
    }

    /// <summary>Where a row's gathered adjoints lie: together for tiles of whole panels, 16 columns after each other for narrow ones.</summary>
    private static int GatheredAt(InstructionSet set, int vector, int part) => set.WholePanels ? vector * 16 : vector * 16 * WeightGradient.ChunkRows + part * set.Lanes;

    public static void GradientColumns(SourceWriter writer, InstructionSet set, int vectors)
    {
        string suffix = set.WholePanels ? vectors.ToString() : "";
        ImmutableArray<int> heights = set.RowTiles[vectors];
        Optimized(writer);
        using (writer.Block($"private static void GradientColumns{suffix}(ref float values, ref float adjoints, ref float gradients, {(set.WholePanels ? "ref float next, " : "")}in GradientShape shape, int rows)"))
        using (writer.Block("unchecked"))
        {
            writer.Line("int columns = shape.Columns;");
            if (set.WholePanels)
            {
                writer.Line("// Each tile fetches a share of the adjoints that are gathered next.");
                writer.Line($"int share = rows * {heights[0]} / (columns + 1) + 1, left = rows;");
            }

            foreach (int height in heights)
            {
                using (writer.Block($"for (; columns >= {height}; columns -= {height})"))
                {
                    if (set.WholePanels && height == heights[0])
                    {
                        using (writer.Block("for (int row = 0; row < share && left > 0; row++, left--)"))
                        {
                            for (int v = 0; v < vectors; v++)
                            {
                                writer.Line($"VectorMath.Prefetch(ref Unsafe.Add(ref next, shape.Adjoint{v}));");
                            }

                            writer.Line("next = ref Unsafe.Add(ref next, shape.AdjointStride);");
                        }

                        writer.Line();
                    }

                    writer.Line($"Gradient{height}x{vectors}(ref values, ref adjoints, ref gradients, in shape, rows);");
                    writer.Line($"values = ref Unsafe.Add(ref values, {height});");
                    writer.Line($"gradients = ref Unsafe.Add(ref gradients, {Times(height, "shape.WeightStride")});");
                }

                writer.Line();
            }
        }

        writer.Line();
        foreach (int height in heights)
        {
            GradientTile(writer, set, height, vectors);
        }
    }

    private static void GradientTile(SourceWriter writer, InstructionSet set, int height, int vectors)
    {
        List<(int Vector, int Part)> lanes = Lanes(set, vectors);
        Optimized(writer);
        using (writer.Block($"private static void Gradient{height}x{vectors}(ref float values, ref float adjoints, ref float gradients, in GradientShape shape, int rows)"))
        using (writer.Block("unchecked"))
        {
            writer.Line("nint stride = shape.WeightStride;");
            writer.Line("ref float gradient = ref gradients;");
            Each((sum, place) => $"V {sum} = {place};");
            writer.Line("nint valueStride = shape.ValueStride;");
            using (writer.Block("for (int row = 0; row < rows; row++)"))
            {
                for (int v = 0; v < lanes.Count; v++)
                {
                    writer.Line($"V d{v} = {Load("adjoints", Constant(Offset(set, lanes[v])))};");
                }

                for (int c = 0; c < height; c++)
                {
                    writer.Line($"{(c == 0 ? "V x" : "x")} = {set.Factory}.Create({At("values", Constant(c))});");
                    for (int v = 0; v < lanes.Count; v++)
                    {
                        writer.Line($"s{c}_{v} = {string.Format(set.MultiplyAdd, "x", $"d{v}", $"s{c}_{v}")};");
                    }
                }

                writer.Line("values = ref Unsafe.Add(ref values, valueStride);");
                writer.Line($"adjoints = ref Unsafe.Add(ref adjoints, {vectors * 16});");
            }

            writer.Line("gradient = ref gradients;");
            Each((sum, place) => $"{place} = {sum};");
        }

        writer.Line();

        void Each(Func<string, string, string> line)
        {
            for (int c = 0; c < height; c++)
            {
                for (int v = 0; v < lanes.Count; v++)
                {
                    writer.Line(line($"s{c}_{v}", Load("gradient", Constant(Offset(set, lanes[v])))));
                }

                if (c + 1 < height)
                {
                    writer.Line("gradient = ref Unsafe.Add(ref gradient, stride);");
                }
            }
        }
    }

    /// <summary>The vectors of a tile: which 16 lanes, and which part of them.</summary>
    private static List<(int Vector, int Part)> Lanes(InstructionSet set, int vectors) =>
        Enumerable.Range(0, vectors).SelectMany(vector => Enumerable.Range(0, set.Parts).Select(part => (vector, part))).ToList();

    private static int Offset(InstructionSet set, (int Vector, int Part) lane) => lane.Vector * 16 + lane.Part * set.Lanes;
}

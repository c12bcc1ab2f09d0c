using Microsoft.CodeAnalysis.Text;

namespace Unrolled.Generator.Tests;

/// <summary>A text with some of its characters marked «so»; nothing between the marks is a place between characters.</summary>
internal sealed record Marked(string Text, IReadOnlyList<TextSpan> Spans)
{
    public static Marked Parse(string marked)
    {
        var text = new System.Text.StringBuilder();
        var spans = new List<TextSpan>();
        int start = -1;
        foreach (char character in marked)
        {
            switch (character)
            {
                case '«':
                    start = text.Length;
                    break;
                case '»':
                    spans.Add(TextSpan.FromBounds(start, text.Length));
                    break;
                default:
                    text.Append(character);
                    break;
            }
        }

        return new Marked(text.ToString(), spans);
    }
}

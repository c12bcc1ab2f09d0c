using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;
using Unrolled.Generator.Frontend.Equations;
using Xunit;

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

    /// <summary>The mistake is this one, told on the only marked characters.</summary>
    /// <param name="message">How the message begins.</param>
    public void AssertTold(string id, string message, EquationError error) => AssertTold(id, message, error.Id, error.Message, error.Span);

    /// <inheritdoc cref="AssertTold(string, string, EquationError)"/>
    public void AssertTold(string id, string message, Diagnostic diagnostic) =>
        AssertTold(id, message, diagnostic.Id, diagnostic.GetMessage(), diagnostic.Location.SourceSpan);

    /// <summary>The same, at the lines and columns of a file that the C# compiler does not read.</summary>
    public void AssertToldIn(string path, string id, string message, Diagnostic diagnostic)
    {
        AssertTold(id, message, diagnostic);
        Assert.Equal(new FileLinePositionSpan(path, SourceText.From(Text).Lines.GetLinePositionSpan(Spans[0])), diagnostic.Location.GetLineSpan());
    }

    private void AssertTold(string id, string message, string toldId, string told, TextSpan span)
    {
        Assert.Equal(id, toldId);
        Assert.StartsWith(message, told, StringComparison.Ordinal);
        Assert.Equal(Assert.Single(Spans), span);
    }
}

using System;
using System.Collections.Generic;
using System.Text;
using System.Text.Json;
using Microsoft.CodeAnalysis.Text;

namespace Unrolled.Generator.Frontend.Json;

/// <summary>A JSON value and the characters of the file it is written with.</summary>
internal abstract record JsonValue(TextSpan Span);

internal sealed record JsonText(string Value, TextSpan Span) : JsonValue(Span);

/// <summary>A number; one too large for a double is infinite.</summary>
internal sealed record JsonNumber(double Value, TextSpan Span) : JsonValue(Span);

internal sealed record JsonSwitch(bool Value, TextSpan Span) : JsonValue(Span);

internal sealed record JsonNull(TextSpan Span) : JsonValue(Span);

internal sealed record JsonArray(IReadOnlyList<JsonValue> Items, TextSpan Span) : JsonValue(Span);

internal sealed record JsonObject(IReadOnlyList<JsonMember> Members, TextSpan Span) : JsonValue(Span);

internal sealed record JsonMember(string Name, TextSpan NameSpan, JsonValue Value);

/// <summary>Text that cannot be read as JSON: why, and where.</summary>
internal sealed record JsonMistake(string Message, TextSpan Span);

/// <summary>Reads JSON as RFC 8259 has it, with the place of every value.</summary>
internal static class JsonTree
{
    /// <summary>Characters of a file; no network needs more.</summary>
    public const int MostCharacters = 1024 * 1024;

    /// <summary>Arrays and objects inside one another; a network has four.</summary>
    public const int MostNesting = 64;

    /// <summary>The file's value, or what is wrong with it.</summary>
    public static (JsonValue? Value, JsonMistake? Mistake) Parse(SourceText source)
    {
        if (source.Length > MostCharacters)
        {
            return (null, new JsonMistake($"The file has more than {MostCharacters / 1024 / 1024} MiB (a network needs a few hundred characters)", default));
        }

        string text = source.ToString();
        if (string.IsNullOrWhiteSpace(text))
        {
            return (null, new JsonMistake("The file is empty (write { \"class\": …, \"input\": …, \"layers\": … })", default));
        }

        byte[] bytes = Encoding.UTF8.GetBytes(text);
        var places = new Places(bytes);
        var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = MostNesting });
        try
        {
            reader.Read();
            JsonValue value = Value(ref reader, places);

            // Whatever follows the value is a mistake that reading on tells.
            reader.Read();
            return (value, null);
        }
        catch (JsonException exception)
        {
            int at = Math.Min(places.Of(Offset(bytes, exception)), text.Length);
            return (null, new JsonMistake($"This is not JSON: {Reason(exception)} (correct it here)", new TextSpan(at, at < text.Length ? 1 : 0)));
        }
        catch (InvalidOperationException)
        {
            // What GetString says of half a surrogate pair.
            int at = places.Of(reader.TokenStartIndex);
            return (null, new JsonMistake("This is not JSON: the string holds half of a character's two \\u escapes (write both)", new TextSpan(at, 1)));
        }
    }

    private static JsonValue Value(ref Utf8JsonReader reader, Places places)
    {
        int start = places.Of(reader.TokenStartIndex);
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                var members = new List<JsonMember>();
                while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                {
                    string name = reader.GetString()!;
                    TextSpan nameSpan = Quoted(ref reader, places);
                    reader.Read();
                    members.Add(new JsonMember(name, nameSpan, Value(ref reader, places)));
                }

                return new JsonObject(members, TextSpan.FromBounds(start, places.Of(reader.BytesConsumed)));
            case JsonTokenType.StartArray:
                var items = new List<JsonValue>();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    items.Add(Value(ref reader, places));
                }

                return new JsonArray(items, TextSpan.FromBounds(start, places.Of(reader.BytesConsumed)));
            case JsonTokenType.String:
                return new JsonText(reader.GetString()!, Quoted(ref reader, places));
            case JsonTokenType.Number:
                return new JsonNumber(reader.TryGetDouble(out double number) ? number : double.PositiveInfinity, new TextSpan(start, reader.ValueSpan.Length));
            case JsonTokenType.True or JsonTokenType.False:
                return new JsonSwitch(reader.GetBoolean(), new TextSpan(start, reader.ValueSpan.Length));
            default:
                return new JsonNull(new TextSpan(start, reader.ValueSpan.Length));
        }
    }

    private static TextSpan Quoted(ref Utf8JsonReader reader, Places places)
    {
        int start = places.Of(reader.TokenStartIndex);
        return TextSpan.FromBounds(start, places.Of(reader.TokenStartIndex + reader.ValueSpan.Length + 2));
    }

    private static long Offset(byte[] bytes, JsonException exception)
    {
        long offset = 0;
        for (long line = exception.LineNumber ?? 0; line > 0; line--)
        {
            int end = Array.IndexOf(bytes, (byte)'\n', (int)offset);
            if (end < 0)
            {
                break;
            }

            offset = end + 1;
        }

        return Math.Min(offset + (exception.BytePositionInLine ?? 0), bytes.Length);
    }

    // Without the place that the message repeats, in one line and without a dot.
    private static string Reason(JsonException exception)
    {
        string message = exception.Message;
        int place = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return (place < 0 ? message : message.Substring(0, place)).Replace("\r", "").Replace('\n', ' ').TrimEnd('.', ' ');
    }

    /// <summary>Characters by bytes. Tokens are asked for nearly in order, so each byte is counted about once.</summary>
    private sealed class Places
    {
        private readonly byte[] _bytes;
        private int _byte;
        private int _character;

        public Places(byte[] bytes) => _bytes = bytes;

        public int Of(long offset)
        {
            int target = (int)offset;
            if (target >= _byte)
            {
                _character += Encoding.UTF8.GetCharCount(_bytes, _byte, target - _byte);
            }
            else
            {
                _character -= Encoding.UTF8.GetCharCount(_bytes, target, _byte - target);
            }

            _byte = target;
            return _character;
        }
    }
}

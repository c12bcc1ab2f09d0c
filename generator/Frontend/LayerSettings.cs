using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Unrolled.Generator.Frontend.Equations;

namespace Unrolled.Generator.Frontend;

/// <summary>The properties that a front end found on a layer; it reports what they should not hold.</summary>
internal interface ILayerProperties
{
    bool Switch(string property, bool otherwise);

    double Number(string property, double otherwise);

    FunctionValue Function(FunctionOption option);
}

/// <summary>What a layer's properties mean for its cell: the same in every front end.</summary>
internal static class LayerSettings
{
    /// <summary>The cell file of a built-in layer.</summary>
    public static string CellOf(BuiltInLayer layer, ILayerProperties properties)
    {
        string file = layer.Cell;
        foreach (CellOption option in layer.Options.OfType<CellOption>())
        {
            if (properties.Switch(option.Property, option.Default) == option.When)
            {
                file = option.Cell;
            }
        }

        return file;
    }

    /// <summary>
    /// The settings of a cell's use, in the order of its text: those of a built-in layer's properties, then its own. Other layers have no
    /// properties.
    /// </summary>
    public static EquatableArray<CellSetting> Of(BuiltInLayer? layer, string text, ILayerProperties? properties, IEnumerable<CellSetting> own)
    {
        var settings = new Dictionary<string, CellSetting>(StringComparer.Ordinal);
        foreach (LayerOption option in layer is null || properties is null ? ImmutableArray<LayerOption>.Empty : layer.Options)
        {
            switch (option)
            {
                case BindOption bind when properties!.Switch(bind.Property, bind.Default) == bind.When:
                    foreach (string parameter in bind.Parameters)
                    {
                        settings[parameter] = new CellSetting(parameter, CellSettingKind.Number, bind.Number, null);
                    }

                    break;
                case InitOption init:
                    double start = properties!.Number(init.Property, init.Default);

                    // What is bound to a number is no parameter and starts nowhere.
                    if (!settings.ContainsKey(init.Parameter))
                    {
                        settings[init.Parameter] = new CellSetting(init.Parameter, CellSettingKind.Init, start, null);
                    }

                    break;
                case FunctionOption function:
                    settings[function.Param] = new CellSetting(function.Param, CellSettingKind.Function, 0, properties!.Function(function));
                    break;
            }
        }

        Dictionary<string, int> order = new(StringComparer.Ordinal);
        foreach (Token token in Lexer.Tokenize(text).Where(token => token.Kind == TokenKind.Name && !order.ContainsKey(token.Text)))
        {
            order.Add(token.Text, order.Count);
        }

        // Of options, without what this cell of the layer's several does not have.
        foreach (string name in settings.Keys.Where(name => !order.ContainsKey(name)).ToList())
        {
            settings.Remove(name);
        }

        foreach (CellSetting setting in own)
        {
            settings[setting.Name] = setting;
        }

        // Members of a family, whose names are not written in the text, come last.
        return new EquatableArray<CellSetting>(settings.Values
            .OrderBy(setting => order.TryGetValue(setting.Name, out int place) ? place : int.MaxValue)
            .ThenBy(setting => setting.Name, StringComparer.Ordinal));
    }
}

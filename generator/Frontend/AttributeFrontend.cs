using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Globalization;
using System.Linq;
using System.Text;
using System.Threading;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Unrolled.Generator.Diagnostics;
using Unrolled.Generator.Frontend.Equations;

namespace Unrolled.Generator.Frontend;

/// <summary>Reads a model from the attributes on its class.</summary>
internal sealed class AttributeFrontend
{
    /// <summary>The attribute that makes a class a model.</summary>
    public const string ModelAttribute = "Unrolled.ModelAttribute";

    // The members of the runtime's Loss, in the order of their values.
    private static readonly ImmutableArray<string> Losses = ImmutableArray.Create("None", "SoftmaxCrossEntropy", "MeanSquaredError");

    private readonly INamedTypeSymbol _class;
    private readonly LocationInfo _location;
    private readonly CancellationToken _cancellation;
    private readonly List<DiagnosticInfo> _diagnostics = new();

    // An argument the C# compiler refuses is its to report; there is nothing to compile then.
    private bool _hasForeignErrors;

    private AttributeFrontend(INamedTypeSymbol @class, LocationInfo location, CancellationToken cancellation)
    {
        _class = @class;
        _location = location;
        _cancellation = cancellation;
    }

    /// <summary>
    /// Reads the model declared by a class's <c>[Model]</c>; null for a second <c>[Model]</c> on the same class, which the C# compiler
    /// reports and which must not become a second file of the same name.
    /// </summary>
    public static ParsedModel? Parse(TypeDeclarationSyntax declaration, INamedTypeSymbol @class, AttributeData model, CancellationToken cancellation)
    {
        AttributeData first = @class.GetAttributes().First(attribute => IsOf(attribute, "ModelAttribute"));
        return first.ApplicationSyntaxReference?.Span == model.ApplicationSyntaxReference?.Span
            && first.ApplicationSyntaxReference?.SyntaxTree == model.ApplicationSyntaxReference?.SyntaxTree
            ? new AttributeFrontend(@class, LocationInfo.From(declaration.Identifier.GetLocation()), cancellation).Parse(declaration, model)
            : null;
    }

    private ParsedModel Parse(TypeDeclarationSyntax declaration, AttributeData model)
    {
        string hintName = TypeNames.HintName(_class);
        CheckClass(declaration);
        (int tokens, int features) = Input(model);
        List<AttributeData> attributes = LayerAttributes();
        List<LayerSpec> layers = Layers(attributes);
        string loss = Loss(layers);
        bool isComplete = _diagnostics.Count == 0 && !_hasForeignErrors;
        var spec = new ModelSpec(
            TypeNames.Namespace(_class),
            new EquatableArray<string>(TypeNames.ContainingTypes(_class).Select(TypeNames.Declaration)),
            TypeNames.Declaration(_class),
            TypeNames.Identifier(_class.Name),
            tokens,
            features,
            new EquatableArray<LayerSpec>(layers),
            loss);
        return new ParsedModel(
            isComplete ? new ModelRequest(hintName, spec) : null,
            hintName,
            _location,
            new EquatableArray<LocationInfo>(attributes.Select(Location)),
            new EquatableArray<DiagnosticInfo>(_diagnostics));
    }

    // ---- the class

    private void CheckClass(TypeDeclarationSyntax declaration)
    {
        if (!TypeNames.IsPartial(declaration))
        {
            Report(Descriptors.ClassNotPartial, _location, _class.Name);
        }

        List<INamedTypeSymbol> containing = TypeNames.ContainingTypes(_class);
        if (_class.Arity > 0 || containing.Any(type => type.Arity > 0))
        {
            Report(Descriptors.GenericClass, _location, _class.Name);
        }

        string? what = _class.IsStatic ? "is static"
            : _class.IsAbstract ? "is abstract"
            : _class.IsRecord ? "is a record"
            : _class.IsFileLocal || containing.Any(type => type.IsFileLocal) ? "is local to its file"
            : HasPrimaryConstructor() ? "has a primary constructor"
            : null;
        if (what is not null)
        {
            Report(Descriptors.UnsupportedClass, _location, _class.Name, what);
        }

        foreach (INamedTypeSymbol type in containing)
        {
            if (!type.DeclaringSyntaxReferences.All(reference => TypeNames.IsPartial(reference.GetSyntax(_cancellation))))
            {
                Report(Descriptors.ContainingTypeNotPartial, _location, type.Name, _class.Name);
            }
        }
    }

    private bool HasPrimaryConstructor() => _class.DeclaringSyntaxReferences
        .Any(reference => reference.GetSyntax(_cancellation) is TypeDeclarationSyntax { ParameterList: not null });

    private (int Tokens, int Features) Input(AttributeData model)
    {
        bool hasTokens = TryGet(model, "Tokens", out int tokens);
        bool hasFeatures = TryGet(model, "Features", out int features);
        if ((tokens == 0 && features == 0 && hasTokens == hasFeatures) || (tokens != 0 && features != 0))
        {
            string what = tokens == 0 ? "has neither tokens nor features as its input" : "has both tokens and features as its input";
            Report(Descriptors.InputNotStated, Location(model), _class.Name, what);
        }
        else if (features == 0 && hasTokens)
        {
            CheckSize("Tokens", tokens, Location(model, "Tokens"));
        }
        else
        {
            CheckSize("Features", features, Location(model, "Features"));
        }

        return (tokens, features);
    }

    // ---- the layers

    private List<AttributeData> LayerAttributes()
    {
        List<AttributeData> attributes = _class.GetAttributes().Where(IsLayer).ToList();
        TypeDeclarationSyntax? first = null;
        foreach (AttributeData attribute in attributes)
        {
            TypeDeclarationSyntax? declaration = Syntax(attribute)?.FirstAncestorOrSelf<TypeDeclarationSyntax>();
            first ??= declaration;
            if (declaration != first)
            {
                Report(Descriptors.LayersInSeveralDeclarations, Location(attribute), _class.Name);
                break;
            }
        }

        return attributes.OrderBy(attribute => attribute.ApplicationSyntaxReference?.Span.Start ?? 0).ToList();
    }

    private List<LayerSpec> Layers(List<AttributeData> attributes)
    {
        if (attributes.Count == 0)
        {
            Report(Descriptors.NoLayers, _location, _class.Name);
        }

        var layers = new List<LayerSpec>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (int index = 0; index < attributes.Count; index++)
        {
            AttributeData attribute = attributes[index];
            string attributeClass = attribute.AttributeClass!.Name;
            if (BuiltInLayers.Find(attributeClass) is not BuiltInLayer layer)
            {
                Report(Descriptors.UnknownLayer, Location(attribute), attributeClass);
                continue;
            }

            string name = LayerName(attribute, layer, index);
            if (!names.Add(name))
            {
                Report(Descriptors.DuplicateLayerName, Location(attribute, "Name"), name);
            }

            int units = Units(attribute);
            (string cell, EquatableArray<CellSetting> settings) = Settings(attribute, layer);
            layers.Add(new LayerSpec(name, cell, CellFiles.Read(cell), units, settings));
        }

        return layers;
    }

    private string LayerName(AttributeData attribute, BuiltInLayer layer, int index)
    {
        if (!TryGet(attribute, "Name", out string? name) || name is null)
        {
            return layer.Attribute.ToLowerInvariant() + "_" + index.ToString(CultureInfo.InvariantCulture);
        }

        if (!Lexer.IsName(name))
        {
            Report(Descriptors.InvalidLayerName, Location(attribute, "Name"), name);
            return name;
        }

        // As the names of the equation language, so that two spellings of one name are one.
        return name.Normalize(NormalizationForm.FormC);
    }

    private int Units(AttributeData attribute)
    {
        if (attribute.ConstructorArguments.Length == 1 && attribute.ConstructorArguments[0] is { Kind: TypedConstantKind.Primitive, Value: int units })
        {
            CheckSize("The number of units", units, PositionalLocation(attribute));
            return units;
        }

        _hasForeignErrors = true;
        return 0;
    }

    private (string Cell, EquatableArray<CellSetting> Settings) Settings(AttributeData attribute, BuiltInLayer layer)
    {
        string cell = layer.Cell;
        foreach (CellOption option in layer.Options.OfType<CellOption>())
        {
            if (Get(attribute, option.Property, option.Default) == option.When)
            {
                cell = option.Cell;
            }
        }

        var settings = new Dictionary<string, CellSetting>(StringComparer.Ordinal);
        foreach (LayerOption option in layer.Options)
        {
            switch (option)
            {
                case BindOption bind when Get(attribute, bind.Property, bind.Default) == bind.When:
                    foreach (string parameter in bind.Parameters)
                    {
                        settings[parameter] = new CellSetting(parameter, CellSettingKind.Number, bind.Number, null);
                    }

                    break;
                case InitOption init:
                    double start = Get(attribute, init.Property, init.Default);
                    if (!(Math.Abs(start) <= float.MaxValue))
                    {
                        Report(
                            Descriptors.BadSetting,
                            Location(attribute, init.Property),
                            $"{init.Property} is {start.ToString(CultureInfo.InvariantCulture)}, which no 32-bit float holds (use a finite number)");
                    }

                    // What is bound to a number is no parameter and starts nowhere.
                    if (!settings.ContainsKey(init.Parameter))
                    {
                        settings[init.Parameter] = new CellSetting(init.Parameter, CellSettingKind.Init, start, null);
                    }

                    break;
                case FunctionOption function:
                    settings[function.Param] = new CellSetting(function.Param, CellSettingKind.Function, 0, Function(attribute, function));
                    break;
            }
        }

        // In the order of the cell's text, without what this cell of the layer's several does not have.
        IEnumerable<CellSetting> ordered = Lexer.Tokenize(CellFiles.Read(cell))
            .Where(token => token.Kind == TokenKind.Name && settings.ContainsKey(token.Text))
            .Select(token => settings[token.Text])
            .Distinct();
        return (cell, new EquatableArray<CellSetting>(ordered));
    }

    private string Function(AttributeData attribute, FunctionOption option)
    {
        if (!TryGet(attribute, option.Property, out int activation))
        {
            return option.Default;
        }

        if (activation >= 0 && activation < BuiltInLayers.Activations.Length)
        {
            return BuiltInLayers.Activations[activation];
        }

        Report(
            Descriptors.BadSetting,
            Location(attribute, option.Property),
            $"{activation.ToString(CultureInfo.InvariantCulture)} is no function (use a member of the enumeration Activation)");
        return option.Default;
    }

    // ---- the loss

    private string Loss(List<LayerSpec> layers)
    {
        AttributeData? attribute = _class.GetAttributes().FirstOrDefault(attribute => IsOf(attribute, "LossAttribute"));
        if (attribute is null)
        {
            return Losses[0];
        }

        if (attribute.ConstructorArguments.Length != 1 || attribute.ConstructorArguments[0] is not { Kind: TypedConstantKind.Enum, Value: int value })
        {
            _hasForeignErrors = true;
            return Losses[0];
        }

        if (value < 0 || value >= Losses.Length)
        {
            Report(Descriptors.UnknownLoss, PositionalLocation(attribute), value.ToString(CultureInfo.InvariantCulture));
            return Losses[0];
        }

        string loss = Losses[value];
        if (loss == "SoftmaxCrossEntropy" && layers.Count > 0 && layers[layers.Count - 1].Units == 1)
        {
            Report(Descriptors.LossNeedsMoreOutputs, Location(attribute));
        }

        return loss;
    }

    // ---- attributes

    private static bool IsOf(AttributeData attribute, string name) =>
        attribute.AttributeClass is INamedTypeSymbol type && type.Name == name && IsOurs(type);

    private static bool IsLayer(AttributeData attribute) =>
        attribute.AttributeClass?.BaseType is { Name: "LayerAttribute" } layer && IsOurs(layer);

    private static bool IsOurs(INamedTypeSymbol type) =>
        type.ContainingType is null && type.ContainingNamespace is { Name: "Unrolled", ContainingNamespace.IsGlobalNamespace: true };

    private T Get<T>(AttributeData attribute, string property, T otherwise) =>
        TryGet(attribute, property, out T? value) && value is not null ? value : otherwise;

    private bool TryGet<T>(AttributeData attribute, string property, out T? value)
    {
        foreach (KeyValuePair<string, TypedConstant> argument in attribute.NamedArguments)
        {
            if (argument.Key == property)
            {
                if (argument.Value is { Kind: TypedConstantKind.Primitive or TypedConstantKind.Enum } constant && constant.Value is null or T)
                {
                    value = (T?)argument.Value.Value;
                    return true;
                }

                _hasForeignErrors = true;
                break;
            }
        }

        value = default;
        return false;
    }

    private void CheckSize(string what, int size, LocationInfo location)
    {
        if (size < 1 || size > Limits.Size)
        {
            Report(
                Descriptors.InvalidSize,
                location,
                what,
                size.ToString(CultureInfo.InvariantCulture),
                Limits.Size.ToString(CultureInfo.InvariantCulture));
        }
    }

    private AttributeSyntax? Syntax(AttributeData attribute) => attribute.ApplicationSyntaxReference?.GetSyntax(_cancellation) as AttributeSyntax;

    private LocationInfo Location(AttributeData attribute) => Syntax(attribute) is AttributeSyntax syntax ? LocationInfo.From(syntax) : _location;

    // The value of a property, or the attribute where the property is not written.
    private LocationInfo Location(AttributeData attribute, string property)
    {
        AttributeArgumentSyntax? argument = Syntax(attribute)?.ArgumentList?.Arguments
            .FirstOrDefault(argument => argument.NameEquals?.Name.Identifier.ValueText == property);
        return argument is null ? Location(attribute) : LocationInfo.From(argument.Expression);
    }

    private LocationInfo PositionalLocation(AttributeData attribute)
    {
        AttributeArgumentSyntax? argument = Syntax(attribute)?.ArgumentList?.Arguments.FirstOrDefault(argument => argument.NameEquals is null);
        return argument is null ? Location(attribute) : LocationInfo.From(argument.Expression);
    }

    private void Report(DiagnosticDescriptor descriptor, LocationInfo location, params string[] arguments) =>
        _diagnostics.Add(DiagnosticInfo.Create(descriptor, location, arguments));
}

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
using ExpressionSyntax = Microsoft.CodeAnalysis.CSharp.Syntax.ExpressionSyntax;

namespace Unrolled.Generator.Frontend;

/// <summary>Reads a model from the attributes on its class.</summary>
internal sealed class AttributeFrontend
{
    /// <summary>The attribute that makes a class a model.</summary>
    public const string ModelAttribute = "Unrolled.ModelAttribute";

    /// <summary>The attribute that declares a cell, on a class or the assembly.</summary>
    public const string CellAttribute = "Unrolled.CellAttribute";

    private const string LayerAttribute = "LayerAttribute";

    /// <summary>The members of the runtime's Loss, in the order of their values.</summary>
    public static readonly ImmutableArray<string> Losses = ImmutableArray.Create("None", "SoftmaxCrossEntropy", "MeanSquaredError");

    private readonly INamedTypeSymbol _class;
    private readonly LocationInfo _location;
    private readonly CancellationToken _cancellation;
    private readonly List<DiagnosticInfo> _diagnostics = new();

    // An argument the C# compiler refuses is its to report; there is nothing to compile then.
    private bool _hasForeignErrors;

    // The class's own cells by name; those it shares with other models are found later.
    private readonly Dictionary<string, UserCell> _cells = new(StringComparer.Ordinal);
    private readonly HashSet<string> _usedCells = new(StringComparer.Ordinal);
    private readonly List<NamedCell> _named = new();
    private bool _hasUnreadableCells;

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
    public static DeclaredModel? Parse(TypeDeclarationSyntax declaration, INamedTypeSymbol @class, AttributeData model, CancellationToken cancellation)
    {
        AttributeData first = @class.GetAttributes().First(attribute => IsOf(attribute, "ModelAttribute"));
        return first.ApplicationSyntaxReference?.Span == model.ApplicationSyntaxReference?.Span
            && first.ApplicationSyntaxReference?.SyntaxTree == model.ApplicationSyntaxReference?.SyntaxTree
            ? new AttributeFrontend(@class, LocationInfo.From(declaration.Identifier.GetLocation()), cancellation).Parse(declaration, model)
            : null;
    }

    private DeclaredModel Parse(TypeDeclarationSyntax declaration, AttributeData model)
    {
        string hintName = TypeNames.HintName(_class);
        CheckClass(declaration);
        (int tokens, int features) = Input(model);
        List<AttributeData> attributes = LayerAttributes();
        ReadCells();
        (List<LayerSpec> layers, List<LayerPlace> places) = Layers(attributes, tokens + features);
        CheckUse();
        string loss = Loss(layers);
        var spec = new ModelSpec(
            TypeNames.Namespace(_class),
            new EquatableArray<string>(TypeNames.ContainingTypes(_class).Select(TypeNames.Declaration)),
            TypeNames.Declaration(_class),
            CSharpName.Identifier(_class.Name),
            tokens,
            features,
            new EquatableArray<LayerSpec>(layers),
            loss);
        return new DeclaredModel(
            spec,
            hintName,
            _location,
            new EquatableArray<LayerPlace>(places),
            new EquatableArray<NamedCell>(_named),
            new EquatableArray<string>(_cells.Keys.OrderBy(name => name, StringComparer.Ordinal)),
            !_hasForeignErrors,
            _hasUnreadableCells,
            new EquatableArray<DiagnosticInfo>(_diagnostics));
    }

    // ---- the class

    private void CheckClass(TypeDeclarationSyntax declaration)
    {
        if (!TypeNames.IsPartial(declaration))
        {
            Report(Descriptors.ClassNotPartial, _location, _class.Name);
        }

        _diagnostics.AddRange(ClassCheck.Find(_class, _location, _cancellation));
    }

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

    private (List<LayerSpec> Layers, List<LayerPlace> Places) Layers(List<AttributeData> attributes, int input)
    {
        if (attributes.Count == 0)
        {
            Report(Descriptors.NoLayers, _location, _class.Name);
        }

        var layers = new List<LayerSpec>();
        var places = new List<LayerPlace>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (int index = 0; index < attributes.Count; index++)
        {
            AttributeData attribute = attributes[index];
            if (Cell(attribute) is not UsedCell cell)
            {
                continue;
            }

            string name = LayerName(attribute, cell.LayerName, index);
            if (!names.Add(name))
            {
                Report(Descriptors.DuplicateLayerName, Location(attribute, "Name"), name);
            }

            int units = Units(attribute);
            (List<WrittenSetting> written, LiteralText? writtenPlace) = WrittenSettings(attribute);
            EquatableArray<CellSetting> settings = EquatableArray<CellSetting>.Empty;
            if (cell.Text is null)
            {
                _named.Add(new NamedCell(layers.Count, ArgumentLocation(attribute, 0), new EquatableArray<WrittenSetting>(written), writtenPlace));
            }
            else
            {
                var errors = new List<EquationError>();
                List<CellSetting> own = UseSite.Resolve(cell.Name, cell.Text, input, units, written, errors);
                Report(errors, writtenPlace);
                settings = LayerSettings.Of(cell.Options, cell.Text, new Properties(this, attribute), own);
            }

            layers.Add(new LayerSpec(name, cell.Name, cell.Text ?? "", units, settings));
            places.Add(new LayerPlace(Location(attribute), cell.Place));
            input = units;
        }

        return (layers, places);
    }

    // ---- cells

    /// <summary>A cell that a <c>[Cell]</c> declares.</summary>
    private sealed record UserCell(string Text, LiteralText Place, LocationInfo NamePlace);

    /// <summary>The cell of a layer.</summary>
    /// <param name="LayerName">What the layer is called, apart from its number, unless it says so itself.</param>
    /// <param name="Text">Its equations; null where they are not the class's own and have to be found among the shared ones.</param>
    /// <param name="Place">Where the text stands, if it is the class's own.</param>
    /// <param name="Options">The settings that the attribute's own properties make.</param>
    private sealed record UsedCell(string Name, string LayerName, string? Text, LiteralText? Place, BuiltInLayer? Options);

    private void ReadCells()
    {
        foreach (AttributeData attribute in _class.GetAttributes().Where(attribute => IsOf(attribute, "CellAttribute")))
        {
            if (Syntax(attribute)?.ArgumentList is not AttributeArgumentListSyntax arguments || CellArguments.Read(attribute, arguments) is not CellArguments written)
            {
                _hasUnreadableCells = true;
                continue;
            }

            string name = SharedCells.Normal(written.Name);
            LocationInfo namePlace = LocationInfo.From(written.NameExpression);
            if (!Lexer.IsName(name))
            {
                Report(Descriptors.InvalidCellName, namePlace, name, "use a letter or _, then letters, digits and _");
            }

            if (_cells.ContainsKey(name))
            {
                Report(Descriptors.DuplicateCell, namePlace, name, "twice on this class");
            }
            else
            {
                _cells.Add(name, new UserCell(written.Equations, LiteralText.From(written.EquationsExpression, written.Equations, _cancellation), namePlace));
            }
        }
    }

    // A cell on the class is there for its layers alone.
    private void CheckUse()
    {
        foreach (KeyValuePair<string, UserCell> cell in _cells.Where(cell => Lexer.IsName(cell.Key) && !_usedCells.Contains(cell.Key)))
        {
            Report(Descriptors.UnusedCell, cell.Value.NamePlace, cell.Key);
        }
    }

    private UsedCell? Cell(AttributeData attribute)
    {
        string attributeClass = attribute.AttributeClass!.Name;
        if (attributeClass != LayerAttribute)
        {
            if (BuiltInLayers.Find(attributeClass) is not BuiltInLayer layer)
            {
                Report(Descriptors.UnknownLayer, Location(attribute), attributeClass);
                return null;
            }

            string file = LayerSettings.CellOf(layer, new Properties(this, attribute));
            return new UsedCell(file, layer.Attribute.ToLowerInvariant(), CellFiles.Read(file), null, layer);
        }

        if (Constant(attribute, 0) is not string name)
        {
            _hasForeignErrors = true;
            return null;
        }

        name = SharedCells.Normal(name);
        _usedCells.Add(name);
        return _cells.TryGetValue(name, out UserCell cell)
            ? new UsedCell(name, name, cell.Text, cell.Place, null)
            : new UsedCell(name, name, null, null, null);
    }

    private string LayerName(AttributeData attribute, string kind, int index)
    {
        if (!TryGet(attribute, "Name", out string? name) || name is null)
        {
            return kind + "_" + index.ToString(CultureInfo.InvariantCulture);
        }

        if (!Lexer.IsName(name))
        {
            Report(Descriptors.InvalidLayerName, Location(attribute, "Name"), name);
            return name;
        }

        return SharedCells.Normal(name);
    }

    private int Units(AttributeData attribute)
    {
        int index = attribute.ConstructorArguments.Length - 1;
        if (Constant(attribute, index) is int units)
        {
            CheckSize("The number of units", units, ArgumentLocation(attribute, index));
            return units;
        }

        _hasForeignErrors = true;
        return 0;
    }

    private (List<WrittenSetting> Settings, LiteralText? Place) WrittenSettings(AttributeData attribute)
    {
        if (!TryGet(attribute, "Set", out string? text) || text is null || NamedExpression(attribute, "Set") is not ExpressionSyntax expression)
        {
            return ([], null);
        }

        var errors = new List<EquationError>();
        List<WrittenSetting> written = UseSite.Parse(text, errors);
        LiteralText place = LiteralText.From(expression, text, _cancellation);
        Report(errors, place);
        return (errors.Count == 0 ? written : [], place);
    }

    /// <summary>The named arguments of a layer's attribute.</summary>
    private sealed class Properties : ILayerProperties
    {
        private readonly AttributeFrontend _frontend;
        private readonly AttributeData _attribute;

        public Properties(AttributeFrontend frontend, AttributeData attribute)
        {
            _frontend = frontend;
            _attribute = attribute;
        }

        public bool Switch(string property, bool otherwise) => _frontend.Get(_attribute, property, otherwise);

        public double Number(string property, double otherwise)
        {
            double number = _frontend.Get(_attribute, property, otherwise);
            if (!(Math.Abs(number) <= float.MaxValue))
            {
                _frontend.Report(
                    Descriptors.BadSetting,
                    _frontend.Location(_attribute, property),
                    $"{property} is {number.ToString(CultureInfo.InvariantCulture)}, which no 32-bit float holds (use a finite number)");
            }

            return number;
        }

        public FunctionValue Function(FunctionOption option)
        {
            if (!_frontend.TryGet(_attribute, option.Property, out int activation))
            {
                return option.Default;
            }

            if (activation >= 0 && activation < BuiltInLayers.Activations.Length)
            {
                return BuiltInLayers.Activations[activation];
            }

            _frontend.Report(
                Descriptors.BadSetting,
                _frontend.Location(_attribute, option.Property),
                $"{activation.ToString(CultureInfo.InvariantCulture)} is no function (use a member of the enumeration Activation)");
            return option.Default;
        }
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
            Report(Descriptors.UnknownLoss, ArgumentLocation(attribute, 0), value.ToString(CultureInfo.InvariantCulture));
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

    internal static bool IsOf(AttributeData attribute, string name) =>
        attribute.AttributeClass is INamedTypeSymbol type && type.Name == name && IsOurs(type);

    internal static bool IsLayer(AttributeData attribute) =>
        IsOf(attribute, LayerAttribute) || (attribute.AttributeClass?.BaseType is { Name: LayerAttribute } layer && IsOurs(layer));

    internal static bool IsOurs(INamedTypeSymbol type) =>
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
    private LocationInfo Location(AttributeData attribute, string property) =>
        NamedExpression(attribute, property) is ExpressionSyntax expression ? LocationInfo.From(expression) : Location(attribute);

    private LocationInfo ArgumentLocation(AttributeData attribute, int index) =>
        Expression(attribute, index) is ExpressionSyntax expression ? LocationInfo.From(expression) : Location(attribute);

    private ExpressionSyntax? NamedExpression(AttributeData attribute, string property) => Syntax(attribute)?.ArgumentList?.Arguments
        .FirstOrDefault(argument => argument.NameEquals?.Name.Identifier.ValueText == property)?.Expression;

    private ExpressionSyntax? Expression(AttributeData attribute, int index) =>
        Syntax(attribute)?.ArgumentList is AttributeArgumentListSyntax arguments ? Expression(attribute, arguments, index) : null;

    /// <summary>An argument of the constructor, by its name or by its place.</summary>
    internal static ExpressionSyntax? Expression(AttributeData attribute, AttributeArgumentListSyntax arguments, int index)
    {
        string? name = attribute.AttributeConstructor?.Parameters.ElementAtOrDefault(index)?.Name;
        return (arguments.Arguments.FirstOrDefault(argument => argument.NameColon is not null && argument.NameColon.Name.Identifier.ValueText == name)
            ?? arguments.Arguments.Where(argument => argument.NameEquals is null).ElementAtOrDefault(index))?.Expression;
    }

    internal static object? Constant(AttributeData attribute, int index) =>
        index >= 0 && index < attribute.ConstructorArguments.Length && attribute.ConstructorArguments[index] is { Kind: TypedConstantKind.Primitive } constant
            ? constant.Value
            : null;

    private void Report(List<EquationError> errors, LiteralText? place) => _diagnostics.AddRange(
        errors.Select(error => new DiagnosticInfo(error.Id, place?.At(error.Span) ?? _location, new EquatableArray<string>([error.Message]))));

    private void Report(DiagnosticDescriptor descriptor, LocationInfo location, params string[] arguments) =>
        _diagnostics.Add(DiagnosticInfo.Create(descriptor, location, arguments));
}

namespace Unrolled.Generator.Diagnostics;

/// <summary>The ids of every diagnostic; what each one means stands in <see cref="Descriptors"/>.</summary>
internal static class DiagnosticIds
{
    // A model's class and attributes.
    public const string ClassNotPartial = "UNR001";
    public const string GenericClass = "UNR002";
    public const string UnsupportedClass = "UNR003";
    public const string ContainingTypeNotPartial = "UNR004";
    public const string InputNotStated = "UNR005";
    public const string InvalidSize = "UNR006";
    public const string NoLayers = "UNR007";
    public const string LayersInSeveralDeclarations = "UNR008";
    public const string DuplicateLayerName = "UNR009";
    public const string InvalidLayerName = "UNR010";
    public const string UnknownLayer = "UNR011";
    public const string UnknownLoss = "UNR012";
    public const string LossNeedsMoreOutputs = "UNR013";
    public const string UnknownCell = "UNR014";
    public const string DuplicateCell = "UNR015";
    public const string InvalidCellName = "UNR016";
    public const string InvalidJson = "UNR017";
    public const string InvalidJsonModel = "UNR018";
    public const string ModelDeclaredTwice = "UNR019";
    public const string ModelTooLarge = "UNR020";
    public const string UnusedCell = "UNR021";
    public const string NoModel = "UNR022";

    // The project around the models.
    public const string LanguageTooOld = "UNR023";
    public const string EmittedFileCompiled = "UNR024";
    public const string NameHidden = "UNR025";

    /// <summary>A fault of the generator itself, reported instead of thrown.</summary>
    public const string InternalError = "UNR099";

    // A cell's equations.
    public const string SyntaxError = "UNR100";
    public const string UnknownName = "UNR101";
    public const string ShapeMismatch = "UNR102";
    public const string NotAssigned = "UNR103";
    public const string Unused = "UNR104";
    public const string MatrixAndVector = "UNR105";
    public const string CycleWithinStep = "UNR106";
    public const string AssignedTwice = "UNR107";
    public const string LimitExceeded = "UNR108";
    public const string UnsupportedHere = "UNR109";
    public const string SizeUnknown = "UNR110";
    public const string BadSetting = "UNR111";
    public const string MistakenParameter = "UNR112";
}

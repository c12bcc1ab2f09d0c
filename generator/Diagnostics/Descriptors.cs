using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Microsoft.CodeAnalysis;

namespace Unrolled.Generator.Diagnostics;

/// <summary>
/// Every diagnostic, one row each: the fact, then the remedy in parentheses. The rows of the equations pass on a message that
/// the finder of the mistake has written in the same form.
/// </summary>
internal static class Descriptors
{
    private const string Model = "Unrolled.Model";
    private const string Equations = "Unrolled.Equations";
    private const string Generator = "Unrolled.Generator";

    // The project has no public address yet: the page is in its repository, and in the package, which makes whole links of these (HelpPages).
    private const string Help = "generator/Diagnostics/README.md";

    public static readonly DiagnosticDescriptor ClassNotPartial = new(
        DiagnosticIds.ClassNotPartial,
        "The model's class is not partial",
        "The class '{0}' is not partial (add the 'partial' modifier)",
        Model,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        "The generator writes the network into the class it stands on, so the class must be declared partial.",
        Help + "#unr001");

    public static readonly DiagnosticDescriptor GenericClass = new(
        DiagnosticIds.GenericClass,
        "The model's class is generic",
        "The class '{0}' is generic or stands in a generic type, but a network has one fixed shape (declare it outside, without type parameters)",
        Model,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        "Emitted code is fixed to the exact sizes of one network; type parameters could not change it.",
        Help + "#unr002");

    public static readonly DiagnosticDescriptor UnsupportedClass = new(
        DiagnosticIds.UnsupportedClass,
        "The model's class is of a kind that cannot be a model",
        "The class '{0}' {1} ({2})",
        Model,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        "Static and abstract classes, records, file-local classes and classes with a primary constructor cannot take the members the generator writes: Layout, Parameters, Session, Trainer, CreateSession, CreateTrainer, CreateLayout and a constructor with a seed. Neither the class nor another of its members may have their names.",
        Help + "#unr003");

    public static readonly DiagnosticDescriptor ContainingTypeNotPartial = new(
        DiagnosticIds.ContainingTypeNotPartial,
        "A type around the model's class is not partial",
        "The type '{0}' around the class '{1}' is not partial (add the 'partial' modifier to '{0}', or move the class out)",
        Model,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        "The generator repeats the declarations around the model's class, so each of them must be partial.",
        Help + "#unr004");

    public static readonly DiagnosticDescriptor InputNotStated = new(
        DiagnosticIds.InputNotStated,
        "The model's input is not stated",
        "The model '{0}' {1} (set exactly one: Tokens for token ids, Features for real-valued vectors)",
        Model,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        "A network reads either token ids or real-valued vectors, and the first layer's size follows from which and how many.",
        Help + "#unr005");

    public static readonly DiagnosticDescriptor InvalidSize = new(
        DiagnosticIds.InvalidSize,
        "A size is out of range",
        "{0} is {1} (a size is 1 to {2})",
        Model,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        "Units, tokens and features are counts; beyond the limit no parameter matrix fits into memory.",
        Help + "#unr006");

    public static readonly DiagnosticDescriptor NoLayers = new(
        DiagnosticIds.NoLayers,
        "The model has no layers",
        "The model '{0}' has no layers (add at least one, for example [Lstm(128)])",
        Model,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        "A network is the layers whose attributes stand on its class, in the order they are written.",
        Help + "#unr007");

    public static readonly DiagnosticDescriptor LayersInSeveralDeclarations = new(
        DiagnosticIds.LayersInSeveralDeclarations,
        "The layers are spread over several declarations",
        "The layers of '{0}' stand on more than one partial declaration, which have no order (move all layer attributes to one of them)",
        Model,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        "The order of layers is the order of their attributes, and two partial declarations of a class have none between them.",
        Help + "#unr008");

    public static readonly DiagnosticDescriptor DuplicateLayerName = new(
        DiagnosticIds.DuplicateLayerName,
        "Two layers have the same name",
        "The layer name '{0}' is used twice (give one of the layers another Name)",
        Model,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        "Parameters are called {layer}.{symbol}, so a layer's name is unique in its model. A layer without one is called by its kind and its place, as in lstm_0.",
        Help + "#unr009");

    public static readonly DiagnosticDescriptor InvalidLayerName = new(
        DiagnosticIds.InvalidLayerName,
        "A layer's name is not an identifier",
        "'{0}' cannot name a layer (use a letter or _, then letters, digits and _)",
        Model,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        "A layer's name is the first part of its parameters' names and of names in the emitted code.",
        Help + "#unr010");

    public static readonly DiagnosticDescriptor UnknownLayer = new(
        DiagnosticIds.UnknownLayer,
        "The layer is not known to this generator",
        "The generator does not know the layer '{0}' (update the generator and the Unrolled runtime to the same version)",
        Model,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        "The runtime that declares the attribute is newer than the generator.",
        Help + "#unr011");

    public static readonly DiagnosticDescriptor UnknownLoss = new(
        DiagnosticIds.UnknownLoss,
        "The loss is not known",
        "{0} is no loss (use a member of the enumeration Loss)",
        Model,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        "A loss is one of the members of the runtime's enumeration Loss.",
        Help + "#unr012");

    public static readonly DiagnosticDescriptor LossNeedsMoreOutputs = new(
        DiagnosticIds.LossNeedsMoreOutputs,
        "The loss needs more outputs",
        "SoftmaxCrossEntropy over one output is always 0 (give the last layer one unit for each class, or use another loss)",
        Model,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        "The softmax of a single output is 1 whatever its value, so that nothing could be learned.",
        Help + "#unr013");

    public static readonly DiagnosticDescriptor UnknownCell = new(
        DiagnosticIds.UnknownCell,
        "The cell is not known",
        "No cell is called '{0}' ({1})",
        Model,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        "A layer names a cell of its model, of its assembly, of a *.cell file or of the library.",
        Help + "#unr014");

    public static readonly DiagnosticDescriptor DuplicateCell = new(
        DiagnosticIds.DuplicateCell,
        "A cell is declared twice",
        "The cell '{0}' is declared {1} (give one of them another name)",
        Model,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        "A class declares a cell once, and so do the assembly and the *.cell files together; a model's own cell hides a shared one of the same name.",
        Help + "#unr015");

    public static readonly DiagnosticDescriptor InvalidCellName = new(
        DiagnosticIds.InvalidCellName,
        "A cell cannot have this name",
        "'{0}' cannot name a cell ({1})",
        Model,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        "A layer without a name is called by its cell and its place, and its name is the first part of its parameters' names. A file's name is its cell's, which cannot be one of the library's.",
        Help + "#unr016");

    public static readonly DiagnosticDescriptor InvalidJson = new(
        DiagnosticIds.InvalidJson,
        "The file is not JSON",
        "{0}",
        Model,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        "A file called *.rnn.json holds one JSON value without comments and trailing commas.",
        Help + "#unr017");

    public static readonly DiagnosticDescriptor InvalidJsonModel = new(
        DiagnosticIds.InvalidJsonModel,
        "The JSON does not describe a model",
        "{0}",
        Model,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        "A model is an object with a class, an input, layers, and if need be cells and a loss.",
        Help + "#unr018");

    public static readonly DiagnosticDescriptor ModelDeclaredTwice = new(
        DiagnosticIds.ModelDeclaredTwice,
        "A model is declared twice",
        "The class '{0}' is a model elsewhere too (keep one of the JSON files or the attributes)",
        Model,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        "Two JSON files, or a JSON file and attributes, describe the network of one class.",
        Help + "#unr019");

    public static readonly DiagnosticDescriptor ModelTooLarge = new(
        DiagnosticIds.ModelTooLarge,
        "The model is too large",
        "{0}",
        Model,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        "A model's parameters take at most 2^31 bytes and lie in one array, which holds fewer than 2^31 numbers; so do its states.",
        Help + "#unr020");

    public static readonly DiagnosticDescriptor UnusedCell = new(
        DiagnosticIds.UnusedCell,
        "A model's cell is not used",
        "No layer uses the cell '{0}' (remove it, or name it in a layer)",
        Model,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        "A cell that a model declares is there for its own layers. Cells of the assembly and of *.cell files may wait for a model.",
        Help + "#unr021");

    public static readonly DiagnosticDescriptor NoModel = new(
        DiagnosticIds.NoModel,
        "A class with layers is not a model",
        "The class '{0}' has layers but no [Model] (add [Model(Features = n)] for vectors of n elements, or [Model(Tokens = n)])",
        Model,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        "Only [Model] makes a class a network: it says what the first layer reads.",
        Help + "#unr022");

    public static readonly DiagnosticDescriptor LanguageTooOld = new(
        DiagnosticIds.LanguageTooOld,
        "The project's C# is too old",
        "The emitted code needs C# 11 or later, and this project is compiled as C# {0} (write <LangVersion>11</LangVersion>, or remove LangVersion from the project)",
        Model,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        "The kernels are types that only their file sees, which C# has had since version 11. Nothing is emitted.",
        Help + "#unr023");

    public static readonly DiagnosticDescriptor EmittedFileCompiled = new(
        DiagnosticIds.EmittedFileCompiled,
        "An emitted file is a source of the project",
        "A file that the generator emitted is compiled as a source of the project, beside what it emits now ({0})",
        Model,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        "EmitCompilerGeneratedFiles writes emitted files to a folder, and one inside the project is compiled with the next build unless the project excludes it. Nothing is emitted until then. The package excludes the folder by itself.",
        Help + "#unr024");

    public static readonly DiagnosticDescriptor NameHidden = new(
        DiagnosticIds.NameHidden,
        "A name hides what emitted code names",
        "The {0} '{1}' hides {2}, which emitted code names ({3})",
        Model,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        "Emitted code names everything from its root, global::System and global::Unrolled. C# has no way to name what a type or namespace of the project's own hides there. Nothing is emitted.",
        Help + "#unr025");

    public static readonly DiagnosticDescriptor InternalError = new(
        DiagnosticIds.InternalError,
        "The generator failed",
        "The generator failed on '{0}': {1} (this is a bug in the generator; please report it)",
        Generator,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        "A fault of the generator is reported as a diagnostic, so that the rest of the project still compiles.",
        Help + "#unr099");

    public static readonly DiagnosticDescriptor SyntaxError = new(
        DiagnosticIds.SyntaxError,
        "The equation is not well formed",
        "{0}",
        Equations,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        "The text does not follow the grammar of the equation language. The message says what was expected at the place it marks.",
        Help + "#unr100");

    public static readonly DiagnosticDescriptor UnknownName = new(
        DiagnosticIds.UnknownName,
        "A name is unknown",
        "{0}",
        Equations,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        "A function, an initialisation, a value or a parameter of that name does not exist. The message names the nearest that does.",
        Help + "#unr101");

    public static readonly DiagnosticDescriptor ShapeMismatch = new(
        DiagnosticIds.ShapeMismatch,
        "Shapes do not match",
        "{0}",
        Equations,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        "Operands of an elementwise operation have one size, and only what is known to have one element broadcasts. The message gives both sizes and what each follows from: the layer's units, its input, a shape line.",
        Help + "#unr102");

    public static readonly DiagnosticDescriptor NotAssigned = new(
        DiagnosticIds.NotAssigned,
        "A value is never assigned",
        "{0}",
        Equations,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        "A value or a state that is read at a step has an equation that gives it.",
        Help + "#unr103");

    public static readonly DiagnosticDescriptor Unused = new(
        DiagnosticIds.Unused,
        "A declaration or a value is not used",
        "{0}",
        Equations,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        "What nothing uses has no effect and is most likely a slip: a misspelt name declares a parameter.",
        Help + "#unr104");

    public static readonly DiagnosticDescriptor MatrixAndVector = new(
        DiagnosticIds.MatrixAndVector,
        "A parameter is both a matrix and a vector",
        "{0}",
        Equations,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        "A parameter is a matrix to the left of @ and a vector elsewhere; it cannot be both.",
        Help + "#unr105");

    public static readonly DiagnosticDescriptor CycleWithinStep = new(
        DiagnosticIds.CycleWithinStep,
        "Values depend on one another within one step",
        "{0}",
        Equations,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        "A cycle of equations needs a delay: a value of an earlier step.",
        Help + "#unr106");

    public static readonly DiagnosticDescriptor AssignedTwice = new(
        DiagnosticIds.AssignedTwice,
        "A name is given twice",
        "{0}",
        Equations,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        "Each value has one equation, and each name one meaning.",
        Help + "#unr107");

    public static readonly DiagnosticDescriptor LimitExceeded = new(
        DiagnosticIds.LimitExceeded,
        "A limit is exceeded",
        "{0}",
        Equations,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        FormattableString.Invariant($"Limits keep the compiler's time and memory within bounds: {Limits.TextBytes / 1024} KiB of text, {Limits.Nesting} levels of nesting, {Limits.Nodes:N0} operations after expansion, {Limits.Values:N0} values computed in a step or kept of earlier ones, {Limits.Delay} steps of delay, {Limits.Size:N0} elements of a value, names of {Limits.NameCharacters} characters."),
        Help + "#unr108");

    public static readonly DiagnosticDescriptor UnsupportedHere = new(
        DiagnosticIds.UnsupportedHere,
        "This is not possible here",
        "{0}",
        Equations,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        "The construct has no meaning in this place.",
        Help + "#unr109");

    public static readonly DiagnosticDescriptor SizeUnknown = new(
        DiagnosticIds.SizeUnknown,
        "A size is unknown",
        "{0}",
        Equations,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        "A size is a number, input, units, a declared size, or the variable of a loop.",
        Help + "#unr110");

    public static readonly DiagnosticDescriptor BadSetting = new(
        DiagnosticIds.BadSetting,
        "A setting does not fit its cell",
        "{0}",
        Equations,
        DiagnosticSeverity.Error,
        isEnabledByDefault: true,
        "A use site sets sizes and params the cell declares, and binds its parameters to finite numbers.",
        Help + "#unr111");

    public static readonly DiagnosticDescriptor MistakenParameter = new(
        DiagnosticIds.MistakenParameter,
        "A parameter has the name of a value",
        "{0}",
        Equations,
        DiagnosticSeverity.Warning,
        isEnabledByDefault: true,
        "A name without a step that nothing assigns is a parameter, also where it was meant to be a value: one that differs from it in case only, or has a word for a step behind or before it, as h_prev has. An init or shape line for it says that a parameter is meant.",
        Help + "#unr112");

    /// <summary>All of them, in the order of their ids.</summary>
    public static readonly ImmutableArray<DiagnosticDescriptor> All = ImmutableArray.Create(
        ClassNotPartial,
        GenericClass,
        UnsupportedClass,
        ContainingTypeNotPartial,
        InputNotStated,
        InvalidSize,
        NoLayers,
        LayersInSeveralDeclarations,
        DuplicateLayerName,
        InvalidLayerName,
        UnknownLayer,
        UnknownLoss,
        LossNeedsMoreOutputs,
        UnknownCell,
        DuplicateCell,
        InvalidCellName,
        InvalidJson,
        InvalidJsonModel,
        ModelDeclaredTwice,
        ModelTooLarge,
        UnusedCell,
        NoModel,
        LanguageTooOld,
        EmittedFileCompiled,
        NameHidden,
        InternalError,
        SyntaxError,
        UnknownName,
        ShapeMismatch,
        NotAssigned,
        Unused,
        MatrixAndVector,
        CycleWithinStep,
        AssignedTwice,
        LimitExceeded,
        UnsupportedHere,
        SizeUnknown,
        BadSetting,
        MistakenParameter);

    private static readonly Dictionary<string, DiagnosticDescriptor> ById = All.ToDictionary(descriptor => descriptor.Id);

    /// <summary>The descriptor of an id; one that no row has is a fault of the generator.</summary>
    public static DiagnosticDescriptor Find(string id) => ById.TryGetValue(id, out DiagnosticDescriptor descriptor) ? descriptor : InternalError;
}

using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using System.Threading;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Unrolled.Generator.Diagnostics;

namespace Unrolled.Generator.Frontend;

/// <summary>What a project has that no emitted file could be compiled with. It is told once, and nothing is emitted.</summary>
internal static class ProjectCheck
{
    /// <summary>Below this namespace stand the kernels of emitted files, each in one of its own.</summary>
    private const string EmittedNamespace = "Emitted";

    /// <summary>The namespace of what emitted code alone needs of the runtime, in the runtime's own.</summary>
    private const string ServicesNamespace = "CompilerServices";

    private const string Exclude = "exclude the folder it was written to: <Compile Remove=\"$(CompilerGeneratedFilesOutputPath)/**\" />";

    // The words by which emitted code begins every name.
    private static readonly ImmutableArray<string> Roots = ImmutableArray.Create("System", "Unrolled");

    /// <summary>What is wrong; a diagnostic without a place belongs to the project's first model.</summary>
    public static EquatableArray<DiagnosticInfo> Find(Compilation compilation, CancellationToken cancellation)
    {
        var found = new List<DiagnosticInfo>();
        if (compilation is CSharpCompilation { LanguageVersion: var language } && language < LanguageVersion.CSharp11)
        {
            found.Add(DiagnosticInfo.Create(Descriptors.LanguageTooOld, null, language.ToDisplayString()));
        }

        INamespaceSymbol own = compilation.Assembly.GlobalNamespace;
        if (Emitted(own) is Location emitted)
        {
            found.Add(DiagnosticInfo.Create(Descriptors.EmittedFileCompiled, LocationInfo.From(emitted), Exclude));
        }

        foreach (INamedTypeSymbol type in Roots.SelectMany(name => own.GetTypeMembers(name, 0)))
        {
            found.Add(Hidden(type, $"the namespace '{type.Name}'"));
        }

        if (Runtime(compilation) is INamespaceSymbol runtime
            && Member(compilation.GlobalNamespace, runtime.Name) is INamespaceSymbol everyones)
        {
            AddHidden(compilation, runtime, everyones, found);
            if (Member(runtime, ServicesNamespace) is INamespaceSymbol services)
            {
                found.AddRange(everyones.GetTypeMembers(ServicesNamespace, 0)
                    .Where(type => SymbolEqualityComparer.Default.Equals(type.ContainingAssembly, compilation.Assembly))
                    .Select(type => Hidden(type, "the runtime's namespace of that name")));
                AddHidden(compilation, services, Member(everyones, ServicesNamespace)!, found);
            }
        }

        cancellation.ThrowIfCancellationRequested();
        return new EquatableArray<DiagnosticInfo>(found);
    }

    // C# takes a namespace, or the project's own type, where a type of another assembly has the same name.
    private static void AddHidden(Compilation compilation, INamespaceSymbol runtime, INamespaceSymbol everyones, List<DiagnosticInfo> found) =>
        found.AddRange(everyones.GetMembers().OfType<INamespaceOrTypeSymbol>()
            .Where(member => member is INamespaceSymbol || SymbolEqualityComparer.Default.Equals(member.ContainingAssembly, compilation.Assembly))
            .Where(member => member is not INamedTypeSymbol { Arity: > 0 } && Has(runtime, member.Name))
            .Select(member => Hidden(member, "the runtime's type of that name")));

    /// <summary>Whether a source of the project is a file that this generator emitted.</summary>
    public static bool IsEmitted(SyntaxTree tree, CancellationToken cancellation) => tree.GetRoot(cancellation).ChildNodes()
        .OfType<BaseNamespaceDeclarationSyntax>().Any(space => space.Name.ToString().StartsWith("Unrolled." + EmittedNamespace, StringComparison.Ordinal));

    /// <summary>Whether a class or namespace of these names would hide what emitted code means.</summary>
    public static bool HidesRuntime(Compilation compilation, string space, string name) =>
        Runtime(compilation) is INamespaceSymbol runtime
        && ((space == runtime.Name && (name is EmittedNamespace or ServicesNamespace || Has(runtime, name)))
            || (space == $"{runtime.Name}.{ServicesNamespace}" && Member(runtime, ServicesNamespace) is INamespaceSymbol services && Has(services, name)));

    // The namespace of the runtime's assembly.
    private static INamespaceSymbol? Runtime(Compilation compilation) =>
        compilation.GetTypeByMetadataName(AttributeFrontend.ModelAttribute)?.ContainingNamespace is INamespaceSymbol runtime
        && !SymbolEqualityComparer.Default.Equals(runtime.ContainingAssembly, compilation.Assembly)
            ? runtime
            : null;

    private static bool Has(INamespaceSymbol runtime, string name) => runtime.GetTypeMembers(name, 0).Any(type => type.DeclaredAccessibility == Accessibility.Public);

    // The first file, in the order of their paths, with the kernels of a model.
    private static Location? Emitted(INamespaceSymbol own) =>
        Member(own, "Unrolled") is INamespaceSymbol unrolled && Member(unrolled, EmittedNamespace) is INamespaceSymbol kernels
            ? kernels.Locations.OrderBy(location => location.SourceTree?.FilePath, StringComparer.Ordinal).FirstOrDefault()
            : null;

    private static INamespaceSymbol? Member(INamespaceSymbol space, string name) => space.GetMembers(name).OfType<INamespaceSymbol>().FirstOrDefault();

    private static DiagnosticInfo Hidden(INamespaceOrTypeSymbol symbol, string what)
    {
        string kind = symbol is INamespaceSymbol ? "namespace" : "type";
        Location? place = symbol.Locations.Where(location => location.IsInSource).OrderBy(location => location.SourceTree?.FilePath, StringComparer.Ordinal).FirstOrDefault();
        return DiagnosticInfo.Create(
            Descriptors.NameHidden, place is null ? null : LocationInfo.From(place), kind, symbol.ToDisplayString(), what, place is null ? "rename it in the assembly that has it" : "rename it");
    }
}

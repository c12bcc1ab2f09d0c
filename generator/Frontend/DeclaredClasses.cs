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

/// <summary>A model's class: its full name, and whether its file makes it public.</summary>
internal sealed record NamedClass(string Name, bool IsPublic);

/// <summary>What the project has by the name of a class and cannot have beside the model of that name.</summary>
/// <param name="Diagnostics">What is wrong; a diagnostic without a place belongs to the name in the file.</param>
internal sealed record DeclaredClass(string Name, EquatableArray<DiagnosticInfo> Diagnostics);

/// <summary>What there is by the names of the classes that files of JSON give: among themselves, and in the project's own sources.</summary>
internal static class DeclaredClasses
{
    /// <summary>Classes that are there twice, or that stand where another one does.</summary>
    public static EquatableArray<DeclaredClass> Clashes(IEnumerable<NamedClass?> classes)
    {
        List<string> names = classes.OfType<NamedClass>().Select(named => named.Name).OrderBy(name => name, StringComparer.Ordinal).ToList();
        var found = new List<DeclaredClass>();
        foreach (IGrouping<string, string> group in names.GroupBy(name => name, StringComparer.Ordinal))
        {
            if (group.Count() > 1)
            {
                found.Add(Told(group.Key, DiagnosticInfo.Create(Descriptors.ModelDeclaredTwice, null, group.Key)));
            }
            else if (names.Find(name => group.Key.StartsWith(name + ".", StringComparison.Ordinal)) is string outer)
            {
                found.Add(Told(group.Key, DiagnosticInfo.Create(
                    Descriptors.InvalidJsonModel, null, $"'{outer}' is a model's class and no namespace (name another one; a nested class takes attributes instead)")));
            }
        }

        return new EquatableArray<DeclaredClass>(found);
    }

    /// <summary>The classes with which something is wrong, in the order of their names.</summary>
    public static EquatableArray<DeclaredClass> Find(Compilation compilation, ImmutableArray<NamedClass?> classes, CancellationToken cancellation) =>
        new(classes
            .OfType<NamedClass>()
            .Distinct()
            .OrderBy(named => named.Name, StringComparer.Ordinal)
            .Select(named => Told(named.Name, [.. Check(compilation, named, cancellation)]))
            .Where(declared => declared.Diagnostics.Count > 0));

    private static DeclaredClass Told(string name, params DiagnosticInfo[] diagnostics) => new(name, new EquatableArray<DiagnosticInfo>(diagnostics.AsEnumerable()));

    private static IEnumerable<DiagnosticInfo> Check(Compilation compilation, NamedClass named, CancellationToken cancellation)
    {
        string[] path = named.Name.Split('.');
        if (path.Length > 1 && ProjectCheck.HidesRuntime(compilation, path[0], path[1]))
        {
            yield return DiagnosticInfo.Create(Descriptors.InvalidJsonModel, null, $"'{path[0]}.{path[1]}' is a name that the emitted code uses (choose another name)");
            yield break;
        }

        INamespaceSymbol space = compilation.Assembly.GlobalNamespace;
        foreach (string part in path.Take(path.Length - 1))
        {
            if (space.GetTypeMembers(part, 0).FirstOrDefault() is INamedTypeSymbol outer)
            {
                yield return DiagnosticInfo.Create(
                    Descriptors.InvalidJsonModel,
                    null,
                    $"'{outer.ToDisplayString()}' is {Kind(outer)} of the project and no namespace (name another one; a nested class takes attributes instead)");
                yield break;
            }

            if (space.GetNamespaceMembers().FirstOrDefault(member => member.Name == part) is not INamespaceSymbol inner)
            {
                yield break;
            }

            space = inner;
        }

        string name = path[path.Length - 1];
        if (space.GetNamespaceMembers().Any(member => member.Name == name))
        {
            yield return DiagnosticInfo.Create(Descriptors.InvalidJsonModel, null, $"'{named.Name}' is a namespace of the project (choose another name)");
        }
        else if (space.GetTypeMembers(name, 0).FirstOrDefault() is INamedTypeSymbol type)
        {
            if (type.TypeKind != TypeKind.Class)
            {
                yield return DiagnosticInfo.Create(Descriptors.InvalidJsonModel, null, $"'{named.Name}' is {Kind(type)} of the project and cannot be a model (choose another name)");
                yield break;
            }

            foreach (DiagnosticInfo diagnostic in OfClass(type, named.IsPublic, cancellation))
            {
                yield return diagnostic;
            }
        }
    }

    private static IEnumerable<DiagnosticInfo> OfClass(INamedTypeSymbol type, bool isPublic, CancellationToken cancellation)
    {
        // Attributes make it a model too: that is told, and so is what is wrong with the class.
        if (type.GetAttributes().Any(attribute => AttributeFrontend.IsOf(attribute, "ModelAttribute")))
        {
            yield break;
        }

        List<TypeDeclarationSyntax> declarations = ClassCheck.Declarations(type, cancellation).OfType<TypeDeclarationSyntax>().ToList();
        TypeDeclarationSyntax? whole = declarations.FirstOrDefault(declaration => !TypeNames.IsPartial(declaration));
        LocationInfo location = LocationInfo.From((whole ?? declarations[0]).Identifier.GetLocation());
        if (whole is not null)
        {
            yield return DiagnosticInfo.Create(Descriptors.ClassNotPartial, location, type.Name);
        }

        foreach (DiagnosticInfo diagnostic in ClassCheck.Find(type, location, cancellation))
        {
            yield return diagnostic;
        }

        if (isPublic && declarations.Any(declaration => declaration.Modifiers.Any(SyntaxKind.InternalKeyword)))
        {
            yield return DiagnosticInfo.Create(
                Descriptors.InvalidJsonModel, null, $"'{type.ToDisplayString()}' is internal where the project declares it, and public here (remove one of the two)");
        }
    }

    private static string Kind(INamedTypeSymbol type) => type.TypeKind switch
    {
        TypeKind.Struct => "a struct",
        TypeKind.Interface => "an interface",
        TypeKind.Enum => "an enum",
        TypeKind.Delegate => "a delegate",
        _ => "a class",
    };
}

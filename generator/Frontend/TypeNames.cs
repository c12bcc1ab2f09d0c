using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Unrolled.Generator.Frontend;

/// <summary>How a class and what surrounds it are written again in the generated file, and how that file is called.</summary>
internal static class TypeNames
{
    /// <summary>The class's namespace as code, empty for the global one.</summary>
    public static string Namespace(INamedTypeSymbol type) => type.ContainingNamespace.IsGlobalNamespace
        ? ""
        : string.Join(".", Namespaces(type).Select(part => CSharpName.Identifier(part.Name)));

    /// <summary>The types around a type, outermost first.</summary>
    public static List<INamedTypeSymbol> ContainingTypes(INamedTypeSymbol type)
    {
        var types = new List<INamedTypeSymbol>();
        for (INamedTypeSymbol? outer = type.ContainingType; outer is not null; outer = outer.ContainingType)
        {
            types.Insert(0, outer);
        }

        return types;
    }

    /// <summary>The declaration to repeat, with as little as C# asks for: <c>partial class Outer</c>.</summary>
    public static string Declaration(INamedTypeSymbol type)
    {
        string kind = type.TypeKind switch
        {
            TypeKind.Interface => "interface",
            TypeKind.Struct => type.IsRecord ? "record struct" : "struct",
            _ => type.IsRecord ? "record" : "class",
        };
        return $"partial {kind} {CSharpName.Identifier(type.Name)}";
    }

    /// <summary>
    /// Whether a class of this name cannot hold the emitted members: one has its name, or it hides a namespace that the emitted code names.
    /// </summary>
    public static bool IsTaken(string @namespace, string name) =>
        name is "Layout" or "ClassLayout" or "Parameters" or "Session" or "Trainer" or "CreateSession" or "CreateTrainer" or "CreateLayout" or "_createdLayout" or "_createdParameters"
        || (@namespace.Length == 0 && name is "System" or "Unrolled");

    public static bool IsPartial(SyntaxNode declaration) =>
        declaration is TypeDeclarationSyntax type && type.Modifiers.Any(SyntaxKind.PartialKeyword);

    /// <summary>
    /// The generated file's name, <c>{FullName}.g.cs</c>. The compiler compares file names without regard to case and types with it,
    /// so a class with a twin in another case gets a number made of its exact name. It depends on the class alone, not on what
    /// else is generated.
    /// </summary>
    public static string HintName(INamedTypeSymbol type)
    {
        List<ISymbol> path = [.. Namespaces(type), .. ContainingTypes(type), type];
        string name = string.Join(".", path.Select(part => part is INamedTypeSymbol { Arity: > 0 } generic ? $"{part.Name}`{generic.Arity.ToString(CultureInfo.InvariantCulture)}" : part.Name));
        return path.Any(HasTwin) ? $"{CSharpName.Shortened(name)}_{CSharpName.Hash(name)}.g.cs" : CSharpName.Shortened(name) + ".g.cs";
    }

    private static bool HasTwin(ISymbol symbol) => symbol.ContainingSymbol is INamespaceOrTypeSymbol container && container.GetMembers()
        .Any(member => member is INamespaceOrTypeSymbol && member.Name != symbol.Name && string.Equals(member.Name, symbol.Name, StringComparison.OrdinalIgnoreCase));

    private static List<INamespaceSymbol> Namespaces(INamedTypeSymbol type)
    {
        var namespaces = new List<INamespaceSymbol>();
        for (INamespaceSymbol? space = type.ContainingNamespace; space is { IsGlobalNamespace: false }; space = space.ContainingNamespace)
        {
            namespaces.Insert(0, space);
        }

        return namespaces;
    }
}

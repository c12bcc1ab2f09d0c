using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using System.Threading;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Unrolled.Generator.Diagnostics;

namespace Unrolled.Generator.Frontend;

/// <summary>Whether a class that the project declares can be a model: whether it can take the members that the generator writes.</summary>
internal static class ClassCheck
{
    private const string Ordinary = "make it an ordinary partial class";
    private const string OtherMember = "give the member another name or other parameters";

    /// <summary>What is wrong with a class, on its name or on the member that is in the way.</summary>
    /// <param name="location">The class's name.</param>
    public static IEnumerable<DiagnosticInfo> Find(INamedTypeSymbol @class, LocationInfo location, CancellationToken cancellation)
    {
        List<INamedTypeSymbol> containing = TypeNames.ContainingTypes(@class);
        if (@class.Arity > 0 || containing.Any(type => type.Arity > 0))
        {
            yield return DiagnosticInfo.Create(Descriptors.GenericClass, location, @class.Name);
        }

        string space = @class.ContainingNamespace.IsGlobalNamespace && @class.ContainingType is null ? "" : "…";
        (string What, string Remedy)? wrong = @class.IsStatic ? ("is static", Ordinary)
            : @class.IsAbstract ? ("is abstract", Ordinary)
            : @class.IsRecord ? ("is a record", Ordinary)
            : @class.IsFileLocal || containing.Any(type => type.IsFileLocal) ? ("is local to its file", Ordinary)
            : TypeNames.IsTaken(space, @class.Name) ? ("has the name of a member that the generator gives it", "rename the class")
            : HasPrimaryConstructor(@class, cancellation) ? ("has a primary constructor", Ordinary)
            : WrongBase(@class);
        if (wrong is { } found)
        {
            yield return DiagnosticInfo.Create(Descriptors.UnsupportedClass, location, @class.Name, found.What, found.Remedy);
        }

        foreach (ISymbol member in @class.GetMembers().Where(IsEmittedToo))
        {
            // An emitted file among the sources is told of itself.
            if (member.Locations[0].SourceTree is SyntaxTree tree && ProjectCheck.IsEmitted(tree, cancellation))
            {
                continue;
            }

            string name = member is IMethodSymbol { MethodKind: MethodKind.Constructor } ? "a constructor with a seed" : $"'{member.Name}'";
            yield return DiagnosticInfo.Create(
                Descriptors.UnsupportedClass, LocationInfo.From(member.Locations[0]), @class.Name, $"declares {name}, which the generator writes", OtherMember);
        }

        foreach (INamedTypeSymbol type in containing)
        {
            if (Declarations(type, cancellation).FirstOrDefault(syntax => !TypeNames.IsPartial(syntax)) is TypeDeclarationSyntax outer)
            {
                yield return DiagnosticInfo.Create(Descriptors.ContainingTypeNotPartial, LocationInfo.From(outer.Identifier.GetLocation()), type.Name, @class.Name);
            }
        }
    }

    /// <summary>A type's declarations.</summary>
    public static IEnumerable<SyntaxNode> Declarations(INamedTypeSymbol type, CancellationToken cancellation) =>
        type.DeclaringSyntaxReferences.Select(reference => reference.GetSyntax(cancellation));

    /// <summary>Whether the generator writes a member that could not stand beside this one.</summary>
    private static bool IsEmittedToo(ISymbol member) => !member.IsImplicitlyDeclared && member switch
    {
        IMethodSymbol { MethodKind: MethodKind.Constructor, IsStatic: false } method => Takes(method, "ulong"),
        IMethodSymbol { Name: "CreateSession" } method => Takes(method, "int", "int", "int"),
        IMethodSymbol { Name: "CreateTrainer" } method => Takes(method, "int", "int", "Unrolled.TrainerOptions", "int"),
        IMethodSymbol { Name: "CreateLayout" } method => Takes(method),
        IMethodSymbol { MethodKind: MethodKind.ExplicitInterfaceImplementation } method => method.AssociatedSymbol is null && method.ExplicitInterfaceImplementations.Any(IsOfModel),
        IPropertySymbol property when property.ExplicitInterfaceImplementations.Length > 0 => property.ExplicitInterfaceImplementations.Any(IsOfModel),
        IMethodSymbol { MethodKind: not MethodKind.Ordinary } => false,
        _ => TypeNames.IsTaken("…", member.Name),
    };

    private static bool IsOfModel(ISymbol member) => member.ContainingType is { Name: "IModel" } type && AttributeFrontend.IsOurs(type);

    private static bool Takes(IMethodSymbol method, params string[] types) =>
        method.Parameters.Select(parameter => parameter.Type.WithNullableAnnotation(NullableAnnotation.None).ToDisplayString()).SequenceEqual(types);

    private static bool HasPrimaryConstructor(INamedTypeSymbol @class, CancellationToken cancellation) =>
        Declarations(@class, cancellation).Any(syntax => syntax is TypeDeclarationSyntax { ParameterList: not null });

    // The emitted constructor calls the base class's without arguments, and what is abstract there cannot be written beside the emitted members.
    private static (string What, string Remedy)? WrongBase(INamedTypeSymbol @class)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (INamedTypeSymbol? type = @class.BaseType; type is { SpecialType: not SpecialType.System_Object, TypeKind: TypeKind.Class }; type = type.BaseType)
        {
            foreach (ISymbol member in type.GetMembers().Where(member => TypeNames.IsTaken("…", member.Name) && (member is not IMethodSymbol || IsEmittedToo(member))))
            {
                if (seen.Add(member.Name) && member.IsAbstract)
                {
                    return ($"inherits '{member.Name}' of '{type.Name}', which is abstract and has the name of a member that the generator writes", "give that member another name");
                }
            }
        }

        return @class.BaseType is { SpecialType: not SpecialType.System_Object, TypeKind: TypeKind.Class } parent
            && !parent.GetAttributes().Any(attribute => AttributeFrontend.IsOf(attribute, "ModelAttribute"))
            && !parent.InstanceConstructors.Any(constructor => constructor.Parameters.All(parameter => parameter.IsOptional || parameter.IsParams) && CanCall(@class, constructor))
            ? ($"derives from '{parent.Name}', which has no constructor that can be called without arguments", "give it one, or derive from another class")
            : null;
    }

    private static bool CanCall(INamedTypeSymbol @class, IMethodSymbol constructor) => constructor.DeclaredAccessibility switch
    {
        Accessibility.Private => TypeNames.ContainingTypes(@class).Contains(constructor.ContainingType, SymbolEqualityComparer.Default),
        Accessibility.Internal or Accessibility.ProtectedAndInternal =>
            SymbolEqualityComparer.Default.Equals(@class.ContainingAssembly, constructor.ContainingAssembly) || constructor.ContainingAssembly.GivesAccessTo(@class.ContainingAssembly),
        _ => true,
    };
}

using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Unrolled.Generator.Diagnostics;

namespace Unrolled.Generator.Frontend;

/// <summary>Finds classes with layers that nobody made a model.</summary>
internal static class MissingModel
{
    /// <summary>Whether a declaration has layers and, as far as it alone tells, no <c>[Model]</c>: few do, and only these are looked at closely.</summary>
    public static bool IsCandidate(SyntaxNode node)
    {
        if (node is not TypeDeclarationSyntax { AttributeLists.Count: > 0 } type)
        {
            return false;
        }

        List<string> names = type.AttributeLists.SelectMany(list => list.Attributes).Select(attribute => NameOf(attribute.Name)).ToList();
        return names.Any(name => name == "Layer" || BuiltInLayers.All.Any(layer => layer.Attribute == name)) && !names.Contains("Model");

        static string NameOf(NameSyntax name)
        {
            string simple = (name switch { QualifiedNameSyntax qualified => qualified.Right, AliasQualifiedNameSyntax alias => alias.Name, _ => name }).ToString();
            return simple.EndsWith("Attribute", StringComparison.Ordinal) ? simple.Substring(0, simple.Length - "Attribute".Length) : simple;
        }
    }

    /// <summary>The diagnostic of a class that has layers and no <c>[Model]</c> on any of its declarations; null for any other class.</summary>
    public static DiagnosticInfo? Find(SyntaxNode node, SemanticModel semantics, CancellationToken cancellation) =>
        semantics.GetDeclaredSymbol(node, cancellation) is INamedTypeSymbol type && type.GetAttributes() is var attributes
        && attributes.Any(AttributeFrontend.IsLayer) && !attributes.Any(attribute => AttributeFrontend.IsOf(attribute, "ModelAttribute"))
            ? DiagnosticInfo.Create(Descriptors.NoModel, LocationInfo.From(((TypeDeclarationSyntax)node).Identifier.GetLocation()), type.Name)
            : null;
}

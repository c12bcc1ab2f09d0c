using System.Collections.Generic;
using System.Collections.Immutable;
using System.Composition;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;
using Unrolled.Generator.Diagnostics;

namespace Unrolled.CodeFixes;

/// <summary>Makes a model's class partial, and the types around it.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(MakePartialCodeFix))]
[Shared]
public sealed class MakePartialCodeFix : CodeFixProvider
{
    /// <inheritdoc/>
    public override ImmutableArray<string> FixableDiagnosticIds { get; } =
        ImmutableArray.Create(DiagnosticIds.ClassNotPartial, DiagnosticIds.ContainingTypeNotPartial);

    /// <inheritdoc/>
    public override FixAllProvider GetFixAllProvider() => FixAllProvider.Create(
        static async (context, document, diagnostics) => await MakePartial(document, diagnostics.Select(diagnostic => diagnostic.Location.SourceSpan), context.CancellationToken).ConfigureAwait(false));

    /// <inheritdoc/>
    public override async Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        if (await context.Document.GetSyntaxRootAsync(context.CancellationToken).ConfigureAwait(false) is not SyntaxNode root)
        {
            return;
        }

        List<TypeDeclarationSyntax> declarations = NotPartial(root, [context.Span]);
        if (declarations.Count > 0)
        {
            string names = string.Join(" and ", declarations.Select(declaration => $"'{declaration.Identifier.ValueText}'"));
            context.RegisterCodeFix(
                CodeAction.Create(
                    $"Make {names} partial",
                    cancellation => MakePartial(context.Document, [context.Span], cancellation),
                    equivalenceKey: nameof(MakePartialCodeFix)),
                context.Diagnostics);
        }
    }

    // The declarations whose names are marked and those around them, outermost first.
    private static List<TypeDeclarationSyntax> NotPartial(SyntaxNode root, IEnumerable<TextSpan> spans) => spans
        .Where(span => root.FullSpan.Contains(span))
        .SelectMany(span => root.FindToken(span.Start).Parent?.AncestorsAndSelf() ?? [])
        .OfType<TypeDeclarationSyntax>()
        .Where(declaration => !declaration.Modifiers.Any(SyntaxKind.PartialKeyword))
        .Distinct()
        .OrderBy(declaration => declaration.SpanStart)
        .ToList();

    private static async Task<Document> MakePartial(Document document, IEnumerable<TextSpan> spans, CancellationToken cancellation) =>
        await document.GetSyntaxRootAsync(cancellation).ConfigureAwait(false) is SyntaxNode root
            ? document.WithSyntaxRoot(root.ReplaceNodes(NotPartial(root, spans), static (_, declaration) => WithPartial(declaration)))
            : document;

    // C# wants 'partial' last, right before the keyword.
    private static TypeDeclarationSyntax WithPartial(TypeDeclarationSyntax declaration)
    {
        SyntaxToken partial = SyntaxFactory.Token(SyntaxKind.PartialKeyword).WithTrailingTrivia(SyntaxFactory.Space);
        if (declaration.Modifiers.Count > 0)
        {
            return (TypeDeclarationSyntax)declaration.WithModifiers(declaration.Modifiers.Add(partial));
        }

        // What stands before the keyword, comments and indentation, stays before the modifier.
        SyntaxToken keyword = declaration.Keyword;
        return (TypeDeclarationSyntax)declaration
            .WithKeyword(keyword.WithLeadingTrivia())
            .WithModifiers(SyntaxFactory.TokenList(partial.WithLeadingTrivia(keyword.LeadingTrivia)));
    }
}

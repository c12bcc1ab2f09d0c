using System.Collections.Immutable;
using System.Reflection;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Unrolled.Generator.Tests.Harness;

/// <summary>What one method asks of the JIT.</summary>
/// <param name="Name">Declaring type and name.</param>
/// <param name="Bytes">Bytes of IL.</param>
/// <param name="Instructions">IL instructions.</param>
/// <param name="Locals">Local variables.</param>
/// <param name="LocalReferences">Instructions that read, write or take the address of a local or an argument.</param>
/// <param name="InlinedHelpers">Calls of methods marked AggressiveInlining that the JIT does not know as intrinsics.</param>
internal sealed record MethodSize(string Name, int Bytes, int Instructions, int Locals, int LocalReferences, int InlinedHelpers);

/// <summary>Counts a compiled assembly's IL.</summary>
internal static class IlReader
{
    private static readonly Dictionary<ushort, OpCode> ByValue = typeof(OpCodes)
        .GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!)
        .ToDictionary(code => unchecked((ushort)code.Value));

    /// <summary>The sizes of all methods with a body.</summary>
    public static ImmutableArray<MethodSize> Read(CompiledModels models)
    {
        using var portable = new PEReader(ImmutableArray.Create(models.Image));
        MetadataReader metadata = portable.GetMetadataReader();
        var sizes = ImmutableArray.CreateBuilder<MethodSize>();
        foreach (MethodDefinitionHandle handle in metadata.MethodDefinitions)
        {
            MethodDefinition method = metadata.GetMethodDefinition(handle);
            if (method.RelativeVirtualAddress != 0)
            {
                sizes.Add(Read(models.Assembly.ManifestModule, metadata, method, portable.GetMethodBody(method.RelativeVirtualAddress)));
            }
        }

        return sizes.ToImmutable();
    }

    private static MethodSize Read(Module module, MetadataReader metadata, MethodDefinition method, MethodBodyBlock body)
    {
        int instructions = 0;
        int references = 0;
        int helpers = 0;
        foreach ((OpCode code, int operand) in Instructions(body.GetILBytes()!))
        {
            instructions++;
            string name = code.Name!;
            if (name.StartsWith("ldloc", StringComparison.Ordinal) || name.StartsWith("stloc", StringComparison.Ordinal)
                || name.StartsWith("ldarg", StringComparison.Ordinal) || name.StartsWith("starg", StringComparison.Ordinal))
            {
                references++;
            }

            if (IsCall(code) && IsInlinedHelper(module, operand))
            {
                helpers++;
            }
        }

        TypeDefinition type = metadata.GetTypeDefinition(method.GetDeclaringType());
        return new MethodSize(
            metadata.GetString(type.Name) + "." + metadata.GetString(method.Name),
            body.GetILContent().Length,
            instructions,
            Locals(metadata, body),
            references,
            helpers);
    }

    // The operand is the token of a method where there is one, and otherwise 0.
    private static IEnumerable<(OpCode Code, int Operand)> Instructions(byte[] code)
    {
        int at = 0;
        while (at < code.Length)
        {
            ushort value = code[at++];
            if (value == 0xFE)
            {
                value = (ushort)(0xFE00 | code[at++]);
            }

            OpCode instruction = ByValue[value];
            yield return (instruction, instruction.OperandType == OperandType.InlineMethod ? BitConverter.ToInt32(code, at) : 0);
            at += instruction.OperandType == OperandType.InlineSwitch
                ? 4 + 4 * BitConverter.ToInt32(code, at)
                : OperandSize(instruction.OperandType);
        }
    }

    private static bool IsCall(OpCode code) => code == OpCodes.Call || code == OpCodes.Callvirt;

    // The signature's header byte, then the number of locals (ECMA-335 II.23.2.6).
    private static int Locals(MetadataReader metadata, MethodBodyBlock body)
    {
        if (body.LocalSignature.IsNil)
        {
            return 0;
        }

        BlobReader signature = metadata.GetBlobReader(metadata.GetStandaloneSignature(body.LocalSignature).Signature);
        return signature.ReadSignatureHeader().Kind == SignatureKind.LocalVariables
            ? signature.ReadCompressedInteger()
            : throw new BadImageFormatException("A method's signature of locals is none.");
    }

    private static bool IsInlinedHelper(Module module, int token) =>
        Resolve(module, token) is { } called
        && (called.GetMethodImplementationFlags() & MethodImplAttributes.AggressiveInlining) != 0
        && !IsIntrinsic(called) && !(called.DeclaringType is { } type && IsIntrinsic(type));

    private static MethodBase? Resolve(Module module, int token)
    {
        try
        {
            return module.ResolveMethod(token);
        }
        catch (ArgumentException)
        {
            // A generic method's token needs the arguments of its context; the emitted code is not generic.
            return null;
        }
    }

    private static bool IsIntrinsic(MemberInfo member) =>
        member.GetCustomAttributesData().Any(attribute => attribute.AttributeType.FullName == "System.Runtime.CompilerServices.IntrinsicAttribute");

    private static int OperandSize(OperandType operand) => operand switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        _ => 4,
    };
}

using System.ComponentModel;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace Unrolled.Generator.Tests.Harness;

/// <summary>What other assemblies can call, as text: a line a member, in the order of names.</summary>
internal static class PublicSurface
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(void)] = "void",
        [typeof(object)] = "object",
        [typeof(string)] = "string",
        [typeof(bool)] = "bool",
        [typeof(int)] = "int",
        [typeof(long)] = "long",
        [typeof(nint)] = "nint",
        [typeof(uint)] = "uint",
        [typeof(ulong)] = "ulong",
        [typeof(float)] = "float",
        [typeof(double)] = "double",
    };

    /// <summary>Whether editors offer it.</summary>
    public static bool IsHidden(MemberInfo member) => member.GetCustomAttribute<EditorBrowsableAttribute>()?.State == EditorBrowsableState.Never;

    /// <summary>Types and members, those that editors offer or those that they hide.</summary>
    public static string Print(IEnumerable<Type> types, bool hidden)
    {
        var text = new StringBuilder();
        foreach (Type type in types.Where(IsReachable).OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            bool typeIsHidden = IsHidden(type);
            string[] members = [.. MembersOf(type).Where(member => (typeIsHidden || IsHidden(member)) == hidden).Select(Describe).Distinct().Order(StringComparer.Ordinal)];
            if (typeIsHidden != hidden && members.Length == 0)
            {
                continue;
            }

            text.Append(CultureInfo.InvariantCulture, $"{Kind(type)} {type.Namespace}.{NameOf(type)}{Bases(type)}\n");
            foreach (string member in members)
            {
                text.Append(CultureInfo.InvariantCulture, $"    {member}\n");
            }
        }

        return text.ToString();
    }

    /// <summary>Members that other assemblies can name.</summary>
    public static IEnumerable<MemberInfo> MembersOf(Type type) => type.GetMembers(Declared).Where(member => member switch
    {
        MethodBase { IsSpecialName: true } method when method is not ConstructorInfo => IsReachable(method) && method.Name.StartsWith("op_", StringComparison.Ordinal),
        MethodBase method => IsReachable(method) && method.GetCustomAttribute<CompilerGeneratedAttribute>() is null,
        PropertyInfo property => property.GetAccessors(nonPublic: true).Any(IsReachable) && property.Name != "EqualityContract",
        FieldInfo field => (field.IsPublic || field.IsFamily || field.IsFamilyOrAssembly) && !field.IsSpecialName,
        _ => false,
    });

    private static bool IsReachable(Type type) => type.IsPublic || (type.IsNestedPublic && IsReachable(type.DeclaringType!));

    private static bool IsReachable(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static string Kind(Type type) => type switch
    {
        { IsInterface: true } => "interface",
        { IsEnum: true } => "enum",
        { IsValueType: true } => "struct",
        { IsAbstract: true, IsSealed: true } => "static class",
        { IsAbstract: true } => "abstract class",
        { IsSealed: true } => "sealed class",
        _ => "class",
    };

    private static string Bases(Type type)
    {
        Type[] inherited = type.BaseType?.GetInterfaces() ?? [];
        string[] bases =
        [
            .. type.BaseType is { } parent && parent != typeof(object) && !type.IsEnum && !type.IsValueType ? [NameOf(parent)] : Array.Empty<string>(),
            .. type.GetInterfaces().Except(inherited).Where(_ => !type.IsEnum).Select(NameOf).Order(StringComparer.Ordinal),
        ];
        return bases.Length == 0 ? "" : " : " + string.Join(", ", bases);
    }

    private static string Describe(MemberInfo member) => member switch
    {
        FieldInfo { IsLiteral: true } constant => $"{NameOf(constant.FieldType)} {constant.Name} = {Convert.ToString(constant.GetRawConstantValue(), CultureInfo.InvariantCulture)}",
        FieldInfo field => $"{Access(field.IsPublic)}{NameOf(field.FieldType)} {field.Name}",
        PropertyInfo property => Describe(property),
        ConstructorInfo constructor => $"{Access(constructor.IsPublic)}{constructor.DeclaringType!.Name}({Parameters(constructor)})",
        MethodInfo method => $"{Access(method.IsPublic)}{(method.IsStatic ? "static " : method.IsAbstract ? "abstract " : method.IsVirtual && !method.IsFinal ? "virtual " : "")}{NameOf(method.ReturnType)} {method.Name}({Parameters(method)})",
        _ => throw new ArgumentException($"{member} is of no known kind."),
    };

    private static string Describe(PropertyInfo property)
    {
        MethodInfo any = property.GetAccessors(nonPublic: true).First(IsReachable);
        bool isInit = property.SetMethod?.ReturnParameter.GetRequiredCustomModifiers().Any(modifier => modifier.Name == "IsExternalInit") == true;
        string accessors = (property.GetMethod is { } get && IsReachable(get) ? "get; " : "")
            + (property.SetMethod is { } set && IsReachable(set) ? isInit ? "init; " : "set; " : "");
        return $"{Access(any.IsPublic)}{(any.IsStatic ? "static " : "")}{NameOf(property.PropertyType)} {property.Name} {{ {accessors}}}";
    }

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(parameter =>
        $"{(method.GetCustomAttribute<ExtensionAttribute>() is not null && parameter.Position == 0 ? "this " : "")}{NameOf(parameter.ParameterType)} {parameter.Name}"
        + (parameter.HasDefaultValue ? $" = {(parameter.DefaultValue is null ? "default" : Convert.ToString(parameter.DefaultValue, CultureInfo.InvariantCulture))}" : "")));

    private static string Access(bool isPublic) => isPublic ? "" : "protected ";

    private static string NameOf(Type type)
    {
        if (type.IsByRef)
        {
            return "ref " + NameOf(type.GetElementType()!);
        }

        if (type.IsArray)
        {
            return NameOf(type.GetElementType()!) + "[]";
        }

        if (Nullable.GetUnderlyingType(type) is { } underlying)
        {
            return NameOf(underlying) + "?";
        }

        string name = Keywords.GetValueOrDefault(type) ?? (type.IsNested ? $"{NameOf(type.DeclaringType!)}.{type.Name}" : type.Name);
        return type.IsGenericType ? $"{name[..name.IndexOf('`', StringComparison.Ordinal)]}<{string.Join(", ", type.GetGenericArguments().Select(NameOf))}>" : name;
    }
}

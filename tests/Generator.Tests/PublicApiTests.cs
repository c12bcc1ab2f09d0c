using System.Reflection;
using Unrolled.Generator.Tests.Harness;
using Xunit;

namespace Unrolled.Generator.Tests;

/// <summary>The public surface, as accepted: what a user sees, what emitted code alone needs, and what an emitted class adds.</summary>
public sealed class PublicApiTests
{
    private const string Services = "Unrolled.CompilerServices";

    private static readonly Type[] Types = typeof(IModel).Assembly.GetExportedTypes();

    [Fact]
    public void WhatUsersSeeIsAsAccepted() => Snapshot.Verify(PublicSurface.Print(Types, hidden: false), nameof(PublicApiTests), "Visible", "txt");

    [Fact]
    public void WhatEmittedCodeNeedsIsAsAccepted() => Snapshot.Verify(PublicSurface.Print(Types, hidden: true), nameof(PublicApiTests), "Hidden", "txt");

    [Fact]
    public void WhatAModelClassAddsIsAsAccepted()
    {
        Type model = PromiseNetworks.Models.Create("Learned").GetType();
        Snapshot.Verify(PublicSurface.Print([model, .. model.GetNestedTypes()], hidden: false), nameof(PublicApiTests), "ModelClass", "txt");
    }

    [Fact]
    public void NothingThatOnlyEmittedCodeNeedsShowsUpBesideWhatUsersNeed()
    {
        Assert.All(Types.Where(type => type.Namespace == Services), type => Assert.True(PublicSurface.IsHidden(type), type.Name));
        Assert.All(Types.Where(type => type.Namespace != Services), type =>
        {
            Assert.Equal(nameof(Unrolled), type.Namespace);
            Assert.False(PublicSurface.IsHidden(type), type.Name);
        });
        Assert.InRange(Types.Count(type => type.Namespace == nameof(Unrolled)), 30, 45);
    }

    [Fact]
    public void NothingThatUsersSeeHandsOutPlacesInMemory()
    {
        foreach (Type type in Types.Where(type => !PublicSurface.IsHidden(type)))
        {
            foreach (MemberInfo member in PublicSurface.MembersOf(type).Where(member => !PublicSurface.IsHidden(member)))
            {
                Type[] used = member switch
                {
                    MethodInfo method => [method.ReturnType, .. method.GetParameters().Where(parameter => !parameter.IsOut).Select(parameter => parameter.ParameterType)],
                    ConstructorInfo constructor => [.. constructor.GetParameters().Select(parameter => parameter.ParameterType)],
                    PropertyInfo property => [property.PropertyType],
                    FieldInfo field => [field.FieldType],
                    _ => [],
                };
                Assert.All(used, one => Assert.False(one.IsByRef || one.IsPointer || one == typeof(nint) || one.Namespace == Services, $"{type.Name}.{member.Name}: {one}"));
            }
        }
    }
}

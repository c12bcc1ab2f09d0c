using System.Reflection;
using System.Reflection.Emit;
using Unrolled.Generator.Tests.Harness;

namespace Unrolled.Benchmarks;

/// <summary>
/// The matrix products of a streaming step without the rest of it: the same emitted kernels on the same weights, in the order the step
/// calls them.
/// </summary>
internal static class StepProducts
{
    private delegate void Kernel(ParameterBlock parameters, AlignedBuffer[] buffers);

    /// <summary>The products of a model's step, or null where its kernels are not products apart from the equations.</summary>
    public static Action? Of(IModel model)
    {
        var step = model.CreateSession().GetType().GetMethod("StepCore", BindingFlags.Instance | BindingFlags.NonPublic)
            ?? throw new InvalidOperationException($"The session of {model.Layout} has no StepCore.");
        var kernels = IlReader.Calls(step).OfType<MethodInfo>().Where(IsProduct).Select(Call).ToArray();
        if (kernels.Length == 0)
        {
            return null;
        }

        // A buffer for each operand, longer than any row of it.
        var length = Math.Max(1 << 14, 16 * Padding.Of(model.Layout.InputSize + model.Layout.StateLength));
        var buffers = Enumerable.Range(0, kernels.Max(kernel => kernel.Buffers))
            .Select(_ => new AlignedBuffer(length)).ToArray();
        return () =>
        {
            foreach (var (kernel, _) in kernels)
            {
                kernel(model.Parameters, buffers);
            }
        };
    }

    private static bool IsProduct(MethodInfo method) =>
        method.DeclaringType?.Namespace?.StartsWith("Unrolled.Emitted", StringComparison.Ordinal) == true
        && method.Name.Contains("Products", StringComparison.Ordinal);

    // (parameters, buffers) => Kernel(ref buffers[0].Reference, ref buffers[1].Reference, …, ref parameters.Reference, 1)
    private static (Kernel Kernel, int Buffers) Call(MethodInfo method)
    {
        var call = new DynamicMethod(method.Name, null, [typeof(ParameterBlock), typeof(AlignedBuffer[])], typeof(StepProducts).Module, skipVisibility: true);
        var code = call.GetILGenerator();
        var buffers = 0;
        foreach (var parameter in method.GetParameters())
        {
            if (parameter.ParameterType == typeof(int))
            {
                code.Emit(OpCodes.Ldc_I4_1);
            }
            else if (parameter.Name == "parameters")
            {
                code.Emit(OpCodes.Ldarg_0);
                code.Emit(OpCodes.Call, typeof(ParameterBlock).GetProperty(nameof(ParameterBlock.Reference))!.GetMethod!);
            }
            else
            {
                code.Emit(OpCodes.Ldarg_1);
                code.Emit(OpCodes.Ldc_I4, buffers++);
                code.Emit(OpCodes.Ldelem_Ref);
                code.Emit(OpCodes.Call, typeof(AlignedBuffer).GetProperty(nameof(AlignedBuffer.Reference))!.GetMethod!);
            }
        }

        code.Emit(OpCodes.Call, method);
        code.Emit(OpCodes.Ret);
        return (call.CreateDelegate<Kernel>(), buffers);
    }
}

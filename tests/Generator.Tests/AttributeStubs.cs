namespace Unrolled.Generator.Tests;

/// <summary>The runtime's attributes as far as the front end reads them, for compilations that do not reference the runtime.</summary>
internal static class AttributeStubs
{
    public const string Source = """
        using System;
        namespace Unrolled
        {
            public enum Activation { Tanh, Relu, Sigmoid, Identity, LeakyRelu, ThresholdedRelu, Elu, Softplus, Softsign, HardSigmoid, HardTanh, Gelu, Silu }
            public enum Loss { None, SoftmaxCrossEntropy, MeanSquaredError }
            [AttributeUsage(AttributeTargets.Class, Inherited = false)]
            public sealed class ModelAttribute : Attribute { public int Tokens { get; set; } public int Features { get; set; } }
            [AttributeUsage(AttributeTargets.Class, Inherited = false)]
            public sealed class LossAttribute : Attribute { public LossAttribute(Loss loss) { } }
            [AttributeUsage(AttributeTargets.Class, AllowMultiple = true, Inherited = false)]
            public class LayerAttribute : Attribute
            {
                public LayerAttribute(string cell, int units) { }
                protected LayerAttribute(int units) { }
                public string? Name { get; set; }
                public string? Set { get; set; }
            }
            [AttributeUsage(AttributeTargets.Class | AttributeTargets.Assembly, AllowMultiple = true, Inherited = false)]
            public sealed class CellAttribute : Attribute { public CellAttribute(string name, string equations) { } }
            [AttributeUsage(AttributeTargets.Class, AllowMultiple = true, Inherited = false)]
            public sealed class RnnAttribute : LayerAttribute
            {
                public RnnAttribute(int units) : base(units) { }
                public Activation Nonlinearity { get; set; }
                public bool Bias { get; set; }
            }
            [AttributeUsage(AttributeTargets.Class, AllowMultiple = true, Inherited = false)]
            public sealed class LstmAttribute : LayerAttribute
            {
                public LstmAttribute(int units) : base(units) { }
                public bool Peepholes { get; set; }
                public bool Bias { get; set; }
                public double ForgetBias { get; set; }
            }
            [AttributeUsage(AttributeTargets.Class, AllowMultiple = true, Inherited = false)]
            public sealed class GruAttribute : LayerAttribute
            {
                public GruAttribute(int units) : base(units) { }
                public bool ResetAfter { get; set; }
                public bool Bias { get; set; }
            }
            [AttributeUsage(AttributeTargets.Class, AllowMultiple = true, Inherited = false)]
            public sealed class DenseAttribute : LayerAttribute
            {
                public DenseAttribute(int units) : base(units) { }
                public Activation Activation { get; set; }
                public bool Bias { get; set; }
            }
            [AttributeUsage(AttributeTargets.Class, AllowMultiple = true, Inherited = false)]
            public sealed class FutureAttribute : LayerAttribute { public FutureAttribute(int units) : base(units) { } }
        }
        """;
}

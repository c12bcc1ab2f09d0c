namespace Unrolled.Benchmarks.Models;

// Networks of one layer: CELL, inputs, units.
[Model(Features = 1), Lstm(8)] internal sealed partial class Lstm1x8;
[Model(Features = 1), Lstm(16)] internal sealed partial class Lstm1x16;
[Model(Features = 16), Lstm(32)] internal sealed partial class Lstm16x32;
[Model(Features = 32), Lstm(32)] internal sealed partial class Lstm32x32;
[Model(Features = 64), Lstm(64)] internal sealed partial class Lstm64x64;
[Model(Features = 64), Lstm(128)] internal sealed partial class Lstm64x128;
[Model(Features = 65), Lstm(128)] internal sealed partial class Lstm65x128;
[Model(Features = 128), Lstm(128)] internal sealed partial class Lstm128x128;
[Model(Features = 128), Lstm(256)] internal sealed partial class Lstm128x256;
[Model(Features = 256), Lstm(512)] internal sealed partial class Lstm256x512;
[Model(Features = 512), Lstm(512)] internal sealed partial class Lstm512x512;
[Model(Features = 1), Gru(8)] internal sealed partial class Gru1x8;
[Model(Features = 1), Gru(16)] internal sealed partial class Gru1x16;
[Model(Features = 32), Gru(32)] internal sealed partial class Gru32x32;
[Model(Features = 64), Gru(64)] internal sealed partial class Gru64x64;
[Model(Features = 64), Gru(128)] internal sealed partial class Gru64x128;
[Model(Features = 128), Gru(256)] internal sealed partial class Gru128x256;
[Model(Features = 256), Gru(512)] internal sealed partial class Gru256x512;
[Model(Features = 64), Lstm(128, Peepholes = true)] internal sealed partial class Peephole64x128;
[Model(Features = 65), Lstm(128, Peepholes = true)] internal sealed partial class Peephole65x128;
[Model(Features = 128), Lstm(128, Peepholes = true)] internal sealed partial class Peephole128x128;
[Model(Features = 512), Lstm(512, Peepholes = true)] internal sealed partial class Peephole512x512;

// Character models: two layers (the small one has one), a readout over the characters, softmax cross-entropy.
[Model(Tokens = 16), Lstm(32), Dense(16), Loss(Loss.SoftmaxCrossEntropy)] internal sealed partial class SmallLstmCharacters;
[Model(Tokens = 65), Rnn(128), Rnn(128), Dense(65), Loss(Loss.SoftmaxCrossEntropy)] internal sealed partial class RnnCharacters;
[Model(Tokens = 65), Gru(128), Gru(128), Dense(65), Loss(Loss.SoftmaxCrossEntropy)] internal sealed partial class GruCharacters;
[Model(Tokens = 65), Lstm(128), Lstm(128), Dense(65), Loss(Loss.SoftmaxCrossEntropy)] internal sealed partial class LstmCharacters;
[Model(Tokens = 65), Lstm(512), Lstm(512), Dense(65), Loss(Loss.SoftmaxCrossEntropy)] internal sealed partial class LargeLstmCharacters;

// Products alone.
[Model(Features = 64), Dense(512)] internal sealed partial class Dense64x512;
[Model(Features = 128), Dense(512)] internal sealed partial class Dense128x512;
[Model(Features = 512), Dense(2048)] internal sealed partial class Dense512x2048;

// What decays in silence, by a hundredth a step: CELL, units.
[Model(Features = 1), Lstm(8, ForgetBias = 4.6, Set = "init W_hc = orthogonal(0.01)")] internal sealed partial class SilentLstm8;
[Model(Features = 1), Lstm(64, ForgetBias = 4.6, Set = "init W_hc = orthogonal(0.01)")] internal sealed partial class SilentLstm64;
[Model(Features = 1), Gru(8, Set = "init b_z = 4.6")] internal sealed partial class SilentGru8;
[Model(Features = 1), Gru(64, Set = "init b_z = 4.6")] internal sealed partial class SilentGru64;
[Model(Features = 1), Layer("minimal_gated", 8, Set = "init b_f = -4.6")] internal sealed partial class SilentMinimalGated8;
[Model(Features = 1), Layer("minimal_gated", 64, Set = "init b_f = -4.6")] internal sealed partial class SilentMinimalGated64;
[Model(Features = 1), Layer("leaky_integrator", 8, Set = "rate = 0.02, init W = orthogonal(0.5)")] internal sealed partial class SilentLeakyIntegrator8;
[Model(Features = 1), Layer("leaky_integrator", 64, Set = "rate = 0.02, init W = orthogonal(0.5)")] internal sealed partial class SilentLeakyIntegrator64;
[Model(Features = 1), Layer("indrnn", 8, Set = "init W = uniform(0.5, 1), init u = uniform(0.98, 0.99)")] internal sealed partial class SilentIndRnn8;
[Model(Features = 1), Layer("indrnn", 64, Set = "init W = uniform(0.5, 1), init u = uniform(0.98, 0.99)")] internal sealed partial class SilentIndRnn64;

// Each matrix product: format x instruction set x columns, on one thread, beside its roof on that thread. One
// column reads weights that no cache holds and stands beside how fast memory is read; many columns stand
// beside the arithmetic of their instruction set.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <map>
#include <string>

#include "base/arena.h"
#include "kernels/cpu.h"
#include "kernels/roofs.h"
#include "tensor/tensor.h"

namespace gptj {
namespace {

constexpr int kN = 4096;       // GPT-J's n_embd
constexpr int kRows = 16'384;  // and the rows of its fc_in
/// Panels at a time, as a thread of the program takes them: 256 KB at 4 bits. With more at once the results of
/// many columns would fall out of the caches.
constexpr int kPiece = 7;

/// Calls work() for a moment; returns what it does per second, at best.
template <typename Work>
double best_rate(const Work& work) {
  constexpr int kTries = 10;
  double best = 0;
  for (int i = 0; i < kTries; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const auto done = static_cast<double>(work());
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
    best = std::max(best, done / time.count());
  }
  return best;
}

/// Bytes, or operations, per second of one thread; measured once for each.
double read_roof() {
  static const double roof = [] {
    ThreadPool pool(1);
    ReadRoof memory(pool, int64_t{512} << 20);
    return best_rate([&] { return memory.read(); });
  }();
  return roof;
}
double arithmetic_roof(int64_t (*kernel)(int64_t) noexcept) {
  static std::map<int64_t (*)(int64_t), double> known;
  constexpr int64_t kRepeats = 200'000;
  const auto [at, unknown] = known.try_emplace(kernel, 0.0);
  if (unknown) at->second = best_rate([&] { return kernel(kRepeats); });
  return at->second;
}

void multiply(const FormatKernels& format, QuantMatmulArgs args, bool quantized_activations) {
  const int n_panels = args.matmul.n_panels;
  for (int first = 0; first < n_panels; first += kPiece) {
    args.matmul.n_panels = std::min(kPiece, n_panels - first);
    quantized_activations ? format.matmul_quantized(args) : format.matmul(args.matmul);
    args.matmul.panels += kPiece * args.matmul.panel_stride;
    args.matmul.y += kPiece * kPanelRows;
  }
}

void matmul(benchmark::State& state, const Kernels& table, DType dtype, bool quantized_activations) {
  const auto columns = static_cast<int>(state.range(0));
  const int64_t x_stride = Rows::stride_for(kN), q_stride = QuantizedRows::stride_for(kN);
  Matrix w{nullptr, dtype, kRows, kN};
  const auto lay_out = [&](Arena& arena) {
    w.data = arena.take<uint8_t>(w.bytes());
    auto* x = arena.take<float>(columns * x_stride);
    auto* y = arena.take<float>(int64_t{columns} * kRows);
    const QuantizedRows q{arena.take<int8_t>(columns * q_stride),
                          arena.take<QuantizedRows::Block>(columns * q_stride / 32), q_stride};
    return QuantMatmulArgs{{w.data, w.panel_stride(), w.n_panels(), kN, x, x_stride, columns, y, kRows}, q};
  };
  Arena measure;
  lay_out(measure);
  Arena arena(measure.used(), "a benchmark");
  const QuantMatmulArgs args = lay_out(arena);
  auto* bytes = const_cast<uint8_t*>(w.data);
  for (int64_t i = 0; i < w.bytes(); ++i)
    bytes[i] = static_cast<uint8_t>(i % 61);  // never NaN, never subnormal
  const FormatKernels& format = table.formats[static_cast<int>(dtype)];
  const std::clock_t start = std::clock();
  for (auto _ : state) multiply(format, args, quantized_activations);
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  const double roof = arithmetic_roof(quantized_activations ? table.int8_roof : table.f32_roof);
  const auto iterations = static_cast<double>(state.iterations());
  const double bytes_read = iterations * static_cast<double>(w.bytes());
  const double operations = iterations * 2.0 * kN * kRows * columns;
  state.counters["GB/s"] = bytes_read / seconds / 1e9;
  state.counters["%read"] = 100 * bytes_read / seconds / read_roof();
  state.counters["Gop/s"] = operations / seconds / 1e9;
  state.counters["%arithmetic"] = 100 * operations / seconds / roof;
}

const bool registered = [] {
  for (const InstructionSet& set : instruction_sets()) {
    if (!set.supported()) continue;
    for (int d = 0; d < kNumDTypes; ++d) {
      const auto dtype = static_cast<DType>(d);
      for (const bool quantized : {false, true}) {
        if (quantized && info(dtype).block == 1) continue;
        const std::string name =
            std::string("matmul/") + set.name + "/" + info(dtype).name + (quantized ? "/int8" : "/f32");
        benchmark::RegisterBenchmark(name.c_str(),
                                     [&set, dtype, quantized](benchmark::State& state) {
                                       matmul(state, set.kernels(), dtype, quantized);
                                     })
            ->Arg(1)
            ->Arg(4)
            ->Arg(128)
            ->Unit(benchmark::kMillisecond);
      }
    }
  }
  return true;
}();

}  // namespace
}  // namespace gptj

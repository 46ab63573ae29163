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
/// How many times the panels that a product computes at a time are a piece, as a thread of the program takes them. With
/// more at once the results of many columns would fall out of the caches.
constexpr int kAtOnce = 3;

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
    return best_rate([&] { return memory.read(kernels()); });
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

constexpr const char* kArithmeticNames[] = {"exact", "decode", "prefill"};  // index: Arithmetic

void multiply(const Product& product, MatmulArgs args) {
  const int n_panels = args.n_panels, piece = kAtOnce * product.n_panels;
  for (int first = 0; first < n_panels; first += piece) {
    args.n_panels = std::min(piece, n_panels - first);
    product.matmul(args);
    args.panels += piece * args.panel_stride;
    args.y += piece * kPanelRows;
  }
}

/// The roof of the numbers that a product multiplies.
double roof_of(const Kernels& table, Operand operand) {
  if (operand == Operand::f32) return arithmetic_roof(table.f32_roof);
  return arithmetic_roof(operand == Operand::bf16 ? table.bf16_roof : table.int8_roof);
}

void matmul(benchmark::State& state, const Kernels& table, DType dtype, Arithmetic arithmetic) {
  const Product& product = table.formats[static_cast<int>(dtype)].products[static_cast<int>(arithmetic)];
  const auto columns = static_cast<int>(state.range(0));
  const int64_t x_stride = operand_stride(product.operand, kN), y_stride = Rows::stride_for(kRows);
  Matrix w{nullptr, dtype, kRows, kN};
  const auto lay_out = [&](Arena& arena) {
    w.data = arena.take<uint8_t>(w.bytes());
    const auto* x = arena.take<uint8_t>(round_up(columns, kOperandRows) * x_stride);
    auto* y = arena.take<float>(columns * y_stride);
    auto* scratch = arena.take<uint8_t>(kMatmulScratch);
    return MatmulArgs{w.data, w.panel_stride(), w.n_panels(), kN, x, x_stride, columns, y, y_stride, scratch};
  };
  Arena measure;
  lay_out(measure);
  Arena arena(measure.used(), "a benchmark");
  const MatmulArgs args = lay_out(arena);
  auto* bytes = const_cast<uint8_t*>(w.data);
  for (int64_t i = 0; i < w.bytes(); ++i)
    bytes[i] = static_cast<uint8_t>(i % 61);  // never NaN, never subnormal
  const std::clock_t start = std::clock();
  for (auto _ : state) multiply(product, args);
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  const auto iterations = static_cast<double>(state.iterations());
  const double bytes_read = iterations * static_cast<double>(w.bytes());
  const double operations = iterations * 2.0 * kN * kRows * columns;
  state.counters["GB/s"] = bytes_read / seconds / 1e9;
  state.counters["%read"] = 100 * bytes_read / seconds / read_roof();
  state.counters["Gop/s"] = operations / seconds / 1e9;
  state.counters["%arithmetic"] = 100 * operations / seconds / roof_of(table, product.operand);
}

const bool registered = [] {
  for (const InstructionSet& set : instruction_sets()) {
    if (!set.supported()) continue;
    for (int d = 0; d < kNumDTypes; ++d) {
      const auto dtype = static_cast<DType>(d);
      for (int a = 0; a < kNumArithmetics; ++a) {
        const auto& products = set.kernels().formats[d].products;
        if (a > 0 && products[a].matmul == products[a - 1].matmul) continue;
        const std::string name =
            std::string("matmul/") + set.name + "/" + info(dtype).name + "/" + kArithmeticNames[a];
        benchmark::RegisterBenchmark(name.c_str(),
                                     [&set, dtype, a](benchmark::State& state) {
                                       matmul(state, set.kernels(), dtype, static_cast<Arithmetic>(a));
                                     })
            ->Arg(1)
            ->Arg(2)
            ->Arg(4)
            ->Arg(8)
            ->Arg(16)
            ->Arg(512)
            ->Unit(benchmark::kMillisecond);
      }
    }
  }
  return true;
}();

}  // namespace
}  // namespace gptj

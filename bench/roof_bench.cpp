// The limits of this machine, beside which every other figure stands: how fast memory is read, and how fast
// multiply-adds are done by each instruction set. With as many threads as there are physical cores.

#include <benchmark/benchmark.h>

#include <string>

#include "kernels/cpu.h"
#include "kernels/roofs.h"

namespace gptj {
namespace {

constexpr int64_t kReadBytes = int64_t{1} << 30;
constexpr int64_t kRepeats = 1'000'000;  // of a loop of a dozen products: some milliseconds

void read_roof(benchmark::State& state) {
  ThreadPool pool(platform::physical_cores());
  ReadRoof roof(pool, kReadBytes);
  int64_t bytes = 0;
  for (auto _ : state) bytes += roof.read(kernels());
  state.SetBytesProcessed(bytes);
}
BENCHMARK(read_roof)->Unit(benchmark::kMillisecond)->UseRealTime();

void arithmetic_roof(benchmark::State& state, int64_t (*roof)(int64_t) noexcept) {
  ThreadPool pool(platform::physical_cores());
  int64_t operations = 0;
  for (auto _ : state) operations += run_roof(pool, roof, kRepeats);
  state.counters["OPS"] = benchmark::Counter(static_cast<double>(operations), benchmark::Counter::kIsRate,
                                             benchmark::Counter::kIs1000);
}

const bool registered = [] {
  for (const InstructionSet& set : instruction_sets()) {
    if (!set.supported()) continue;
    const auto add = [&set](const char* type, int64_t (*roof)(int64_t) noexcept) {
      benchmark::RegisterBenchmark((std::string(type) + "_roof/" + set.name).c_str(),
                                   [roof](benchmark::State& state) { arithmetic_roof(state, roof); })
          ->Unit(benchmark::kMillisecond)
          ->UseRealTime();
    };
    add("f32", set.kernels().f32_roof);
    add("int8", set.kernels().int8_roof);
    if (set.kernels().bf16_roof != nullptr) add("bf16", set.kernels().bf16_roof);
  }
  return true;
}();

}  // namespace
}  // namespace gptj

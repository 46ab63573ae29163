// Attention: numbers of the KV cache x instruction set, with as many threads as there are physical cores.
// Decoding reads keys and values that no cache holds: compare bytes per second with read_roof. A prompt is
// bound by arithmetic: compare with bf16_roof, or f32_roof where there is none; only what the causal mask leaves is counted.

#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "base/arena.h"
#include "base/thread_pool.h"
#include "kernels/cpu.h"
#include "model/kv_cache.h"

namespace gptj {
namespace {

constexpr int64_t kDecodeBytes = int64_t{256} << 20;  // of keys and values, beyond any cache

struct Shape {
  KvType type;
  int n_heads;
  int n_tokens;
  int head_dim;

  Config config() const {
    Config config;
    config.n_layer = 1;
    config.n_head = n_heads;
    config.n_embd = n_heads * head_dim;
    return config;
  }
};

/// Bytes of one head's keys and values.
int64_t head_bytes(Shape shape) {
  shape.n_heads = 1;
  Arena measure;
  KvCache(measure, shape.config(), shape.n_tokens, 1, shape.type);
  return static_cast<int64_t>(measure.used());
}

/// Heads full of tokens, and queries for them.
class Heads {
 public:
  Heads(const Kernels& table, const Shape& shape, int n_queries, Arithmetic arithmetic)
      : kernels_(table.kv[static_cast<int>(shape.type)]),
        attention_(kernels_.attention[static_cast<int>(arithmetic)]),
        shape_(shape),
        n_queries_(n_queries),
        pool_(platform::physical_cores()) {
    Arena measure;
    lay_out(measure);
    arena_ = std::make_unique<Arena>(measure.used(), "a benchmark");
    lay_out(*arena_);
    for (int page = 0; page < cache_.n_pages(); ++page) pages_.push_back(page);
    for (int64_t i = 0; i < n_queries * q_stride(); ++i) q_[i] = some(i);
    pool_.parallel_for(shape.n_heads, 1, [&](int64_t begin, int64_t, int) {
      for (int token = 0; token < shape_.n_tokens; ++token) {
        kernels_.store(head(begin), token, q_ + token % n_queries_, q_ + token % 7, shape_.head_dim);
      }
    });
  }

  /// The last n_queries of the tokens against all heads.
  void run() {
    const int64_t grain = n_queries_ == 1 ? kMaxHeadBlock : 1;
    pool_.parallel_for(shape_.n_heads, grain, [&](int64_t begin, int64_t end, int thread) {
      attention_({.kv = head(begin),
                  .n_heads = static_cast<int>(end - begin),
                  .head_dim = shape_.head_dim,
                  .scale = 0.1f,
                  .q = q_,
                  .q_stride = q_stride(),
                  .n_queries = n_queries_,
                  .n_past = shape_.n_tokens - n_queries_,
                  .n_common = 0,
                  .out = out_ + thread * n_queries_ * q_stride(),
                  .out_stride = q_stride(),
                  .scratch = scratch_ + thread * scratch_size()});
    });
  }

 private:
  static float some(int64_t i) { return static_cast<float>(i * 37 % 101) * 0.01f - 0.5f; }
  int64_t q_stride() const { return kMaxHeadBlock * round_up(shape_.head_dim, kPanelRows) + kPanelRows; }
  int64_t scratch_size() const { return attention_scratch(n_queries_, shape_.head_dim); }

  void lay_out(Arena& arena) {
    cache_ = KvCache(arena, shape_.config(), shape_.n_tokens, 1, shape_.type);
    q_ = arena.take<float>((n_queries_ + 8) * q_stride());
    out_ = arena.take<float>(pool_.n_threads() * n_queries_ * q_stride());
    scratch_ = arena.take<float>(pool_.n_threads() * scratch_size());
  }

  KvHead head(int64_t i) const { return cache_.head(0, static_cast<int>(i), pages_.data()); }

  const KvKernels& kernels_;
  void (*const attention_)(const AttentionArgs&) noexcept;
  const Shape shape_;
  const int n_queries_;
  ThreadPool pool_;
  std::unique_ptr<Arena> arena_;
  KvCache cache_;
  std::vector<int> pages_;
  float *q_ = nullptr, *out_ = nullptr, *scratch_ = nullptr;
};

void decode(benchmark::State& state, const Kernels& table, KvType type) {
  Shape shape{type, 1, static_cast<int>(state.range(1)), static_cast<int>(state.range(0))};
  shape.n_heads = static_cast<int>(kDecodeBytes / head_bytes(shape));
  Heads heads(table, shape, 1, Arithmetic::decode);
  for (auto _ : state) heads.run();
  state.SetBytesProcessed(state.iterations() * shape.n_heads * head_bytes(shape));
}

void prompt(benchmark::State& state, const Kernels& table, KvType type) {
  const Shape shape{type, 16, static_cast<int>(state.range(1)), static_cast<int>(state.range(0))};
  Heads heads(table, shape, shape.n_tokens, Arithmetic::prefill);
  for (auto _ : state) heads.run();
  const double products = 0.5 * shape.n_tokens * (shape.n_tokens + 1.0) * shape.head_dim * shape.n_heads;
  state.counters["FLOPS"] = benchmark::Counter(
      2 * 2 * products, benchmark::Counter::kIsIterationInvariantRate, benchmark::Counter::kIs1000);
}

const bool registered = [] {
  for (const InstructionSet& set : instruction_sets()) {
    if (!set.supported()) continue;
    for (int type = 0; type < kNumKvTypes; ++type) {
      const std::string name = std::string("attention/") + set.name + "/" + kKvTypeNames[type];
      for (const auto& [phase, run] : {std::pair{"/decode", &decode}, std::pair{"/prompt", &prompt}}) {
        benchmark::RegisterBenchmark((name + phase).c_str(),
                                     [&set, type, run = run](benchmark::State& state) {
                                       run(state, set.kernels(), static_cast<KvType>(type));
                                     })
            ->ArgNames({"head_dim", "tokens"})
            ->ArgsProduct({{64, 256}, {512, 2000}})
            ->Unit(benchmark::kMillisecond)
            ->UseRealTime();
      }
    }
  }
  return true;
}();

}  // namespace
}  // namespace gptj

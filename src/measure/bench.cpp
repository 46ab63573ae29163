#include "gptj/bench.h"

#include <chrono>
#include <filesystem>

#include "base/platform.h"
#include "base/thread_count.h"
#include "base/thread_pool.h"
#include "kernels/cpu.h"
#include "kernels/roofs.h"
#include "tensor/dtype.h"

namespace gptj {
namespace {

constexpr double kMinSeconds = 0.1;  // several time slices, and enough for the clock to settle
constexpr int64_t kRepeats = 100'000;

/// What work() returns, per second; repeated for kMinSeconds.
template <typename Work>
double rate(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  double done = 0, seconds = 0;
  do {
    done += static_cast<double>(work());
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  } while (seconds < kMinSeconds);
  return done / seconds;
}

}  // namespace

struct RoofMeter::Impl {
  Impl(int n_threads, uint64_t read_bytes)
      : pool(thread_count(n_threads)), memory(pool, static_cast<int64_t>(read_bytes)) {
    memory.read(kernels());  // so that threads have started and the clock has risen
  }

  ThreadPool pool;
  ReadRoof memory;
};

RoofMeter::RoofMeter(int n_threads, uint64_t read_bytes)
    : impl_(std::make_unique<Impl>(n_threads, read_bytes)) {}
RoofMeter::RoofMeter(RoofMeter&&) noexcept = default;
RoofMeter& RoofMeter::operator=(RoofMeter&&) noexcept = default;
RoofMeter::~RoofMeter() = default;

double RoofMeter::measure(Roof roof) {
  if (roof == Roof::read) return rate([&] { return impl_->memory.read(kernels()); });
  const Kernels& table = kernels();
  const auto kernel = roof == Roof::f32    ? table.f32_roof
                      : roof == Roof::int8 ? table.int8_roof
                                           : table.bf16_roof;
  if (kernel == nullptr) return 0;
  return rate([&] { return run_roof(impl_->pool, kernel, kRepeats); });
}

Roof prompt_roof(const ModelInfo& model, bool exact) {
  const Arithmetic arithmetic = exact ? Arithmetic::exact : Arithmetic::prefill;
  const std::optional<DType> dtype = dtype_by_name(model.memory_type);
  if (!dtype) return Roof::f32;
  const FormatKernels& format = kernels().formats[static_cast<int>(*dtype)];
  const Operand operand = format.products[static_cast<int>(arithmetic)].operand;
  return operand == Operand::f32 ? Roof::f32 : operand == Operand::bf16 ? Roof::bf16 : Roof::int8;
}

double prompt_operations(const ModelInfo& model, int n_tokens) {
  const double n = n_tokens, width = model.n_embd;
  // Both architectures have four [n_embd, n_embd] matrices in a layer and two of the feed-forward; a query
  // meets the keys, and then the values, of the tokens up to its own.
  const double weights = 4 * width * width + 2 * width * model.n_inner;
  const double attention = 2 * width * (n + 1) / 2;
  return 2 * (model.n_layer * n * (weights + attention) + width * model.n_vocab);
}

double decode_bytes(const ModelInfo& model, const SessionOptions& session, int n_past) {
  const int n_ctx = session.n_ctx > 0 ? session.n_ctx : model.n_ctx;
  const double kv = static_cast<double>(session_memory(model, session).kv_cache) / n_ctx;
  return static_cast<double>(model.read_bytes) + kv * n_past;
}

uint64_t peak_memory() {
  return platform::peak_memory();
}

void reset_peak_memory() {
  platform::reset_peak_memory();
}

bool forget_cached_files(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(path, ignored)) return platform::forget_cached(path);
  bool all = true;
  for (const auto& entry : std::filesystem::directory_iterator(path, ignored)) {
    if (entry.is_regular_file(ignored)) all &= platform::forget_cached(entry.path().string());
  }
  return all;
}

}  // namespace gptj

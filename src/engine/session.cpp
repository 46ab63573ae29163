#include "gptj/session.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/error.h"
#include "base/trace.h"
#include "engine/model_impl.h"
#include "engine/thread_count.h"
#include "kernels/cpu.h"
#include "model/kv_cache.h"
#include "model/ops.h"

namespace gptj {
namespace {

/// The options with their defaults filled in. Throws Error for what cannot be.
SessionOptions resolved(SessionOptions options, int model_n_ctx) {
  if (options.n_ctx == 0) options.n_ctx = model_n_ctx;
  if (options.n_ctx < 1 || options.n_ctx > model_n_ctx) {
    fail("context size: expected 1 to {} tokens, the model's, found {}", model_n_ctx, options.n_ctx);
  }
  options.n_threads = thread_count(options.n_threads);
  if (options.n_batch < 1) fail("batch size: expected at least 1 token, found {}", options.n_batch);
  options.n_batch = std::min(options.n_batch, options.n_ctx);
  return options;
}

/// Rows of logits that are made at a time where every token's are wanted: enough to use the weights well, few
/// beside the other buffers.
int logit_rows(const SessionOptions& options) {
  return std::min(options.n_batch, 32);
}

/// Whether there is a NaN or an infinity among the logits: a bit test, which vectorizes.
bool all_finite(std::span<const float> logits) {
  constexpr uint32_t kExponent = 0x7f800000;
  bool finite = true;
  for (const float logit : logits) finite &= (std::bit_cast<uint32_t>(logit) & kExponent) != kExponent;
  return finite;
}

struct Memory {
  KvCache kv;
  Scratch scratch;
};

Memory lay_out(Arena& arena, const Config& config, const SessionOptions& options) {
  Memory memory;
  memory.kv = KvCache(arena, config, options.n_ctx, options.kv_type);
  memory.scratch =
      Scratch(arena, config, options.n_ctx, options.n_batch, logit_rows(options), options.n_threads);
  return memory;
}

size_t session_bytes(const Config& config, const SessionOptions& options) {
  Arena measure;
  lay_out(measure, config, options);
  return measure.used();
}

}  // namespace

SessionMemory session_memory(const ModelInfo& model, const SessionOptions& options) {
  const SessionOptions all = resolved(options, model.n_ctx);
  Config config;
  config.n_vocab = model.n_vocab;
  config.n_embd = model.n_embd;
  config.n_head = model.n_head;
  config.n_layer = model.n_layer;
  config.n_inner = model.n_inner;
  config.n_rot = model.n_rot;
  Arena kv;
  KvCache(kv, config, all.n_ctx, all.kv_type);
  return {kv.used(), session_bytes(config, all) - kv.used()};
}

std::string instruction_set() {
  return kernels().name;
}

struct Session::Impl {
  Impl(const Model::Impl& m, const SessionOptions& o)
      : model(m),
        config(m.architecture->config()),
        options(resolved(o, config.n_ctx)),
        table(kernels()),
        pool(options.n_threads, options.pinned),
        arena(session_bytes(config, options),
              fmt::format("a context of {} tokens (a smaller one needs less)", options.n_ctx)),
        memory(lay_out(arena, config, options)) {
    rotary_angles(options.n_ctx, config.n_rot, memory.scratch.cos_sin);
  }

  void check(std::span<const int> ids) const {
    if (ids.size() > static_cast<size_t>(options.n_ctx - n_past)) {
      fail("context full: expected at most {} more tokens (context {}), found {}", options.n_ctx - n_past,
           options.n_ctx, ids.size());
    }
    for (const int id : ids) {
      if (id < 0 || id >= config.n_vocab) {
        fail("token id: expected 0 to {}, found {}", config.n_vocab - 1, id);
      }
    }
  }

  /// Evaluates at most n_batch tokens and calls then(pass), which may ask for their logits. False: cancelled,
  /// and the tokens do not count.
  template <typename Then>
  bool forward(std::span<const int> ids, Arithmetic arithmetic, const Cancelled& cancelled,
               const Then& then) {
    const trace::Scope scope(arithmetic == Arithmetic::decode ? "decode" : "prefill");
    const Pass pass{.pool = pool,
                    .kernels = table,
                    .kv_kernels = table.kv[static_cast<int>(options.kv_type)],
                    .kv = memory.kv,
                    .scratch = memory.scratch,
                    .arithmetic = options.exact ? Arithmetic::exact : arithmetic,
                    .ids = ids,
                    .n_past = n_past,
                    .inputs = inputs ? &inputs : nullptr};
    if (!model.architecture->forward(pass, cancelled)) return false;
    n_past += pass.n_tokens();
    then(pass);
    return true;
  }

  /// The logits after the last of at most n_batch tokens; empty if cancelled.
  std::span<const float> last_logits(std::span<const int> ids, Arithmetic arithmetic,
                                     const Cancelled& cancelled = {}) {
    const auto last = [&](const Pass& pass) { model.architecture->logits(pass, pass.n_tokens() - 1, 1); };
    return forward(ids, arithmetic, cancelled, last) ? logits(0) : std::span<const float>();
  }

  /// Hands the logits after every token to `each`.
  void all_logits(std::span<const int> ids, Arithmetic arithmetic,
                  const std::function<void(int, std::span<const float>)>& each) {
    check(ids);
    const auto batch = static_cast<size_t>(options.n_batch);
    const int rows = logit_rows(options);
    int index = 0;
    for (; !ids.empty(); ids = ids.subspan(std::min(batch, ids.size()))) {
      forward(ids.first(std::min(batch, ids.size())), arithmetic, {}, [&](const Pass& pass) {
        for (int first = 0; first < pass.n_tokens(); first += rows) {
          const int count = std::min(rows, pass.n_tokens() - first);
          model.architecture->logits(pass, first, count);
          for (int row = 0; row < count; ++row) each(index++, logits(row));
        }
      });
    }
  }

  /// Those that the architecture has just made. Throws Error if they are no numbers to draw from.
  std::span<const float> logits(int row) const {
    const std::span<const float> values(memory.scratch.logits.row(row), static_cast<size_t>(config.n_vocab));
    if (!all_finite(values)) fail("the model's logits are not finite: damaged weights?");
    return values;
  }

  const Model::Impl& model;
  const Config& config;
  const SessionOptions options;
  const Kernels& table;
  ThreadPool pool;
  Arena arena;  // all memory of the session
  const Memory memory;
  int n_past = 0;
  std::function<void(const Matrix& w, const Rows& x)> inputs;
};

Session::Session(const Model& model, const SessionOptions& options)
    : impl_(std::make_unique<Impl>(*model.impl_, options)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

int Session::n_ctx() const {
  return impl_->options.n_ctx;
}
int Session::n_past() const {
  return impl_->n_past;
}
int Session::n_batch() const {
  return impl_->options.n_batch;
}
int Session::n_threads() const {
  return impl_->options.n_threads;
}

void Session::watch_inputs(std::function<void(std::string_view matrix, const Rows& x)> watch) {
  impl_->inputs = {};
  if (!watch) return;
  impl_->inputs = [&names = impl_->model.matrix_names, watch = std::move(watch)](
                      const Matrix& w, const Rows& x) { watch(names.at(w.data), x); };
}

void Session::truncate(int n_past) {
  impl_->n_past = std::clamp(n_past, 0, impl_->n_past);
}

std::span<const float> Session::prefill(std::span<const int> ids, const std::function<bool()>& cancelled) {
  impl_->check(ids);
  if (ids.empty()) fail("prompt: expected at least 1 token, found none");
  const auto batch = static_cast<size_t>(impl_->options.n_batch);
  for (; ids.size() > batch; ids = ids.subspan(batch)) {
    if (!impl_->forward(ids.first(batch), Arithmetic::prefill, cancelled, [](const Pass&) {})) return {};
  }
  return impl_->last_logits(ids, Arithmetic::prefill, cancelled);
}

void Session::prefill(std::span<const int> ids,
                      const std::function<void(int, std::span<const float>)>& each) {
  impl_->all_logits(ids, Arithmetic::prefill, each);
}

void Session::decode(std::span<const int> ids, const std::function<void(int, std::span<const float>)>& each) {
  impl_->all_logits(ids, Arithmetic::decode, each);
}

std::span<const float> Session::decode(int id) {
  const std::span<const int> ids(&id, 1);
  impl_->check(ids);
  return impl_->last_logits(ids, Arithmetic::decode);
}

}  // namespace gptj

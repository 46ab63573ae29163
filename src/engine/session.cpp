#include "gptj/session.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <utility>

#include "base/error.h"
#include "base/thread_count.h"
#include "base/trace.h"
#include "engine/model_impl.h"
#include "engine/session_state.h"
#include "kernels/cpu.h"
#include "model/kv_sequences.h"
#include "model/ops.h"

namespace gptj {
namespace {

constexpr int kMaxSequences = 1024;

/// The options with their defaults filled in. Throws Error for what cannot be.
SessionOptions resolved(SessionOptions options, int model_n_ctx) {
  if (options.n_ctx == 0) options.n_ctx = model_n_ctx;
  if (options.n_ctx < 1 || options.n_ctx > model_n_ctx) {
    fail("context size: expected 1 to {} tokens, the model's, found {}", model_n_ctx, options.n_ctx);
  }
  options.n_threads = thread_count(options.n_threads);
  if (options.n_batch < 1) fail("batch size: expected at least 1 token, found {}", options.n_batch);
  if (options.n_sequences < 1 || options.n_sequences > kMaxSequences) {
    fail("sequences: expected 1 to {}, found {}", kMaxSequences, options.n_sequences);
  }
  options.n_batch = std::min(options.n_batch, std::max(options.n_ctx, options.n_sequences));
  return options;
}

/// Rows of logits that are made at a time where every token's are wanted: enough to use the weights well, few
/// beside the other buffers.
int logit_rows(const SessionOptions& options) {
  return std::min(options.n_batch, 32);
}

/// Whether there is no NaN or infinity among them: a bit test, which vectorizes.
bool all_finite(std::span<const float> values) {
  constexpr uint32_t kExponent = 0x7f800000;
  bool finite = true;
  for (const float value : values) finite &= (std::bit_cast<uint32_t>(value) & kExponent) != kExponent;
  return finite;
}

struct Memory {
  KvCache kv;
  Scratch scratch;
};

Memory lay_out(Arena& arena, const Config& config, const SessionOptions& options) {
  Memory memory;
  memory.kv = KvCache(arena, config, options.n_ctx, options.n_sequences, options.kv_type);
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
  KvCache(kv, config, all.n_ctx, all.n_sequences, all.kv_type);
  return {kv.used(), session_bytes(config, all) - kv.used()};
}

std::string instruction_set() {
  return kernels().name;
}

struct Session::Impl {
  using Each = std::function<void(int index, std::span<const float> logits)>;

  Impl(const Model::Impl& m, const SessionOptions& o)
      : model(m),
        config(m.architecture->config()),
        options(resolved(o, config.n_ctx)),
        table(kernels()),
        pool(options.n_threads, options.pinned),
        arena(session_bytes(config, options),
              fmt::format("a context of {} tokens (a smaller one needs less)", options.n_ctx)),
        memory(lay_out(arena, config, options)),
        kv(memory.kv, options.n_ctx, options.n_sequences) {
    ids.reserve(static_cast<size_t>(options.n_batch));
    runs.reserve(static_cast<size_t>(options.n_batch));
    rotary_angles(options.n_ctx, config.n_rot, memory.scratch.cos_sin);
  }

  /// Throws Error if the sequence has no room for so many more tokens.
  void check_room(int sequence, size_t n_tokens) const {
    assert(sequence >= 0 && sequence < kv.size());
    const int room = options.n_ctx - kv.n_past(sequence);
    if (n_tokens <= static_cast<size_t>(room)) return;
    fail("context full: expected at most {} more tokens (context {}), found {}", room, options.n_ctx,
         n_tokens);
  }
  void check_id(int id) const {
    if (id < 0 || id >= config.n_vocab) fail("token id: expected 0 to {}, found {}", config.n_vocab - 1, id);
  }
  void check(std::span<const int> of_sequence, int sequence) const {
    check_room(sequence, of_sequence.size());
    for (const int id : of_sequence) check_id(id);
  }

  Pass make_pass(Arithmetic arithmetic) const {
    return {.pool = pool,
            .kernels = table,
            .kv_kernels = table.kv[static_cast<int>(options.kv_type)],
            .kv = kv,
            .scratch = memory.scratch,
            .arithmetic = options.exact ? Arithmetic::exact : arithmetic,
            .ids = ids,
            .runs = runs,
            .prefix_lm = options.prefix_lm && arithmetic == Arithmetic::prefill,
            .probe = probe ? &probe : nullptr,
            .inputs = inputs ? &inputs : nullptr};
  }

  /// One token more in the pass to come, which has n_batch of them at most.
  void add(Token token) {
    if (runs.empty() || runs.back().sequence != token.sequence) {
      runs.push_back({token.sequence, 0});
    }
    ++runs.back().n_tokens;
    ids.push_back(token.id);
  }

  bool pass_is_full() const { return ids.size() == static_cast<size_t>(options.n_batch); }

  /// Evaluates the tokens that were added and calls then(pass), which may ask for their logits. False: cancelled, and
  /// the tokens do not count.
  template <typename Then>
  bool forward(Arithmetic arithmetic, const Cancelled& cancelled, const Then& then) {
    const trace::Scope scope(arithmetic == Arithmetic::decode ? "decode" : "prefill");
    const struct Clear {
      ~Clear() {
        impl.ids.clear();
        impl.runs.clear();
      }
      Impl& impl;
    } clear{*this};
    for (const TokenRun& run : runs) {
      const int n_past = kv.n_past(run.sequence);
      kv.own(run.sequence, n_past, n_past + run.n_tokens);
    }
    const Pass pass = make_pass(arithmetic);
    if (!model.architecture->forward(pass, cancelled)) return false;
    std::span<const int> rest = ids;
    for (const TokenRun& run : runs) {
      const auto n = static_cast<size_t>(run.n_tokens);
      kv.append(run.sequence, rest.first(n));
      rest = rest.subspan(n);
    }
    then(pass);
    return true;
  }

  /// The logits after the last of the tokens that were added; empty if cancelled.
  std::span<const float> last_logits(Arithmetic arithmetic, const Cancelled& cancelled = {}) {
    const auto last = [&](const Pass& pass) { model.architecture->logits(pass, pass.n_tokens() - 1, 1); };
    return forward(arithmetic, cancelled, last) ? logits(0) : std::span<const float>();
  }

  /// Hands the logits after every token that was added to `each`, counting from `first_index`.
  void all_logits(Arithmetic arithmetic, int first_index, const Each& each) {
    const int rows = logit_rows(options);
    forward(arithmetic, {}, [&](const Pass& pass) {
      for (int first = 0; first < pass.n_tokens(); first += rows) {
        const int count = std::min(rows, pass.n_tokens() - first);
        model.architecture->logits(pass, first, count);
        for (int row = 0; row < count; ++row) each(first_index + first + row, logits(row));
      }
    });
  }

  /// Hands the states after the final norm of every token that was added to `each`, counting from `first_index`.
  void all_states(int first_index, const Each& each) {
    forward(Arithmetic::prefill, {}, [&](const Pass& pass) {
      const Rows states = model.architecture->final_states(pass, 0, pass.n_tokens());
      for (int i = 0; i < states.rows; ++i)
        each(first_index + i, finite(states.row(i), states.n, "hidden states"));
    });
  }

  /// Appends n tokens, in passes of n_batch: evaluate(index of the first) is called for each.
  template <typename TokenAt, typename Evaluate>
  void append(size_t n, const TokenAt& token_at, const Evaluate& evaluate) {
    for (size_t i = 0; i < n; ++i) {
      add(token_at(i));
      if (pass_is_full() || i + 1 == n) evaluate(static_cast<int>(i + 1 - ids.size()));
    }
  }
  template <typename Evaluate>
  void append(std::span<const int> of_first, const Evaluate& evaluate) {
    check(of_first, 0);
    const auto token_at = [&](size_t i) { return Token{of_first[i], 0}; };
    append(of_first.size(), token_at, evaluate);
  }
  void append(std::span<const int> of_first, Arithmetic arithmetic, const Each& each) {
    append(of_first, [&](int first_index) { all_logits(arithmetic, first_index, each); });
  }

  /// Throws Error if not all of them are numbers.
  static std::span<const float> finite(const float* data, int n, std::string_view what) {
    const std::span<const float> values(data, static_cast<size_t>(n));
    if (!all_finite(values)) fail("the model's {} are not finite: damaged weights?", what);
    return values;
  }

  /// Those that the architecture has just made.
  std::span<const float> logits(int row) const {
    return finite(memory.scratch.logits.row(row), config.n_vocab, "logits");
  }

  const Model::Impl& model;
  const Config& config;
  const SessionOptions options;
  const Kernels& table;
  mutable ThreadPool pool;
  Arena arena;  // all memory of the session
  const Memory memory;
  KvSequences kv;
  std::vector<int> ids;        // of the pass to come
  std::vector<TokenRun> runs;  // of the pass to come
  std::function<void(std::string_view name, const Rows& rows)> probe;
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
int Session::n_sequences() const {
  return impl_->options.n_sequences;
}
int Session::n_past(int sequence) const {
  return impl_->kv.n_past(sequence);
}
std::span<const int> Session::tokens(int sequence) const {
  return impl_->kv.tokens(sequence);
}
int Session::n_batch() const {
  return impl_->options.n_batch;
}
int Session::n_threads() const {
  return impl_->options.n_threads;
}
bool Session::prefix_lm() const {
  return impl_->options.prefix_lm;
}

SessionState Session::state() const {
  return {impl_->config, impl_->model.weight_bytes, impl_->options, impl_->kv};
}

void Session::watch_inputs(std::function<void(std::string_view matrix, const Rows& x)> watch) {
  impl_->inputs = {};
  if (!watch) return;
  impl_->inputs = [&names = impl_->model.matrix_names, watch = std::move(watch)](
                      const Matrix& w, const Rows& x) { watch(names.at(w.data), x); };
}

void Session::watch(std::function<void(const Intermediate&)> each) {
  impl_->probe = {};
  if (!each) return;
  impl_->probe = [each = std::move(each)](std::string_view name, const Rows& rows) {
    each({name, rows.rows, rows.n, rows.data, rows.stride});
  };
}

void Session::truncate(int n_past, int sequence) {
  impl_->kv.truncate(sequence, std::clamp(n_past, 0, impl_->kv.n_past(sequence)));
}

void Session::fork(int from, int to) {
  impl_->kv.fork(from, to);
}

bool Session::can_shift() const {
  return impl_->config.n_rot > 0;
}

void Session::shift(int begin, int end, int sequence) {
  if (!can_shift()) fail("context shift: expected a model with rotary positions, found learned ones");
  KvSequences& kv = impl_->kv;
  const int n_past = kv.n_past(sequence);
  assert(begin >= 0 && begin <= end && end <= n_past);
  kv.own(sequence, begin, n_past);
  const Pass pass = impl_->make_pass(Arithmetic::decode);
  if (end < n_past) shift_tokens(pass, impl_->config, sequence, end, n_past, end - begin);
  kv.erase(sequence, begin, end);
}

std::span<const float> Session::prefill(std::span<const int> ids, const std::function<bool()>& cancelled,
                                        int sequence) {
  impl_->check(ids, sequence);
  if (ids.empty()) fail("prompt: expected at least 1 token, found none");
  if (impl_->options.prefix_lm && ids.size() > static_cast<size_t>(n_batch())) {
    fail("prompt: expected at most {} tokens, the batch size, to be read both ways, found {}", n_batch(),
         ids.size());
  }
  for (const int id : ids.first(ids.size() - 1)) {
    impl_->add({id, sequence});
    if (impl_->pass_is_full() && !impl_->forward(Arithmetic::prefill, cancelled, [](const Pass&) {}))
      return {};
  }
  impl_->add({ids.back(), sequence});
  return impl_->last_logits(Arithmetic::prefill, cancelled);
}

void Session::prefill(std::span<const int> ids,
                      const std::function<void(int, std::span<const float>)>& each) {
  impl_->append(ids, Arithmetic::prefill, each);
}

void Session::hidden_states(std::span<const int> ids,
                            const std::function<void(int, std::span<const float>)>& each) {
  impl_->append(ids, [&](int first_index) { impl_->all_states(first_index, each); });
}

void Session::decode(std::span<const int> ids, const std::function<void(int, std::span<const float>)>& each) {
  impl_->append(ids, Arithmetic::decode, each);
}

void Session::decode(std::span<const Token> tokens,
                     const std::function<void(int, std::span<const float>)>& each) {
  size_t begin = 0;  // of a sequence's tokens
  for (size_t i = 0; i < tokens.size(); ++i) {
    impl_->check_id(tokens[i].id);
    if (i + 1 < tokens.size() && tokens[i + 1].sequence == tokens[i].sequence) continue;
    impl_->check_room(tokens[i].sequence, i + 1 - begin);
    begin = i + 1;
  }
  const auto decode = [&](int first_index) { impl_->all_logits(Arithmetic::decode, first_index, each); };
  impl_->append(
      tokens.size(), [&](size_t i) { return tokens[i]; }, decode);
}

std::span<const float> Session::decode(int id) {
  impl_->check({&id, 1}, 0);
  impl_->add({id, 0});
  return impl_->last_logits(Arithmetic::decode);
}

}  // namespace gptj

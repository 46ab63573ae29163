#include "engine/evaluator.h"

#include <algorithm>
#include <bit>
#include <cassert>

#include "base/error.h"
#include "base/trace.h"
#include "kernels/cpu.h"
#include "model/ops.h"

namespace gptj {
namespace {

/// Whether there is no NaN or infinity among them: a bit test, which vectorizes.
bool all_finite(std::span<const float> values) {
  constexpr uint32_t kExponent = 0x7f800000;
  bool finite = true;
  for (const float value : values) finite &= (std::bit_cast<uint32_t>(value) & kExponent) != kExponent;
  return finite;
}

/// The `n` values of a row. Throws Error if not all of them are finite.
std::span<const float> finite(const float* row, int n, std::string_view what) {
  const std::span<const float> values(row, static_cast<size_t>(n));
  if (!all_finite(values)) fail("the model's {} are not finite: damaged weights?", what);
  return values;
}

/// Whether one of the first `end` tokens is of this sequence.
bool has_sequence(const NewTokens& tokens, size_t end, int sequence) {
  for (size_t i = 0; i < end; ++i) {
    if (tokens[i].sequence == sequence) return true;
  }
  return false;
}

}  // namespace

Evaluator::Evaluator(const Architecture& architecture, const SessionOptions& options)
    : architecture_(architecture),
      config_(architecture.config()),
      options_(options),
      kernels_(kernels()),
      pool_(options.n_threads, options.pinned),
      arena_(session_bytes(config_, options),
             fmt::format("a context of {} tokens (a smaller one needs less)", options.n_ctx)),
      buffers_(arena_, config_, options),
      fixed_bytes_(arena_.used()),
      kv_(buffers_.kv, options.n_ctx, options.n_sequences) {
  ids_.reserve(static_cast<size_t>(options.n_batch));
  runs_.reserve(static_cast<size_t>(options.n_batch));
  rotary_angles(options.n_ctx, config_.n_rot, buffers_.cos_sin);
}

void Evaluator::check(const NewTokens& tokens) const {
  size_t begin = 0;  // of the tokens of one sequence
  for (size_t i = 0; i < tokens.size(); ++i) {
    const auto [id, sequence] = tokens[i];
    assert(sequence >= 0 && sequence < kv_.size());
    if (id < 0 || id >= config_.n_vocab) {
      fail("token id: expected 0 to {}, found {}", config_.n_vocab - 1, id);
    }
    if (i + 1 < tokens.size() && tokens[i + 1].sequence == sequence) continue;
    if (has_sequence(tokens, begin, sequence)) {
      fail("tokens of sequence {}: expected to follow each other, found others between them", sequence);
    }
    const size_t n = i + 1 - begin;
    const int room = options_.n_ctx - kv_.n_past(sequence);
    if (n > static_cast<size_t>(room)) {
      fail("context full: expected at most {} more tokens (context {}), found {}", room, options_.n_ctx, n);
    }
    begin = i + 1;
  }
}

/// Of the tokens that were added.
Pass Evaluator::make_pass(Arithmetic arithmetic) {
  arena_.rewind(fixed_bytes_);
  scratch_ = take_scratch(arena_, config_, options_, static_cast<int>(ids_.size()));
  return {.pool = pool_,
          .kernels = kernels_,
          .kv_kernels = kernels_.kv[static_cast<int>(options_.kv_type)],
          .kv = kv_,
          .cos_sin = buffers_.cos_sin,
          .scratch = scratch_,
          .arithmetic = options_.exact ? Arithmetic::exact : arithmetic,
          .ids = ids_,
          .runs = runs_,
          .prefix_lm = options_.prefix_lm && arithmetic == Arithmetic::prefill,
          .probe = probe_ ? &probe_ : nullptr,
          .inputs = inputs_ ? &inputs_ : nullptr};
}

/// One token more in the pass to come.
void Evaluator::add(Session::Token token) {
  if (runs_.empty() || runs_.back().sequence != token.sequence) runs_.push_back({token.sequence, 0});
  ++runs_.back().n_tokens;
  ids_.push_back(token.id);
}

/// Evaluates the tokens that were added and calls then(pass), which may ask for their logits. False: cancelled, and the
/// tokens do not count.
template <typename Then>
bool Evaluator::forward(Arithmetic arithmetic, const Cancelled& cancelled, const Then& then) {
  const trace::Scope scope(arithmetic == Arithmetic::decode ? "decode" : "prefill");
  const struct Clear {
    ~Clear() {
      evaluator.ids_.clear();
      evaluator.runs_.clear();
    }
    Evaluator& evaluator;
  } clear{*this};
  for (const TokenRun& run : runs_) {
    const int n_past = kv_.n_past(run.sequence);
    kv_.own(run.sequence, n_past, n_past + run.n_tokens);
  }
  const Pass pass = make_pass(arithmetic);
  if (!architecture_.forward(pass, cancelled)) return false;
  std::span<const int> rest = ids_;
  for (const TokenRun& run : runs_) {
    const auto n = static_cast<size_t>(run.n_tokens);
    kv_.append(run.sequence, rest.first(n));
    rest = rest.subspan(n);
  }
  then(pass);
  return true;
}

std::span<const float> Evaluator::last_logits(const NewTokens& tokens, Arithmetic arithmetic,
                                              const Cancelled& cancelled) {
  assert(tokens.size() > 0);
  check(tokens);
  const size_t last = tokens.size() - 1;
  for (size_t i = 0; i < last; ++i) {
    add(tokens[i]);
    if (pass_is_full() && !forward(arithmetic, cancelled, [](const Pass&) {})) return {};
  }
  add(tokens[last]);
  const auto make_logits = [&](const Pass& pass) { architecture_.logits(pass, pass.n_tokens() - 1, 1); };
  return forward(arithmetic, cancelled, make_logits) ? logits(0) : std::span<const float>();
}

/// Evaluates all tokens and calls then(pass, index of its first token) after each pass.
template <typename Then>
void Evaluator::in_passes(const NewTokens& tokens, Arithmetic arithmetic, const Then& then) {
  check(tokens);
  for (size_t i = 0; i < tokens.size(); ++i) {
    add(tokens[i]);
    if (!pass_is_full() && i + 1 < tokens.size()) continue;
    const auto first = static_cast<int>(i + 1 - ids_.size());
    forward(arithmetic, {}, [&](const Pass& pass) { then(pass, first); });
  }
}

void Evaluator::each_logits(const NewTokens& tokens, Arithmetic arithmetic, const Each& each) {
  const int rows = logit_rows(options_);
  in_passes(tokens, arithmetic, [&](const Pass& pass, int first_index) {
    for (int first = 0; first < pass.n_tokens(); first += rows) {
      const int count = std::min(rows, pass.n_tokens() - first);
      architecture_.logits(pass, first, count);
      for (int row = 0; row < count; ++row) each(first_index + first + row, logits(row));
    }
  });
}

void Evaluator::each_state(const NewTokens& tokens, const Each& each) {
  in_passes(tokens, Arithmetic::prefill, [&](const Pass& pass, int first_index) {
    const Rows states = architecture_.final_states(pass, 0, pass.n_tokens());
    for (int i = 0; i < states.rows; ++i) {
      each(first_index + i, finite(states.row(i), states.n, "hidden states"));
    }
  });
}

/// A row that the architecture has just made.
std::span<const float> Evaluator::logits(int row) const {
  return finite(scratch_.logits.row(row), config_.n_vocab, "logits");
}

void Evaluator::shift(int sequence, int begin, int end) {
  const int n_past = kv_.n_past(sequence);
  assert(begin >= 0 && begin <= end && end <= n_past);
  kv_.own(sequence, begin, n_past);
  if (end < n_past) {
    shift_tokens(make_pass(Arithmetic::decode), config_, sequence, end, n_past, end - begin);
  }
  kv_.erase(sequence, begin, end);
}

}  // namespace gptj

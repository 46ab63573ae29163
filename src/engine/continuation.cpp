#include "engine/continuation.h"

#include <algorithm>

#include "base/error.h"
#include "base/trace.h"
#include "engine/timer.h"
#include "gptj/drafter.h"

namespace gptj {
namespace {

/// Tokens for which room is reserved, so that drawing one allocates nothing in texts of usual length.
constexpr size_t kExpectedTokens = 4096;

}  // namespace

void check_prompt(std::span<const int> prompt, int n_ctx) {
  if (prompt.empty()) fail("prompt: expected at least 1 token, found none");
  if (prompt.size() > static_cast<size_t>(n_ctx)) {
    fail("prompt: expected at most {} tokens, the context, found {}", n_ctx, prompt.size());
  }
}

Continuation::Continuation(const Model& model, Sampler& sampler, std::span<const int> prompt,
                           const GenerateOptions& options, const GenerateCallbacks& callbacks)
    : tokenizer_(model.tokenizer()),
      sampler_(sampler),
      options_(options),
      callbacks_(callbacks),
      stops_(options_.stop) {
  for (const std::string& stop : options.stop) {
    if (stop.empty()) fail("stop text: expected at least one byte, found an empty text");
  }
  if (options.grammar) matcher_.emplace(*options.grammar, model.grammar_vocabulary());
  result_.n_prompt = static_cast<int>(prompt.size());
  result_.tokens.reserve(prompt.size() + kExpectedTokens);
  result_.tokens.assign(prompt.begin(), prompt.end());
}

void Continuation::begin() {
  for (const int id : result_.tokens) {
    if (!show(tokenizer_.decode(id))) return end(StopReason::cancelled);
  }
}

void Continuation::check() {
  if (ended_) return;
  if (callbacks_.cancelled && callbacks_.cancelled()) return end(StopReason::cancelled);
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start_;
  if (options_.max_seconds > 0 && passed.count() > options_.max_seconds) end(StopReason::time);
}

bool Continuation::make_room(Session& session, int sequence) {
  const int n = session.n_past(sequence);
  if (n < session.n_ctx()) return true;
  if (!options_.shift) return end(StopReason::context_full), false;
  const int keep = std::min(options_.n_keep, n - 1);
  const int end = keep + (n - keep + 1) / 2;
  if (session.can_shift()) return session.shift(keep, end, sequence), true;
  const Timer timer(result_.generate_ms);
  const std::vector<int> rest(session.tokens(sequence).begin() + end, session.tokens(sequence).end());
  session.truncate(keep, sequence);
  return rest.empty() || !session.prefill(rest, {}, sequence).empty();
}

std::span<const int> Continuation::guess(Drafter& drafter, int n_max) {
  if (!matcher_) return drafter.guess(tokens(), n_max, nullptr);
  matcher_->mark();
  const std::span<const int> guesses = drafter.guess(tokens(), n_max, &*matcher_);
  matcher_->rewind();
  size_t n_allowed = 0;
  for (; n_allowed < guesses.size() && matcher_->allows(guesses[n_allowed]); ++n_allowed) {
    matcher_->accept(guesses[n_allowed]);
  }
  matcher_->rewind();
  return guesses.first(n_allowed);
}

void Continuation::draw(std::span<const float> logits) {
  if (result_.n_generated == options_.n_predict) return end(StopReason::length);
  check();
  if (ended_) return;
  int id;
  {
    const Timer timer(result_.sample_ms);
    const trace::Scope scope("sample");
    id = matcher_ ? sampler_.sample(logits, result_.tokens, matcher_->allowed())
                  : sampler_.sample(logits, result_.tokens);
    if (matcher_) matcher_->accept(id);
  }
  result_.tokens.push_back(id);
  ++result_.n_generated;
  if (callbacks_.token) callbacks_.token(id, logits);
  show_drawn(id);
  if (matcher_ && matcher_->must_end()) end(StopReason::end_of_text);
  if (result_.n_generated == options_.n_predict) end(StopReason::length);
}

void Continuation::show_drawn(int id) {
  if (options_.stop_at_eos && id == tokenizer_.eos()) return end(StopReason::end_of_text);
  const std::string_view ready = stops_.push(tokenizer_.decode(id));
  if (!ready.empty() && !show(ready)) return end(StopReason::cancelled);
  result_.stop = stops_.met();
  if (result_.stop >= 0) end(StopReason::stop_text);
}

void Continuation::end(StopReason reason) {
  if (ended_) return;
  ended_ = true;
  result_.reason = reason;
  const std::string_view rest = stops_.finish();
  if (!rest.empty() && reason != StopReason::cancelled) show(rest);
}

}  // namespace gptj

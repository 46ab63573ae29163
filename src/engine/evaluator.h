#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "engine/session_memory.h"
#include "model/architecture.h"

namespace gptj {

/// Tokens that a session is to evaluate: all of one sequence, or each with its own.
class NewTokens {
 public:
  NewTokens(std::span<const int> ids, int sequence) : ids_(ids), sequence_(sequence) {}
  explicit NewTokens(std::span<const Session::Token> tokens) : tokens_(tokens) {}

  size_t size() const { return ids_.size() + tokens_.size(); }
  Session::Token operator[](size_t i) const {
    return tokens_.empty() ? Session::Token{ids_[i], sequence_} : tokens_[i];
  }

 private:
  std::span<const int> ids_;
  int sequence_ = 0;
  std::span<const Session::Token> tokens_;
};

/// Evaluates tokens of a session's sequences, in passes over the weights of at most n_batch tokens. Owns the session's
/// threads and memory. Allocates nothing after its construction.
class Evaluator {
 public:
  using Each = std::function<void(int index, std::span<const float> row)>;

  /// `options` are resolved(); they and the architecture must outlive it. Throws Error if memory or threads are
  /// lacking.
  Evaluator(const Architecture& architecture, const SessionOptions& options);
  Evaluator(const Evaluator&) = delete;
  Evaluator& operator=(const Evaluator&) = delete;

  KvSequences& kv() { return kv_; }

  // These throw Error, before anything is evaluated, if an id is not in the vocabulary, a sequence has no room for
  // its tokens, or they do not follow each other; and later if what they return is not finite.

  /// The logits after the last token, of which there is at least one. Empty: `cancelled` said so, and only the tokens
  /// of passes that were complete by then count.
  std::span<const float> last_logits(const NewTokens& tokens, Arithmetic arithmetic,
                                     const Cancelled& cancelled);
  /// Hands the logits after every token to `each`.
  void each_logits(const NewTokens& tokens, Arithmetic arithmetic, const Each& each);
  /// The same with the states after the final norm, in prefill's arithmetic.
  void each_state(const NewTokens& tokens, const Each& each);

  /// Forgets the tokens [begin, end) of a sequence and moves those that follow to their place.
  void shift(int sequence, int begin, int end);

  /// Who sees intermediates by name, or the input of each matrix; {} for nobody.
  void watch(std::function<void(std::string_view name, const Rows& rows)> probe) {
    probe_ = std::move(probe);
  }
  void watch_inputs(std::function<void(const Matrix& w, const Rows& x)> inputs) {
    inputs_ = std::move(inputs);
  }

 private:
  void check(const NewTokens& tokens) const;
  Pass make_pass(Arithmetic arithmetic);
  void add(Session::Token token);
  bool pass_is_full() const { return ids_.size() == static_cast<size_t>(options_.n_batch); }
  template <typename Then>
  bool forward(Arithmetic arithmetic, const Cancelled& cancelled, const Then& then);
  template <typename Then>
  void in_passes(const NewTokens& tokens, Arithmetic arithmetic, const Then& then);
  std::span<const float> logits(int row) const;

  const Architecture& architecture_;
  const Config& config_;
  const SessionOptions& options_;
  const Kernels& kernels_;
  ThreadPool pool_;
  Arena arena_;
  const SessionBuffers buffers_;
  const size_t fixed_bytes_;  // of the arena, before what each pass lays out anew
  Scratch scratch_;
  KvSequences kv_;
  std::vector<int> ids_;        // of the pass to come
  std::vector<TokenRun> runs_;  // of the pass to come
  std::function<void(std::string_view name, const Rows& rows)> probe_;
  std::function<void(const Matrix& w, const Rows& x)> inputs_;
};

}  // namespace gptj

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "gptj/kv_type.h"
#include "gptj/model.h"

namespace gptj {

struct ImportanceResult;
struct Rows;
struct SessionState;

struct SessionOptions {
  int n_ctx = 0;      // 0: the model's; more than the model's is an Error
  int n_threads = 0;  // 0: one per physical core; at most 1024
  /// Each thread stays on a core of its own, also the one that opens the session, where the system allows it.
  bool pinned = false;
  int n_batch = 512;    // prompt tokens in one pass; changes speed and scratch memory, never results
  int n_sequences = 1;  // texts in the making, each of up to n_ctx tokens; at most 1024
  KvType kv_type = KvType::f16;
  /// F32 throughout. Otherwise quantized weights are multiplied with activations in 8 bits, and prompts in what the CPU
  /// multiplies fastest: BF16, or 8 bits with coarser scales.
  bool exact = false;
  /// Tokens of one call of prefill() see each other, not only those before them, as GPT-JT was trained to read prompts
  /// (prefix language model, arXiv:1910.10683). They must fit n_batch.
  bool prefix_lm = false;
};

/// Bytes that a session takes when it opens, and never more. Throws Error for options that it could not be opened with.
struct SessionMemory {
  uint64_t kv_cache;
  uint64_t scratch;
};
SessionMemory session_memory(const ModelInfo& model, const SessionOptions& options);

/// The instruction set whose kernels run, for example "avx2"; GPTJ_ISA in the environment forces one.
/// Throws Error if GPTJ_ISA names one that does not exist or that this CPU lacks.
std::string instruction_set();

/// A named intermediate of one evaluation of some tokens: `n` values for each. Valid during the call that shows it.
struct Intermediate {
  std::string_view name;  // of the Hugging Face module whose output it is: "h.0.ln_1", "h.0", "ln_f"
  int n_tokens;
  int n;
  const float* data;
  int64_t stride;  // in floats, from one token's values to the next one's

  std::span<const float> row(int token) const { return {data + token * stride, static_cast<size_t>(n)}; }
};

/// Texts in the making, called sequences, with the KV cache of their tokens so far. All memory is taken by the
/// constructor. Results do not depend on n_threads or n_batch, nor on how many tokens one call brings or for how many
/// sequences: prefill() and decode() may compute differently, but each always the same. Calls that name no sequence
/// mean the first. One thread at a time; the Model must outlive it.
///
/// What evaluates tokens throws Error if they do not fit the context, if an id is not in the vocabulary, or if logits
/// or states are not finite.
class Session {
 public:
  /// Throws Error if an option is out of range, or if memory or threads are lacking.
  Session(const Model& model, const SessionOptions& options = {});
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  int n_ctx() const;
  int n_sequences() const;
  int n_past(int sequence = 0) const;                   // how many of its tokens are in the KV cache
  std::span<const int> tokens(int sequence = 0) const;  // these; valid until the sequence changes
  int n_batch() const;
  int n_threads() const;
  bool prefix_lm() const;  // as in its options

  /// Forgets all tokens of a sequence from position `n_past` on.
  void truncate(int n_past, int sequence = 0);

  /// Sequence `to` becomes the text that `from` is. They share keys and values as far as they stay alike.
  void fork(int from, int to);

  /// Forgets the tokens [begin, end) of a sequence, and moves those that follow to their place. These keep in their
  /// keys and values what they took from the forgotten ones. Throws Error unless can_shift(): learned positions
  /// cannot move.
  void shift(int begin, int end, int sequence = 0);
  bool can_shift() const;

  /// Appends prompt tokens, at least one. Returns the logits [n_vocab] after the last one, valid until the next call.
  /// `cancelled` is asked before each layer of each batch: if it says so, the result is empty, and of the tokens
  /// those in batches that were complete by then are appended.
  std::span<const float> prefill(std::span<const int> ids, const std::function<bool()>& cancelled = {},
                                 int sequence = 0);

  /// Appends prompt tokens, and hands the logits [n_vocab] after each of them in turn to `each`.
  void prefill_each(std::span<const int> ids,
                    const std::function<void(int index, std::span<const float> logits)>& each);

  /// The same with their last hidden states [n_embd], after the final norm; no logits are made of them.
  void hidden_states(std::span<const int> ids,
                     const std::function<void(int index, std::span<const float> state)>& each);

  /// Appends one generated token. Returns the logits [n_vocab] after it. Allocates nothing.
  std::span<const float> decode(int id);

  /// Several of them in one pass, for example guesses of what comes next: hands the logits [n_vocab] after each of
  /// them in turn to `each`, the same to the last bit as those of one call for each.
  void decode_each(std::span<const int> ids,
                   const std::function<void(int index, std::span<const float> logits)>& each);

  /// The same for tokens of several sequences. Those of one sequence must follow each other, or Error is thrown;
  /// those of sequences that share keys and values should, for then memory is read once for all of them.
  struct Token {
    int id;
    int sequence;
  };
  void decode_each(std::span<const Token> tokens,
                   const std::function<void(int index, std::span<const float> logits)>& each);

  /// `each` sees every intermediate of every evaluation from now on; {} ends that. Those of a prompt come batch by
  /// batch, and "ln_f" only for the tokens whose logits are wanted.
  void watch(std::function<void(const Intermediate&)> each);

 private:
  friend ImportanceResult measure_importance(Session& session, std::span<const int> ids,
                                             const std::string& path,
                                             const std::function<bool(int, int)>& progress);

  friend void save_session(const Session& session, const std::string& path, std::span<const int> pending);
  friend int load_session(Session& session, const std::string& path,
                          std::optional<std::span<const int>> text);
  SessionState state() const;

  /// `each` sees the input of every matrix, by Hugging Face's name, from now on; {} ends that.
  void watch_inputs(std::function<void(std::string_view matrix, const Rows& x)> each);

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gptj

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gptj/grammar.h"
#include "gptj/sampler.h"
#include "gptj/session.h"

namespace gptj {

struct GenerateOptions {
  int n_predict = 200;  // tokens at most; -1: until the context is full, or for ever with `shift`
  bool stop_at_eos = true;
  std::vector<std::string> stop = {};  // texts that end it and are not shown; none may be empty
  /// Of what is added to the prompt. The text ends where nothing may follow.
  std::optional<Grammar> grammar = {};
  double max_seconds = 0;  // from the call on, prompt included; 0: no limit
  /// When the context is full, forget the older half of what follows the first n_keep tokens. Models with learned
  /// positions evaluate the rest again.
  bool shift = false;
  int n_keep = 0;
  /// The prompt's last token was drawn from the logits after the others, which the session holds: it is evaluated as
  /// a generated one (and need not fit the context, with `shift`), so that the text is the same as if it had not
  /// ended there.
  bool continues = false;
  bool prompt_logits = false;  // callbacks.token gets the prompt's tokens, too
};

enum class StopReason { length, end_of_text, stop_text, time, context_full, cancelled };
inline constexpr const char* kStopReasonNames[] = {"length",       "end_of_text", "stop_text", "time",
                                                   "context_full", "cancelled"};  // index: StopReason

struct GenerateResult {
  StopReason reason = StopReason::length;
  int stop = -1;            // index of the stop text that was met; -1: none
  std::vector<int> tokens;  // prompt and generated
  int n_prompt = 0;
  int n_reused = 0;  // tokens of the prompt that the session held, and the one with which it `continues`
  int n_generated = 0;
  double prompt_ms = 0;    // evaluating the prompt
  double generate_ms = 0;  // evaluating generated tokens, and guessing
  int n_evaluated = 0;     // generated tokens that were evaluated: the last one is not
  double sample_ms = 0;
  bool pending = false;  // the last token was drawn, but not evaluated
  int n_guessed = 0;     // tokens that the drafter proposed
  int n_accepted = 0;    // of these, that were drawn
};

struct GenerateCallbacks {
  /// Gets the bytes of each token, those of the prompt first; false stops the text. They may end inside a UTF-8
  /// character: see Utf8Stream. What may be the beginning of a stop text comes later, or never.
  std::function<bool(std::string_view bytes)> text = {};
  /// Gets each token that was drawn, and the logits [n_vocab] that it was drawn from. With prompt_logits also each
  /// token of the prompt, the first of them without logits.
  std::function<void(int id, std::span<const float> logits)> token = {};
  std::function<bool()> cancelled = {};  // asked before each layer of the prompt and each token
};

class Drafter;

/// Continues `prompt` with tokens drawn by the sampler. What the session holds of the prompt's beginning is not
/// evaluated again, and what else it holds is forgotten. `drafter` (null: none) changes how long it takes, never the
/// text. Throws Error if there is no prompt or none that fits the context, or if a stop text is empty.
GenerateResult generate(const Model& model, Session& session, Sampler& sampler, std::span<const int> prompt,
                        const GenerateOptions& options, const GenerateCallbacks& callbacks,
                        Drafter* drafter = nullptr);

/// Passes bytes on in whole UTF-8 characters: what push() returns never ends inside one. Bytes that are not UTF-8 are
/// passed on as they are.
class Utf8Stream {
 public:
  std::string_view push(std::string_view bytes);  // valid until the next call
  std::string_view finish();                      // what is left of a character that never ended

 private:
  std::string pending_;
  std::string ready_;
};

}  // namespace gptj

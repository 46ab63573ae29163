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
  int n_predict = 200;  // at most; -1: until the context is full, or for ever with `shift`
  bool stop_at_eos = true;
  std::vector<std::string> stop = {};   // texts that end it, and are not shown
  std::optional<Grammar> grammar = {};  // of what is added to the prompt; it ends where nothing may follow
  double max_seconds = 0;               // from the call on, prompt included; 0: no limit
  /// When the context is full, forget the older half of it but for the first n_keep tokens. Models with learned positions
  /// evaluate the rest again.
  bool shift = false;
  int n_keep = 0;
  /// The prompt's last token was drawn from the logits after the others, which the session holds: it is evaluated as such
  /// (and need not fit the context, with `shift`), and the text is the same as if it had never ended there.
  bool continues = false;
  bool prompt_logits = false;  // callbacks.token sees the prompt, too
};

enum class StopReason { length, end_of_text, stop_text, time, context_full, cancelled };
inline constexpr const char* kStopReasonNames[] = {"length",       "end_of_text", "stop_text", "time",
                                                   "context_full", "cancelled"};  // index: StopReason

struct GenerateResult {
  StopReason reason = StopReason::length;
  int stop = -1;            // index of the stop text that ended it
  std::vector<int> tokens;  // prompt and generated
  int n_prompt = 0;
  int n_reused = 0;  // tokens of the prompt that the session held already; with `continues` the last one, too
  int n_generated = 0;
  double prompt_ms = 0;    // evaluating the prompt
  double generate_ms = 0;  // evaluating generated tokens, and guessing
  int n_evaluated = 0;     // generated tokens that were evaluated: the last one is not
  double sample_ms = 0;
  bool pending = false;  // the last token was drawn, but is not evaluated
  int n_guessed = 0;     // tokens that a drafter proposed
  int n_accepted = 0;    // of these, that were drawn
};

/// What generate() shows and asks its caller. All may be empty.
struct GenerateCallbacks {
  /// The bytes of each token, first those of the prompt; false stops the text. May cut a UTF-8 character: see Utf8Stream.
  /// What may be the beginning of a stop text comes later, or never.
  std::function<bool(std::string_view bytes)> text = {};
  /// Each token that was drawn and the logits [n_vocab] that it was drawn from. (The first one of a text has none.)
  std::function<void(int id, std::span<const float> logits)> token = {};
  std::function<bool()> cancelled = {};  // asked before each layer of the prompt and each token
};

class Drafter;

/// Continues `prompt` with tokens drawn by the sampler. What the session holds of the prompt's beginning is not evaluated
/// again, and whatever else it holds is forgotten. Throws Error if the prompt does not fit the context.
GenerateResult generate(const Model& model, Session& session, Sampler& sampler, std::span<const int> prompt,
                        const GenerateOptions& options, const GenerateCallbacks& callbacks,
                        Drafter* drafter = nullptr);

/// Passes bytes on in whole UTF-8 characters: what push() returns never ends inside one. Bytes that are no
/// UTF-8 are passed on as they are.
class Utf8Stream {
 public:
  std::string_view push(std::string_view bytes);  // valid until the next call
  std::string_view finish();                      // what is left of a character that never ended

 private:
  std::string pending_;
  std::string ready_;
};

}  // namespace gptj

#pragma once

#include <chrono>
#include <optional>

#include "engine/stop_texts.h"
#include "gptj/generate.h"

namespace gptj {

class Drafter;

/// Throws Error if there is no prompt, or if it does not fit the context.
void check_prompt(std::span<const int> prompt, int n_ctx);

/// One text that is being continued: it draws, shows and counts the tokens, and knows when the text ends. Evaluating
/// the model is up to others.
class Continuation {
 public:
  /// All arguments but the prompt must outlive it. Throws Error for options that are not allowed.
  Continuation(const Model& model, Sampler& sampler, std::span<const int> prompt,
               const GenerateOptions& options, const GenerateCallbacks& callbacks);

  /// Before anything is evaluated: shows the prompt. May end the text.
  void begin();

  /// The drafter's guesses, up to the first that the grammar forbids.
  std::span<const int> guess(Drafter& drafter, int n_max);

  /// Draws the next token from the logits after the last one, and shows it. May end the text.
  void draw(std::span<const float> logits);

  /// Before the next token is evaluated: if the sequence that holds the text is full, makes room by a context shift
  /// where the options ask for it, else ends the text. Returns whether there is room.
  bool make_room(Session& session, int sequence = 0);

  /// Ends the text if the caller has cancelled it or its time is over.
  void check();

  void end(StopReason reason);
  bool ended() const { return ended_; }

  int last() const { return result_.tokens.back(); }
  std::span<const int> tokens() const { return result_.tokens; }
  GenerateResult& result() { return result_; }

 private:
  bool show(std::string_view bytes) const { return !callbacks_.text || callbacks_.text(bytes); }
  void show_drawn(int id);

  const Tokenizer& tokenizer_;
  Sampler& sampler_;
  const GenerateOptions& options_;
  const GenerateCallbacks& callbacks_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::optional<GrammarMatcher> matcher_;
  StopTexts stops_;
  GenerateResult result_;
  bool ended_ = false;
};

}  // namespace gptj

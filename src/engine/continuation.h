#pragma once

#include <chrono>
#include <optional>

#include "engine/stop_texts.h"
#include "gptj/generate.h"

namespace gptj {

/// Adds the milliseconds of its life to `to`.
class Timer {
 public:
  explicit Timer(double& to) : to_(to), start_(std::chrono::steady_clock::now()) {}
  ~Timer() {
    const std::chrono::duration<double, std::milli> passed = std::chrono::steady_clock::now() - start_;
    to_ += passed.count();
  }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

 private:
  double& to_;
  const std::chrono::steady_clock::time_point start_;
};

/// Throws Error if there is no prompt or none that fits a context.
void check_prompt(std::span<const int> prompt, int n_ctx);

/// One text that is being continued: what each token that comes means for it, whoever evaluates the model.
class Continuation {
 public:
  /// All but the prompt's ids must outlive it. Throws Error for options that cannot be.
  Continuation(const Model& model, Sampler& sampler, std::span<const int> prompt,
               const GenerateOptions& options, const GenerateCallbacks& callbacks);

  /// Before anything is evaluated: shows the prompt. May end the text.
  void begin();

  /// Draws the next token from the logits after the last one, and shows it. May end the text.
  void draw(std::span<const float> logits);

  /// Whether the next token finds room in the sequence that holds the text: some is made if the caller wants that, else the
  /// text ends.
  bool has_room(Session& session, int sequence = 0);

  /// Asks the caller and the clock. May end the text.
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

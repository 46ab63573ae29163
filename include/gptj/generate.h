#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gptj/session.h"

namespace gptj {

/// Defaults are those of ggml's gpt-j.
struct SamplerOptions {
  uint64_t seed = 0;
  int top_k = 40;               // 0: all
  float top_p = 0.9f;           // 1: all
  float temperature = 0.9f;     // 0: greedy
  int repeat_last_n = 64;       // tokens looked back at for the penalty; 0: none, -1: the whole context
  float repeat_penalty = 1.0f;  // 1: none (CTRL, arXiv:1909.05858)
  int banned_token = -1;        // never drawn (the end-of-text token with --ignore-eos)
};

/// Draws tokens from logits. The same seed, options and logits give the same tokens everywhere.
class Sampler {
 public:
  /// Throws Error when an option is out of its range, naming it.
  Sampler(const SamplerOptions& options, int n_vocab);
  Sampler(Sampler&&) noexcept;
  Sampler& operator=(Sampler&&) noexcept;
  ~Sampler();

  /// The next token from logits [n_vocab]; `context` is the text so far, prompt included. Allocates nothing.
  int sample(std::span<const float> logits, std::span<const int> context);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct GenerateOptions {
  int n_predict = 200;  // at most; less when the text or the context ends
  bool stop_at_eos = true;
};

enum class StopReason { length, end_of_text, context_full, cancelled };

struct GenerateResult {
  StopReason reason = StopReason::length;
  std::vector<int> tokens;  // prompt and generated
  int n_prompt = 0;
  int n_generated = 0;
  double prompt_ms = 0;    // evaluating the prompt
  double generate_ms = 0;  // evaluating generated tokens
  int n_evaluated = 0;     // generated tokens that were evaluated: the last one is not
  double sample_ms = 0;
};

/// What generate() asks its caller for.
struct GenerateCallbacks {
  /// The bytes of each token, first those of the prompt; false stops the text. May cut a UTF-8 character:
  /// see Utf8Stream.
  std::function<bool(std::string_view bytes)> text = {};
  std::function<bool()> cancelled = {};  // asked before each layer of the prompt and each token
};

/// Appends the prompt to the session and then tokens drawn by the sampler.
GenerateResult generate(const Model& model, Session& session, Sampler& sampler, std::span<const int> prompt,
                        const GenerateOptions& options, const GenerateCallbacks& callbacks);

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

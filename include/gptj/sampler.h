#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gptj {

class Tokenizer;

/// One setting of a sampler, as command line, chat and help know it. docs/sampling.md explains them.
struct SamplerSetting {
  enum class Kind { integer, number, flag, text, texts };  // texts: may be given many times

  std::string name;                           // "top-k"
  std::vector<std::string> other_names = {};  // that it also goes by
  std::string help;                           // one short line, without the default
  Kind kind = Kind::number;
  double fallback = 0, low = 0, high = 0;  // of integers, numbers and flags (0: off, 1: on)
  std::string text_fallback = {};
  /// What is wrong with a text; null: any will do.
  std::string (*text_problem)(std::string_view text) = nullptr;

  /// Whether this is one of its names, '_' counting as '-'.
  bool goes_by(std::string_view given) const;

  /// What is wrong with `value`: "expected a number from 0 to 1, found '2'"; empty: nothing.
  std::string problem(std::string_view value) const;
};

/// All settings: what each sampler of the list in src/sampling/sampler.cpp declares.
std::span<const SamplerSetting> sampler_settings();

/// The one that goes by this name; null: there is none.
const SamplerSetting* find_sampler_setting(std::string_view name);

/// Values of the settings. The defaults are those of ggml's gpt-j. A setting goes by any of its names, with
/// '_' for '-' if one likes.
class SamplerOptions {
 public:
  uint64_t seed = 0;

  /// Throws Error if there is no such setting or the value is not one of it; names the setting, what was
  /// expected and what was found. A setting of the kind `texts` gets one text more.
  void set(std::string_view name, double value);
  void set(std::string_view name, std::string_view text);

  /// The token is never drawn.
  void ban(int id);

  double number(std::string_view name) const;
  const std::string& text(std::string_view name) const;
  std::span<const std::string> texts(std::string_view name) const;
  bool is_default(std::string_view name) const;

 private:
  // By the setting's first name. What is not here is default.
  std::map<std::string, double, std::less<>> numbers_;
  std::map<std::string, std::vector<std::string>, std::less<>> texts_;
};

struct Candidate {
  int id;
  float p;
};

/// Draws tokens from logits. What is drawn is a function of options, logits and context, the number of tokens
/// in the context included, but not of what was drawn before; so a text that is continued, or guessed ahead
/// and then checked, is the text that it would have been. Only mirostat remembers. Belongs to one thread at a
/// time.
class Sampler {
 public:
  /// Throws Error when an option names a token that the model does not have. `tokenizer` must outlive it.
  Sampler(const SamplerOptions& options, const Tokenizer& tokenizer, int n_vocab);
  Sampler(Sampler&&) noexcept;
  Sampler& operator=(Sampler&&) noexcept;
  ~Sampler();

  /// The next token from logits [n_vocab]. `context` is the text so far, prompt included. `allowed` has a bit
  /// for each token, id % 64 of word id / 64, that says whether it may come; empty: all may. If nothing
  /// remains, the first token that is allowed is taken. Logits that are no numbers count as minus infinity.
  /// Allocates nothing.
  int sample(std::span<const float> logits, std::span<const int> context,
             std::span<const uint64_t> allowed = {});

  /// What sample() draws from: candidates, the likeliest first, with probabilities that sum to 1. Valid until
  /// the next call.
  std::span<const Candidate> distribution(std::span<const float> logits, std::span<const int> context,
                                          std::span<const uint64_t> allowed = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gptj

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

/// One setting of a sampler, as command line, chat and help show it. docs/sampling.md explains them.
struct SamplerSetting {
  enum class Kind { integer, number, flag, text, texts };  // texts: may be given many times

  std::string name;                           // "top-k"
  std::vector<std::string> other_names = {};  // that also mean it
  std::string help;                           // one short line, without the default
  Kind kind = Kind::number;
  double fallback = 0, low = 0, high = 0;  // of integers, numbers and flags (0: off, 1: on)
  std::string text_fallback = {};
  /// What is wrong with a text, as problem() says it. Null: any text will do.
  std::string (*text_problem)(std::string_view text) = nullptr;

  /// Whether `given` is one of its names; '_' counts as '-'.
  bool goes_by(std::string_view given) const;

  /// What is wrong with `value`: "expected a number from 0 to 1, found '2'"; empty: nothing.
  std::string problem(std::string_view value) const;
};

/// All settings: those that the samplers in the list of src/sampling/sampler.cpp declare.
std::span<const SamplerSetting> sampler_settings();

/// The setting of this name; null: there is none.
const SamplerSetting* find_sampler_setting(std::string_view name);

/// Values of the settings. The defaults are those of ggml's gpt-j. Any name of a setting will do, and '_' counts as
/// '-'. What reads a value asserts that its kind is the right one, and throws Error if there is no such setting.
class SamplerOptions {
 public:
  uint64_t seed = 0;

  /// Throws Error if there is no such setting or it cannot have this value; names the setting, what was expected and
  /// what was found. A setting of the kind `texts` gets one more text.
  void set(std::string_view name, double value);
  void set(std::string_view name, std::string_view text);

  /// Never draws this token.
  void ban(int id);

  double number(std::string_view name) const;
  const std::string& text(std::string_view name) const;
  std::span<const std::string> texts(std::string_view name) const;
  bool is_default(std::string_view name) const;

 private:
  // By the setting's first name; what is missing has its default.
  std::map<std::string, double, std::less<>> numbers_;
  std::map<std::string, std::vector<std::string>, std::less<>> texts_;
};

struct Candidate {
  int id;
  float p;  // its probability
};

/// Draws tokens from logits. What is drawn depends on options, logits and context (also on its length), but not on
/// earlier draws; so a text that is continued later, or guessed ahead and then checked, is the same text. Only
/// mirostat has a memory. One thread at a time.
class Sampler {
 public:
  /// `n_vocab` is the number of logits. `tokenizer` must outlive it. Throws Error if an option names a token that the
  /// model does not have.
  Sampler(const SamplerOptions& options, const Tokenizer& tokenizer, int n_vocab);
  Sampler(Sampler&&) noexcept;
  Sampler& operator=(Sampler&&) noexcept;
  ~Sampler();

  /// Draws the next token from logits [n_vocab]. `context` is the text so far, prompt included. `allowed` has a bit
  /// for each token, bit id % 64 of word id / 64, that says whether it may come; empty: all may. If no token remains,
  /// the first one that is allowed is taken. NaN counts as minus infinity. Allocates nothing.
  int sample(std::span<const float> logits, std::span<const int> context,
             std::span<const uint64_t> allowed = {});

  /// What sample() draws from: candidates, the likeliest first, whose probabilities sum to 1. Valid until the next
  /// call.
  std::span<const Candidate> distribution(std::span<const float> logits, std::span<const int> context,
                                          std::span<const uint64_t> allowed = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gptj

#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "sampling/sampler_type.h"
#include "sampling/setting_text.h"
#include "sampling/text_tail.h"

namespace gptj::samplers {

/// Don't Repeat Yourself, by P. E. Weidmann (text-generation-webui, pull request 5637): the logit of a token that
/// would continue a repetition of L tokens is lowered by multiplier * base^(L - allowed length), if L >= allowed
/// length. Repetitions do not go beyond a sequence breaker, nor continue with one. There a breaker is one token; here
/// it is a string, and a token breaks a sequence if a breaker ends in it, as in llama.cpp.
class Dry {
 public:
  Dry(const SamplerOptions& options, const Tokenizer& tokenizer, int n_vocab)
      : multiplier_(options.number("dry-multiplier")),
        base_(options.number("dry-base")),
        allowed_(static_cast<size_t>(options.number("dry-allowed-length"))),
        last_n_(options.number("dry-penalty-last-n")),
        tokenizer_(&tokenizer),
        contains_breaker_(static_cast<size_t>(n_vocab)),
        longest_(static_cast<size_t>(n_vocab)) {
    breakers_.assign(std::begin(kBreakers), std::end(kBreakers));
    if (!options.is_default("dry-sequence-breaker")) {
      const std::span<const std::string> given = options.texts("dry-sequence-breaker");
      breakers_.assign(given.begin(), given.end());
    }
    size_t longest_breaker = 1;
    for (const std::string& breaker : breakers_) longest_breaker = std::max(longest_breaker, breaker.size());
    n_before_ = longest_breaker - 1;
    tail_.reserve(2 * n_before_);
    for (int id = 0; id < n_vocab; ++id) {
      const std::string_view bytes = tokenizer.decode(id);
      contains_breaker_[static_cast<size_t>(id)] =
          std::any_of(breakers_.begin(), breakers_.end(),
                      [&](const std::string& breaker) { return bytes.find(breaker) != bytes.npos; });
    }
  }

  void operator()(Candidates& candidates, const Place& place) {
    const std::span<const int> text = last_of(place.context, last_n_);
    const size_t limit = unbroken(text);
    if (limit == 0) return;
    for (size_t i = 0; i + 1 < text.size(); ++i) {
      if (text[i] != text.back() || breaks(text[i + 1])) continue;
      size_t& longest = longest_[static_cast<size_t>(text[i + 1])];
      longest = std::max(longest, match(text, i, limit));
    }
    for (size_t i = 0; i + 1 < text.size(); ++i) {
      if (text[i] != text.back()) continue;
      size_t& length = longest_[static_cast<size_t>(text[i + 1])];
      if (length > 0 && length >= allowed_) {
        const double loss = multiplier_ * std::pow(base_, static_cast<double>(length - allowed_));
        candidates.add(text[i + 1], -static_cast<float>(std::min(loss, kLargestLoss)));
      }
      length = 0;
    }
  }

 private:
  static constexpr const char* kBreakers[] = {"\n", ":", "\"", "*"};
  static constexpr size_t kLongest = 50;        // as there: longer repetitions count as that long
  static constexpr double kLargestLoss = 1e30;  // beyond any logit, but a number

  bool breaks(int id) const { return contains_breaker_[static_cast<size_t>(id)]; }

  /// The number of last tokens, up to kLongest, in which no breaker ends.
  size_t unbroken(std::span<const int> text) {
    size_t n = 0;
    while (n < std::min(text.size(), kLongest) && !breaks(text[text.size() - 1 - n]) &&
           !completes_breaker(text.first(text.size() - n)))
      ++n;
    return n;
  }

  /// Whether a breaker that began before the last token ends in it.
  bool completes_breaker(std::span<const int> text) {
    if (n_before_ == 0) return false;
    take_tail(text.first(text.size() - 1), n_before_, *tokenizer_, tail_);
    const size_t n_tail = tail_.size();
    tail_ += tokenizer_->decode(text.back()).substr(0, n_before_);
    return std::any_of(breakers_.begin(), breakers_.end(), [&](const std::string& breaker) {
      const size_t first = n_tail >= breaker.size() ? n_tail - breaker.size() + 1 : 0;
      return tail_.find(breaker, first) != tail_.npos;
    });
  }

  /// How many tokens up to the i-th are the same as at the end.
  static size_t match(std::span<const int> text, size_t i, size_t limit) {
    size_t length = 1;
    while (length < limit && length <= i && text[i - length] == text[text.size() - 1 - length]) ++length;
    return length;
  }

  double multiplier_, base_;
  size_t allowed_;
  double last_n_;
  const Tokenizer* tokenizer_;
  std::vector<std::string> breakers_;
  std::vector<bool> contains_breaker_;  // by id
  size_t n_before_ = 0;                 // bytes of a breaker that may lie before the token in which it ends
  std::string tail_;
  std::vector<size_t> longest_;  // by id: of the repetitions that it would continue; zero between calls
};

inline SamplerType dry() {
  using Kind = SamplerSetting::Kind;
  return {.name = "dry",
          .role = SamplerType::Role::adjusts,
          .settings = {{.name = "dry-multiplier",
                        .help = "penalty of tokens that continue a repetition (DRY; 0: none)",
                        .low = 0,
                        .high = 100},
                       {.name = "dry-base",
                        .help = "by how much DRY's penalty grows with each token of the repetition",
                        .fallback = 1.75,
                        .low = 1,
                        .high = 100},
                       {.name = "dry-allowed-length",
                        .help = "tokens that may be repeated without DRY's penalty, less one",
                        .kind = Kind::integer,
                        .fallback = 2,
                        .low = 0,
                        .high = 1'000'000},
                       {.name = "dry-penalty-last-n",
                        .help = "tokens that DRY looks back at (0: none, -1: all)",
                        .kind = Kind::integer,
                        .fallback = -1,
                        .low = -1,
                        .high = 1'000'000},
                       {.name = "dry-sequence-breaker",
                        .help = "a text that DRY's repetitions do not go beyond; again for more",
                        .kind = Kind::texts,
                        .text_fallback = R"(\n : " *)",
                        .text_problem = empty_problem}},
          .make = [](const SamplerOptions& options, const Tokenizer& tokenizer, int n_vocab) -> Stage {
            if (options.number("dry-multiplier") == 0 || options.number("dry-penalty-last-n") == 0) return {};
            return {Dry(options, tokenizer, n_vocab)};
          }};
}

}  // namespace gptj::samplers

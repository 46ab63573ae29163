#pragma once

#include <algorithm>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "sampling/sampler_type.h"
#include "sampling/setting_text.h"
#include "sampling/text_tail.h"

namespace gptj::samplers {

/// Strings that never come: a token is out if it contains one, or completes one that began in the tokens before. A
/// string's beginning alone may stay; only the token that would complete it is out.
class BannedStrings {
 public:
  BannedStrings(std::span<const std::string> strings, const Tokenizer& tokenizer, int n_vocab)
      : tokenizer_(&tokenizer), by_bytes_(static_cast<size_t>(n_vocab)) {
    std::iota(by_bytes_.begin(), by_bytes_.end(), 0);
    std::stable_sort(by_bytes_.begin(), by_bytes_.end(),
                     [&](int a, int b) { return tokenizer.decode(a) < tokenizer.decode(b); });
    for (int id = 0; id < n_vocab; ++id) {
      const std::string_view bytes = tokenizer.decode(id);
      const auto is_within = [&](const std::string& s) { return bytes.find(s) != bytes.npos; };
      if (std::any_of(strings.begin(), strings.end(), is_within)) whole_.push_back(id);
    }
    for (const std::string& string : strings) {
      longest_begin_ = std::max(longest_begin_, string.size() - 1);
      for (size_t n = 1; n < string.size(); ++n) {
        const Ids rest = starting_with(std::string_view(string).substr(n));
        if (!rest.empty()) begins_.push_back({string.substr(0, n), rest});
      }
    }
    tail_.reserve(longest_begin_);
  }

  void operator()(Candidates& candidates, const Place& place) {
    for (const int id : whole_) candidates.ban(id);
    take_tail(place.context, longest_begin_, *tokenizer_, tail_);
    for (const Begin& begin : begins_) {
      if (!tail_.ends_with(begin.bytes)) continue;
      for (const int id : begin.rest) candidates.ban(id);
    }
  }

 private:
  using Ids = std::span<const int>;

  struct Begin {
    std::string bytes;  // the beginning of a string
    Ids rest;           // the tokens that begin with the rest of it
  };

  Ids starting_with(std::string_view bytes) const {
    const auto cut = [&](int id) { return tokenizer_->decode(id).substr(0, bytes.size()); };
    const auto first =
        std::partition_point(by_bytes_.begin(), by_bytes_.end(), [&](int id) { return cut(id) < bytes; });
    const auto last = std::partition_point(first, by_bytes_.end(), [&](int id) { return cut(id) == bytes; });
    return {first, last};
  }

  const Tokenizer* tokenizer_;
  std::vector<int> by_bytes_;  // all ids, by their tokens' bytes
  std::vector<int> whole_;     // tokens with a banned string within
  std::vector<Begin> begins_;
  size_t longest_begin_ = 0;
  std::string tail_;  // of the text
};

inline SamplerType banned_strings() {
  return {.name = "banned-strings",
          .role = SamplerType::Role::adjusts,
          .settings = {{.name = "banned-string",
                        .help = "a text that never comes; again for more",
                        .kind = SamplerSetting::Kind::texts,
                        .text_problem = empty_problem}},
          .make = [](const SamplerOptions& options, const Tokenizer& tokenizer, int n_vocab) -> Stage {
            const std::span<const std::string> strings = options.texts("banned-string");
            if (strings.empty()) return {};
            const auto stage = std::make_shared<BannedStrings>(strings, tokenizer, n_vocab);
            return {[stage](Candidates& candidates, const Place& place) { (*stage)(candidates, place); }};
          }};
}

}  // namespace gptj::samplers

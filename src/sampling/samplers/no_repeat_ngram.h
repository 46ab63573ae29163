#pragma once

#include <algorithm>

#include "sampling/sampler_type.h"

namespace gptj::samplers {

/// No N-gram comes twice: a token that would repeat N tokens is out, as in Hugging Face's
/// NoRepeatNGramLogitsProcessor (after Paulus, Xiong, Socher: A Deep Reinforced Model for Abstractive Summarization,
/// arXiv:1705.04304).
inline SamplerType no_repeat_ngram() {
  return {.name = "no-repeat-ngram",
          .role = SamplerType::Role::adjusts,
          .settings = {{.name = "no-repeat-ngram",
                        .other_names = {"no-repeat-ngram-size"},
                        .help = "no N tokens come again in the same order (0: they may)",
                        .kind = SamplerSetting::Kind::integer,
                        .low = 0,
                        .high = 1'000'000}},
          .make = [](const SamplerOptions& options, const Tokenizer&, int) -> Stage {
            const auto n = static_cast<size_t>(options.number("no-repeat-ngram"));
            if (n == 0) return {};
            return {[n](Candidates& candidates, const Place& place) {
              const std::span<const int> text = place.context;
              if (text.size() < n) return;
              const std::span<const int> end = text.last(n - 1);
              for (size_t i = 0; i + n <= text.size(); ++i) {
                if (std::equal(end.begin(), end.end(), text.begin() + static_cast<ptrdiff_t>(i)))
                  candidates.ban(text[i + n - 1]);
              }
            }};
          }};
}

}  // namespace gptj::samplers

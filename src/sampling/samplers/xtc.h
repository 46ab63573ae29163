#pragma once

#include "sampling/sampler_type.h"

namespace gptj::samplers {

/// Exclude Top Choices, by P. E. Weidmann (text-generation-webui, pull request 6335): now and then, of the tokens whose
/// probability reaches the threshold, all but the least likely are dropped.
inline SamplerType xtc() {
  return {
      .name = "xtc",
      .role = SamplerType::Role::truncates,
      .settings = {{.name = "xtc-probability",
                    .help = "how often the likeliest tokens are excluded (XTC; 0: never)",
                    .low = 0,
                    .high = 1},
                   {.name = "xtc-threshold",
                    .help = "XTC excludes all tokens of at least this probability but the least likely one",
                    .fallback = 0.1,
                    .low = 0,
                    .high = 1}},
      .make = [](const SamplerOptions& options, const Tokenizer&, int) -> Stage {
        const double probability = options.number("xtc-probability");
        const double threshold = options.number("xtc-threshold");
        if (probability == 0 || threshold > 0.5) return {};  // two cannot reach more
        return {[=](Candidates& candidates, const Place& place) {
          if (place.random(kXtcStream) >= probability) return;
          const std::span<const float> weights = candidates.weights();
          const double bound = threshold * candidates.total();
          const auto is_top = [&](size_t i) {
            return weights[i] > 0 && static_cast<double>(weights[i]) >= bound;
          };
          const auto better = [&](size_t a, size_t b) {
            return weights[a] != weights[b] ? weights[a] > weights[b] : candidates.id(a) < candidates.id(b);
          };
          size_t last = candidates.size();
          for (size_t i = 0; i < candidates.size(); ++i) {
            if (is_top(i) && (last == candidates.size() || better(last, i))) last = i;
          }
          for (size_t i = 0; i < candidates.size(); ++i) {
            if (is_top(i) && i != last) candidates.drop(i);
          }
        }};
      }};
}

}  // namespace gptj::samplers

#pragma once

#include <cmath>

#include "sampling/sampler_type.h"

namespace gptj::samplers {

/// Tokens that are at least p times as likely as the likeliest (Nguyen et al.: Turning Up the Heat: Min-p
/// Sampling for Creative and Coherent LLM Outputs, arXiv:2407.01082).
inline SamplerType min_p() {
  return {
      .name = "min-p",
      .role = SamplerType::Role::truncates,
      .settings = {{.name = "min-p",
                    .help = "draw from tokens at least this many times as likely as the likeliest (0: all)",
                    .low = 0,
                    .high = 1}},
      .make = [](const SamplerOptions& options, const Tokenizer&, int) -> Stage {
        const double p = options.number("min-p");
        if (p == 0) return {};
        const auto distance = static_cast<float>(std::log(p));
        return {[distance](Candidates& candidates, const Place&) {
          candidates.keep_above(candidates.max() + distance);
        }};
      }};
}

}  // namespace gptj::samplers

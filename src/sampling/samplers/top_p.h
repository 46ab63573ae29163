#pragma once

#include "sampling/sampler_type.h"

namespace gptj::samplers {

/// The nucleus: the fewest likeliest tokens whose probabilities together reach p (Holtzman et al.: The
/// Curious Case of Neural Text Degeneration, arXiv:1904.09751).
inline SamplerType top_p() {
  return {
      .name = "top-p",
      .role = SamplerType::Role::truncates,
      .settings = {{.name = "top-p",
                    .help = "draw from the likeliest tokens that together have this probability (1: all)",
                    .fallback = 0.9,
                    .low = 0,
                    .high = 1}},
      .make = [](const SamplerOptions& options, const Tokenizer&, int) -> Stage {
        const double p = options.number("top-p");
        if (p == 1) return {};
        return {[p](Candidates& candidates, const Place&) { candidates.keep_share(candidates.logits(), p); }};
      }};
}

}  // namespace gptj::samplers

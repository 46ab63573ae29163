#pragma once

#include <cmath>

#include "sampling/sampler_type.h"

namespace gptj::samplers {

/// Tokens whose logit is at most n standard deviations of all logits below the best one (Tang et al.: Top-n-sigma:
/// Not All Logits Are You Need, arXiv:2411.07641). It comes before samplers that drop tokens, because all logits are
/// meant.
inline SamplerType top_n_sigma() {
  return {
      .name = "top-n-sigma",
      .role = SamplerType::Role::truncates,
      .settings = {{.name = "top-n-sigma",
                    .other_names = {"top-nsigma"},
                    .help =
                        "draw from tokens whose logit is within N standard deviations of the best (0: all)",
                    .low = 0,
                    .high = 100}},
      .make = [](const SamplerOptions& options, const Tokenizer&, int) -> Stage {
        const double n = options.number("top-n-sigma");
        if (n == 0) return {};
        return {[n](Candidates& candidates, const Place&) {
          const double sigma = candidates.logit_deviation();
          candidates.keep_above(static_cast<float>(static_cast<double>(candidates.max()) - n * sigma));
        }};
      }};
}

}  // namespace gptj::samplers

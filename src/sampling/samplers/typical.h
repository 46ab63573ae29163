#pragma once

#include <cmath>
#include <vector>

#include "sampling/sampler_type.h"

namespace gptj::samplers {

/// Tokens whose surprise, -log p, is nearest to the distribution's entropy, the fewest that together reach p
/// (Meister et al.: Locally Typical Sampling, arXiv:2202.00666).
inline SamplerType typical() {
  return {
      .name = "typical",
      .role = SamplerType::Role::truncates,
      .settings = {{.name = "typical",
                    .other_names = {"typical-p", "typ-p"},
                    .help = "draw from the most typical tokens that together have this probability (1: all)",
                    .fallback = 1,
                    .low = 0,
                    .high = 1}},
      .make = [](const SamplerOptions& options, const Tokenizer&, int n_vocab) -> Stage {
        const double p = options.number("typical");
        if (p == 1) return {};
        std::vector<float> keys(static_cast<size_t>(n_vocab));
        return {[p, keys = std::move(keys)](Candidates& candidates, const Place&) mutable {
          const std::span<const float> logits = candidates.logits();
          // log p = logit - max - log total, so this is the logit at which -log p equals the entropy.
          const double log_total = std::log(candidates.total());
          const auto middle =
              static_cast<float>(static_cast<double>(candidates.max()) + log_total - candidates.entropy());
          for (size_t i = 0; i < logits.size(); ++i) keys[i] = -std::abs(logits[i] - middle);
          candidates.keep_share(std::span(keys).first(logits.size()), p);
        }};
      }};
}

}  // namespace gptj::samplers

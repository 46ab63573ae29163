#pragma once

#include "sampling/sampler_type.h"

namespace gptj::samplers {

/// The K likeliest tokens (Fan, Lewis, Dauphin: Hierarchical Neural Story Generation, arXiv:1805.04833).
inline SamplerType top_k() {
  return {.name = "top-k",
          .role = SamplerType::Role::truncates,
          .settings = {{.name = "top-k",
                        .help = "draw from the N likeliest tokens (0: all)",
                        .kind = SamplerSetting::Kind::integer,
                        .fallback = 40,
                        .low = 0,
                        .high = 1'000'000}},
          .make = [](const SamplerOptions& options, const Tokenizer&, int) -> Stage {
            const auto k = static_cast<size_t>(options.number("top-k"));
            if (k == 0) return {};
            return {[k](Candidates& candidates, const Place&) { candidates.keep_best(k); }};
          }};
}

}  // namespace gptj::samplers

#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "sampling/sampler_type.h"

namespace gptj::samplers {

/// The entropy divided by that of as many equally likely tokens: 0 to 1.
inline double relative_entropy(Candidates& candidates) {
  const std::span<const float> logits = candidates.logits();
  const auto n = static_cast<double>(logits.size()) -
                 static_cast<double>(std::count(logits.begin(), logits.end(), Candidates::kOut));
  return n > 1 ? std::clamp(candidates.entropy() / std::log(n), 0.0, 1.0) : 0.0;
}

/// Divides logits by the temperature. With a range, the temperature goes from temp - range to temp + range as the
/// entropy of the distribution grows (dynamic temperature, by kalomaze, as in llama.cpp and koboldcpp): a model that
/// is sure is taken at its word.
inline SamplerType temperature() {
  return {.name = "temp",
          .role = SamplerType::Role::adjusts,
          .settings = {{.name = "temp",
                        .other_names = {"temperature"},
                        .help = "temperature (0: always the likeliest token)",
                        .fallback = 0.9,
                        .low = 0,
                        .high = 1000},
                       {.name = "dynatemp-range",
                        .help = "let the temperature follow the entropy, this far down and up (0: fixed)",
                        .low = 0,
                        .high = 1000},
                       {.name = "dynatemp-exp",
                        .help = "exponent of the entropy in the dynamic temperature",
                        .fallback = 1,
                        .low = 0,
                        .high = 100}},
          .make = [](const SamplerOptions& options, const Tokenizer&, int) -> Stage {
            const double middle = options.number("temp"), range = options.number("dynatemp-range");
            const double exponent = options.number("dynatemp-exp");
            if (middle == 1 && range == 0) return {};
            return {[=](Candidates& candidates, const Place&) {
              const double low = std::max(0.0, middle - range), high = middle + range;
              const double part = range == 0 ? 0 : std::pow(relative_entropy(candidates), exponent);
              const double factor = 1 / (low + (high - low) * part);
              if (factor <= std::numeric_limits<float>::max()) {
                candidates.scale(static_cast<float>(factor));
              } else {
                candidates.keep_best(1);
              }
            }};
          }};
}

}  // namespace gptj::samplers

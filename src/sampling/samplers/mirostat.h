#pragma once

#include <algorithm>
#include <cmath>
#include <memory>

#include "sampling/sampler_type.h"

namespace gptj::samplers {

/// Keeps the surprise (-log2 p) of what is drawn near a target (Basu et al.: Mirostat: A Neural Text Decoding
/// Algorithm that Directly Controls Perplexity, arXiv:2007.14966). Version 1 estimates Zipf's exponent and from it
/// how many tokens to draw from; version 2 drops tokens whose surprise exceeds mu. A token's surprise is that under
/// the distribution before anything is dropped, as in the paper (llama.cpp takes the one after).
class Mirostat {
 public:
  Mirostat(bool estimates, double tau, double eta, int n_vocab)
      : estimates_(estimates), tau_(tau), eta_(eta), n_vocab_(n_vocab), mu_(2 * tau) {}

  void apply(Candidates& candidates) {
    total_ = candidates.total();
    if (estimates_) {
      candidates.keep_above(candidates.nth_logit(n_kept(candidates)));
    } else {
      const double bound = static_cast<double>(candidates.max()) + std::log(total_) - mu_ * std::log(2.0);
      candidates.keep_above(static_cast<float>(bound));
    }
  }

  void drawn(double weight) { mu_ -= eta_ * (std::log2(total_ / weight) - tau_); }

 private:
  /// Equations 29 to 32 of the paper.
  size_t n_kept(Candidates& candidates) const {
    constexpr size_t kRanks = 100;  // m
    const std::span<const float> logits = candidates.best_logits(kRanks);
    double tb = 0, tt = 0;
    for (size_t i = 0; i + 1 < logits.size(); ++i) {
      const double t = std::log(static_cast<double>(i + 2) / static_cast<double>(i + 1));
      tb += t * static_cast<double>(logits[i] - logits[i + 1]);
      tt += t * t;
    }
    const double s = tt > 0 ? tb / tt : 1.0, epsilon = s - 1;
    const double n = n_vocab_;
    // Of a geometric series; its limit where epsilon vanishes.
    const double series = std::abs(epsilon) > 1e-6 ? (1 - std::pow(n, -epsilon)) / epsilon : std::log(n);
    const double k = std::pow(std::exp2(mu_) / series, 1 / s);
    return static_cast<size_t>(std::clamp(std::round(k), 1.0, n));  // all if s is zero
  }

  const bool estimates_;
  const double tau_, eta_;
  const int n_vocab_;
  double mu_;
  double total_ = 0;  // of the weights, before anything was dropped
};

inline SamplerType mirostat() {
  return {.name = "mirostat",
          .role = SamplerType::Role::truncates_instead,
          .settings = {{.name = "mirostat",
                        .help = "keep the surprise near a target, by Mirostat's version 1 or 2, instead of "
                                "truncating otherwise (0: off)",
                        .kind = SamplerSetting::Kind::integer,
                        .low = 0,
                        .high = 2},
                       {.name = "mirostat-tau",
                        .other_names = {"mirostat-ent"},
                        .help = "Mirostat's target, in bits",
                        .fallback = 5,
                        .low = 0,
                        .high = 100},
                       {.name = "mirostat-eta",
                        .other_names = {"mirostat-lr"},
                        .help = "how fast Mirostat learns",
                        .fallback = 0.1,
                        .low = 0,
                        .high = 100}},
          .make = [](const SamplerOptions& options, const Tokenizer&, int n_vocab) -> Stage {
            const double version = options.number("mirostat");
            if (version == 0) return {};
            const auto state = std::make_shared<Mirostat>(version == 1, options.number("mirostat-tau"),
                                                          options.number("mirostat-eta"), n_vocab);
            return {.apply = [state](Candidates& candidates, const Place&) { state->apply(candidates); },
                    .drawn = [state](double weight) { state->drawn(weight); }};
          }};
}

}  // namespace gptj::samplers

#pragma once

#include <vector>

#include "sampling/sampler_type.h"
#include "sampling/text_tail.h"

namespace gptj::samplers {

/// Penalties for tokens that are among the last ones. The repetition penalty counts once, however often the token is
/// there (Keskar et al.: CTRL, arXiv:1909.05858); presence and frequency penalties are those of OpenAI's API, but for
/// prompt and answer alike.
class Penalties {
 public:
  Penalties(const SamplerOptions& options, int n_vocab)
      : last_n_(options.number("repeat-last-n")),
        repeat_(static_cast<float>(options.number("repeat-penalty"))),
        presence_(static_cast<float>(options.number("presence-penalty"))),
        frequency_(static_cast<float>(options.number("frequency-penalty"))),
        counts_(static_cast<size_t>(n_vocab)) {}

  bool any() const { return last_n_ != 0 && (repeat_ != 1 || presence_ != 0 || frequency_ != 0); }

  void operator()(Candidates& candidates, const Place& place) {
    const std::span<const int> seen = last_of(place.context, last_n_);
    for (const int id : seen) ++counts_[static_cast<size_t>(id)];
    for (const int id : seen) {
      int& count = counts_[static_cast<size_t>(id)];
      if (count == 0) continue;  // was here before
      if (repeat_ != 1) candidates.penalize(id, repeat_);
      candidates.add(id, -(presence_ + frequency_ * static_cast<float>(count)));
      count = 0;
    }
  }

 private:
  double last_n_;
  float repeat_, presence_, frequency_;
  std::vector<int> counts_;  // by id; zero between calls
};

inline SamplerType penalties() {
  using Kind = SamplerSetting::Kind;
  return {.name = "penalties",
          .role = SamplerType::Role::adjusts,
          .settings = {{.name = "repeat-last-n",
                        .help = "tokens looked back at for the penalties (0: none, -1: all)",
                        .kind = Kind::integer,
                        .fallback = 64,
                        .low = -1,
                        .high = 1'000'000},
                       {.name = "repeat-penalty",
                        .help = "penalty of repeated tokens (1: none)",
                        .fallback = 1,
                        .low = 0.01,
                        .high = 100},
                       {.name = "presence-penalty",
                        .help = "taken from the logits of repeated tokens (0: none)",
                        .low = -100,
                        .high = 100},
                       {.name = "frequency-penalty",
                        .help = "the same for each time that they were repeated (0: none)",
                        .low = -100,
                        .high = 100}},
          .make = [](const SamplerOptions& options, const Tokenizer&, int n_vocab) -> Stage {
            Penalties stage(options, n_vocab);
            if (!stage.any()) return {};
            return {std::move(stage)};
          }};
}

}  // namespace gptj::samplers

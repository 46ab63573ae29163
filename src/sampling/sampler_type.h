#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "gptj/sampler.h"
#include "gptj/tokenizer.h"
#include "sampling/candidates.h"
#include "sampling/random_number.h"

namespace gptj {

/// The place in a text where a token is drawn.
struct Place {
  std::span<const int> context;
  uint64_t seed;

  /// In [0, 1); each decision at the same place has a stream of its own.
  double random(uint64_t stream) const { return random_number(seed, context.size(), stream); }
};

enum RandomStream : uint64_t { kDrawStream, kXtcStream };

/// A sampler at work, with its settings and memory. Neither function allocates.
struct Stage {
  std::function<void(Candidates&, const Place&)> apply;
  /// For samplers that learn: is told the weight of the token that was drawn.
  std::function<void(double weight)> drawn = {};

  explicit operator bool() const { return static_cast<bool>(apply); }
};

/// A type of sampler. Each is made by a function in a file of its own in samplers/, which is in the list of
/// sampler.cpp.
struct SamplerType {
  enum class Role {
    adjusts,           // logits
    truncates,         // drops tokens
    truncates_instead  // of all that truncate: these are left out while it has something to do
  };

  std::string name;  // in --samplers
  Role role;
  std::vector<SamplerSetting> settings;
  /// No stage if the settings leave it nothing to do.
  Stage (*make)(const SamplerOptions& options, const Tokenizer& tokenizer, int n_vocab);
};

}  // namespace gptj

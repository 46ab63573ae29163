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

/// Where in a text a token is drawn.
struct Place {
  std::span<const int> context;
  uint64_t seed;

  /// In [0, 1); each decision at the same place has a stream of its own.
  double random(uint64_t stream) const { return random_number(seed, context.size(), stream); }
};

enum RandomStream : uint64_t { kDrawStream, kXtcStream };

/// A sampler that has something to do, with its settings and memory. Neither function allocates.
struct Stage {
  std::function<void(Candidates&, const Place&)> apply;
  std::function<void(double weight)> drawn =
      {};  // told to a sampler that learns: the weight of what was drawn

  explicit operator bool() const { return static_cast<bool>(apply); }
};

/// A kind of sampler. Each is made by a function in a file of its own in samplers/, which the list in
/// sampler.cpp names.
struct SamplerType {
  enum class Role {
    adjusts,           // logits
    truncates,         // drops tokens
    truncates_instead  // of all that truncate: they are left out while it has something to do
  };

  std::string name;  // in --samplers
  Role role;
  std::vector<SamplerSetting> settings;
  /// No stage if the settings leave it nothing to do.
  Stage (*make)(const SamplerOptions& options, const Tokenizer& tokenizer, int n_vocab);
};

}  // namespace gptj

#include <algorithm>
#include <cassert>
#include <cmath>
#include <random>
#include <string_view>

#include "base/error.h"
#include "gptj/generate.h"

namespace gptj {
namespace {

struct Candidate {
  int id;
  float logit;
};

/// Ties go to the lower id, so that the order is the same everywhere.
bool better(const Candidate& a, const Candidate& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
}

void check_range(std::string_view name, double value, double low, double high) {
  if (!(value >= low && value <= high)) fail("{}: expected {} to {}, found {}", name, low, high, value);
}

constexpr double kLarge = 1e6;

}  // namespace

struct Sampler::Impl {
  Impl(const SamplerOptions& o, size_t n_vocab)
      : options(o), random(o.seed), candidates(n_vocab), probabilities(n_vocab), penalized(n_vocab, false) {}

  void fill(std::span<const float> logits) {
    assert(logits.size() == candidates.size());
    for (size_t i = 0; i < candidates.size(); ++i) {
      const bool known = !std::isnan(logits[i]);  // which has no place in an order
      candidates[i] = {static_cast<int>(i), known ? logits[i] : -INFINITY};
    }
    if (options.banned_token >= 0 && static_cast<size_t>(options.banned_token) < candidates.size()) {
      candidates[static_cast<size_t>(options.banned_token)].logit = -INFINITY;
    }
  }

  /// Makes the last tokens less likely, each once however often it stands there.
  void penalize(std::span<const int> context) {
    if (options.repeat_penalty == 1.0f) return;
    if (options.repeat_last_n >= 0 && context.size() > static_cast<size_t>(options.repeat_last_n)) {
      context = context.last(static_cast<size_t>(options.repeat_last_n));
    }
    for (const int id : context) {
      const auto i = static_cast<size_t>(id);
      assert(i < penalized.size());
      if (penalized[i]) continue;
      penalized[i] = true;
      float& logit = candidates[i].logit;
      logit = logit > 0 ? logit / options.repeat_penalty : logit * options.repeat_penalty;
    }
    for (const int id : context) penalized[static_cast<size_t>(id)] = false;
  }

  /// Puts the best top_k in front, in order; returns how many there are.
  size_t best() {
    const size_t all = candidates.size();
    const size_t k = options.top_k > 0 ? std::min(static_cast<size_t>(options.top_k), all) : all;
    std::partial_sort(candidates.begin(), candidates.begin() + static_cast<ptrdiff_t>(k), candidates.end(),
                      better);
    return k;
  }

  int draw(size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; ++i) {
      const double distance = candidates[i].logit - candidates[0].logit;
      sum += probabilities[i] = std::exp(distance / static_cast<double>(options.temperature));
    }
    // Nucleus: the fewest whose probabilities reach top_p (arXiv:1904.09751).
    double kept = 0;
    size_t count = 0;
    while (count < n && kept < static_cast<double>(options.top_p) * sum) kept += probabilities[count++];
    count = std::max<size_t>(count, 1);
    // 53 random bits as [0, 1): the standard's distributions differ between libraries.
    double point = static_cast<double>(random() >> 11) * 0x1p-53 * kept;
    size_t chosen = 0;
    while (chosen + 1 < count && point >= probabilities[chosen]) point -= probabilities[chosen++];
    return candidates[chosen].id;
  }

  const SamplerOptions options;
  std::mt19937_64 random;
  std::vector<Candidate> candidates;
  std::vector<double> probabilities;
  std::vector<bool> penalized;
};

Sampler::Sampler(const SamplerOptions& options, int n_vocab) {
  check_range("top-k", options.top_k, 0, kLarge);
  check_range("top-p", static_cast<double>(options.top_p), 0, 1);
  check_range("temperature", static_cast<double>(options.temperature), 0, kLarge);
  check_range("repeat-last-n", options.repeat_last_n, -1, kLarge);
  check_range("repeat-penalty", static_cast<double>(options.repeat_penalty), 1e-3, kLarge);
  impl_ = std::make_unique<Impl>(options, static_cast<size_t>(n_vocab));
}

Sampler::Sampler(Sampler&&) noexcept = default;
Sampler& Sampler::operator=(Sampler&&) noexcept = default;
Sampler::~Sampler() = default;

int Sampler::sample(std::span<const float> logits, std::span<const int> context) {
  Impl& impl = *impl_;
  impl.fill(logits);
  impl.penalize(context);
  if (impl.options.temperature == 0.0f) {
    return std::min_element(impl.candidates.begin(), impl.candidates.end(), better)->id;
  }
  return impl.draw(impl.best());
}

}  // namespace gptj

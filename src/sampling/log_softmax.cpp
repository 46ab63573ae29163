#include "gptj/log_softmax.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace gptj {

double log_sum_exp(std::span<const float> logits) {
  assert(!logits.empty());
  const double top = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - top);
  return std::log(sum) + top;
}

double log_likelihood(std::span<const float> logits, int id) {
  return logits[static_cast<size_t>(id)] - log_sum_exp(logits);
}

int most_likely(std::span<const float> logits) {
  return static_cast<int>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

}  // namespace gptj

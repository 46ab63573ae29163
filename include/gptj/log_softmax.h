#pragma once

#include <span>

/// Logits as probabilities, in double. All logits must be finite, and there must be one at least.
namespace gptj {

/// The logarithm of the sum of the exponentials of logits [n_vocab]; without overflow. What is to be subtracted from a
/// logit to make it a log-probability.
double log_sum_exp(std::span<const float> logits);

/// log softmax(logits)[id], in nats.
double log_likelihood(std::span<const float> logits, int id);

/// The token with the largest logit, of several the first: what greedy decoding draws.
int most_likely(std::span<const float> logits);

}  // namespace gptj

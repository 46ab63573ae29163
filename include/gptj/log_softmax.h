#pragma once

#include <span>

/// Probabilities from logits, computed in double. There must be at least one logit, and all must be finite.
namespace gptj {

/// log(sum(exp(logits))) of logits [n_vocab], without overflow: what is subtracted from a logit to make it a
/// log-probability.
double log_sum_exp(std::span<const float> logits);

/// log softmax(logits)[id], in nats.
double log_likelihood(std::span<const float> logits, int id);

/// The token with the largest logit, the first of several: what greedy decoding draws.
int most_likely(std::span<const float> logits);

}  // namespace gptj

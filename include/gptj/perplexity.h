#pragma once

#include <functional>
#include <span>

#include "gptj/session.h"

namespace gptj {

struct PerplexityResult {
  double perplexity = 0;  // exp of the mean negative log-likelihood
  double error = 0;       // standard error of the perplexity
  double nll = 0;         // mean, nats per token
  int n_windows = 0;
  int n_scored = 0;  // tokens that were predicted and counted
};

/// The number of windows of `window` tokens in a text of `n_tokens`. Throws Error if there is none or windows are
/// shorter than 3 tokens: what can be checked before a model is loaded.
int perplexity_windows(size_t n_tokens, int window);

/// Gets each scored token and the logits [n_vocab] that predicted it.
using ScoredToken = std::function<void(int id, std::span<const float> logits)>;

/// Perplexity as llama.cpp's tool measures it: the text is cut into windows of session.n_ctx() tokens (a last short
/// one is dropped); each is evaluated from an empty context; only the second half of each window is scored, so that
/// every scored token has at least n_ctx / 2 tokens of context. `progress` gets the result so far after each window;
/// false stops, and that is the result. Throws Error as perplexity_windows() does.
PerplexityResult perplexity(Session& session, std::span<const int> ids,
                            const std::function<bool(const PerplexityResult&, int n_windows_total)>& progress,
                            const ScoredToken& scored = {});

}  // namespace gptj

#include "gptj/perplexity.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace gptj {
namespace {

/// -log softmax(logits)[target], in double.
double negative_log_likelihood(std::span<const float> logits, int target) {
  const double top = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - top);
  return std::log(sum) + top - logits[static_cast<size_t>(target)];
}

}  // namespace

int perplexity_windows(size_t n_tokens, int window) {
  constexpr int kShortestWindow = 3;  // of less, the second half predicts nothing
  if (window < kShortestWindow) {
    fail("perplexity: expected a context of at least {} tokens, found {}", kShortestWindow, window);
  }
  const size_t n_windows = n_tokens / static_cast<size_t>(window);
  if (n_windows == 0) {
    fail("perplexity: expected a text of at least {} tokens, one window, found {}", window, n_tokens);
  }
  return static_cast<int>(n_windows);
}

PerplexityResult perplexity(Session& session, std::span<const int> ids,
                            const std::function<bool(const PerplexityResult&, int)>& progress) {
  const int window = session.n_ctx();
  const int n_windows = perplexity_windows(ids.size(), window);
  PerplexityResult result;
  double sum = 0, squares = 0;
  for (int w = 0; w < n_windows; ++w) {
    const auto tokens =
        ids.subspan(static_cast<size_t>(w) * static_cast<size_t>(window), static_cast<size_t>(window));
    session.truncate(0);
    session.prefill(tokens, [&](int index, std::span<const float> logits) {
      if (index < window / 2 || index + 1 >= window) return;
      const double nll = negative_log_likelihood(logits, tokens[static_cast<size_t>(index) + 1]);
      sum += nll;
      squares += nll * nll;
      ++result.n_scored;
    });
    const double n = result.n_scored;
    result.n_windows = w + 1;
    result.nll = sum / n;
    result.perplexity = std::exp(result.nll);
    const double variance = std::max(0.0, squares / n - result.nll * result.nll);
    result.error = n > 1 ? std::sqrt(variance / (n - 1)) * result.perplexity : 0.0;
    if (progress && !progress(result, n_windows)) break;
  }
  return result;
}

}  // namespace gptj

#include "gptj/perplexity.h"

#include <cmath>

#include "base/error.h"
#include "gptj/log_softmax.h"
#include "measure/mean.h"

namespace gptj {

int perplexity_windows(size_t n_tokens, int window) {
  constexpr int kShortestWindow = 3;  // the second half of a shorter one predicts nothing
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
                            const std::function<bool(const PerplexityResult&, int)>& progress,
                            const ScoredToken& scored) {
  const int window = session.n_ctx();
  const int n_windows = perplexity_windows(ids.size(), window);
  PerplexityResult result;
  Mean nll;
  for (int w = 0; w < n_windows; ++w) {
    const auto tokens =
        ids.subspan(static_cast<size_t>(w) * static_cast<size_t>(window), static_cast<size_t>(window));
    session.truncate(0);
    session.prefill_each(tokens, [&](int index, std::span<const float> logits) {
      if (index < window / 2 || index + 1 >= window) return;
      const int next = tokens[static_cast<size_t>(index) + 1];
      nll.add(-log_likelihood(logits, next));
      if (scored) scored(next, logits);
    });
    result.n_windows = w + 1;
    result.n_scored = nll.n();
    result.nll = nll.value();
    result.perplexity = std::exp(result.nll);
    result.error = nll.error() * result.perplexity;
    if (progress && !progress(result, n_windows)) break;
  }
  return result;
}

}  // namespace gptj

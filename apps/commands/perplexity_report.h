#pragma once

#include <optional>
#include <string>

#include "gptj/kl_divergence.h"
#include "gptj/perplexity.h"

namespace gptj::apps {

/// What the command prints.
struct PerplexityReport {
  PerplexityResult result;
  int n_ctx;
  size_t n_tokens;  // of the text
  std::optional<KlResult> kl;

  std::string as_text() const;
  std::string as_json() const;
};

}  // namespace gptj::apps

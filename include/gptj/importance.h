#pragma once

#include <functional>
#include <span>
#include <string>

#include "gptj/session.h"

namespace gptj {

struct ImportanceResult {
  int n_windows = 0;
  int64_t n_tokens = 0;
  size_t n_matrices = 0;
};

/// Evaluates a text in windows of session.n_ctx() tokens, each from an empty context (a last short one is dropped
/// unless it is the only one), and writes to `path` how large the inputs of each matrix are: the mean square of each
/// column, over all tokens. With it convert_model() keeps those columns more exactly that are multiplied with larger
/// inputs. `progress` is called after each window; false stops with an Error. Throws Error if there are no tokens or
/// `path` cannot be written; then that is as it was.
ImportanceResult measure_importance(Session& session, std::span<const int> ids, const std::string& path,
                                    const std::function<bool(int n_windows, int n_windows_total)>& progress);

}  // namespace gptj

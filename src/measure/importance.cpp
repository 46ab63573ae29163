#include "gptj/importance.h"

#include <algorithm>
#include <map>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "convert/importance_file.h"
#include "tensor/tensor.h"

namespace gptj {
namespace {

/// Sums of squares of each column.
struct Sums {
  std::vector<double> squares;
  int64_t rows = 0;

  void add(const Rows& x) {
    squares.resize(static_cast<size_t>(x.n));
    rows += x.rows;
    for (int row = 0; row < x.rows; ++row) {
      const float* from = x.row(row);
      for (size_t k = 0; k < squares.size(); ++k) squares[k] += double{from[k]} * double{from[k]};
    }
  }

  std::vector<float> means() const {
    std::vector<float> out;
    for (const double sum : squares) out.push_back(static_cast<float>(sum / static_cast<double>(rows)));
    return out;
  }
};

}  // namespace

ImportanceResult measure_importance(Session& session, std::span<const int> ids, const std::string& path,
                                    const std::function<bool(int, int)>& progress) {
  if (ids.empty()) fail("imatrix: expected a text of at least one token, found none");
  OutputFile{path};  // what cannot be written should fail before hours of measuring, not after them
  const size_t window = std::min(ids.size(), static_cast<size_t>(session.n_ctx()));
  const auto n_windows = static_cast<int>(ids.size() / window);
  std::map<std::string, Sums, std::less<>> sums;
  const struct Unwatch {
    ~Unwatch() { session.watch_inputs({}); }
    Session& session;
  } unwatch{session};
  session.watch_inputs([&](std::string_view matrix, const Rows& x) {
    auto found = sums.find(matrix);
    if (found == sums.end()) found = sums.emplace(matrix, Sums{}).first;
    found->second.add(x);
  });
  ImportanceResult result;
  while (result.n_windows < n_windows) {
    session.truncate(0);
    // With every token's logits, so that the head's inputs are measured as often as those of the layers.
    session.prefill_each(ids.subspan(static_cast<size_t>(result.n_windows) * window, window),
                         [](int, std::span<const float>) {});
    ++result.n_windows;
    if (progress && !progress(result.n_windows, n_windows)) fail("imatrix was stopped");
  }

  Importance importance;
  for (const auto& [name, sum] : sums) importance.set(name, sum.means());
  result.n_tokens = static_cast<int64_t>(window) * result.n_windows;
  result.n_matrices = importance.size();
  importance.save(path, fmt::format("mean squares of inputs over {} tokens", result.n_tokens));
  return result;
}

}  // namespace gptj

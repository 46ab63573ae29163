#include "gptj/embed.h"

#include <vector>

#include "base/error.h"

namespace gptj {
namespace {

using Row = std::span<const float>;

/// The mean of rows.
class MeanRow {
 public:
  void add(Row row) {
    ++n_;
    sums_.resize(row.size());
    for (size_t i = 0; i < row.size(); ++i) sums_[i] += double{row[i]};
  }

  std::vector<float> value() const {
    std::vector<float> mean;
    for (const double sum : sums_) mean.push_back(static_cast<float>(sum / n_));
    return mean;
  }

 private:
  int n_ = 0;
  std::vector<double> sums_;
};

}  // namespace

void embed(Session& session, std::span<const int> ids, Pooling pooling,
           const std::function<void(Row)>& each) {
  if (ids.empty()) fail("expected a text of at least one token, found none");
  MeanRow mean;
  session.truncate(0);
  session.hidden_states(ids, [&](int index, Row row) {
    if (pooling == Pooling::mean) mean.add(row);
    if (pooling == Pooling::none || (pooling == Pooling::last && index + 1 == std::ssize(ids))) each(row);
  });
  if (pooling == Pooling::mean) each(mean.value());
}

}  // namespace gptj

#pragma once

#include <algorithm>
#include <cmath>

namespace gptj {

/// The mean of some values, with its standard error.
class Mean {
 public:
  void add(double value) {
    ++n_;
    sum_ += value;
    squares_ += value * value;
  }

  int n() const { return n_; }
  double value() const { return sum_ / n_; }
  double root_mean_square() const { return std::sqrt(squares_ / n_); }
  /// 0 where one value says nothing of it.
  double error() const {
    const double variance = std::max(0.0, squares_ / n_ - value() * value());
    return n_ > 1 ? std::sqrt(variance / (n_ - 1)) : 0.0;
  }

 private:
  int n_ = 0;
  double sum_ = 0;
  double squares_ = 0;
};

}  // namespace gptj

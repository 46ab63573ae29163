#pragma once

#include <chrono>

namespace gptj {

/// Adds the milliseconds of its lifetime to `to`.
class Timer {
 public:
  explicit Timer(double& to) : to_(to), start_(std::chrono::steady_clock::now()) {}
  ~Timer() {
    const std::chrono::duration<double, std::milli> passed = std::chrono::steady_clock::now() - start_;
    to_ += passed.count();
  }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

 private:
  double& to_;
  const std::chrono::steady_clock::time_point start_;
};

}  // namespace gptj

#pragma once

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "kernels/cpu.h"

namespace gptj {

/// Every instruction set that this machine can run; those that are emulated, named like the real ones with "-emulated"; and
/// all of them, for parameterised tests.
std::vector<const Kernels*> real_sets();
std::vector<const Kernels*> emulated_sets();
std::vector<const Kernels*> tested_sets();

/// Names the parameter for ctest.
std::string set_name(const testing::TestParamInfo<const Kernels*>& info);

class KernelTest : public testing::TestWithParam<const Kernels*> {
 protected:
  const Kernels& table() const { return *GetParam(); }

  float uniform(float low, float high) { return std::uniform_real_distribution<float>(low, high)(random_); }
  int integer(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }

  /// n values in [-1, 1], followed by room up to the next multiple of 16.
  std::vector<float> values(int n) {
    std::vector<float> out(static_cast<size_t>(n + 16));
    for (int i = 0; i < n; ++i) out[static_cast<size_t>(i)] = uniform(-1, 1);
    return out;
  }

 private:
  std::mt19937 random_{1234};
};

}  // namespace gptj

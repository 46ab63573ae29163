#include "measure/mean.h"

#include <gtest/gtest.h>

#include <cmath>

namespace gptj {
namespace {

TEST(Mean, HasItsStandardError) {
  Mean mean;
  mean.add(4);
  EXPECT_EQ(mean.value(), 4);
  EXPECT_EQ(mean.error(), 0);
  mean.add(1);
  mean.add(1);
  EXPECT_EQ(mean.n(), 3);
  EXPECT_DOUBLE_EQ(mean.value(), 2);
  EXPECT_DOUBLE_EQ(mean.error(), 1);  // of 4, 1, 1: variance 3, over 3 values
  EXPECT_DOUBLE_EQ(mean.root_mean_square(), std::sqrt(6.0));
}

}  // namespace
}  // namespace gptj

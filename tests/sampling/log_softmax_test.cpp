#include "gptj/log_softmax.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace gptj {
namespace {

TEST(LogSoftmax, IsTheLogarithmOfTheSoftmax) {
  std::vector<float> logits;
  for (int i = 0; i < 1001; ++i) logits.push_back(static_cast<float>(i * i % 97) / 7 - 5);
  long double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<long double>(logit));
  EXPECT_NEAR(log_sum_exp(logits), static_cast<double>(std::log(sum)), 1e-13);
  double total = 0;
  for (int id = 0; id < 1001; ++id) total += std::exp(log_likelihood(logits, id));
  EXPECT_NEAR(total, 1, 1e-12);
}

TEST(LogSoftmax, LargeLogitsDoNotOverflow) {
  const std::vector<float> logits = {1000, 1000, -1000};
  EXPECT_NEAR(log_likelihood(logits, 0), -std::log(2.0), 1e-12);
  EXPECT_NEAR(log_likelihood(logits, 2), -2000 - std::log(2.0), 1e-12);
  EXPECT_NEAR(log_likelihood(std::vector<float>{-1000, -1001}, 0), -std::log1p(std::exp(-1.0)), 1e-12);
  EXPECT_EQ(log_likelihood(std::vector<float>{7}, 0), 0);
}

TEST(LogSoftmax, OfEqualsTheFirstIsMostLikely) {
  EXPECT_EQ(most_likely(std::vector<float>{1, 3, 2, 3}), 1);
}

}  // namespace
}  // namespace gptj

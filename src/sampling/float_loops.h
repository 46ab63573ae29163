#pragma once

#include <cstddef>
#include <span>

/// Loops over all logits, written so that compilers can vectorize them without reordering sums: a vocabulary of
/// 50,000 takes microseconds. No value may be NaN.
namespace gptj {

/// The largest value; minus infinity if there is none.
float max_of(std::span<const float> x);

/// out[i] = e^(x[i] - max), to about two units in the last place, and their sum. x[i] <= max, which is
/// finite.
double exp_of(std::span<const float> x, float max, std::span<float> out);

/// Sum of weights[i] * (max - x[i]), where weights are those of exp_of().
double mean_distance(std::span<const float> x, float max, std::span<const float> weights);

/// The standard deviation of those x[i] that are finite.
double deviation_of(std::span<const float> x, float max);

/// A bound that at least `n` of the values reach, and not many more; 0 < n <= x.size(). `scratch` is as long as x.
float bound_of_best(std::span<const float> x, size_t n, std::span<float> scratch);

/// Calls take(i) for each value that reaches the bound, in order. take() may overwrite x up to i.
template <typename Take>
void for_each_above(std::span<const float> x, float bound, const Take& take) {
  constexpr size_t kChunk = 32;
  const auto each = [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      if (x[i] >= bound) take(i);
    }
  };
  size_t begin = 0;
  for (; begin + kChunk <= x.size(); begin += kChunk) {
    int any = 0;
    for (size_t i = 0; i < kChunk; ++i) any |= static_cast<int>(x[begin + i] >= bound);
    if (any != 0) each(begin, begin + kChunk);
  }
  each(begin, x.size());
}

}  // namespace gptj

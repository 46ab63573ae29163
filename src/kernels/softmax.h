#pragma once

#include "kernels/vector.h"

namespace gptj {

template <class S>
inline float largest_of(const float* scores, int n) {
  using F = typename S::F;
  const int whole = n / S::kLanes * S::kLanes;
  F top = S::set1(scores[0]);
  for (int i = 0; i < whole; i += S::kLanes) top = S::max(top, S::load(scores + i));
  float largest = S::reduce_max(top);
  for (int i = whole; i < n; ++i) largest = scores[i] > largest ? scores[i] : largest;
  return largest;
}

/// weights[i] = e^(scale * (scores[i] - largest)), in place; returns their sum.
template <class S>
inline float exponentials(float* scores, int n, float scale, float largest) {
  using F = typename S::F;
  const int whole = n / S::kLanes * S::kLanes;
  F sums = S::set1(0.0f);
  for (int i = 0; i < n; i += S::kLanes) {  // the end of the last register is scratch
    const F e = exp<S>(S::mul(S::sub(S::load(scores + i), S::set1(largest)), S::set1(scale)));
    S::store(scores + i, e);
    if (i < whole) sums = S::add(sums, e);
  }
  float sum = S::reduce_add(sums);
  for (int i = whole; i < n; ++i) sum += scores[i];
  return sum;
}

/// The softmax of scores that come in blocks (Milakov and Gimelshein, arXiv:1805.02867; Dao et al., arXiv:2205.14135):
/// weights are relative to the largest score so far, and what they weighed is rescaled whenever a larger one comes.
template <class S>
struct RunningSoftmax {
  float largest = -1e38f;  // score
  float sum = 0.0f;        // of the weights

  /// Turns n > 0 scores into weights, in place. Returns the factor of everything that was weighed before.
  float weigh(float* scores, int n, float scale) {
    const float before = largest, now = largest_of<S>(scores, n);
    if (now > before) largest = now;
    const float of_block = exponentials<S>(scores, n, scale, largest);
    if (largest == before) {
      sum += of_block;
      return 1.0f;
    }
    float factor[kPanelRows] = {(before - largest) * scale};
    S::store(factor, exp<S>(S::load(factor)));
    sum = sum * factor[0] + of_block;
    return factor[0];
  }
};

/// x *= factor, a multiple of 16 values.
template <class S>
inline void rescale(float* x, int n, float factor) {
  if (factor == 1.0f) return;
  for (int i = 0; i < n; i += S::kLanes) S::store(x + i, S::mul(S::load(x + i), S::set1(factor)));
}

}  // namespace gptj

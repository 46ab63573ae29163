#pragma once

#include <cstdint>

/// How keys and values of past tokens lie in memory: like weights, in panels of 16, so that lanes of a
/// register are independent sums wherever they are multiplied. A query meets 16 keys at a time, a token's
/// weight 16 dimensions of its value.
namespace gptj {

/// Dimensions of a key or value that share a scale, where numbers are stored with scales.
inline constexpr int kKvBlock = 64;

/// One head of one layer. Numbers of 4, 2 or 1 bytes; a head may end inside a panel of values.
struct KvHead {
  void* keys;    // [n_ctx / 16][head_dim][16 tokens]
  void* values;  // [head_dim / 16, rounded up][n_ctx][16 dimensions]
  // [head_dim / kKvBlock, rounded up][n_ctx]: value = scale * number; not for floats
  float* key_scales;
  float* value_scales;
  int64_t n_ctx;  // a multiple of 16
};

}  // namespace gptj

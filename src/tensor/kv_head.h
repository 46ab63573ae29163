#pragma once

#include <cstdint>

/// How keys and values of past tokens lie in memory: like weights, in panels of 16, so that lanes of a
/// register are independent sums wherever they are multiplied. A query meets 16 keys at a time, a token's
/// weight 16 dimensions of its value.
namespace gptj {

/// Dimensions of a key or value that share a scale, where numbers are stored with scales.
inline constexpr int kKvBlock = 64;

/// Tokens of a page: a text's keys and values lie in pages, which texts that begin alike share. The first token of a
/// page makes the system clear all of it (30 MB in the shape of GPT-J 6B).
inline constexpr int kKvPage = 64;

/// One head of one layer on one page. Numbers of 4, 2 or 1 bytes; a head may end inside a panel of values.
struct KvPage {
  void* keys;    // [n_tokens / 16][head_dim][16 tokens]
  void* values;  // [head_dim / 16, rounded up][n_tokens][16 dimensions]
  // [head_dim / kKvBlock, rounded up][n_tokens]: value = scale * number; not for floats
  float* key_scales;
  float* value_scales;
  int64_t n_tokens;  // kKvPage, or of a cache that is smaller all of it: a multiple of 16
};

/// One head of one layer of a text.
struct KvHead {
  KvPage first;         // page 0 of the cache
  int64_t stride;       // bytes from page to page
  int64_t head_stride;  // bytes from this head to the layer's next one
  const int* pages;     // pages[i] holds the text's tokens [i * kKvPage, (i + 1) * kKvPage)
};

/// The page of a text's `token`, of this head or of one of those that follow it. A template, so that each instruction
/// set's code, which says which it is, has its own.
template <class User>
inline KvPage page_of(const KvHead& head, int token, int following = 0) {
  const int64_t bytes = head.pages[token / kKvPage] * head.stride + following * head.head_stride;
  const KvPage& first = head.first;
  return {static_cast<uint8_t*>(first.keys) + bytes, static_cast<uint8_t*>(first.values) + bytes,
          first.key_scales + bytes / int64_t{sizeof(float)},
          first.value_scales + bytes / int64_t{sizeof(float)}, first.n_tokens};
}

}  // namespace gptj

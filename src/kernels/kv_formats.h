#pragma once

#include "kernels/vector.h"
#include "tensor/kv_head.h"

/// The numbers of the KV cache, and how a token's key and value get there.
namespace gptj {

struct KvF32 {
  using Element = float;
  static constexpr bool kScaled = false;
  template <class S>
  static typename S::F load(const float* p) {
    return S::load(p);
  }
  template <class S>
  static float encode(const float* from, float* to) {
    for (int i = 0; i < kKvBlock; i += S::kLanes) S::store(to + i, S::load(from + i));
    return 1.0f;
  }
};

struct KvF16 {
  using Element = uint16_t;
  static constexpr bool kScaled = false;
  template <class S>
  static typename S::F load(const uint16_t* p) {
    return S::load_f16(p);
  }
  template <class S>
  static float encode(const float* from, uint16_t* to) {
    for (int i = 0; i < kKvBlock; i += S::kLanes) S::store_f16(to + i, S::load(from + i));
    return 1.0f;
  }
};

struct KvInt8 {
  using Element = int8_t;
  static constexpr bool kScaled = true;
  template <class S>
  static typename S::F load(const int8_t* p) {
    return S::load_int8(p);
  }
  /// Returns the scale.
  template <class S>
  static float encode(const float* from, int8_t* to) {
    return quantize_values<S>(from, kKvBlock, to);
  }
};

/// The numbers of one block, completed with zeros. Returns their scale.
template <class S, class Kv>
inline float encode_block(const float* from, int n, typename Kv::Element* codes) {
  if (n == kKvBlock) return Kv::template encode<S>(from, codes);
  alignas(64) float block[kKvBlock] = {};
  for (int i = 0; i < n; ++i) block[i] = from[i];
  return Kv::template encode<S>(block, codes);
}

template <class S, class Kv>
void store_kv(const KvHead& head, int token, const float* key, const float* value, int head_dim) noexcept {
  using Element = typename Kv::Element;
  const KvPage page = page_of<S>(head, token);
  const int row = token % kKvPage;
  auto* keys =
      static_cast<Element*>(page.keys) + int64_t{row / kPanelRows} * head_dim * kPanelRows + row % kPanelRows;
  auto* values = static_cast<Element*>(page.values) + int64_t{row} * kPanelRows;
  Element codes[kKvBlock];
  for (int first = 0; first < head_dim; first += kKvBlock) {
    const int n = head_dim - first < kKvBlock ? head_dim - first : kKvBlock;
    const int64_t scale_at = first / kKvBlock * page.n_tokens + row;

    const float key_scale = encode_block<S, Kv>(key + first, n, codes);
    for (int i = 0; i < n; ++i) keys[(first + i) * kPanelRows] = codes[i];
    if constexpr (Kv::kScaled) page.key_scales[scale_at] = key_scale;

    const float value_scale = encode_block<S, Kv>(value + first, n, codes);
    for (int i = 0; i < n; i += kPanelRows) {
      __builtin_memcpy(values + (first + i) * page.n_tokens, codes + i, kPanelRows * sizeof(Element));
    }
    if constexpr (Kv::kScaled) page.value_scales[scale_at] = value_scale;
  }
}

/// What encode_block() made of n values, as values.
template <class S, class Kv>
inline void decode_block(const typename Kv::Element* codes, float scale, int n, float* to) {
  alignas(64) float block[kKvBlock];
  for (int i = 0; i < kKvBlock; i += S::kLanes) {
    S::store(block + i, S::mul(Kv::template load<S>(codes + i), S::set1(scale)));
  }
  for (int i = 0; i < n; ++i) to[i] = block[i];
}

/// What store_kv() kept of a token.
template <class S, class Kv>
void load_kv(const KvHead& head, int token, float* key, float* value, int head_dim) noexcept {
  using Element = typename Kv::Element;
  const KvPage page = page_of<S>(head, token);
  const int row = token % kKvPage;
  const auto* keys = static_cast<const Element*>(page.keys) +
                     int64_t{row / kPanelRows} * head_dim * kPanelRows + row % kPanelRows;
  const auto* values = static_cast<const Element*>(page.values) + int64_t{row} * kPanelRows;
  Element codes[kKvBlock] = {};
  for (int first = 0; first < head_dim; first += kKvBlock) {
    const int n = head_dim - first < kKvBlock ? head_dim - first : kKvBlock;
    const int64_t scale_at = first / kKvBlock * page.n_tokens + row;
    const auto scale = [scale_at](const float* scales) { return Kv::kScaled ? scales[scale_at] : 1.0f; };

    for (int i = 0; i < n; ++i) codes[i] = keys[(first + i) * kPanelRows];
    decode_block<S, Kv>(codes, scale(page.key_scales), n, key + first);
    for (int i = 0; i < n; i += kPanelRows) {
      __builtin_memcpy(codes + i, values + (first + i) * page.n_tokens, kPanelRows * sizeof(Element));
    }
    decode_block<S, Kv>(codes, scale(page.value_scales), n, value + first);
  }
}

}  // namespace gptj

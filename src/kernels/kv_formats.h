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

/// Numbers of one block: they lie `step` apart in a panel of keys, and side by side in panels of values.
template <class S, class Kv>
inline float encode_block(const float* from, int n, typename Kv::Element* codes) {
  alignas(64) float block[kKvBlock];
  for (int i = 0; i < kKvBlock; ++i) block[i] = i < n ? from[i] : 0.0f;
  return Kv::template encode<S>(block, codes);
}

template <class S, class Kv>
void store_kv(const KvHead& head, int token, const float* key, const float* value, int head_dim) noexcept {
  using Element = typename Kv::Element;
  auto* keys = static_cast<Element*>(head.keys) + int64_t{token / kPanelRows} * head_dim * kPanelRows +
               token % kPanelRows;
  auto* values = static_cast<Element*>(head.values) + int64_t{token} * kPanelRows;
  Element codes[kKvBlock];
  for (int first = 0; first < head_dim; first += kKvBlock) {
    const int n = head_dim - first < kKvBlock ? head_dim - first : kKvBlock;
    const int64_t scale_at = first / kKvBlock * head.n_ctx + token;

    const float key_scale = encode_block<S, Kv>(key + first, n, codes);
    for (int i = 0; i < n; ++i) keys[(first + i) * kPanelRows] = codes[i];
    if constexpr (Kv::kScaled) head.key_scales[scale_at] = key_scale;

    const float value_scale = encode_block<S, Kv>(value + first, n, codes);
    for (int i = 0; i < n; ++i) {
      const int d = first + i;
      values[d / kPanelRows * head.n_ctx * kPanelRows + d % kPanelRows] = codes[i];
    }
    if constexpr (Kv::kScaled) head.value_scales[scale_at] = value_scale;
  }
}

}  // namespace gptj

#pragma once

#include <cstdint>

#include "base/half.h"
#include "tensor/dtype.h"
#include "tensor/panel.h"

/// Plain numbers: what they mean, and how they lie in panels.
namespace gptj {

struct F32 {
  static constexpr DTypeInfo kInfo{DType::f32, "f32", 1, 4, 1, 0, 0};
  static constexpr bool kStreamed = true;  // from memory: worth prefetching

  using Number = float;
  static float to_f32(Number x) { return x; }
  static Number from_f32(float x) { return x; }

  /// Values k of `S::kLanes` rows from `row`: the panel is [k][16].
  template <class S>
  static typename S::F load(const uint8_t* panel, int k, int row) {
    return S::load(reinterpret_cast<const float*>(panel) + k * kPanelRows + row);
  }
};

struct F16 {
  static constexpr DTypeInfo kInfo{DType::f16, "f16", 1, 2, 1, 1, 1};
  static constexpr bool kStreamed = true;  // from memory: worth prefetching

  using Number = uint16_t;
  static float to_f32(Number x) { return f16_to_f32(x); }
  static Number from_f32(float x) { return f32_to_f16(x); }

  template <class S>
  static typename S::F load(const uint8_t* panel, int k, int row) {  // [k][16]
    return S::load_f16(reinterpret_cast<const uint16_t*>(panel) + k * kPanelRows + row);
  }
  /// Values k and k + 1 rounded to BF16, in the halves of a lane.
  template <class S>
  static typename S::I bf16_pair(const uint8_t* panel, int k, int row) {
    return S::pack_bf16(load<S>(panel, k, row), load<S>(panel, k + 1, row));
  }
};

struct BF16 {
  // ggml knows BF16 as tensor type 30 and file type 24, but its legacy files never had either.
  static constexpr DTypeInfo kInfo{DType::bf16, "bf16", 1, 2, 2, -1, -1};
  static constexpr bool kStreamed = true;  // from memory: worth prefetching

  using Number = uint16_t;
  static float to_f32(Number x) { return bf16_to_f32(x); }
  static Number from_f32(float x) { return f32_to_bf16(x); }

  /// The panel is [k / 2][16][2], pairs as the BF16 dot instructions want them. A pair is one 32-bit lane:
  /// its halves become F32 by a shift or a mask.
  template <class S>
  static typename S::F load(const uint8_t* panel, int k, int row) {
    const typename S::I pairs = S::load_bytes(panel + (k / 2 * kPanelRows + row) * 4);
    return S::as_float(k % 2 == 0 ? S::template shift_left_32<16>(pairs)
                                  : S::bit_and(pairs, S::set1(static_cast<int32_t>(0xffff0000u))));
  }
  template <class S>
  static typename S::I bf16_pair(const uint8_t* panel, int k, int row) {  // k is even
    return S::load_bytes(panel + (k / 2 * kPanelRows + row) * 4);
  }
};

}  // namespace gptj

#pragma once

#include <cstdint>

#include "base/half.h"

namespace gptj {

inline uint16_t u16_field(const uint8_t* in) {
  return static_cast<uint16_t>(in[0] | in[1] << 8);
}

inline void put_u16_field(uint16_t value, uint8_t* out) {
  out[0] = static_cast<uint8_t>(value);
  out[1] = static_cast<uint8_t>(value >> 8);
}

inline bool is_finite_f16(uint16_t half) {
  return (half & 0x7c00) != 0x7c00;
}

/// A scale.
inline float f16_field(const uint8_t* in) {
  return f16_to_f32(u16_field(in));
}

/// Values that share a scale, in blocks whose groups are as long as blocks of storage formats: x = d * q + m.
struct Group {
  static constexpr int kValues = 32;

  float d, m;
  int8_t q[kValues];
};

}  // namespace gptj

#pragma once

#include <cstdint>

#include "base/half.h"

namespace gptj {

inline uint16_t u16_field(const uint8_t* in) {
  return static_cast<uint16_t>(in[0] | in[1] << 8);
}

/// A scale.
inline float f16_field(const uint8_t* in) {
  return f16_to_f32(u16_field(in));
}

}  // namespace gptj

#pragma once

#include <cstddef>

#include "tensor/encodings/block_fields.h"

/// ggml's 4-bit types with unevenly spaced levels.
namespace gptj {

inline constexpr int8_t kIq4Levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                          1,    13,   25,  38,  53,  69,  89,  113};

/// Byte j of q holds value j in its low nibble and j + 16 in its high one.
inline Group iq4_group(float d, const uint8_t* q) {
  Group out{d, 0, {}};
  for (int j = 0; j < 16; ++j) {
    out.q[j] = kIq4Levels[q[j] & 15];
    out.q[j + 16] = kIq4Levels[q[j] >> 4];
  }
  return out;
}

struct Iq4Nl {
  static constexpr int kValues = 32;
  static constexpr size_t kBytes = 18;  // d, q[16]

  static Group group(const uint8_t* in, int) { return iq4_group(f16_field(in), in + 2); }
};

/// x = d * (scale - 32) * level; groups of 32.
struct Iq4Xs {
  static constexpr int kValues = 256;
  static constexpr size_t kBytes = 136;  // d, high bits of scales[2], their low ones[4], q[128]

  static Group group(const uint8_t* in, int i) {
    const int low = in[4 + i / 2] >> (i % 2 * 4) & 15, high = u16_field(in + 2) >> (i * 2) & 3;
    return iq4_group(f16_field(in) * static_cast<float>((low | high << 4) - 32), in + 8 + i * 16);
  }
};

}  // namespace gptj

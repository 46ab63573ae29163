#pragma once

#include <cstddef>

#include "tensor/encodings/block_fields.h"

/// ggml's types of 4 bits whose levels are not even.
namespace gptj {

inline constexpr int8_t kIq4Levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                          1,    13,   25,  38,  53,  69,  89,  113};

/// 32 values: byte j holds value j in its low nibble and j + 16 in its high one.
inline void iq4_values(float d, const uint8_t* q, float* out) {
  for (int j = 0; j < 16; ++j) {
    out[j] = d * static_cast<float>(kIq4Levels[q[j] & 15]);
    out[j + 16] = d * static_cast<float>(kIq4Levels[q[j] >> 4]);
  }
}

struct Iq4Nl {
  static constexpr int kValues = 32;
  static constexpr size_t kBytes = 18;  // d, q[16]

  static void values(const uint8_t* in, float* out) { iq4_values(f16_field(in), in + 2, out); }
};

/// x = d * (scale - 32) * level; groups of 32.
struct Iq4Xs {
  static constexpr int kValues = 256;
  static constexpr size_t kBytes = 136;  // d, high bits of scales[2], their low ones[4], q[128]

  static void values(const uint8_t* in, float* out) {
    for (int group = 0; group < 8; ++group) {
      const int low = in[4 + group / 2] >> (group % 2 * 4) & 15, high = u16_field(in + 2) >> (group * 2) & 3;
      iq4_values(f16_field(in) * static_cast<float>((low | high << 4) - 32), in + 8 + group * 16,
                 out + group * 32);
    }
  }
};

}  // namespace gptj

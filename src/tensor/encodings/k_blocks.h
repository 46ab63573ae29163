#pragma once

#include <cstddef>

#include "tensor/encodings/block_fields.h"

/// ggml's k-types: blocks of 256 values with a scale for each 16 or 32 of them; these scales are small integers times
/// one scale of the whole block.
namespace gptj {

/// x = d * scale * q - dmin * minimum, q in 2 bits; groups of 16.
struct Q2K {
  static constexpr int kValues = 256;
  static constexpr size_t kBytes = 84;  // scales[16] (scale low, minimum high), q[64], d, dmin

  static void values(const uint8_t* in, float* out) {
    const float d = f16_field(in + 80), dmin = f16_field(in + 82);
    for (int k = 0; k < kValues; ++k) {
      const uint8_t scale = in[k / 16];
      const int q = in[16 + k / 128 * 32 + k % 32] >> (k % 128 / 32 * 2) & 3;
      out[k] =
          d * static_cast<float>(scale & 15) * static_cast<float>(q) - dmin * static_cast<float>(scale >> 4);
    }
  }
};

/// x = d * (scale - 32) * (q - 4), q in 2 bits and a third one; groups of 16.
struct Q3K {
  static constexpr int kValues = 256;
  static constexpr size_t kBytes = 110;  // third bits[32], q[64], scales[12], d

  static void values(const uint8_t* in, float* out) {
    const float d = f16_field(in + 108);
    for (int k = 0; k < kValues; ++k) {
      const int low = in[32 + k / 128 * 32 + k % 32] >> (k % 128 / 32 * 2) & 3;
      const int third = in[k % 32] >> (k / 32) & 1;
      out[k] = d * static_cast<float>(scale(in + 96, k / 16) - 32) * static_cast<float>(low + third * 4 - 4);
    }
  }

 private:
  /// Low four bits of scale j and of j + 8 share a byte; the high two of j, j + 4, j + 8 and j + 12 another.
  static int scale(const uint8_t* in, int j) {
    return (in[j % 8] >> (j / 8 * 4) & 15) | (in[8 + j % 4] >> (j / 4 * 2) & 3) << 4;
  }
};

/// The eight scales and minima of 6 bits in 12 bytes that the next two share.
struct KScales {
  int scale, minimum;

  KScales(const uint8_t* in, int j)
      : scale(j < 4 ? in[j] & 63 : (in[j + 4] & 15) | (in[j - 4] >> 6) << 4),
        minimum(j < 4 ? in[j + 4] & 63 : in[j + 4] >> 4 | (in[j] >> 6) << 4) {}

  /// The group's, whose block begins with d and dmin.
  Group group(const uint8_t* block) const {
    return {f16_field(block) * static_cast<float>(scale),
            -f16_field(block + 2) * static_cast<float>(minimum),
            {}};
  }
};

/// x = d * scale * q - dmin * minimum, q in 4 bits; groups of 32.
struct Q4K {
  static constexpr int kValues = 256;
  static constexpr size_t kBytes = 144;  // d, dmin, scales[12], q[128]

  static Group group(const uint8_t* in, int i) {
    Group out = KScales(in + 4, i).group(in);
    const uint8_t* q = in + 16 + i / 2 * 32;
    for (int k = 0; k < 32; ++k) out.q[k] = static_cast<int8_t>(q[k] >> (i % 2 * 4) & 15);
    return out;
  }
};

/// As Q4K with a fifth bit.
struct Q5K {
  static constexpr int kValues = 256;
  static constexpr size_t kBytes = 176;  // d, dmin, scales[12], fifth bits[32], q[128]

  static Group group(const uint8_t* in, int i) {
    Group out = KScales(in + 4, i).group(in);
    const uint8_t *fifth = in + 16, *q = in + 48 + i / 2 * 32;
    for (int k = 0; k < 32; ++k) {
      out.q[k] = static_cast<int8_t>((q[k] >> (i % 2 * 4) & 15) | (fifth[k] >> i & 1) << 4);
    }
    return out;
  }
};

/// x = d * scale * (q - 32), q in 4 bits and two high ones; groups of 16 with signed scales.
struct Q6K {
  static constexpr int kValues = 256;
  static constexpr size_t kBytes = 210;  // q[128], high bits[64], scales[16], d

  static void values(const uint8_t* in, float* out) {
    const float d = f16_field(in + 208);
    for (int k = 0; k < kValues; ++k) {
      const int half = k / 128, low = in[half * 64 + k % 64] >> (k % 128 / 64 * 4) & 15;
      const int high = in[128 + half * 32 + k % 32] >> (k % 128 / 32 * 2) & 3;
      const auto scale = static_cast<int8_t>(in[192 + k / 16]);
      out[k] = d * static_cast<float>(scale) * static_cast<float>((low | high << 4) - 32);
    }
  }
};

}  // namespace gptj

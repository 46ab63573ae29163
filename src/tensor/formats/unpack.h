#pragma once

#include <cstdint>
#include <cstring>

#include "tensor/formats/quantized.h"

namespace gptj {

/// The inverse of a block format's pack(): one panel block back to 16 file blocks. Kernels never need it.
template <class Format>
class Unpacker {
 public:
  static void unpack(const uint8_t* panel, uint8_t* const (&rows)[kPanelRows]) {
    for (int r = 0; r < kPanelRows; ++r) {
      uint8_t* to = rows[r];
      for (int part = 0; part < Format::kScaleBytes / 2; ++part, to += 2) {
        std::memcpy(to, panel + (part * kPanelRows + r) * 2, 2);
      }
      const uint8_t* from = panel + Format::kScaleBytes * kPanelRows + r * 4;
      for (int at = 0; at < Format::kBlock; at += kQuantBlock, to += Format::kSubBytes) {
        uint32_t words[kWords];
        for (uint32_t& word : words) {
          std::memcpy(&word, from, 4);
          from += kPanelRows * 4;
        }
        restore(words, to);
      }
    }
  }

 private:
  static constexpr int kBits = Format::kBits, kHigh = Format::kHighWords, kWords = Format::kSubBytes / 4;

  /// A sub-block from its words in the panel's order.
  static void restore(const uint32_t (&words)[kWords], uint8_t* sub) {
    uint32_t out[kWords];
    if constexpr (kBits == 5) out[0] = scatter_high(words[0]);
    if constexpr (kBits == 6) {
      for (int plane = 0; plane < 2; ++plane) {
        out[plane] = scatter_high(join_pairs(words[0] >> plane) | join_pairs(words[1] >> plane) << 4);
      }
    }
    if constexpr (kBits == 8) {
      std::memcpy(out, words, sizeof(out));
    } else {
      constexpr uint32_t kLow = 0x0f0f0f0f;
      for (int c = 0; c < 2; ++c) {
        const uint32_t low = words[kHigh + c], high = words[kHigh + c + 2];
        out[kHigh + 2 * c] = (low & kLow) | (high & kLow) << 4;
        out[kHigh + 2 * c + 1] = (low >> 4 & kLow) | (high & ~kLow);
      }
    }
    std::memcpy(sub, out, sizeof(out));
  }

  /// Bit g of byte j becomes bit 4 g + j.
  static uint32_t scatter_high(uint32_t bytes) {
    uint32_t out = 0;
    for (int g = 0; g < kQuantGroups; ++g) {
      const uint32_t four = bytes >> g & 0x01010101;
      out |= ((four | four >> 7 | four >> 14 | four >> 21) & 15) << (4 * g);
    }
    return out;
  }

  /// Bits 0, 2, 4, 6 of each byte move to bits 0 ... 3.
  static uint32_t join_pairs(uint32_t bytes) {
    bytes &= 0x55555555;
    bytes = (bytes | bytes >> 1) & 0x33333333;
    return (bytes | bytes >> 2) & 0x0f0f0f0f;
  }
};

}  // namespace gptj

#pragma once

#include <cstdint>
#include <cstring>

#include "base/half.h"
#include "tensor/dtype.h"
#include "tensor/panel.h"

/// Blocks of 8, 6, 5 or 4 bits in panels. A file's block is a scale and perhaps a minimum for `kBlock`
/// values, then sub-blocks of 32 values: planes of high bits (u32: bit k belongs to value k), then 32 bytes,
/// or 16 of which byte j holds value j in its low nibble and value j + 16 in its high one. A panel block
/// holds the same bytes of 16 rows, so nothing is lost or grows:
///
///   f16 d[16]                the rows' scales
///   f16 m[16]                their minima, of formats that have them
///   and for each sub-block
///   u8 high[16][4]           5 bits: bit g of byte j is the fifth bit of value 4 g + j
///   u8 high[2][16][4]        6 bits: bits 2 g, 2 g + 1 of byte j are the upper ones of value 16 h + 4 g + j
///   u8 q[groups][16][4]      8 bits: group g holds values 4 g ... 4 g + 3 of each row.
///                            else: byte j of group c holds value 8 c + j low and 8 c + 4 + j high
///
/// Four consecutive values of a row are one 32-bit lane: what the int8 dot products multiply at once.
namespace gptj {

inline constexpr int kQuantBlock = 32;
inline constexpr int kQuantGroups = kQuantBlock / 4;

/// What 4 bits mean in a format whose levels are not evenly spaced.
struct Grid {
  uint8_t levels[16];
};
inline constexpr Grid kEven{};

/// `Bits` per value, whether blocks have a minimum, the sub-blocks that share a scale, and the levels:
/// value = d * (q + kOffset), or d * q + m.
template <int Bits, bool HasMin, int SubBlocks = 1, const Grid& grid = kEven>
struct QuantFormat {
  static constexpr int kBits = Bits;
  static constexpr bool kHasMin = HasMin;
  static constexpr bool kHasGrid = grid.levels[15] != 0;  // addresses are no constants to a sanitized gcc
  static constexpr bool kSigned = Bits == 8;              // else q is in [0, 2^Bits), or in [0, 64) of a grid
  static constexpr int kOffset = kSigned || HasMin ? 0 : kHasGrid ? -32 : -(1 << (Bits - 1));

  /// The largest magnitude of q + kOffset.
  static constexpr int kLargest = kSigned ? 128 : HasMin ? (1 << Bits) - 1 : -kOffset;

  /// Groups whose products with activations of at most 127 add up in 16 bits: two products a group.
  static constexpr int kPairGroups = kSigned                                      ? 0
                                     : kLargest * 127 * 2 * kQuantGroups <= 32767 ? kQuantGroups
                                                                                  : kQuantGroups / 2;

  static constexpr bool kStreamed = true;  // from memory: worth prefetching

  static constexpr int kBlock = kQuantBlock * SubBlocks;
  static constexpr int kScaleBytes = HasMin ? 4 : 2;
  static constexpr int kHighWords = Bits == 6 ? 2 : Bits == 5 ? 1 : 0;
  static constexpr int kSubBytes = 4 * kHighWords + (Bits == 8 ? kQuantBlock : kQuantBlock / 2);
  static constexpr int kFileBlock = kScaleBytes + SubBlocks * kSubBytes;
  static constexpr int kPanelBlock = kFileBlock * kPanelRows;

  /// Where the scales and the values of a panel's `b`-th 32 values lie.
  template <class S>
  static const uint8_t* scales(const uint8_t* panel, int b) {
    return panel + b / SubBlocks * kPanelBlock;
  }
  template <class S>
  static const uint8_t* quants(const uint8_t* panel, int b) {
    return scales<S>(panel, b) + (kScaleBytes + b % SubBlocks * kSubBytes) * kPanelRows;
  }

  /// The rows' scales and minima, `S::kLanes` of them from `row`.
  template <class S>
  static typename S::F scale(const uint8_t* scales, int row) {
    return S::load_f16(reinterpret_cast<const uint16_t*>(scales) + row);
  }
  template <class S>
  static typename S::F minimum(const uint8_t* scales, int row) {
    return S::load_f16(reinterpret_cast<const uint16_t*>(scales) + kPanelRows + row);
  }

  /// Values 4 g ... 4 g + 3 of each row, one byte each.
  template <class S>
  static typename S::I group(const uint8_t* quants, int row, int g) {
    const uint8_t* low = quants + (kHighWords * kPanelRows + row) * 4;
    if constexpr (Bits == 8) {
      return S::load_bytes(low + g * kPanelRows * 4);
    } else {
      const typename S::I both = S::load_bytes(low + g / 2 * kPanelRows * 4);
      const typename S::I nibbles =
          S::bit_and(g % 2 == 0 ? both : S::shift_right_16(both, 4), S::set1_bytes(0x0f));
      if constexpr (kHasGrid) return S::lookup(grid.levels, nibbles);
      if constexpr (kHighWords == 0) return nibbles;
      // The value's high bits move to bit 4; what crosses from the neighbouring byte is masked away.
      constexpr int kHigh = kHighWords, kPerWord = kQuantGroups / (kHigh == 0 ? 1 : kHigh);
      const typename S::I bits = S::load_bytes(quants + (g / kPerWord * kPanelRows + row) * 4);
      const int at = g % kPerWord * kHigh;
      const typename S::I moved = at < 4 ? S::shift_left_16(bits, 4 - at) : S::shift_right_16(bits, at - 4);
      return S::bit_or(nibbles, S::bit_and(moved, S::set1_bytes(((1 << kHigh) - 1) << 4)));
    }
  }

  /// Interleaves 16 file blocks; the inverse of what group() reads. Returns false if a scale is NaN or
  /// infinite.
  static bool pack(const uint8_t* const (&rows)[kPanelRows], uint8_t* panel) {
    bool finite = true;
    for (int r = 0; r < kPanelRows; ++r) {
      const uint8_t* from = rows[r];
      for (int part = 0; part < kScaleBytes / 2; ++part, from += 2) {
        std::memcpy(panel + (part * kPanelRows + r) * 2, from, 2);
        finite &= (from[1] & 0x7c) != 0x7c;
      }
      uint8_t* to = panel + kScaleBytes * kPanelRows + r * 4;
      for (int sub = 0; sub < SubBlocks; ++sub, from += kSubBytes) {
        uint32_t words[kSubBytes / 4];
        reorder(from, words);
        for (const uint32_t word : words) {
          put_word(to, word);
          to += kPanelRows * 4;
        }
      }
    }
    return finite;
  }

  /// The values of one file block.
  static void dequantize(const uint8_t* block, float (&out)[kBlock]) {
    uint16_t scales[2] = {};
    std::memcpy(scales, block, kScaleBytes);
    const float d = f16_to_f32(scales[0]);
    const float m = HasMin ? f16_to_f32(scales[1]) : 0.0f;
    for (int k = 0; k < kBlock; ++k) {
      const uint8_t* sub = block + kScaleBytes + k / kQuantBlock * kSubBytes;
      out[k] = d * static_cast<float>(level(stored(sub, k % kQuantBlock)) + kOffset) + m;
    }
  }

  /// One file block from its scale and minimum, in F16, and the numbers it stores: the inverse of stored().
  static void encode(const uint16_t (&scales)[2], const uint8_t (&q)[kBlock], uint8_t* block) {
    std::memcpy(block, scales, kScaleBytes);
    std::memset(block + kScaleBytes, 0, SubBlocks * kSubBytes);
    for (int k = 0; k < kBlock; ++k) {
      uint8_t* sub = block + kScaleBytes + k / kQuantBlock * kSubBytes;
      const int j = k % kQuantBlock;
      uint8_t* bytes = sub + 4 * kHighWords;
      if constexpr (Bits == 8) {
        bytes[j] = q[k];
      } else {
        bytes[j % 16] |= static_cast<uint8_t>(j < 16 ? q[k] & 15 : q[k] << 4);
        for (int plane = 0; plane < kHighWords; ++plane) {
          sub[4 * plane + j / 8] |= static_cast<uint8_t>((q[k] >> (4 + plane) & 1) << j % 8);
        }
      }
    }
  }

  /// The number that a stored q stands for, before the offset.
  static constexpr int level(int q) {
    if constexpr (kHasGrid) return grid.levels[q];
    return q;
  }

 private:
  /// Value k as a file's sub-block stores it.
  static int stored(const uint8_t* sub, int k) {
    const uint8_t* bytes = sub + 4 * kHighWords;
    if constexpr (Bits == 8) return static_cast<int8_t>(bytes[k]);
    int q = k < 16 ? bytes[k] & 15 : bytes[k - 16] >> 4;
    for (int plane = 0; plane < kHighWords; ++plane) {
      q |= static_cast<int>(word(sub + 4 * plane) >> k & 1) << (4 + plane);
    }
    return q;
  }

  /// A sub-block's words in the panel's order.
  static void reorder(const uint8_t* sub, uint32_t (&out)[kSubBytes / 4]) {
    if constexpr (Bits == 5) out[0] = gather_high(word(sub));
    if constexpr (Bits == 6) {
      const uint32_t low = gather_high(word(sub)), high = gather_high(word(sub + 4));
      for (int half = 0; half < 2; ++half) {
        out[half] = spread_pairs(low >> (4 * half)) | spread_pairs(high >> (4 * half)) << 1;
      }
    }
    const uint8_t* from = sub + 4 * kHighWords;
    if constexpr (Bits == 8) {
      for (int g = 0; g < kQuantGroups; ++g) out[g] = word(from + 4 * g);
    } else {
      constexpr uint32_t kLow = 0x0f0f0f0f;
      for (int c = 0; c < 2; ++c) {
        const uint32_t first = word(from + 8 * c), second = word(from + 8 * c + 4);
        out[kHighWords + c] = (first & kLow) | (second & kLow) << 4;
        out[kHighWords + c + 2] = (first >> 4 & kLow) | (second & ~kLow);
      }
    }
  }

  static uint32_t word(const uint8_t* bytes) {
    uint32_t word;
    std::memcpy(&word, bytes, 4);
    return word;
  }
  static void put_word(uint8_t* bytes, uint32_t word) { std::memcpy(bytes, &word, 4); }

  /// Bit 4 g + j of `bits` becomes bit g of byte j.
  static uint32_t gather_high(uint32_t bits) {
    uint32_t out = 0;
    for (int g = 0; g < kQuantGroups; ++g) {
      const uint32_t four = bits >> (4 * g) & 15;
      out |= (four * 0x00204081 & 0x01010101) << g;  // the product puts bit j at 8 j, among others
    }
    return out;
  }

  /// Bits 0 ... 3 of each byte move to bits 0, 2, 4, 6.
  static uint32_t spread_pairs(uint32_t bytes) {
    bytes &= 0x0f0f0f0f;
    bytes = (bytes | bytes << 2) & 0x33333333;
    return (bytes | bytes << 1) & 0x55555555;
  }
};

template <class Format>
constexpr DTypeInfo quant_info(DType dtype, const char* name, int ggml_type = -1, int ggml_ftype = -1) {
  return {dtype, name, Format::kBlock, Format::kFileBlock, Format::kBlock, ggml_type, ggml_ftype};
}

}  // namespace gptj

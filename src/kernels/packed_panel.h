#pragma once

#include "kernels/packed_args.h"
#include "kernels/smaller.h"
#include "kernels/unroll.h"
#include "tensor/formats.h"

/// Panels in the form that a CPU multiplies fastest: fours of bytes or pairs of BF16 numbers.
namespace gptj {

/// A packed panel: 1024 times 4 bytes of 16 rows. That is 4096 values in 8 bits, or 2048 in BF16.
struct PackedPanel {
  uint8_t lanes[kPackedBytes / 4][kPanelRows][4];
  float scales[kPanelRows];  // of the rows, in 8 bits
};

/// Zeros from lane `n` to the end of the last tile that a product reads.
template <class S>
inline void complete_lanes(uint8_t* lanes, int n) {
  if constexpr (kTiled<S>) {
    for (; n % S::Tiles::kRows != 0; ++n) S::store_bytes(lanes + n * kPanelRows * 4, S::set1(int32_t{0}));
  }
}

/// Prefetches the bytes that are packed soon, while those at `packed` are. No further ahead: whatever waited in L2
/// while packed panels meet many columns would be gone again.
struct PrefetchBehind {
  template <int kBytes>
  [[gnu::always_inline]] void next(const uint8_t* packed) const {
    constexpr int kLine = 64, kAhead = 4096, kIntoL2 = 2;
    GPTJ_UNROLL
    for (int i = 0; i < kBytes; i += kLine) __builtin_prefetch(packed + kAhead + i, 0, kIntoL2);
  }
};

/// Values k and k + 1 of a panel of floats, the second zero if it is not there.
template <class S, class Format>
inline typename S::I bf16_pair(const uint8_t* panel, int k, int row, int end) {
  if (k + 1 < end || Format::kInfo.panel_block == 2) [[likely]] {
    return Format::template bf16_pair<S>(panel, k, row);
  }
  return S::pack_bf16(Format::template load<S>(panel, k, row), S::set1(0.0f));
}

/// Packs values [begin, end) of a panel of floats. Prefetches while it packs 32 values of all rows.
template <class S, class Format, class Prefetch>
inline void pack_panel_bf16(const uint8_t* panel, int begin, int end, uint8_t (*lanes)[kPanelRows][4],
                            Prefetch&& prefetch) {
  constexpr int kTogether = 32, kBytes = 2 * kPanelRows;
  for (int k = begin; k < end; k += 2) {
    if (k % kTogether == 0) prefetch.template next<kTogether * kBytes>(panel + k * kBytes);
    for (int row = 0; row < kPanelRows; row += S::kLanes) {
      S::store_bytes(lanes[(k - begin) / 2][row], bf16_pair<S, Format>(panel, k, row, end));
    }
  }
}

/// Packs blocks, whose scales differ, as bytes with one scale for each row, whose largest value becomes 127. Prefetches
/// while it packs a block.
template <class S, class Format>
struct PanelOfBytes {
  using F = typename S::F;
  using I = typename S::I;

  /// Values are shifted to nearly 8 bits, then multiplied with a factor of at most 2^15 and divided by that.
  /// With a minimum they may be twice as large as what counts, the bound of minimum and maximum.
  static constexpr int log2(int n) { return n <= 1 ? 0 : 1 + log2((n + 1) / 2); }
  static constexpr int kShift = (Format::kHasMin ? 9 : 7) - log2(Format::kLargest);
  // Two roundings, of value and minimum, may add up to one more.
  static constexpr float kTop = Format::kHasMin ? 126.0f : 127.0f;

  /// Of 32 values of 16 rows.
  static constexpr int kPanelBytes = Format::kPanelBlock * kQuantBlock / Format::kBlock;

  static F magnitude(F x) { return S::max(x, S::sub(S::set1(0.0f), x)); }

  static F bound(const uint8_t* scales, int row) {
    const F d = Format::template scale<S>(scales, row);
    const F span = S::mul(d, S::set1(static_cast<float>(Format::kLargest)));
    if constexpr (!Format::kHasMin) return magnitude(span);
    const F m = Format::template minimum<S>(scales, row);
    return S::max(magnitude(m), magnitude(S::add(m, span)));
  }

  static I both_halves(F x) {
    const I value = S::to_int(x);
    return S::bit_or(S::bit_and(value, S::set1(int32_t{0xffff})), S::template shift_left_32<16>(value));
  }

  /// Packs blocks [first, first + n_blocks) of 32 values.
  template <class Prefetch>
  static void pack(const uint8_t* panel, int first, int n_blocks, uint8_t (*lanes)[kPanelRows][4],
                   float* row_scales, Prefetch&& prefetch) {
    for (int row = 0; row < kPanelRows; row += S::kLanes) {
      F top = S::set1(1e-30f);
      for (int b = 0; b < n_blocks; ++b) {
        top = S::max(top, bound(Format::template scales<S>(panel, first + b), row));
      }
      S::store(row_scales + row, S::mul(top, S::set1(1 / kTop)));
      const F inverse = S::div(S::set1(kTop), top);
      for (int b = 0; b < n_blocks; ++b) {
        if (row == 0) prefetch.template next<kPanelBytes>(Format::template quants<S>(panel, first + b));
        block(panel, first + b, row, inverse, lanes + b * kQuantGroups);
      }
    }
  }

  static void block(const uint8_t* panel, int b, int row, F inverse, uint8_t (*to)[kPanelRows][4]) {
    const uint8_t* scales = Format::template scales<S>(panel, b);
    const uint8_t* quants = Format::template quants<S>(panel, b);
    const F unit = S::mul(inverse, S::set1(static_cast<float>(1 << (15 - kShift))));
    const I factor = both_halves(S::mul(Format::template scale<S>(scales, row), unit));
    I minimum = S::set1(int32_t{0});
    if constexpr (Format::kHasMin) {
      minimum = both_halves(S::mul(Format::template minimum<S>(scales, row), inverse));
    }
    const auto scaled = [&](I value) {
      if constexpr (Format::kOffset != 0) value = S::add_16(value, S::set1_16(Format::kOffset));
      if constexpr (kShift != 0) value = S::shift_left_16(value, kShift);
      value = S::mul_high_16(value, factor);
      return Format::kHasMin ? S::add_16(value, minimum) : value;
    };
    GPTJ_UNROLL
    for (int g = 0; g < kQuantGroups; ++g) {
      const I q = Format::template group<S>(quants, row, g);
      const I low_bytes = S::set1_16(0xff);
      I even, odd;  // bytes 0 and 2, bytes 1 and 3 of each lane
      if constexpr (Format::kSigned) {
        even = S::shift_right_signed_16(S::shift_left_16(q, 8), 8);
        odd = S::shift_right_signed_16(q, 8);
      } else {
        even = S::bit_and(q, low_bytes);
        odd = S::shift_right_16(q, 8);
      }
      I bytes = S::bit_or(S::bit_and(scaled(even), low_bytes), S::shift_left_16(scaled(odd), 8));
      if constexpr (S::kUnsignedDot) bytes = S::bit_xor(bytes, S::set1_bytes(0x80));
      S::store_bytes(to[g][row], bytes);
    }
  }
};

/// Packs values [begin, end) of a panel, quantized ones as bytes and others as BF16 numbers, into a PackedPanel or a part
/// of one.
template <class S, class Format, class Packed, class Prefetch>
inline void pack_values(const uint8_t* panel, int begin, int end, Packed& out, Prefetch&& prefetch) {
  if constexpr (kIsQuantized<Format>) {
    PanelOfBytes<S, Format>::pack(panel, begin / kQuantBlock, (end - begin) / kQuantBlock, out.lanes,
                                  out.scales, prefetch);
  } else {
    pack_panel_bf16<S, Format>(panel, begin, end, out.lanes, prefetch);
  }
}

}  // namespace gptj

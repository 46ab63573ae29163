#pragma once

#include "kernels/kernels.h"
#include "kernels/matmul.h"
#include "kernels/smaller.h"
#include "kernels/unroll.h"
#include "tensor/formats.h"

/// Panels times many columns, with what a CPU multiplies fastest: four bytes or two BF16 numbers and their sum in
/// one instruction. Panels are brought into that form once for all columns and then come from L2, the whole length of
/// a row; columns are in it already. One tile serves weights and attention, and both kinds of numbers.
namespace gptj {

/// A packed panel: 1024 times 4 bytes of 16 rows. That is 4096 values in 8 bits, or 2048 in BF16.
struct PackedPanel {
  uint8_t lanes[kPackedBytes / 4][kPanelRows][4];
  float scales[kPanelRows];  // of the rows, in 8 bits
};

/// Where packed panels meet packed columns.
struct PackedArgs {
  const uint8_t* panels = nullptr;
  int64_t panel_stride = 0;  // bytes
  int n_panels = 0;
  int n_lanes = 0;             // of 4 bytes, of a row and a column
  const uint8_t* x = nullptr;  // column 0
  int64_t x_stride = 0;        // bytes from column to column, also of their scales
  int n_columns = 0;
  float* y = nullptr;
  int64_t y_stride = 0;
  // In 8 bits:
  const float* scales = nullptr;        // [n_panels] rows' scales, panel_stride apart
  const SlabScale* x_scales = nullptr;  // column 0's, one for each slab
};

/// Pairs of BF16 numbers, summed in F32.
template <class S>
struct Bf16Dot {
  static constexpr bool kBytes = false;
  using Sum = typename S::F;

  static Sum add(Sum sum, typename S::I w, typename S::I x) { return S::dot_bf16(sum, w, x); }
};

/// Fours of bytes, summed in 32 bits: exact.
template <class S>
struct ByteDot {
  static constexpr bool kBytes = true;
  using Sum = typename S::I;

  static Sum add(Sum sum, typename S::I w, typename S::I x) {
    if constexpr (S::kUnsignedDot) {
      return S::dot_unsigned(sum, w, x);
    } else {
      return S::dot_signed(sum, w, x);
    }
  }
};

/// P panels and C columns from `panel` and `column` on.
template <class S, template <class> class Dot, int P, int C>
struct PackedTile {
  using F = typename S::F;
  using I = typename S::I;
  using Sum = typename Dot<S>::Sum;
  static constexpr int kParts = kPanelRows / S::kLanes, V = P * kParts;

  const PackedArgs& a;
  int panel, column;

  const uint8_t* weights(int v) const {
    return a.panels + (panel + v / kParts) * a.panel_stride + v % kParts * S::kLanes * 4;
  }
  const float* scales(int v) const {
    const auto* first = reinterpret_cast<const uint8_t*>(a.scales) + (panel + v / kParts) * a.panel_stride;
    return reinterpret_cast<const float*>(first) + v % kParts * S::kLanes;
  }
  const SlabScale& column_scale(int slab, int c) const {
    const auto* first = reinterpret_cast<const uint8_t*>(a.x_scales + slab);
    return *reinterpret_cast<const SlabScale*>(first + (column + c) * a.x_stride);
  }
  float* y(int v, int c) const {
    return a.y + (column + c) * a.y_stride + panel * kPanelRows + v * S::kLanes;
  }

  /// sums += W x over the lanes [begin, end). Columns that come next are asked for: they come from far, and the
  /// hardware does not know where.
  void add(Sum (&sums)[V][C], int begin, int end) const {
    constexpr int kLanesOfLine = 16, kIntoL2 = 2;
    const uint8_t* w = weights(0) + begin * kPanelRows * 4;
    const uint8_t* x = a.x + column * a.x_stride + begin * 4;
    for (int lane = begin; lane < end; ++lane) {
      if (lane % kLanesOfLine == 0) {
        GPTJ_UNROLL
        for (int c = 0; c < C; ++c) __builtin_prefetch(x + (c + C) * a.x_stride, 0, kIntoL2);
      }
      I both[V];
      GPTJ_UNROLL
      for (int v = 0; v < V; ++v) {
        both[v] = S::load_bytes(w + v / kParts * a.panel_stride + v % kParts * S::kLanes * 4);
      }
      GPTJ_UNROLL
      for (int c = 0; c < C; ++c) {
        int32_t four;
        __builtin_memcpy(&four, x + c * a.x_stride, 4);
        const I value = S::set1(four);
        GPTJ_UNROLL
        for (int v = 0; v < V; ++v) sums[v][c] = Dot<S>::add(sums[v][c], both[v], value);
      }
      w += kPanelRows * 4;
      x += 4;
    }
  }

  void run_floats() const {
    Sum sums[V][C];
    each([&](int v, int c) { sums[v][c] = S::set1(0.0f); });
    add(sums, 0, a.n_lanes);
    each([&](int v, int c) { S::store(y(v, c), S::add(S::load(y(v, c)), sums[v][c])); });
  }

  /// Columns have a scale for each slab: their results so far wait in L1.
  void run_bytes() const {
    alignas(64) float results[V][C][S::kLanes];
    each([&](int v, int c) { S::store(results[v][c], S::set1(0.0f)); });
    for (int begin = 0, slab = 0; begin < a.n_lanes; begin += kByteSlab / 4, ++slab) {
      Sum sums[V][C];
      each([&](int v, int c) { sums[v][c] = S::set1(column_scale(slab, c).start); });
      add(sums, begin, a.n_lanes - begin < kByteSlab / 4 ? a.n_lanes : begin + kByteSlab / 4);
      each([&](int v, int c) {
        const F d = S::set1(column_scale(slab, c).d);
        S::store(results[v][c], S::fma(S::to_float(sums[v][c]), d, S::load(results[v][c])));
      });
    }
    each([&](int v, int c) {
      S::store(y(v, c), S::fma(S::load(results[v][c]), S::load(scales(v)), S::load(y(v, c))));
    });
  }

 private:
  template <class Body>
  static void each(const Body& body) {
    GPTJ_UNROLL
    for (int c = 0; c < C; ++c) {
      GPTJ_UNROLL
      for (int v = 0; v < V; ++v) body(v, c);
    }
  }
};

/// Never inlined: the compiler would keep other things in registers, and sums in memory.
template <class S, template <class> class Dot, int P, int C>
[[gnu::noinline]] void packed_tile(const PackedArgs& a, int panel, int column) {
  const PackedTile<S, Dot, P, C> tile{a, panel, column};
  if constexpr (Dot<S>::kBytes) {
    tile.run_bytes();
  } else {
    tile.run_floats();
  }
}

template <class S, template <class> class Dot, int P>
struct PackedTiles {
  const PackedArgs& a;
  int panel;

  template <int C>
  void run(int column) const {
    packed_tile<S, Dot, P, C>(a, panel, column);
  }
};

/// y += W x.
template <class S, template <class> class Dot>
inline void packed_product(const PackedArgs& a) {
  for_panels<S::kPackedPanels>(a.n_panels, [&]<int P>(int panel) {
    for_columns<S::kPackedColumns>(0, a.n_columns, PackedTiles<S, Dot, P>{a, panel});
  });
}

/// Asks for bytes that will be packed after those of now: they come while these are worked on. Between panels that many
/// columns meet, the hardware would forget the stream.
template <int kBytes>
inline void ask_for(const uint8_t* from) {
  constexpr int kLine = 64, kIntoL2 = 2;
  GPTJ_UNROLL
  for (int i = 0; i < kBytes; i += kLine) __builtin_prefetch(from + i, 0, kIntoL2);
}

/// Values k and k + 1 of a panel of floats, the second zero if it is not there.
template <class S, class Format>
inline typename S::I bf16_pair(const uint8_t* panel, int k, int row, int end) {
  if (k + 1 < end || Format::kInfo.panel_block == 2) return Format::template bf16_pair<S>(panel, k, row);
  return S::pack_bf16(Format::template load<S>(panel, k, row), S::set1(0.0f));
}

/// Values [begin, end) of a panel of floats; `ahead` bytes from there lies what comes next.
template <class S, class Format>
inline void pack_panel_bf16(const uint8_t* panel, int begin, int end, int64_t ahead, PackedPanel& out) {
  constexpr int kPair = 2 * 2 * kPanelRows;
  for (int k = begin; k < end; k += 2) {
    ask_for<kPair>(panel + k / 2 * kPair + ahead);
    for (int row = 0; row < kPanelRows; row += S::kLanes) {
      S::store_bytes(out.lanes[(k - begin) / 2][row], bf16_pair<S, Format>(panel, k, row, end));
    }
  }
}

/// The sums of packed panels of floats, with panels that are packed on their way through registers: where there are no
/// more columns than one tile has, they would come back from L2 only once, and memory waits meanwhile.
template <class S, class Format, int P>
struct Bf16Stream {
  const MatmulArgs& a;
  int panel;
  int part;  // values of a packed panel

  template <int C>
  void run(int column) const {
    constexpr int kParts = kPanelRows / S::kLanes, V = P * kParts;
    const uint8_t* panels = a.panels + panel * a.panel_stride;
    for (int begin = 0; begin < a.n; begin += part) {
      const int end = smaller<S>(a.n, begin + part);
      typename S::F sums[V][C];
      GPTJ_UNROLL
      for (int v = 0; v < V; ++v) {
        GPTJ_UNROLL
        for (int c = 0; c < C; ++c) sums[v][c] = S::set1(0.0f);
      }
      for (int k = begin; k < end; k += 2) {
        typename S::I x[C];
        GPTJ_UNROLL
        for (int c = 0; c < C; ++c) {
          int32_t two;
          __builtin_memcpy(&two, a.x + (column + c) * a.x_stride + 2 * k, 4);
          x[c] = S::set1(two);
        }
        GPTJ_UNROLL
        for (int v = 0; v < V; ++v) {
          const auto w =
              bf16_pair<S, Format>(panels + v / kParts * a.panel_stride, k, v % kParts * S::kLanes, end);
          GPTJ_UNROLL
          for (int c = 0; c < C; ++c) sums[v][c] = S::dot_bf16(sums[v][c], w, x[c]);
        }
      }
      GPTJ_UNROLL
      for (int v = 0; v < V; ++v) {
        GPTJ_UNROLL
        for (int c = 0; c < C; ++c) {
          float* y = a.y + (column + c) * a.y_stride + panel * kPanelRows + v * S::kLanes;
          S::store(y, S::add(S::load(y), sums[v][c]));
        }
      }
    }
  }
};

/// Blocks, whose scales differ, in 8 bits with one scale for each row: as exact as 8 bits are where the largest value of
/// the row is 127.
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

  static constexpr int kPanelBytes =
      Format::kPanelBlock * kQuantBlock / Format::kBlock;  // of 32 values of 16 rows

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

  /// Blocks [first, first + n_blocks) of 32 values; `ahead` bytes from there lies what comes next.
  static void pack(const uint8_t* panel, int first, int n_blocks, int64_t ahead, PackedPanel& out) {
    for (int row = 0; row < kPanelRows; row += S::kLanes) {
      F top = S::set1(1e-30f);
      for (int b = 0; b < n_blocks; ++b) {
        top = S::max(top, bound(Format::template scales<S>(panel, first + b), row));
      }
      S::store(out.scales + row, S::mul(top, S::set1(1 / kTop)));
      const F inverse = S::div(S::set1(kTop), top);
      for (int b = 0; b < n_blocks; ++b) {
        if (row == 0) ask_for<kPanelBytes>(Format::template quants<S>(panel, first + b) + ahead);
        block(panel, first + b, row, inverse, out.lanes + b * kQuantGroups);
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

template <class S, class Format>
struct PackedMatmul {
  static constexpr bool kBytes = kIsQuantized<Format>;
  static constexpr Operand kOperand = kBytes ? Operand::slabs : Operand::bf16;
  static constexpr int kNumberBytes = kBytes ? 1 : 2;
  static constexpr int kValues = kPackedBytes / kNumberBytes;  // of a packed panel
  static constexpr int kPanels = S::kPackedPanels;

  static_assert(kPanels * sizeof(PackedPanel) <= kMatmulScratch);

  static void pack(const uint8_t* panel, int begin, int end, int64_t ahead, PackedPanel& out) {
    if constexpr (kBytes) {
      PanelOfBytes<S, Format>::pack(panel, begin / kQuantBlock, (end - begin) / kQuantBlock, ahead, out);
    } else {
      pack_panel_bf16<S, Format>(panel, begin, end, ahead, out);
    }
  }

  static void multiply(const PackedArgs& args) {
    if constexpr (kBytes) {
      packed_product<S, ByteDot>(args);
    } else {
      packed_product<S, Bf16Dot>(args);
    }
  }

  static void stream(const MatmulArgs& a) {
    for_panels<kPanels>(a.n_panels, [&]<int P>(int panel) {
      for_columns<S::kPackedColumns>(0, a.n_columns, Bf16Stream<S, Format, P>{a, panel, kValues});
    });
  }

  /// `kPanels` panels at a time (or those that are left), each packed as a whole or, where rows are longer than that,
  /// in parts.
  static void run(const MatmulArgs& a) noexcept {
    if constexpr (!kBytes) {
      if (a.n_columns <= S::kPackedColumns) return stream(a);
    }
    auto* packed = reinterpret_cast<PackedPanel*>(a.scratch);
    const auto* x_scales = reinterpret_cast<const SlabScale*>(a.x + operand_numbers(kOperand, a.n));
    for (int p = 0; p < a.n_panels; p += kPanels) {
      const int n_panels = smaller<S>(kPanels, a.n_panels - p);
      const uint8_t* panels = a.panels + p * a.panel_stride;
      for (int begin = 0; begin < a.n; begin += kValues) {
        const int end = smaller<S>(a.n, begin + kValues);
        const int64_t of_row =
            a.panel_stride * (end - begin) / a.n;  // a part of the next panels, if it was the last
        const int64_t ahead = end < a.n ? of_row : of_row + (n_panels - 1) * a.panel_stride;
        for (int i = 0; i < n_panels; ++i) pack(panels + i * a.panel_stride, begin, end, ahead, packed[i]);
        multiply({.panels = packed[0].lanes[0][0],
                  .panel_stride = sizeof(PackedPanel),
                  .n_panels = n_panels,
                  .n_lanes = ((end - begin) * kNumberBytes + 3) / 4,
                  .x = a.x + begin * kNumberBytes,
                  .x_stride = a.x_stride,
                  .n_columns = a.n_columns,
                  .y = a.y + p * kPanelRows,
                  .y_stride = a.y_stride,
                  .scales = packed[0].scales,
                  .x_scales = x_scales + begin / kByteSlab});
      }
    }
  }
};

}  // namespace gptj

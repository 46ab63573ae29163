#pragma once

#include "kernels/kernels.h"
#include "kernels/matmul.h"
#include "kernels/unroll.h"
#include "tensor/formats.h"

/// Panels times many columns, with what a CPU multiplies fastest: four bytes or two BF16 numbers and their sum in
/// one instruction. Slabs of panels are brought into that form once for all columns and then lie in L1; columns
/// are in it already. One tile serves weights and attention, and both kinds of numbers.
namespace gptj {

/// A slab of a packed panel: 128 times 4 bytes of 16 rows. That is 512 values in 8 bits, or 256 in BF16.
inline constexpr int kPackedBytes = kByteSlab;  // of one row or column
inline constexpr int kPackedLanes = kPackedBytes / 4;

struct PackedSlab {
  uint8_t lanes[kPackedLanes][kPanelRows][4];
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
  // What will be packed next: tiles ask for it, for between two slabs the hardware forgets the stream.
  const uint8_t* next = nullptr;
  int64_t next_stride = 0;  // bytes from panel to panel
  int64_t next_bytes = 0;   // of each
  // In 8 bits:
  const float* scales = nullptr;        // [n_panels] rows' scales, panel_stride apart
  const SlabScale* x_scales = nullptr;  // column 0's
};

/// Pairs of BF16 numbers, summed in F32.
template <class S>
struct Bf16Dot {
  using Sum = typename S::F;

  static Sum start(const PackedArgs&, int) { return S::set1(0.0f); }
  static Sum add(Sum sum, typename S::I w, typename S::I x) { return S::dot_bf16(sum, w, x); }
  static typename S::F onto(typename S::F y, Sum sum, const PackedArgs&, int, int, int) {
    return S::add(y, sum);
  }
};

/// Fours of bytes, summed in 32 bits: exact.
template <class S>
struct ByteDot {
  using Sum = typename S::I;

  static const SlabScale& column_scale(const PackedArgs& a, int column) {
    const auto* first = reinterpret_cast<const uint8_t*>(a.x_scales);
    return *reinterpret_cast<const SlabScale*>(first + column * a.x_stride);
  }
  static Sum start(const PackedArgs& a, int column) { return S::set1(column_scale(a, column).start); }
  static Sum add(Sum sum, typename S::I w, typename S::I x) {
    if constexpr (S::kUnsignedDot) {
      return S::dot_unsigned(sum, w, x);
    } else {
      return S::dot_signed(sum, w, x);
    }
  }
  static typename S::F onto(typename S::F y, Sum sum, const PackedArgs& a, int panel, int row, int column) {
    const auto* scales = reinterpret_cast<const uint8_t*>(a.scales) + panel * a.panel_stride;
    const auto both =
        S::mul(S::load(reinterpret_cast<const float*>(scales) + row), S::set1(column_scale(a, column).d));
    return S::fma(S::to_float(sum), both, y);
  }
};

/// The share of these columns in what will be packed next.
template <int P>
inline void ask_for_next(const PackedArgs& a, int panel, int column, int columns) {
  constexpr int kLine = 64;
  const auto lines = static_cast<int>((a.next_bytes + kLine - 1) / kLine);
  const int from = lines * column / a.n_columns, to = lines * (column + columns) / a.n_columns;
  for (int p = panel; p < panel + P; ++p) {
    for (int line = from; line < to; ++line)
      __builtin_prefetch(a.next + p * a.next_stride + line * kLine, 0, 2);
  }
}

/// A line of each of the columns that come next, and of their results while they last: those are not where the
/// hardware looks, since rows lie far apart.
template <int P, int C>
inline void ask_for_columns(const PackedArgs& a, int panel, int column, int line) {
  constexpr int kLine = 64, kResults = 4;
  const uint8_t* x = a.x + column * a.x_stride + line * kLine;
  const float* y = a.y + (column + line * kResults) * a.y_stride + panel * kPanelRows;
  GPTJ_UNROLL
  for (int c = 0; c < C; ++c) __builtin_prefetch(x + c * a.x_stride);
  if (line * kResults >= C) return;
  GPTJ_UNROLL
  for (int c = 0; c < kResults; ++c) {
    GPTJ_UNROLL
    for (int p = 0; p < P; ++p) __builtin_prefetch(y + c * a.y_stride + p * kPanelRows, 1);
  }
}

/// Never inlined: the compiler would keep other things in registers, and sums in memory.
template <class S, template <class> class Dot, int P, int C>
[[gnu::noinline]] void packed_tile(const PackedArgs& a, int panel, int column) {
  using I = typename S::I;
  using D = Dot<S>;
  constexpr int kParts = kPanelRows / S::kLanes, V = P * kParts;
  typename D::Sum sums[V][C];
  GPTJ_UNROLL
  for (int c = 0; c < C; ++c) {
    GPTJ_UNROLL
    for (int v = 0; v < V; ++v) sums[v][c] = D::start(a, column + c);
  }
  ask_for_next<P>(a, panel, column, C);
  const uint8_t* w = a.panels + panel * a.panel_stride;
  const uint8_t* x = a.x + column * a.x_stride;
  constexpr int kLanesOfLine = 16;
  for (int lane = 0; lane < a.n_lanes; ++lane) {
    if (lane % kLanesOfLine == 0) ask_for_columns<P, C>(a, panel, column + C, lane / kLanesOfLine);
    I weights[V];
    GPTJ_UNROLL
    for (int v = 0; v < V; ++v) {
      weights[v] = S::load_bytes(w + v / kParts * a.panel_stride + v % kParts * S::kLanes * 4);
    }
    GPTJ_UNROLL
    for (int c = 0; c < C; ++c) {
      int32_t four;
      __builtin_memcpy(&four, x + c * a.x_stride, 4);
      const I value = S::set1(four);
      GPTJ_UNROLL
      for (int v = 0; v < V; ++v) sums[v][c] = D::add(sums[v][c], weights[v], value);
    }
    w += kPanelRows * 4;
    x += 4;
  }
  GPTJ_UNROLL
  for (int c = 0; c < C; ++c) {
    GPTJ_UNROLL
    for (int v = 0; v < V; ++v) {
      const int part = v % kParts * S::kLanes;
      float* y = a.y + (column + c) * a.y_stride + (panel + v / kParts) * kPanelRows + part;
      S::store(y, D::onto(S::load(y), sums[v][c], a, panel + v / kParts, part, column + c));
    }
  }
}

template <class S, template <class> class Dot, int P>
struct PackedTile {
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
    for_columns<S::kPackedColumns>(0, a.n_columns, PackedTile<S, Dot, P>{a, panel});
  });
}

/// Values [begin, end) of a panel of floats.
template <class S, class Format>
inline void pack_slab_bf16(const uint8_t* panel, int begin, int end, PackedSlab& out) {
  for (int k = begin; k < end; k += 2) {
    for (int row = 0; row < kPanelRows; row += S::kLanes) {
      const bool whole = k + 1 < end || Format::kInfo.panel_block == 2;
      S::store_bytes(out.lanes[(k - begin) / 2][row],
                     whole ? Format::template bf16_pair<S>(panel, k, row)
                           : S::pack_bf16(Format::template load<S>(panel, k, row), S::set1(0.0f)));
    }
  }
}

/// Blocks of one slab, whose scales differ, in 8 bits with one scale for each row: as exact as 8 bits are where the
/// largest value of a row's slab is 127.
template <class S, class Format>
struct SlabOfBytes {
  using F = typename S::F;
  using I = typename S::I;

  /// Values are shifted to nearly 8 bits, then multiplied with a factor of at most 2^15 and divided by that.
  /// With a minimum they may be twice as large as what counts, the bound of minimum and maximum.
  static constexpr int log2(int n) { return n <= 1 ? 0 : 1 + log2((n + 1) / 2); }
  static constexpr int kShift = (Format::kHasMin ? 9 : 7) - log2(Format::kLargest);
  // Two roundings, of value and minimum, may add up to one more.
  static constexpr float kTop = Format::kHasMin ? 126.0f : 127.0f;

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

  /// Blocks [first, first + n_blocks) of 32 values.
  static void pack(const uint8_t* panel, int first, int n_blocks, PackedSlab& out) {
    for (int row = 0; row < kPanelRows; row += S::kLanes) {
      F top = S::set1(1e-30f);
      for (int b = 0; b < n_blocks; ++b) {
        top = S::max(top, bound(Format::template scales<S>(panel, first + b), row));
      }
      S::store(out.scales + row, S::mul(top, S::set1(1 / kTop)));
      const F inverse = S::div(S::set1(kTop), top);
      for (int b = 0; b < n_blocks; ++b) block(panel, first + b, row, inverse, out.lanes + b * kQuantGroups);
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
  static constexpr int kValues = kPackedBytes / kNumberBytes;  // of a slab
  static constexpr int kPanels = S::kPackedPanels;
  static constexpr int kColumnBlock = 512;  // whose slab and results stay in L2

  static int smaller(int x, int y) { return x < y ? x : y; }

  static void pack(const uint8_t* panel, int begin, int end, PackedSlab& out) {
    if constexpr (kBytes) {
      SlabOfBytes<S, Format>::pack(panel, begin / kQuantBlock, (end - begin) / kQuantBlock, out);
    } else {
      pack_slab_bf16<S, Format>(panel, begin, end, out);
    }
  }

  static void multiply(const PackedArgs& args) {
    if constexpr (kBytes) {
      packed_product<S, ByteDot>(args);
    } else {
      packed_product<S, Bf16Dot>(args);
    }
  }

  /// A slab of `kPanels` panels (or of those that are left) from panel `p`.
  struct Slab {
    const MatmulArgs* args;
    int p, begin;

    int n_panels() const { return smaller(kPanels, args->n_panels - p); }
    int end() const { return smaller(args->n, begin + kValues); }
    const uint8_t* panels() const { return args->panels + p * args->panel_stride; }
    const uint8_t* weights() const { return panels() + args->panel_stride * begin / args->n; }
    int64_t bytes() const { return args->panel_stride * (end() - begin) / args->n; }

    /// All panels' next: columns' slabs stay in L2 meanwhile.
    Slab next() const {
      return p + kPanels < args->n_panels ? Slab{args, p + kPanels, begin} : Slab{args, 0, begin + kValues};
    }
  };

  static void run(const MatmulArgs& a) noexcept {
    alignas(64) PackedSlab packed[kPanels];
    for (int column = 0; column < a.n_columns; column += kColumnBlock) {
      const uint8_t* x = a.x + column * a.x_stride;
      const auto* x_scales = reinterpret_cast<const SlabScale*>(x + operand_numbers(kOperand, a.n));
      for (Slab slab{&a, 0, 0}; slab.begin < a.n; slab = slab.next()) {
        const Slab next = slab.next();
        for (int i = 0; i < slab.n_panels(); ++i) {
          pack(slab.panels() + i * a.panel_stride, slab.begin, slab.end(), packed[i]);
        }
        multiply({.panels = packed[0].lanes[0][0],
                  .panel_stride = sizeof(PackedSlab),
                  .n_panels = slab.n_panels(),
                  .n_lanes = ((slab.end() - slab.begin) * kNumberBytes + 3) / 4,
                  .x = x + slab.begin * kNumberBytes,
                  .x_stride = a.x_stride,
                  .n_columns = smaller(kColumnBlock, a.n_columns - column),
                  .y = a.y + column * a.y_stride + slab.p * kPanelRows,
                  .y_stride = a.y_stride,
                  .next = next.weights(),
                  .next_stride = a.panel_stride,
                  .next_bytes = next.begin < a.n ? next.bytes() : 0,
                  .scales = packed[0].scales,
                  .x_scales = x_scales + slab.begin / kValues});
      }
    }
  }
};

}  // namespace gptj

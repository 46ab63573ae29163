#pragma once

#include "kernels/packed_panel.h"
#include "kernels/packed_product.h"
#include "kernels/prefetch.h"

/// Panels times many columns, with what a CPU multiplies fastest: four bytes or two BF16 numbers and their sum in
/// one instruction. Panels are brought into that form once for all columns and then come from L2, the whole length of
/// a row; columns are in it already. One tile serves weights and attention, and both kinds of numbers.
namespace gptj {

/// One sum of products of BF16 numbers, in the order in which packed panels are summed up.
template <class S>
struct Bf16Sum {
  static constexpr int kValues = kPackedBytes / 2;  // before it is added to the result

  typename S::F sum = S::set1(0.0f);

  void add(typename S::I w, typename S::I x) { sum = S::dot_bf16(sum, w, x); }
  typename S::F total() const { return sum; }
};

/// A tile sums up the first and the second numbers of 16 pairs apart, then adds both (Intel's manual, TDPBF16PS).
/// Products of two BF16 numbers are exact in F32.
template <class S>
requires kTiled<S>
struct Bf16Sum<S> {
  using F = typename S::F;
  using I = typename S::I;
  static constexpr int kValues = 2 * S::Tiles::kRows;

  F first = S::set1(0.0f), second = S::set1(0.0f);

  void add(I w, I x) {
    const I upper = S::set1(static_cast<int32_t>(0xffff0000u));
    first = S::fma(S::as_float(S::template shift_left_32<16>(w)),
                   S::as_float(S::template shift_left_32<16>(x)), first);
    second = S::fma(S::as_float(S::bit_and(w, upper)), S::as_float(S::bit_and(x, upper)), second);
  }
  F total() const { return S::add(first, second); }
};

/// The same sums as with packed panels of floats, but weights are packed in registers on their way from memory: where
/// there are few columns, packed panels would be read only once, and memory would wait meanwhile.
template <class S, class Format, int P>
struct Bf16Stream {
  const MatmulArgs& a;
  int panel;

  template <int C>
  void run(int column) const {
    constexpr int kParts = kPanelRows / S::kLanes, V = P * kParts;
    constexpr int kValues = Bf16Sum<S>::kValues, kPair = 2 * 2 * kPanelRows;
    const uint8_t* panels = a.panels + panel * a.panel_stride;
    for (int begin = 0; begin < a.n; begin += kValues) {
      const int end = smaller<S>(a.n, begin + kValues);
      Bf16Sum<S> sums[V][C];
      for (int k = begin; k < end; k += 2) {
        prefetch<P, kPair>(panels, k / 2 * kPair, a.panel_stride);
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
          for (int c = 0; c < C; ++c) sums[v][c].add(w, x[c]);
        }
      }
      GPTJ_UNROLL
      for (int v = 0; v < V; ++v) {
        GPTJ_UNROLL
        for (int c = 0; c < C; ++c) {
          float* y = a.y + (column + c) * a.y_stride + panel * kPanelRows + v * S::kLanes;
          S::store(y, S::add(S::load(y), sums[v][c].total()));
        }
      }
    }
  }
};

template <class S, class Format>
struct PackedMatmul {
  static constexpr bool kBytes = kIsQuantized<Format>;
  static constexpr Operand kOperand = kBytes ? Operand::slabs : Operand::bf16;
  static constexpr int kNumberBytes = kBytes ? 1 : 2;
  static constexpr int kValues = kPackedBytes / kNumberBytes;  // of a packed panel
  static constexpr int kPanels = S::kPackedAtOnce;
  // Tiles take all columns at once, these sums each column by itself.
  static constexpr int kStreamedColumns = kTiled<S> ? 2 : S::kPackedColumns;

  static_assert(kPanels * sizeof(PackedPanel) <= kMatmulScratch);

  static void pack(const uint8_t* panel, int begin, int end, PackedPanel& out) {
    if constexpr (kBytes) {
      PanelOfBytes<S, Format>::pack(panel, begin / kQuantBlock, (end - begin) / kQuantBlock, out);
    } else {
      pack_panel_bf16<S, Format>(panel, begin, end, out);
    }
  }

  static void multiply(const PackedArgs& args) {
    if constexpr (kBytes) {
      packed_product<S, ByteDot>(args);
    } else {
      packed_product<S, Bf16Dot>(args);
    }
  }

  static void run(const MatmulArgs& a) noexcept {
    if constexpr (!kBytes) {
      if (a.n_columns <= kStreamedColumns) return streamed(a);
      if (kTiled<S> && a.n_columns <= S::kPackedColumns) {
        return run_parts(a, 2, kByteSlab / kNumberBytes);  // which stay in L1
      }
    }
    run_parts(a, kPanels, kValues);
  }

  /// Weights are packed in registers.
  static void streamed(const MatmulArgs& a) {
    constexpr int kStreams = kTiled<S> ? S::kPanels : kPanels;
    for_panels<kStreams>(a.n_panels, [&]<int P>(int panel) {
      for_columns<kStreamedColumns>(0, a.n_columns, Bf16Stream<S, Format, P>{a, panel});
    });
  }

  /// `max_panels` panels at a time (or those that are left), each packed as a whole or, where rows are longer than
  /// `max_values`, in parts.
  static void run_parts(const MatmulArgs& a, int max_panels, int max_values) {
    auto* packed = reinterpret_cast<PackedPanel*>(a.scratch);
    const auto* x_scales = reinterpret_cast<const SlabScale*>(a.x + operand_numbers(kOperand, a.n));
    for (int p = 0; p < a.n_panels; p += max_panels) {
      const int n_panels = smaller<S>(max_panels, a.n_panels - p);
      const uint8_t* panels = a.panels + p * a.panel_stride;
      for (int begin = 0; begin < a.n; begin += max_values) {
        const int end = smaller<S>(a.n, begin + max_values);
        const int n_lanes = ((end - begin) * kNumberBytes + 3) / 4;
        for (int i = 0; i < n_panels; ++i) {
          pack(panels + i * a.panel_stride, begin, end, packed[i]);
          complete_lanes<S>(packed[i].lanes[0][0], n_lanes);
        }
        multiply({.panels = packed[0].lanes[0][0],
                  .panel_stride = sizeof(PackedPanel),
                  .n_panels = n_panels,
                  .n_lanes = n_lanes,
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

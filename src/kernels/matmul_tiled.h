#pragma once

#include "kernels/bf16_stream.h"
#include "kernels/packed_panel.h"
#include "kernels/packed_product.h"

/// Panels times many columns where the CPU has tiles, which multiply faster than caches deliver: results of some panels
/// stay in L2 while slab after slab of the columns passes through it, and a slab of two panels is packed into L1, once
/// for all columns.
namespace gptj {

template <class S, class Format>
struct TiledMatmul {
  static constexpr bool kBytes = kIsQuantized<Format>;
  static constexpr Operand kOperand = kBytes ? Operand::slabs : Operand::bf16;
  static constexpr int kPanels = 16, kColumns = 512;  // whose results stay in L2

  static void run(const MatmulArgs& a) noexcept {
    const bool streamed = !kBytes && a.n_columns <= kStreamedColumns;
    if (a.add || streamed) start_results<S>(a);  // else the first slab does it
    if constexpr (kBytes) {
      tiled<ByteDot>(a);
    } else if (streamed) {
      bf16_streamed<S, Format, S::kPanels, kStreamedColumns>(a);
    } else {
      tiled<Bf16Dot>(a);
    }
  }

 private:
  static constexpr int kStreamedColumns = 2;  // tiles take as long for 16
  static constexpr int kFewColumns = 96;      // of which all slabs stay near, so panels are read as they lie
  static constexpr int kNumberBytes = kBytes ? 1 : 2;
  static constexpr int kValues = kByteSlab;  // of a slab
  static constexpr int kPackingSteps = kValues / 32;

  struct PackedSlab {
    uint8_t lanes[kValues * kNumberBytes / 4][kPanelRows][4];
    float scales[kPanelRows];  // of the rows, in 8 bits
  };
  static_assert(2 * sizeof(PackedSlab) <= kMatmulScratch);

  template <template <class> class Dot>
  static void tiled(const MatmulArgs& args) {
    TiledProduct<S, Dot> product;
    const int max_panels = args.n_columns <= kFewColumns ? 2 : kPanels;
    for (int column = 0; column < args.n_columns; column += kColumns) {
      for (int panel = 0; panel < args.n_panels; panel += max_panels) {
        MatmulArgs a = args;
        a.x += column * a.x_stride;
        a.n_columns = smaller<S>(kColumns, args.n_columns - column);
        a.panels += panel * a.panel_stride;
        a.n_panels = smaller<S>(max_panels, args.n_panels - panel);
        a.y += column * a.y_stride + panel * kPanelRows;
        if (a.bias != nullptr) a.bias += panel * kPanelRows;
        for (int begin = 0; begin < a.n; begin += kValues) {
          for_panels<2>(a.n_panels, [&]<int P>(int p) { slab<P>(product, a, p, begin); });
        }
      }
    }
  }

  template <int P, template <class> class Dot>
  static void slab(TiledProduct<S, Dot>& product, const MatmulArgs& a, int panel, int begin) {
    auto* packed = reinterpret_cast<PackedSlab*>(a.scratch);
    const int end = smaller<S>(a.n, begin + kValues);
    const int n_lanes = ((end - begin) * kNumberBytes + 3) / 4;
    Prefetching<S> prefetching =
        coming(a, panel + P, begin, P * kPackingSteps + TiledProduct<S, Dot>::steps(a.n_columns, n_lanes));
    for (int p = 0; p < P; ++p) {
      const uint8_t* from = a.panels + (panel + p) * a.panel_stride;
      pack_values<S, Format>(from, begin, end, packed[p], prefetching);
      complete_lanes<S>(packed[p].lanes[0][0], n_lanes);
    }
    const Before before = before_slab(a, panel, begin);
    const uint8_t* x_scales =
        a.x + scale_offset<S>(a.x_stride, operand_numbers(kOperand, a.n), 0, begin / kByteSlab);
    product.template multiply<P>({.panels = packed[0].lanes[0][0],
                                  .panel_stride = sizeof(PackedSlab),
                                  .n_panels = P,
                                  .n_lanes = n_lanes,
                                  .x = a.x + number_offset<S>(a.x_stride, 0, begin * kNumberBytes),
                                  .x_stride = a.x_stride,
                                  .n_columns = a.n_columns,
                                  .y = a.y + panel * kPanelRows,
                                  .y_stride = a.y_stride,
                                  .before = before.values,
                                  .before_stride = before.stride,
                                  .scales = packed[0].scales,
                                  .x_scales = reinterpret_cast<const SlabScale*>(x_scales)},
                                 prefetching);
  }

  /// What a slab's sums are added to.
  struct Before {
    const float* values;
    int64_t stride;  // floats from column to column
  };
  static Before before_slab(const MatmulArgs& a, int panel, int begin) {
    alignas(64) static constexpr float kZeros[2 * kPanelRows] = {};
    if (begin > 0 || a.add) return {a.y + panel * kPanelRows, a.y_stride};
    return {a.bias != nullptr ? a.bias + panel * kPanelRows : kZeros, 0};
  }

  /// What is packed next if that is a slab of `panel`, or, after the last panel, of the first one.
  static Prefetching<S> coming(const MatmulArgs& a, int panel, int begin, int64_t steps) {
    if (panel >= a.n_panels && begin + kValues < a.n) {
      panel = 0;
      begin += kValues;
    } else if (panel >= a.n_panels) {
      begin = 0;  // of the panels behind these
    }
    const auto bytes = [&](int64_t values) { return a.panel_stride * values / a.n; };
    return {a.panels + panel * a.panel_stride + bytes(begin), a.panel_stride, bytes(kValues), steps};
  }
};

}  // namespace gptj

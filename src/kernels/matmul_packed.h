#pragma once

#include "kernels/bf16_stream.h"
#include "kernels/packed_panel.h"
#include "kernels/packed_product.h"

/// Panels times many columns, with what a CPU multiplies fastest: four bytes or two BF16 numbers and their sum in
/// one instruction. Panels are brought into that form once for all columns and then come from L2, the whole length of
/// a row; columns are in it already. One tile serves weights and attention, and both kinds of numbers.
namespace gptj {

template <class S, class Format>
struct PackedMatmul {
  static constexpr bool kBytes = kIsQuantized<Format>;
  static constexpr Operand kOperand = kBytes ? Operand::slabs : Operand::bf16;
  static constexpr int kNumberBytes = kBytes ? 1 : 2;
  static constexpr int kValues = kPackedBytes / kNumberBytes;  // of a packed panel
  static constexpr int kPanels = S::kPackedAtOnce;

  static_assert(kPanels * sizeof(PackedPanel) <= kMatmulScratch);

  static void multiply(const PackedArgs& args) {
    if constexpr (kBytes) {
      packed_product<S, ByteDot>(args);
    } else {
      packed_product<S, Bf16Dot>(args);
    }
  }

  static void run(const MatmulArgs& a) noexcept {
    start_results<S>(a);
    if constexpr (!kBytes) {
      if (a.n_columns <= S::kPackedColumns) {
        return bf16_streamed<S, Format, kPanels, S::kPackedColumns>(a);
      }
    }
    packed(a);
  }

  /// kPanels panels at a time (or those that are left), each packed as a whole or, where rows are longer than a packed
  /// panel, in parts.
  static void packed(const MatmulArgs& a) {
    auto* packed = reinterpret_cast<PackedPanel*>(a.scratch);
    const auto* x_scales = reinterpret_cast<const SlabScale*>(a.x + operand_numbers(kOperand, a.n));
    for (int p = 0; p < a.n_panels; p += kPanels) {
      const int n_panels = smaller<S>(kPanels, a.n_panels - p);
      const uint8_t* panels = a.panels + p * a.panel_stride;
      for (int begin = 0; begin < a.n; begin += kValues) {
        const int end = smaller<S>(a.n, begin + kValues);
        for (int i = 0; i < n_panels; ++i) {
          pack_values<S, Format>(panels + i * a.panel_stride, begin, end, packed[i], PrefetchBehind());
        }
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

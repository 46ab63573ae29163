#pragma once

#include "kernels/kernels.h"

namespace gptj {

/// Does an instruction set have tiles: registers of rows, which one instruction multiplies with each other?
template <class S>
inline constexpr bool kTiled = requires {
  typename S::Tiles;
};

/// Where packed panels meet packed columns.
struct PackedArgs {
  const uint8_t* panels = nullptr;
  int64_t panel_stride = 0;  // bytes
  int n_panels = 0;
  int n_lanes = 0;  // of 4 bytes, of a row and a column; with tiles followed by zeros up to whole tiles
  const uint8_t* x = nullptr;  // column 0
  int64_t x_stride = 0;        // bytes of a column with its scales (kernels/operand_rows.h)
  int n_columns = 0;
  float* y = nullptr;
  int64_t y_stride = 0;
  // With tiles: what products are added to, y or something else.
  const float* before = nullptr;
  int64_t before_stride = 0;
  // In 8 bits:
  const float* scales = nullptr;        // [n_panels] rows' scales, panel_stride apart
  const SlabScale* x_scales = nullptr;  // column 0's, of the first slab
};

}  // namespace gptj

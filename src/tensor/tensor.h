#pragma once

#include <cstdint>

#include "tensor/dtype.h"
#include "tensor/panel.h"

/// Views: trivially copyable, they own nothing.
namespace gptj {

/// Weights in panels: [rows, n] as in y = W x.
struct Matrix {
  const uint8_t* data = nullptr;
  DType dtype = DType::f32;
  int rows = 0;
  int n = 0;

  int n_panels() const { return (rows + kPanelRows - 1) / kPanelRows; }
  int64_t panel_stride() const { return static_cast<int64_t>(panel_bytes(dtype, n)); }
  int64_t bytes() const { return n_panels() * panel_stride(); }
  const uint8_t* panel(int64_t index) const { return data + index * panel_stride(); }
};

/// Gains and biases: [n] in F32, padded with zeros to a multiple of 16.
struct Vector {
  const float* data = nullptr;
  int n = 0;

  int64_t padded() const { return round_up(n, kPanelRows); }
};

/// Activations: [rows, n] in F32. A row may be read and written up to the next multiple of 16 values.
struct Rows {
  float* data = nullptr;
  int rows = 0;
  int n = 0;
  int64_t stride = 0;

  float* row(int64_t index) const { return data + index * stride; }
  Rows slice(int first, int count) const { return {row(first), count, n, stride}; }

  /// Room for a row of n values. Rows a multiple of 4 KB apart would fall into the same few sets of the
  /// caches.
  static int64_t stride_for(int64_t n) { return round_up(n, kPanelRows) + kPanelRows; }
};

}  // namespace gptj

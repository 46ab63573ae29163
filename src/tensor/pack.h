#pragma once

#include <cstdint>

#include "tensor/dtype.h"
#include "tensor/panel.h"

/// From a file's order (one row after the other) to panels, and small conversions beside it.
namespace gptj {

/// Packs one panel from 16 rows of `n` values each in the file's form of `dtype`; rows that the matrix does
/// not have are given as nullptr and become zeros. Returns false if a block's scale is NaN or infinite.
bool pack_panel(DType dtype, const uint8_t* const (&rows)[kPanelRows], int64_t n, uint8_t* panel);

/// The same for a matrix that the file holds transposed, of a float type: source row k holds value k of every
/// row of the matrix. Puts source rows [k_begin, k_end) into all panels of a [n_rows, n] matrix; both are
/// even or `k_end` is n.
void pack_transposed(DType dtype, const uint8_t* source, int64_t k_begin, int64_t k_end, int64_t n_rows,
                     int64_t n, uint8_t* panels);

/// `n` values in the file's form as F32.
void to_f32(DType dtype, const uint8_t* source, int64_t n, float* out);

}  // namespace gptj

#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/dtype.h"
#include "tensor/panel.h"

/// From a file's order (one row after the other) to panels, and small conversions beside it.
namespace gptj {

/// Packs one panel from 16 rows of `n` values each in the file's form of `dtype`; rows that the matrix does
/// not have are given as nullptr and become zeros. Returns false if a block's scale is NaN or infinite.
bool pack_panel(DType dtype, const uint8_t* const (&rows)[kPanelRows], int64_t n, uint8_t* panel);

/// The inverse: the panel's 16 rows, to where `rows` say.
void unpack_panel(DType dtype, const uint8_t* panel, int64_t n, uint8_t* const (&rows)[kPanelRows]);

/// [rows][columns] to [columns][rows], of values of `size` bytes.
void transpose(const uint8_t* from, size_t rows, size_t columns, size_t size, uint8_t* to);

/// `n` values in the file's form as F32.
void to_f32(DType dtype, const uint8_t* source, int64_t n, float* out);

}  // namespace gptj

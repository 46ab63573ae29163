#pragma once

#include <cstdint>

#include "tensor/dtype.h"

namespace gptj {

/// One row of `n` values in the file's form of `dtype`, to `out`; `n` is a multiple of the format's block.
///
/// Of quantized formats each block's scale (and minimum) is searched for the least squared error. `importance`
/// [n] says which columns matter: the mean squares of the inputs that they meet (gpt-j imatrix). Then errors
/// weigh importance[k] * sqrt(2 * mean of x^2 + x[k]^2). nullptr: all weigh the same.
///
/// Returns false if a value is NaN, infinite or too large for the format.
bool quantize_row(DType dtype, const float* x, int64_t n, const float* importance, uint8_t* out);

}  // namespace gptj

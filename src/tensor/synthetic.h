#pragma once

#include <cstdint>

#include "tensor/dtype.h"

namespace gptj {

/// A panel of `n` values in each row that stands for weights where only speed matters: random, small, finite,
/// 16 different rows.
void synthetic_panel(DType dtype, int64_t n, uint8_t* panel);

}  // namespace gptj

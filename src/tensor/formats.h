#pragma once

#include "tensor/formats/float_formats.h"
#include "tensor/formats/ggml_blocks.h"
#include "tensor/formats/native_blocks.h"

/// THE list of storage formats, in the order of DType. Kernels, dtype tables and tests are made from it.
namespace gptj {

template <class... Format>
struct FormatList {};

using Formats = FormatList<F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q8, Q6, Q5, Q4>;

template <class Format>
inline constexpr bool kIsQuantized = Format::kInfo.block > 1;

}  // namespace gptj

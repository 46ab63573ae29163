#pragma once

#include <cstdint>
#include <string>

#include "tensor/dtype.h"

namespace gptj {

/// The type of a whole ggml file, as its header gives it: quantization version x 1000 + type. Throws Error,
/// naming `path`, unless this program reads such files; the message says what the file is and what to do.
///
/// Version 0 (before 12 May 2023) had the nibbles of a block in another order, version 1 (until 19 May 2023)
/// had scales in F32; nothing else in a file tells the versions apart. Files of F32 and F16 have no version.
void check_ggml_ftype(int32_t ftype, const std::string& path);

/// The type of a file whose matrices are all of `dtype`, in today's version. ggml must know it.
int32_t ggml_ftype(DType dtype);

/// Whether a file of this (checked) type may hold quantized tensors.
bool is_quantized_ggml_ftype(int32_t ftype);

}  // namespace gptj

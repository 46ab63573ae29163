#pragma once

#include <string>

#include "io/model_file.h"

namespace gptj {

/// The first bytes of a legacy ggml file: the number 0x67676d6c, little-endian.
inline constexpr std::string_view kGgmlMagic = "lmgg";

/// Reads a legacy ggml file (usually named ggml-model.bin) of GPT-J or GPT-2: F32, F16, or a quantized type
/// in the layout of quantization version 2.
ModelFile open_ggml(const std::string& path);

}  // namespace gptj

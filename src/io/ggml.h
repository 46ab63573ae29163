#pragma once

#include <string>

#include "io/model_file.h"

namespace gptj {

/// The first bytes of a legacy ggml file: the number 0x67676d6c, little-endian.
inline constexpr std::string_view kGgmlMagic = "lmgg";
/// Of one in LLaMA's container: 0x67676a74.
inline constexpr std::string_view kGgjtMagic = "tjgg";

/// Reads a legacy ggml file (usually named ggml-model.bin) of GPT-J or GPT-2, of any era: docs/formats.md. Throws
/// Error.
ModelFile open_ggml(const std::string& path);

}  // namespace gptj

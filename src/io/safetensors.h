#pragma once

#include <string_view>

#include "io/model_file.h"

namespace gptj {

/// Whether a file with these first bytes may be one. There is no magic number: it begins with the length of its
/// header (8 bytes, of which the upper four are zero) and the header's brace.
bool looks_like_safetensors(std::string_view first_bytes);

/// Appends the tensors of one safetensors file to `model.tensors` (`model.unread`: those of other types than
/// F32, F16 and BF16); `file` is one of model.files. As in the reference implementation, the tensors must
/// cover the data exactly: no holes, no overlaps. https://github.com/huggingface/safetensors#format
void read_safetensors(const InputFile& file, ModelFile& model);

}  // namespace gptj

#pragma once

#include <string>
#include <string_view>

#include "io/model_file.h"

namespace gptj {

/// Whether a file with these first bytes may be one of torch.save(), of any era.
bool looks_like_torch(std::string_view first_bytes);

/// Opens a file of weights, in safetensors' or torch's form as its first bytes say, and adds it and its tensors to the
/// model. Throws Error.
void read_weights_file(const std::string& path, ModelFile& model);

}  // namespace gptj

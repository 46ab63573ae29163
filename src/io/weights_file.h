#pragma once

#include <string>
#include <string_view>

#include "io/model_file.h"

namespace gptj {

/// Whether a file that begins so may be one of torch.save(), of any era.
bool looks_like_torch(std::string_view first_bytes);

/// Opens a file of weights and adds it and its tensors to the model's. Whether they are safetensors or torch's, its first
/// bytes say, whatever its name. Throws Error.
void read_weights(const std::string& path, ModelFile& model);

}  // namespace gptj

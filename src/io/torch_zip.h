#pragma once

#include "io/model_file.h"

namespace gptj {

/// Appends to `model.tensors` the weights that torch.save() wrote in a zip archive, as it does since version 1.6
/// (`model.unread`: those of other types than float32, float16 and bfloat16); `file` is one of model.files.
void read_torch_zip(const InputFile& file, ModelFile& model);

}  // namespace gptj

#pragma once

#include <string_view>

#include "io/model_file.h"

namespace gptj {

/// The pickle with which files of torch before 1.6 begin: the number 0x1950a86a20f9469cfc6c.
inline constexpr std::string_view kTorchLegacyMagic("\x80\x02\x8a\x0al\xfc\x9c\x46\xf9 j\xa8P\x19.", 15);

/// Appends to `model.tensors` the weights that torch.save() wrote as pickles followed by storages, as it did before
/// version 1.6 (`model.unread`: those of other types than float32, float16 and bfloat16); `file` is one of model.files.
void read_torch_legacy(const InputFile& file, ModelFile& model);

}  // namespace gptj

#pragma once

#include <cstdint>

#include "io/byte_reader.h"
#include "io/model_file.h"

namespace gptj {

inline constexpr uint64_t kGgufAlignment = 32;  // unless `general.alignment` says otherwise
inline constexpr uint32_t kGgufBf16 = 30;       // a type that legacy ggml files do not have

/// Reads `count` descriptions of tensors, at the first of which the reader stands, and adds the tensors to the model.
/// Their data follows the descriptions, aligned. Throws Error, naming the tensor.
void read_gguf_tensors(ByteReader& reader, uint64_t count, uint64_t alignment, ModelFile& model);

}  // namespace gptj

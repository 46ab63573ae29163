#pragma once

#include <optional>

#include "io/model_writer.h"

namespace gptj {

/// The number of a tensor's type in GGUF; nothing if it has no such type.
std::optional<uint32_t> gguf_type(DType dtype);

/// Writes a GGUF file (version 3) of the architecture gptj or gpt2.
class GgufWriter : public ModelWriter {
 public:
  /// Throws Error if the config has a value for which there is no key.
  GgufWriter(const std::string& path, OutputModel model);
};

}  // namespace gptj

#pragma once

#include "io/model_writer.h"

namespace gptj {

/// Writes a directory as transformers does: config.json, model.safetensors and the tokenizer's files.
class HuggingFaceWriter : private OutputDirectory, public ModelWriter {
 public:
  HuggingFaceWriter(const std::string& path, OutputModel model);

  void finish() override;
};

}  // namespace gptj

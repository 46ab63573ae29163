#pragma once

#include "io/model_writer.h"

namespace gptj {

/// Writes a legacy ggml file, as the gpt-j and gpt-2 programs among ggml's examples read it.
class GgmlWriter : public ModelWriter {
 public:
  /// Throws Error if the config has a value for which the header has no place.
  GgmlWriter(const std::string& path, OutputModel model);
};

}  // namespace gptj

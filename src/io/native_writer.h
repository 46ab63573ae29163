#pragma once

#include "io/model_writer.h"

namespace gptj {

/// Writes our own model file. Its matrices lie in panels.
class NativeWriter : public ModelWriter {
 public:
  /// Writes the header and fixes the place of every tensor. Throws Error if the disk has no room for them.
  NativeWriter(const std::string& path, OutputModel model);
};

}  // namespace gptj

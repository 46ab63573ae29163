#pragma once

#include <string>
#include <vector>

#include "io/checksum.h"
#include "io/model_writer.h"
#include "io/native.h"

namespace gptj {

/// Writes our own model file. Its matrices lie in panels.
class NativeWriter : public ModelWriter {
 public:
  /// Decides where every tensor goes. Throws Error if the disk has no room for them.
  NativeWriter(const std::string& path, OutputModel model);

  void write(size_t tensor, uint64_t offset, const void* data, size_t bytes) override;
  void finish() override;

 private:
  std::string path_;
  NativeStart start_{};
  std::string head_;                        // what lies between it and the data
  std::vector<ChecksumOfParts> checksums_;  // of each tensor
};

}  // namespace gptj

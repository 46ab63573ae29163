#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gptj/model.h"

namespace gptj {

struct VerifyOptions {
  int n_threads = 0;  // 0: one per physical core
  Progress progress = {};
};

struct VerifyResult {
  std::string file_format;           // as in ModelInfo
  bool checksums = false;            // every tensor that was read had a checksum
  size_t n_tensors = 0;              // that were read
  uint64_t bytes = 0;                // of these
  std::vector<std::string> damaged;  // what is wrong, naming the tensor
};

/// Opens a model, which checks everything but its tensors' data, and reads that. Checksums are compared where the
/// file has them, as our own does; elsewhere the scales of quantized blocks must be finite. Throws Error if the model
/// cannot be opened, or if `progress` stops it.
VerifyResult verify_model(const std::string& path, const VerifyOptions& options = {});

}  // namespace gptj

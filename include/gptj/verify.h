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
  bool checksums = false;            // each tensor had one to compare with
  size_t n_tensors = 0;              // that were read
  uint64_t bytes = 0;                // of these
  std::vector<std::string> damaged;  // what is wrong, naming the tensor
};

/// Opens a model, which checks all but its tensors, and reads these. Where the file has their checksums, as our own
/// does, they are compared; elsewhere the scales of quantized blocks must be finite. Throws Error if the model cannot
/// be opened or was stopped.
VerifyResult verify_model(const std::string& path, const VerifyOptions& options = {});

}  // namespace gptj

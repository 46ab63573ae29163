#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/file.h"
#include "io/checksum.h"
#include "io/native.h"

namespace gptj {

struct NativeTensor {
  std::string name;            // Hugging Face's
  DType dtype;                 // F32 if it is a vector
  std::vector<int64_t> shape;  // [rows, n] or [n]
};

/// Writes our own model file. It appears under its name only when it is complete.
class NativeWriter {
 public:
  /// Fixes the place of every tensor. Throws Error if the disk has no room for them.
  NativeWriter(const std::string& path, const nlohmann::json& config, const Vocab& vocab,
               std::vector<NativeTensor> tensors);

  const std::vector<NativeTensor>& tensors() const { return tensors_; }
  uint64_t file_bytes() const { return file_bytes_; }

  /// A part of a tensor's data, from byte `offset` of it on. May be called by many threads at once.
  void write(size_t tensor, uint64_t offset, const void* data, size_t bytes);

  /// After the last part; every byte of every tensor was written once.
  void finish();

 private:
  std::string path_;
  NativeStart start_{};
  std::string head_;  // what follows it, before the data
  std::vector<NativeTensor> tensors_;
  std::vector<ChecksumOfParts> checksums_;  // of each tensor
  std::vector<uint64_t> offsets_;           // in the file
  uint64_t file_bytes_ = 0;
  OutputFile file_;
};

}  // namespace gptj

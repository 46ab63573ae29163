#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/file.h"
#include "tensor/dtype.h"
#include "text/vocab.h"

namespace gptj {

/// A tensor that will be written.
struct OutputTensor {
  std::string name;            // as the form names it
  DType dtype;                 // as its data are stored
  std::vector<int64_t> shape;  // outermost dimension first: [n] or [rows, n]
};

/// A model without its tensors' data.
struct OutputModel {
  const nlohmann::json& config;  // with Hugging Face's names; every key that Config has is there
  const Vocab& vocab;
  std::vector<OutputTensor> tensors;
};

/// Writes a model: first everything but its tensors' data, then that in any order. The file or directory appears
/// under its name only when it is complete; a writer that is destroyed before that leaves nothing behind. All
/// functions throw Error if writing fails.
class ModelWriter {
 public:
  virtual ~ModelWriter() = default;
  ModelWriter(const ModelWriter&) = delete;
  ModelWriter& operator=(const ModelWriter&) = delete;

  const std::vector<OutputTensor>& tensors() const { return tensors_; }
  uint64_t file_bytes() const { return file_bytes_; }

  /// Writes a part of a tensor's data, from its byte `offset` on. May be called by many threads at once.
  virtual void write(size_t tensor, uint64_t offset, const void* data, size_t bytes) {
    file_.write_at(offsets_[tensor] + offset, data, bytes);
  }

  /// To be called after the last part, when every byte of every tensor has been written once.
  virtual void finish() { file_.commit(); }

 protected:
  /// `path`: of the file that has the tensors, `shown` if messages give another. The constructor of each form writes what
  /// stands between them.
  ModelWriter(const std::string& path, std::vector<OutputTensor> tensors, const std::string& shown = {})
      : tensors_(std::move(tensors)), file_(path, shown) {}

  std::vector<OutputTensor> tensors_;
  std::vector<uint64_t> offsets_;  // of each tensor in the file
  uint64_t file_bytes_ = 0;
  OutputFile file_;
};

/// Bytes of a tensor whose rows follow each other.
uint64_t row_major_bytes(const OutputTensor& tensor);

}  // namespace gptj

#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "tensor/dtype.h"
#include "tensor/encoding.h"
#include "text/vocab.h"

namespace gptj {

/// Whose names a file gives its tensors: the columns of the name tables in model/.
enum class Naming { huggingface, ggml, gguf };

/// One tensor of a file: where its data lies. `offset + bytes` is inside the file, and `bytes` is what shape, strides
/// and encoding ask for (with strides, what lies between its numbers too): readers have checked both. Tensors may share
/// their data.
struct FileTensor {
  std::string name;
  DType dtype;                 // of its rows once they are read
  std::vector<int64_t> shape;  // outermost dimension first, all > 0
  const InputFile* file;       // nullptr: none, the weights are made up (model/synthetic.h)
  uint64_t offset;
  uint64_t bytes;
  /// As memory has it: a matrix [rows, n] in panels, not transposed whatever the naming, a vector padded; both where a
  /// register may be loaded from.
  bool panels = false;
  const Encoding* encoding = nullptr;  // what its rows are stored in, if that is no DType
  /// In values, of each dimension; empty: rows follow each other. Floats only.
  std::vector<int64_t> strides = {};
  std::optional<uint32_t> checksum = {};  // CRC-32 of its bytes, where the file has that

  /// What its numbers are stored as: "f16", "q4_K".
  const char* type() const { return TensorType{dtype, encoding}.name(); }
};

/// A tensor that is no FileTensor because no DType stores its numbers (integers, booleans, ...): a buffer
/// that models do without, or the reason why a weight is missing.
struct UnreadTensor {
  std::string name;
  std::string type;  // as the file names it
};

/// What a reader makes of a model file or directory: everything but the tensors' data.
struct ModelFile {
  std::string path;
  std::string config_path;  // where the config stands, if that is another file
  std::string format;       // for messages: "gptj", "ggml", "GGUF", "safetensors", "torch"
  Naming naming = Naming::huggingface;
  /// An object with the names of Hugging Face's config.json, whatever the form.
  std::shared_ptr<const nlohmann::json> config;
  Vocab vocab;
  std::vector<std::unique_ptr<InputFile>> files;
  std::vector<FileTensor> tensors;  // in the file's order; names are unique
  std::vector<UnreadTensor> unread;

  /// The file that messages about the config name.
  const std::string& config_source() const { return config_path.empty() ? path : config_path; }
};

/// Recognises the form of `path` (a file or a Hugging Face directory) and reads it. Throws Error.
ModelFile open_model_file(const std::string& path);

/// Only the vocabulary, from all that open_model_file reads and from a directory with only tokenizer files.
Vocab open_vocab(const std::string& path);

}  // namespace gptj

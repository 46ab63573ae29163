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

/// One tensor of a file, and where its data lies. Readers have checked that `offset + bytes` is inside the file, and
/// that `bytes` fits shape, strides and encoding (with strides, it includes what lies between the numbers). Tensors
/// may share data.
struct FileTensor {
  std::string name;
  DType dtype;                 // of its rows once they are read
  std::vector<int64_t> shape;  // outermost dimension first, all > 0
  const InputFile* file;       // nullptr: there is none, and the weights are made up (model/synthetic.h)
  uint64_t offset;
  uint64_t bytes;
  /// It lies as memory has it: a matrix [rows, n] in panels, never transposed, a vector padded, both aligned for
  /// registers.
  bool panels = false;
  const Encoding* encoding = nullptr;  // how its rows are stored, if that is no DType
  /// Of each dimension, in values; empty: rows follow each other. Floats only.
  std::vector<int64_t> strides = {};
  std::optional<uint32_t> checksum = {};  // CRC-32 of its bytes, if the file has one

  /// What its numbers are stored as: "f16", "q4_K".
  const char* type() const { return TensorType{dtype, encoding}.name(); }
};

/// A tensor that is not read, because no DType stores its numbers (integers, booleans, ...): a buffer that models do
/// without, or the reason why a weight is missing.
struct UnreadTensor {
  std::string name;
  std::string type;  // as the file names it
};

/// What a model file or directory contains: everything but the tensors' data.
struct ModelFile {
  std::string path;
  std::string config_path;  // where the config stands, if that is another file
  std::string format;       // for messages: "gptj", "ggml", "GGUF", "safetensors", "torch"
  Naming naming = Naming::huggingface;
  /// An object with the names of Hugging Face's config.json, whatever the form.
  std::shared_ptr<const nlohmann::json> config;
  Vocab vocab;
  std::vector<std::unique_ptr<InputFile>> files;
  std::vector<FileTensor> tensors;  // in the file's order; open_model_file() checks that names are unique
  std::vector<UnreadTensor> unread;

  /// The file that messages about the config name.
  const std::string& config_source() const { return config_path.empty() ? path : config_path; }

  /// What it was read from: the path, and the files of weights, config and vocabulary in or beside it, some of which
  /// may not be there.
  std::vector<std::string> sources() const;
};

/// Recognises the form of `path`, a file or a Hugging Face directory, and reads it. Throws Error if it is missing,
/// damaged or of no known form.
ModelFile open_model_file(const std::string& path);

/// Reads only the vocabulary, of whatever open_model_file() reads, or of a directory that has only tokenizer files.
/// Throws Error.
Vocab open_vocab(const std::string& path);

}  // namespace gptj

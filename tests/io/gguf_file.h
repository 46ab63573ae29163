#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/gguf_metadata.h"
#include "io/model_files.h"

/// Writes small GGUF files for tests: valid ones, and through their public fields any lie.
namespace gptj::test {

struct GgufPair {
  std::string key;
  uint32_t type;
  std::string value;  // as the file has it; of an array with its type and length
};

struct GgufTensor {
  std::string name;
  std::vector<uint64_t> ne;  // fastest dimension first
  uint32_t type;             // ggml's number
  uint64_t offset;
  std::string data;
};

struct GgufFile {
  uint32_t magic = 0x46554747;
  uint32_t version = 3;
  uint64_t n_tensors = 0, n_keys = 0;
  std::vector<GgufPair> pairs;
  std::vector<GgufTensor> tensors;

  GgufPair& pair(std::string_view key);
  GgufTensor& tensor(std::string_view name);
  void set(std::string_view key, uint32_t value);  // as u32
  void set(std::string_view key, std::string_view text);
  void erase(std::string_view key);
  void add(GgufTensor tensor);  // behind the others, aligned

  std::string header() const;  // all before the data, padded
  std::string bytes() const;
  std::vector<size_t> sections() const;  // where the pieces of header() begin, and then the data
};

/// A value as a file has it.
std::string gguf_number(uint64_t value, size_t bytes);
std::string gguf_text(std::string_view text);
std::string gguf_array(GgufType element, uint64_t count, const std::string& elements);

/// A GPT-2 with matrices of F16 or a GPT-J with matrices of F32, as converters write them.
GgufFile gguf_gpt2(const ModelShape& shape);
GgufFile gguf_gptj(const ModelShape& shape);

}  // namespace gptj::test

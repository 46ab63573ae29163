#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/temporary_directory.h"
#include "tensor/dtype.h"

/// Writes small model files for tests: valid ones, and through their public fields any lie.
namespace gptj::test {

/// The sizes of a model. n_vocab > 256 gives vocabularies that can encode any text: the 256 bytes come first,
/// then "<|endoftext|>", then filling.
struct ModelShape {
  int n_vocab = 257;
  int n_ctx = 32;
  int n_embd = 32;
  int n_head = 2;
  int n_layer = 2;
  int n_rot = 4;  // GPT-J only
};

/// `values` numbers of reproducible noise, about +-0.1, as a file stores them (whole blocks).
std::string random_values(DType dtype, int64_t values, uint32_t seed);

struct GgmlTensor {
  std::string name;
  int32_t type;             // ggml's number
  std::vector<int32_t> ne;  // fastest dimension first
  std::string data;

  std::string header() const;  // all that stands before the data
};

/// A legacy ggml file, piece by piece.
struct GgmlFile {
  uint32_t magic = 0x67676d6c;
  std::optional<int32_t> ggjt_version;  // with it, in LLaMA's container
  std::vector<int32_t> header;  // after the magic: n_vocab, n_ctx, n_embd, n_head, n_layer, [n_rot,] ftype
  int32_t n_tokens = 0;         // as the vocabulary gives it
  std::vector<std::string> tokens;
  std::vector<GgmlTensor> tensors;

  GgmlTensor& tensor(std::string_view name);
  std::string bytes() const;
  std::vector<size_t> sections() const;  // where each piece of bytes() begins, and its end
};

/// Matrices of type `dtype`, vectors of F32, as the converters and quantizers write them.
GgmlFile ggml_gptj(const ModelShape& shape, DType dtype);
GgmlFile ggml_gpt2(const ModelShape& shape, DType dtype);

/// The same file as other programs wrote it: its matrices, whatever their type, in blocks of an encoding ...
GgmlFile with_encoding(GgmlFile file, int32_t ftype, int32_t type);
/// ... with some of them as [in][out] ...
GgmlFile with_transposed(GgmlFile file);
/// ... in LLaMA's container.
GgmlFile in_ggjt(GgmlFile file, int32_t version);

struct SafeTensor {
  std::string name;
  std::string dtype;  // safetensors' name
  std::vector<int64_t> shape;
  std::string data;
};

/// The header that describes the tensors, whose data follow each other in this order.
nlohmann::json safetensors_header(const std::vector<SafeTensor>& tensors);
std::string safetensors_bytes(const std::string& header, const std::string& data);
std::string safetensors_bytes(const std::vector<SafeTensor>& tensors);

/// The tensors of a Hugging Face model in one of F32, F16, BF16, and its config.json.
std::vector<SafeTensor> huggingface_gptj(const ModelShape& shape, DType dtype);
std::vector<SafeTensor> huggingface_gpt2(const ModelShape& shape, DType dtype);
std::vector<SafeTensor> huggingface_codegen(const ModelShape& shape, DType dtype);
nlohmann::json huggingface_config(std::string_view model_type, const ModelShape& shape);

/// vocab.json and merges.txt (without merges) for `n_vocab` tokens.
void write_tokenizer(const TemporaryDirectory& directory, int n_vocab);

/// config.json, model.safetensors and tokenizer of the models above.
void write_huggingface_gptj(const TemporaryDirectory& directory, const ModelShape& shape, DType dtype);
void write_huggingface_gpt2(const TemporaryDirectory& directory, const ModelShape& shape, DType dtype);

}  // namespace gptj::test

#include "io/ggml_writer.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "io/architectures.h"
#include "io/fixed_settings.h"
#include "io/ggml.h"
#include "io/ggml_ftype.h"
#include "io/put_number.h"

namespace gptj {
namespace {

using nlohmann::json;

void check_config(const std::string& path, const json& config) {
  const FixedSettings fixed{path, config, "legacy ggml files"};
  fixed.check("activation_function", {"gelu_new", "gelu_pytorch_tanh"});
  fixed.check("layer_norm_epsilon", {1e-5});
  fixed.check("n_inner", {4 * config.at("n_embd").get<int64_t>()});
  fixed.check_attention();
}

std::string header(const json& config, bool rotary, const std::vector<OutputTensor>& tensors) {
  const auto matrix =
      std::find_if(tensors.begin(), tensors.end(), [](const OutputTensor& t) { return t.shape.size() == 2; });
  std::string out(kGgmlMagic);
  for (const char* key : {"vocab_size", "n_positions", "n_embd", "n_head", "n_layer"}) {
    put_number<int32_t>(out, config.at(key).get<int64_t>());
  }
  if (rotary) put_number<int32_t>(out, config.at("rotary_dim").get<int64_t>());
  put_number<int32_t>(out, ggml_ftype(matrix->dtype));
  return out;
}

/// One token for each row of the embedding: what the vocabulary lacks is empty.
std::string vocabulary(const json& config, const Vocab& vocab) {
  const auto n_vocab = config.at("vocab_size").get<size_t>();
  std::string out;
  put_number<int32_t>(out, n_vocab);
  for (size_t id = 0; id < n_vocab; ++id) {
    const std::string token = id < vocab.tokens.size() ? vocab.tokens[id] : "";
    put_number<int32_t>(out, token.size());
    out += token;
  }
  return out;
}

std::string tensor_header(const OutputTensor& tensor) {
  std::string out;
  put_number<int32_t>(out, tensor.shape.size());
  put_number<int32_t>(out, tensor.name.size());
  put_number<int32_t>(out, info(tensor.dtype).ggml_type);
  for (auto dimension = tensor.shape.rbegin(); dimension != tensor.shape.rend(); ++dimension) {
    put_number<int32_t>(out, *dimension);
  }
  return out + tensor.name;
}

}  // namespace

GgmlWriter::GgmlWriter(const std::string& path, OutputModel model)
    : ModelWriter(path, std::move(model.tensors)) {
  check_config(path, model.config);
  const std::string begin =
      header(model.config, architecture_of_config(path, model.config).rotary, tensors_) +
      vocabulary(model.config, model.vocab);
  file_.write_at(0, begin.data(), begin.size());
  file_bytes_ = begin.size();
  std::vector<std::string> headers;
  for (const OutputTensor& tensor : tensors_) {
    headers.push_back(tensor_header(tensor));
    offsets_.push_back(file_bytes_ + headers.back().size());
    file_bytes_ = offsets_.back() + row_major_bytes(tensor);
  }
  check_room(path, file_bytes_);
  for (size_t i = 0; i < headers.size(); ++i) {
    file_.write_at(offsets_[i] - headers[i].size(), headers[i].data(), headers[i].size());
  }
}

}  // namespace gptj

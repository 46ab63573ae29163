#include "io/gguf_writer.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "io/architectures.h"
#include "io/fixed_settings.h"
#include "io/gguf_metadata.h"
#include "io/gguf_tensors.h"
#include "io/gguf_vocab.h"
#include "io/put_number.h"
#include "text/vocab_written.h"

namespace gptj {
namespace {

using nlohmann::json;

constexpr uint32_t kVersion = 3, kQuantizationVersion = 2, kBf16FileType = 32;

constexpr uint64_t aligned(uint64_t offset) {
  return (offset + kGgufAlignment - 1) / kGgufAlignment * kGgufAlignment;
}

void put_text(std::string& to, std::string_view text) {
  put_number<uint64_t>(to, text.size());
  to += text;
}

/// The list of keys with their values.
class Keys {
 public:
  void number(const std::string& key, uint32_t value) {
    put_number<uint32_t>(add(key, GgufType::u32), value);
  }
  void real(const std::string& key, float value) { put_number<float>(add(key, GgufType::f32), value); }
  void boolean(const std::string& key, bool value) {
    put_number<uint8_t>(add(key, GgufType::boolean), value);
  }
  void text(const std::string& key, std::string_view value) { put_text(add(key, GgufType::string), value); }
  void texts(const std::string& key, const std::vector<std::string>& values) {
    begin_array(key, GgufType::string, values.size());
    for (const std::string& value : values) put_text(bytes_, value);
  }
  void integers(const std::string& key, const std::vector<int32_t>& values) {
    begin_array(key, GgufType::i32, values.size());
    for (const int32_t value : values) put_number<int32_t>(bytes_, value);
  }

  uint64_t count() const { return count_; }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string& add(const std::string& key, GgufType type) {
    ++count_;
    put_text(bytes_, key);
    put_number<uint32_t>(bytes_, type);
    return bytes_;
  }
  void begin_array(const std::string& key, GgufType type, size_t size) {
    put_number<uint32_t>(add(key, GgufType::array), type);
    put_number<uint64_t>(bytes_, size);
  }

  std::string bytes_;
  uint64_t count_ = 0;
};

/// The type of most bytes in the layers, as a number of general.file_type: those of legacy ggml files, and one more.
uint32_t file_type(const std::vector<OutputTensor>& tensors) {
  std::map<DType, uint64_t> bytes;
  for (const OutputTensor& tensor : tensors) {
    if (tensor.name.starts_with("blk.")) bytes[tensor.dtype] += row_major_bytes(tensor);
  }
  DType most = DType::f32;
  for (const auto& [dtype, count] : bytes) {
    if (count > bytes[most]) most = dtype;
  }
  return most == DType::bf16 ? kBf16FileType : static_cast<uint32_t>(info(most).ggml_ftype);
}

void add_config(const json& config, bool rotary, Keys& keys) {
  const std::string architecture = config.at("model_type");
  const auto size = [&](const std::string& key, const char* from) {
    keys.number(architecture + "." + key, config.at(from).get<uint32_t>());
  };
  size("vocab_size", "vocab_size");
  size("context_length", "n_positions");
  size("embedding_length", "n_embd");
  size("feed_forward_length", "n_inner");
  size("block_count", "n_layer");
  size("attention.head_count", "n_head");
  if (rotary) size("rope.dimension_count", "rotary_dim");
  keys.real(architecture + ".attention.layer_norm_epsilon", config.at("layer_norm_epsilon").get<float>());
}

/// With a token for each row of the embedding, as readers expect.
void add_vocab(const Vocab& vocab, size_t n_rows, Keys& keys) {
  const auto number = [](GgufTokenType type) { return static_cast<int32_t>(type); };
  std::vector<std::string> tokens = written_tokens(vocab);
  std::vector<int32_t> types(tokens.size(), number(GgufTokenType::normal));
  types.resize(n_rows, number(GgufTokenType::unused));
  while (tokens.size() < n_rows) tokens.push_back(fmt::format("[PAD{}]", tokens.size()));
  for (const AddedToken& token : vocab.added) {
    types[static_cast<size_t>(token.id)] =
        number(token.normalized ? GgufTokenType::user_defined : GgufTokenType::control);
  }
  keys.text("tokenizer.ggml.model", "gpt2");
  keys.text("tokenizer.ggml.pre", "gpt-2");
  keys.texts("tokenizer.ggml.tokens", tokens);
  keys.integers("tokenizer.ggml.token_type", types);
  keys.texts("tokenizer.ggml.merges", written_merges(vocab));
  if (vocab.bos) keys.number("tokenizer.ggml.bos_token_id", static_cast<uint32_t>(*vocab.bos));
  if (vocab.eos) keys.number("tokenizer.ggml.eos_token_id", static_cast<uint32_t>(*vocab.eos));
  keys.boolean("tokenizer.ggml.add_space_prefix", vocab.add_prefix_space);
}

void check_config(const std::string& path, const json& config) {
  const FixedSettings fixed{path, config, "GGUF files"};
  fixed.check("activation_function", {"gelu_new", "gelu_pytorch_tanh"});
  fixed.check_attention();
}

}  // namespace

std::optional<uint32_t> gguf_type(DType dtype) {
  if (dtype == DType::bf16) return kGgufBf16;
  const int type = info(dtype).ggml_type;
  return type < 0 ? std::nullopt : std::optional(static_cast<uint32_t>(type));
}

GgufWriter::GgufWriter(const std::string& path, OutputModel model)
    : ModelWriter(path, std::move(model.tensors)) {
  check_config(path, model.config);
  Keys keys;
  const FileArchitecture& architecture = architecture_of_config(path, model.config);
  keys.text("general.architecture", architecture.model_type);
  keys.number("general.file_type", file_type(tensors_));
  keys.number("general.quantization_version", kQuantizationVersion);
  add_config(model.config, architecture.rotary, keys);
  add_vocab(model.vocab, model.config.at("vocab_size").get<size_t>(), keys);

  std::string header(kGgufMagic);
  put_number<uint32_t>(header, kVersion);
  put_number<uint64_t>(header, tensors_.size());
  put_number<uint64_t>(header, keys.count());
  header += keys.bytes();
  uint64_t end = 0;  // from the beginning of the data
  for (const OutputTensor& tensor : tensors_) {
    offsets_.push_back(aligned(end));
    put_text(header, tensor.name);
    put_number<uint32_t>(header, tensor.shape.size());
    for (auto n = tensor.shape.rbegin(); n != tensor.shape.rend(); ++n) put_number<uint64_t>(header, *n);
    put_number<uint32_t>(header, *gguf_type(tensor.dtype));
    put_number<uint64_t>(header, offsets_.back());
    end = offsets_.back() + row_major_bytes(tensor);
  }
  const uint64_t data_begin = aligned(header.size());
  for (uint64_t& offset : offsets_) offset += data_begin;
  header.resize(data_begin);
  file_bytes_ = data_begin + aligned(end);
  check_room(path, file_bytes_);
  file_.write_at(0, header.data(), header.size());
  const std::string padding(aligned(end) - end, '\0');
  file_.write_at(data_begin + end, padding.data(), padding.size());
}

}  // namespace gptj

#include "io/model_files.h"

#include <algorithm>
#include <bit>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>
#include <stdexcept>

#include "base/half.h"
#include "tensor/encodings.h"
#include "tensor/old_encodings.h"

namespace gptj::test {
namespace {

constexpr int kBytes = 256;

template <typename T>
void append(std::string& out, T value) {
  for (size_t i = 0; i < sizeof value; ++i) out += static_cast<char>(static_cast<uint64_t>(value) >> (8 * i));
}

float noise(std::mt19937& random) {
  return (static_cast<float>(random() % 2001) - 1000.0f) * 1e-4f;
}

std::string token_text(int id) {
  if (id < kBytes) return std::string(1, static_cast<char>(id));
  return id == kBytes ? "<|endoftext|>" : "<|filling_" + std::to_string(id) + "|>";
}

std::string utf8(int code) {
  if (code < 0x80) return std::string(1, static_cast<char>(code));
  return {static_cast<char>(0xc0 | code >> 6), static_cast<char>(0x80 | (code & 0x3f))};
}

// GPT-2's printable character for a byte: itself where it is printable, else the next one from U+0100.
std::string printable(int byte) {
  const auto is_printable = [](int b) { return (b > 32 && b < 127) || (b > 160 && b != 173); };
  if (is_printable(byte)) return utf8(byte);
  int code = 0x100;
  for (int b = 0; b < byte; ++b) code += is_printable(b) ? 0 : 1;
  return utf8(code);
}

/// One tensor of a model: its shape is outermost dimension first, as the matrix multiplication sees it.
struct Piece {
  std::string name;
  std::vector<int> shape;
};

std::vector<Piece> gptj_pieces(const ModelShape& m) {
  const int inner = 4 * m.n_embd;
  std::vector<Piece> pieces = {{"transformer.wte.weight", {m.n_vocab, m.n_embd}}};
  for (int i = 0; i < m.n_layer; ++i) {
    const std::string layer = "transformer.h." + std::to_string(i) + ".";
    for (const char* norm : {"ln_1.weight", "ln_1.bias"}) pieces.push_back({layer + norm, {m.n_embd}});
    for (const char* projection : {"q", "k", "v", "out"}) {
      pieces.push_back({layer + "attn." + projection + "_proj.weight", {m.n_embd, m.n_embd}});
    }
    pieces.push_back({layer + "mlp.fc_in.weight", {inner, m.n_embd}});
    pieces.push_back({layer + "mlp.fc_in.bias", {inner}});
    pieces.push_back({layer + "mlp.fc_out.weight", {m.n_embd, inner}});
    pieces.push_back({layer + "mlp.fc_out.bias", {m.n_embd}});
  }
  pieces.push_back({"transformer.ln_f.weight", {m.n_embd}});
  pieces.push_back({"transformer.ln_f.bias", {m.n_embd}});
  pieces.push_back({"lm_head.weight", {m.n_vocab, m.n_embd}});
  pieces.push_back({"lm_head.bias", {m.n_vocab}});
  return pieces;
}

/// GPT-2's names in ggml files and in Hugging Face's, which keep the matrices of the layers as [in][out].
struct Gpt2Names {
  std::string wte, wpe, layer, weight, bias, gain, final_norm;
  bool in_first;
};

std::vector<Piece> gpt2_pieces(const ModelShape& m, const Gpt2Names& names) {
  struct Linear {
    const char* name;
    int out, in;
  };
  std::vector<Piece> pieces = {{names.wte, {m.n_vocab, m.n_embd}}, {names.wpe, {m.n_ctx, m.n_embd}}};
  const char slash = names.weight[0];
  for (int i = 0; i < m.n_layer; ++i) {
    const std::string layer = names.layer + std::to_string(i) + slash;
    for (const std::string norm : {"ln_1", "ln_2"}) {
      pieces.push_back({layer + norm + names.gain, {m.n_embd}});
      pieces.push_back({layer + norm + names.bias, {m.n_embd}});
    }
    for (const Linear& linear :
         {Linear{"attn/c_attn", 3 * m.n_embd, m.n_embd}, Linear{"attn/c_proj", m.n_embd, m.n_embd},
          Linear{"mlp/c_fc", 4 * m.n_embd, m.n_embd}, Linear{"mlp/c_proj", m.n_embd, 4 * m.n_embd}}) {
      std::string name = layer + linear.name;
      std::replace(name.begin(), name.end(), '/', slash);
      pieces.push_back({name + names.weight, names.in_first ? std::vector{linear.in, linear.out}
                                                            : std::vector{linear.out, linear.in}});
      pieces.push_back({name + names.bias, {linear.out}});
    }
  }
  pieces.push_back({names.final_norm + names.gain, {m.n_embd}});
  pieces.push_back({names.final_norm + names.bias, {m.n_embd}});
  return pieces;
}

int64_t product(const std::vector<int>& shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

GgmlFile ggml_file(const std::vector<Piece>& pieces, const ModelShape& shape, DType dtype) {
  GgmlFile file;
  file.header = {shape.n_vocab, shape.n_ctx, shape.n_embd, shape.n_head, shape.n_layer};
  file.n_tokens = shape.n_vocab;
  for (int id = 0; id < shape.n_vocab; ++id) file.tokens.push_back(token_text(id));
  uint32_t seed = 1;
  for (const Piece& piece : pieces) {
    const bool is_matrix = piece.shape.size() == 2 && piece.name != "model/wpe";
    const DType type = is_matrix ? dtype : DType::f32;
    file.tensors.push_back({piece.name,
                            info(type).ggml_type,
                            {piece.shape.rbegin(), piece.shape.rend()},
                            random_values(type, product(piece.shape), seed++)});
  }
  return file;
}

int32_t ggml_ftype(DType dtype) {
  return info(dtype).ggml_ftype + (info(dtype).block > 1 ? 2000 : 0);
}

size_t ggjt_aligned(size_t offset) {
  return (offset + 31) / 32 * 32;
}

std::vector<SafeTensor> safe_tensors(const std::vector<Piece>& pieces, DType dtype) {
  const std::string type = dtype == DType::f32 ? "F32" : dtype == DType::f16 ? "F16" : "BF16";
  std::vector<SafeTensor> tensors;
  uint32_t seed = 1;
  for (const Piece& piece : pieces) {
    tensors.push_back({piece.name,
                       type,
                       {piece.shape.begin(), piece.shape.end()},
                       random_values(dtype, product(piece.shape), seed++)});
  }
  return tensors;
}

void write_huggingface(const TemporaryDirectory& directory, std::string_view model_type,
                       const ModelShape& shape, const std::vector<SafeTensor>& tensors) {
  directory.file("config.json", huggingface_config(model_type, shape).dump(1));
  directory.file("model.safetensors", safetensors_bytes(tensors));
  write_tokenizer(directory, shape.n_vocab);
}

}  // namespace

std::string random_values(DType dtype, int64_t values, uint32_t seed) {
  std::mt19937 random(seed);
  const DTypeInfo& format = info(dtype);
  std::string out;
  out.reserve(row_bytes(dtype, values));
  for (int64_t i = 0; i < values; i += format.block) {
    if (dtype == DType::f32) {
      append(out, std::bit_cast<uint32_t>(noise(random)));
    } else if (dtype == DType::f16) {
      append(out, f32_to_f16(noise(random)));
    } else if (dtype == DType::bf16) {
      append(out, static_cast<uint16_t>(std::bit_cast<uint32_t>(noise(random)) >> 16));
    } else {  // a block begins with its scale, and in some formats its minimum, which may be any small number
      const size_t begin = out.size();
      append(out, f32_to_f16(noise(random) * 0.05f));
      append(out, f32_to_f16(noise(random)));
      while (out.size() - begin < format.block_bytes) out += static_cast<char>(random());
    }
  }
  return out;
}

std::string GgmlTensor::header() const {
  std::string out;
  append(out, static_cast<int32_t>(ne.size()));
  append(out, static_cast<int32_t>(name.size()));
  append(out, type);
  for (const int32_t n : ne) append(out, n);
  return out + name;
}

GgmlTensor& GgmlFile::tensor(std::string_view name) {
  const auto found =
      std::find_if(tensors.begin(), tensors.end(), [&](const auto& t) { return t.name == name; });
  if (found == tensors.end()) throw std::runtime_error("no tensor " + std::string(name));
  return *found;
}

std::string GgmlFile::bytes() const {
  std::string out;
  append(out, magic);
  if (ggjt_version) append(out, *ggjt_version);
  for (const int32_t field : header) append(out, field);
  append(out, n_tokens);
  for (const std::string& token : tokens) {
    append(out, static_cast<uint32_t>(token.size()));
    out += token;
    if (ggjt_version) append(out, uint32_t{0});
  }
  for (const GgmlTensor& tensor : tensors) {
    out += tensor.header();
    if (ggjt_version) out.resize(ggjt_aligned(out.size()));
    out += tensor.data;
  }
  return out;
}

std::vector<size_t> GgmlFile::sections() const {
  std::vector<size_t> at = {0, 4};
  const auto advance = [&](size_t bytes) { at.push_back(at.back() + bytes); };
  if (ggjt_version) advance(4);
  for (size_t i = 0; i < header.size(); ++i) advance(4);
  advance(4);
  for (const std::string& token : tokens) {
    advance(4);
    advance(token.size());
    if (ggjt_version) advance(4);
  }
  for (const GgmlTensor& tensor : tensors) {
    advance(tensor.header().size() - tensor.name.size());
    advance(tensor.name.size());
    if (ggjt_version) at.push_back(ggjt_aligned(at.back()));
    advance(tensor.data.size());
  }
  return at;
}

GgmlFile ggml_gptj(const ModelShape& shape, DType dtype) {
  GgmlFile file = ggml_file(gptj_pieces(shape), shape, dtype);
  file.header.insert(file.header.end(), {shape.n_rot, ggml_ftype(dtype)});
  return file;
}

GgmlFile ggml_gpt2(const ModelShape& shape, DType dtype) {
  const Gpt2Names names = {"model/wte", "model/wpe", "model/h", "/w", "/b", "/g", "model/ln_f", false};
  GgmlFile file = ggml_file(gpt2_pieces(shape, names), shape, dtype);
  file.header.push_back(ggml_ftype(dtype));
  return file;
}

GgmlFile with_encoding(GgmlFile file, int32_t ftype, int32_t type) {
  const Encoding* encoding = old_encoding_of_ggml_type(ftype / 1000, type);
  if (encoding == nullptr) encoding = encoding_of_ggml_type(type);
  if (encoding == nullptr) throw std::runtime_error("no encoding of type " + std::to_string(type));
  file.header.back() = ftype;
  for (GgmlTensor& tensor : file.tensors) {
    if (tensor.ne.size() != 2 || tensor.name == "model/wpe") continue;
    tensor.type = type;
    tensor.data.clear();
    const int64_t n_blocks = int64_t{tensor.ne[0]} * tensor.ne[1] / encoding->block;
    std::mt19937 random(1);
    for (int64_t block = 0; block < n_blocks; ++block) {
      const size_t begin = tensor.data.size();
      while (tensor.data.size() - begin < encoding->block_bytes) tensor.data += static_cast<char>(random());
      // Whatever their width, scales and minima end in these bytes: small numbers.
      for (const size_t high : {1U, 3U, 7U}) tensor.data[begin + high] = 0x2a;
    }
  }
  return file;
}

GgmlFile with_transposed(GgmlFile file) {
  for (GgmlTensor& tensor : file.tensors) {
    for (const std::string_view end : {"mlp.fc_in.weight", "q_proj.weight", "k_proj.weight", "v_proj.weight",
                                       "out_proj.weight", "attn/c_attn/w", "attn/c_proj/w", "mlp/c_fc/w"}) {
      if (tensor.name.ends_with(end)) std::swap(tensor.ne[0], tensor.ne[1]);
    }
  }
  return file;
}

GgmlFile in_ggjt(GgmlFile file, int32_t version) {
  file.magic = 0x67676a74;
  file.ggjt_version = version;
  return file;
}

nlohmann::json safetensors_header(const std::vector<SafeTensor>& tensors) {
  nlohmann::json header = {{"__metadata__", {{"format", "pt"}}}};
  size_t offset = 0;
  for (const SafeTensor& tensor : tensors) {
    const size_t end = offset + tensor.data.size();
    header[tensor.name] = {{"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  return header;
}

std::string safetensors_bytes(const std::string& header, const std::string& data) {
  std::string out;
  append(out, static_cast<uint64_t>(header.size()));
  return out + header + data;
}

std::string safetensors_bytes(const std::vector<SafeTensor>& tensors) {
  std::string data;
  for (const SafeTensor& tensor : tensors) data += tensor.data;
  return safetensors_bytes(safetensors_header(tensors).dump(), data);
}

std::vector<SafeTensor> huggingface_gptj(const ModelShape& shape, DType dtype) {
  return safe_tensors(gptj_pieces(shape), dtype);
}

std::vector<SafeTensor> huggingface_gpt2(const ModelShape& shape, DType dtype) {
  const Gpt2Names names = {"transformer.wte.weight",
                           "transformer.wpe.weight",
                           "transformer.h.",
                           ".weight",
                           ".bias",
                           ".weight",
                           "transformer.ln_f",
                           true};
  return safe_tensors(gpt2_pieces(shape, names), dtype);
}

std::vector<SafeTensor> huggingface_codegen(const ModelShape& shape, DType dtype) {
  std::vector<Piece> pieces = gptj_pieces(shape);
  std::erase_if(pieces, [](const Piece& piece) {
    return piece.name.ends_with(".k_proj.weight") || piece.name.ends_with(".v_proj.weight");
  });
  for (Piece& piece : pieces) {
    if (!piece.name.ends_with(".q_proj.weight")) continue;
    piece.name.replace(piece.name.find("q_proj"), 1, "qkv");
    piece.shape[0] *= 3;
  }
  return safe_tensors(pieces, dtype);
}

nlohmann::json huggingface_config(std::string_view model_type, const ModelShape& shape) {
  nlohmann::json config = {
      {"model_type", model_type},
      {"vocab_size", shape.n_vocab},
      {"n_positions", shape.n_ctx},
      {"n_embd", shape.n_embd},
      {"n_head", shape.n_head},
      {"n_layer", shape.n_layer},
      {"activation_function", "gelu_new"},
      {"layer_norm_epsilon", 1e-5},
      {"bos_token_id", kBytes},
      {"eos_token_id", kBytes},
      {"tie_word_embeddings", model_type == "gpt2"},
  };
  if (model_type != "gpt2") config["rotary_dim"] = shape.n_rot;
  return config;
}

void write_tokenizer(const TemporaryDirectory& directory, int n_vocab) {
  nlohmann::json vocab = nlohmann::json::object();
  for (int id = 0; id < n_vocab; ++id) vocab[id < kBytes ? printable(id) : token_text(id)] = id;
  directory.file("vocab.json", vocab.dump());
  directory.file("merges.txt", "#version: 0.2\n");
}

void write_huggingface_gptj(const TemporaryDirectory& directory, const ModelShape& shape, DType dtype) {
  write_huggingface(directory, "gptj", shape, huggingface_gptj(shape, dtype));
}

void write_huggingface_gpt2(const TemporaryDirectory& directory, const ModelShape& shape, DType dtype) {
  write_huggingface(directory, "gpt2", shape, huggingface_gpt2(shape, dtype));
}

}  // namespace gptj::test

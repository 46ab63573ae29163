#include "io/gguf_file.h"

#include <algorithm>
#include <bit>
#include <stdexcept>

namespace gptj::test {
namespace {

constexpr size_t kAlignment = 32;

std::string padded(std::string bytes) {
  bytes.resize((bytes.size() + kAlignment - 1) / kAlignment * kAlignment);
  return bytes;
}

std::string described(const GgufPair& pair) {
  return gguf_text(pair.key) + gguf_number(pair.type, 4) + pair.value;
}

std::string described(const GgufTensor& tensor) {
  std::string out = gguf_text(tensor.name) + gguf_number(tensor.ne.size(), 4);
  for (const uint64_t n : tensor.ne) out += gguf_number(n, 8);
  return out + gguf_number(tensor.type, 4) + gguf_number(tensor.offset, 8);
}

template <class Range>
auto& find_in(Range& range, std::string_view name, auto member) {
  const auto found = std::find_if(range.begin(), range.end(), [&](auto& one) { return one.*member == name; });
  if (found == range.end()) throw std::runtime_error("no " + std::string(name));
  return *found;
}

/// Tokens of GPT-2's alphabet for bytes: two that merge to a third, a special one, padding.
void add_tokenizer(GgufFile& file, int n_vocab) {
  std::string tokens, types;
  for (int id = 0; id < n_vocab; ++id) {
    constexpr const char* kFirst[] = {"a", "b", "ab", "\xc4\xa0", "<|endoftext|>"};  // the fourth: a space
    const bool is_first = id < static_cast<int>(std::size(kFirst));
    tokens += gguf_text(is_first ? kFirst[id] : "[PAD" + std::to_string(id) + "]");
    types += gguf_number(id == 4 ? 3 : is_first ? 1 : 5, 4);
  }
  const auto count = static_cast<uint64_t>(n_vocab);
  file.set("tokenizer.ggml.model", "gpt2");
  file.set("tokenizer.ggml.pre", "gpt-2");
  file.pairs.push_back({"tokenizer.ggml.tokens", 9, gguf_array(GgufType::string, count, tokens)});
  file.pairs.push_back({"tokenizer.ggml.token_type", 9, gguf_array(GgufType::i32, count, types)});
  file.pairs.push_back({"tokenizer.ggml.merges", 9, gguf_array(GgufType::string, 1, gguf_text("a b"))});
  file.set("tokenizer.ggml.bos_token_id", 4);
  file.set("tokenizer.ggml.eos_token_id", 4);
}

GgufFile begin_file(const std::string& architecture, const ModelShape& m) {
  const auto u32 = [](int value) { return static_cast<uint32_t>(value); };
  GgufFile file;
  file.set("general.architecture", architecture);
  file.set(architecture + ".context_length", u32(m.n_ctx));
  file.set(architecture + ".embedding_length", u32(m.n_embd));
  file.set(architecture + ".block_count", u32(m.n_layer));
  file.set(architecture + ".attention.head_count", u32(m.n_head));
  file.set(architecture + ".feed_forward_length", u32(4 * m.n_embd));
  file.pairs.push_back(
      {architecture + ".attention.layer_norm_epsilon", 6, gguf_number(std::bit_cast<uint32_t>(1e-5f), 4)});
  add_tokenizer(file, m.n_vocab);
  file.n_keys = file.pairs.size();
  return file;
}

void add_matrix(GgufFile& file, const std::string& name, int rows, int n, DType dtype) {
  file.add({name,
            {static_cast<uint64_t>(n), static_cast<uint64_t>(rows)},
            static_cast<uint32_t>(info(dtype).ggml_type),
            0,
            random_values(dtype, int64_t{rows} * n, static_cast<uint32_t>(file.tensors.size()))});
}

void add_vector(GgufFile& file, const std::string& name, int n) {
  file.add({name, {static_cast<uint64_t>(n)}, 0, 0, random_values(DType::f32, n, 1)});
}

void add_linear(GgufFile& file, const std::string& name, int rows, int n, DType dtype, bool bias = true) {
  add_matrix(file, name + ".weight", rows, n, dtype);
  if (bias) add_vector(file, name + ".bias", rows);
}

void add_norm(GgufFile& file, const std::string& name, int n) {
  add_vector(file, name + ".weight", n);
  add_vector(file, name + ".bias", n);
}

}  // namespace

std::string gguf_number(uint64_t value, size_t bytes) {
  std::string out;
  for (size_t i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
  return out;
}

std::string gguf_text(std::string_view text) {
  return gguf_number(text.size(), 8) + std::string(text);
}

std::string gguf_array(GgufType element, uint64_t count, const std::string& elements) {
  return gguf_number(static_cast<uint32_t>(element), 4) + gguf_number(count, 8) + elements;
}

GgufPair& GgufFile::pair(std::string_view key) {
  return find_in(pairs, key, &GgufPair::key);
}

GgufTensor& GgufFile::tensor(std::string_view name) {
  return find_in(tensors, name, &GgufTensor::name);
}

void GgufFile::set(std::string_view key, uint32_t value) {
  erase(key);
  pairs.push_back({std::string(key), 4, gguf_number(value, 4)});
  n_keys = pairs.size();
}

void GgufFile::set(std::string_view key, std::string_view text) {
  erase(key);
  pairs.push_back({std::string(key), 8, gguf_text(text)});
  n_keys = pairs.size();
}

void GgufFile::erase(std::string_view key) {
  std::erase_if(pairs, [&](const GgufPair& pair) { return pair.key == key; });
  n_keys = pairs.size();
}

void GgufFile::add(GgufTensor tensor) {
  tensor.offset = tensors.empty() ? 0 : tensors.back().offset + padded(tensors.back().data).size();
  tensors.push_back(std::move(tensor));
  n_tensors = tensors.size();
}

std::string GgufFile::header() const {
  std::string out =
      gguf_number(magic, 4) + gguf_number(version, 4) + gguf_number(n_tensors, 8) + gguf_number(n_keys, 8);
  for (const GgufPair& pair : pairs) out += described(pair);
  for (const GgufTensor& tensor : tensors) out += described(tensor);
  return padded(std::move(out));
}

std::string GgufFile::bytes() const {
  std::string out = header();
  for (const GgufTensor& tensor : tensors) out += padded(tensor.data);
  return out;
}

std::vector<size_t> GgufFile::sections() const {
  std::vector<size_t> at = {0, 4, 8, 16, 24};
  const auto advance = [&](size_t bytes) { at.push_back(at.back() + bytes); };
  for (const GgufPair& pair : pairs) {
    for (const size_t bytes : {size_t{8}, pair.key.size(), size_t{4}, pair.value.size()}) advance(bytes);
  }
  for (const GgufTensor& tensor : tensors) {
    for (const size_t bytes : {size_t{8}, tensor.name.size(), size_t{4}, 8 * tensor.ne.size(), size_t{4}}) {
      advance(bytes);
    }
    advance(8);
  }
  at.push_back(header().size());
  for (const GgufTensor& tensor : tensors) advance(padded(tensor.data).size());
  return at;
}

GgufFile gguf_gpt2(const ModelShape& m) {
  GgufFile file = begin_file("gpt2", m);
  add_matrix(file, "token_embd.weight", m.n_vocab, m.n_embd, DType::f16);
  add_matrix(file, "position_embd.weight", m.n_ctx, m.n_embd, DType::f32);
  for (int i = 0; i < m.n_layer; ++i) {
    const std::string layer = "blk." + std::to_string(i) + ".";
    add_norm(file, layer + "attn_norm", m.n_embd);
    add_linear(file, layer + "attn_qkv", 3 * m.n_embd, m.n_embd, DType::f16);
    add_linear(file, layer + "attn_output", m.n_embd, m.n_embd, DType::f16);
    add_norm(file, layer + "ffn_norm", m.n_embd);
    add_linear(file, layer + "ffn_up", 4 * m.n_embd, m.n_embd, DType::f16);
    add_linear(file, layer + "ffn_down", m.n_embd, 4 * m.n_embd, DType::f16);
  }
  add_norm(file, "output_norm", m.n_embd);
  return file;
}

GgufFile gguf_gptj(const ModelShape& m) {
  GgufFile file = begin_file("gptj", m);
  file.set("gptj.rope.dimension_count", static_cast<uint32_t>(m.n_rot));
  add_matrix(file, "token_embd.weight", m.n_vocab, m.n_embd, DType::f32);
  for (int i = 0; i < m.n_layer; ++i) {
    const std::string layer = "blk." + std::to_string(i) + ".";
    add_norm(file, layer + "attn_norm", m.n_embd);
    for (const char* name : {"attn_q", "attn_k", "attn_v", "attn_output"}) {
      add_linear(file, layer + name, m.n_embd, m.n_embd, DType::f32, /*bias=*/false);
    }
    add_linear(file, layer + "ffn_up", 4 * m.n_embd, m.n_embd, DType::f32);
    add_linear(file, layer + "ffn_down", m.n_embd, 4 * m.n_embd, DType::f32);
  }
  add_norm(file, "output_norm", m.n_embd);
  add_linear(file, "output", m.n_vocab, m.n_embd, DType::f32);
  return file;
}

}  // namespace gptj::test

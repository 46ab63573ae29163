#include "io/gguf.h"

#include <algorithm>
#include <bit>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "io/architectures.h"
#include "io/gguf_metadata.h"
#include "io/gguf_tensors.h"
#include "io/gguf_vocab.h"

namespace gptj {
namespace {

constexpr uint32_t kOldestVersion = 2, kNewestVersion = 3;
constexpr uint64_t kMaxAlignment = 1 << 16;
constexpr uint64_t kMaxDimension = 1 << 24;  // far beyond every model, far below overflow

/// Keys that follow the architecture's name, and what config.json calls them.
struct ConfigKey {
  const char* gguf;
  const char* huggingface;
  bool required;
};
constexpr ConfigKey kConfigKeys[] = {
    {"context_length", "n_positions", true},   {"embedding_length", "n_embd", true},
    {"block_count", "n_layer", true},          {"attention.head_count", "n_head", true},
    {"feed_forward_length", "n_inner", false}, {"rope.dimension_count", "rotary_dim", false},
};

void check_version(uint32_t version, const std::string& path) {
  if (version >= kOldestVersion && version <= kNewestVersion) return;
  if ((version & 0xffff) == 0 && version != 0) {
    fail("{}: a GGUF file for big-endian machines, which this program does not read", quoted(path));
  }
  fail("{}: GGUF version: expected {} to {}, found {}{}", quoted(path), kOldestVersion, kNewestVersion,
       version, version == 1 ? " (August 2023); convert the original model again" : "");
}

/// Reads one file and adds it and its tensors to the model. Returns its metadata.
GgufMetadata read_file(const std::string& path, ModelFile& model) {
  const InputFile& file = *model.files.emplace_back(std::make_unique<InputFile>(path));
  ByteReader reader(file);
  reader.skip(kGgufMagic.size(), "magic");
  check_version(reader.u32("version"), path);
  const uint64_t n_tensors = reader.u64("number of tensors");
  const uint64_t n_keys = reader.u64("number of keys");
  GgufMetadata metadata(reader, n_keys);
  const uint64_t alignment = metadata.integer("general.alignment").value_or(kGgufAlignment);
  if (!std::has_single_bit(alignment) || alignment > kMaxAlignment) {
    fail("{}: general.alignment: expected a power of two up to {}, found {}", quoted(path), kMaxAlignment,
         alignment);
  }
  read_gguf_tensors(reader, n_tensors, alignment, model);
  return metadata;
}

std::string architecture_of(const GgufMetadata& metadata) {
  constexpr const char* kKey = "general.architecture";
  const auto name = metadata.text(kKey);
  if (!name) fail("{}: {}: found no such key", quoted(metadata.path()), kKey);
  return std::string(file_architecture(metadata.path(), kKey, *name).model_type);
}

template <class Tensor>
const Tensor* find(const std::vector<Tensor>& tensors, std::string_view name) {
  const auto found =
      std::find_if(tensors.begin(), tensors.end(), [&](const Tensor& tensor) { return tensor.name == name; });
  return found == tensors.end() ? nullptr : &*found;
}

int64_t vocab_size(const ModelFile& model) {
  constexpr std::string_view kEmbedding = "token_embd.weight";
  if (const FileTensor* embedding = find(model.tensors, kEmbedding)) return embedding->shape.front();
  const UnreadTensor* unread = find(model.unread, kEmbedding);
  fail("{}: expected the tensor {}, found {}", quoted(model.path), kEmbedding,
       unread == nullptr ? "no such tensor" : fmt::format("it as {}, a type that is not read", unread->type));
}

/// A head of a type that is not read counts, too: loading will report it.
bool is_tied(const ModelFile& model) {
  constexpr std::string_view kHead = "output.weight";
  return find(model.tensors, kHead) == nullptr && find(model.unread, kHead) == nullptr;
}

/// Throws Error unless the base of rotary angles is GPT-J's: the model would be computed wrongly.
void check_rope(const GgufMetadata& metadata, const std::string& architecture) {
  const std::string key = architecture + ".rope.freq_base";
  const double base = metadata.real(key).value_or(10000.0);
  if (base != 10000.0) fail("{}: {}: expected 10000, found {}", quoted(metadata.path()), key, base);
}

/// GGUF does not say which GELU a model has, how many tokens, or whether its head is the embedding: tensors tell the
/// latter two.
nlohmann::json make_config(const GgufMetadata& metadata, const ModelFile& model) {
  const std::string architecture = architecture_of(metadata);
  check_rope(metadata, architecture);
  nlohmann::json config = {{"model_type", architecture},
                           {"vocab_size", vocab_size(model)},
                           {"activation_function", "gelu_new"},
                           {"tie_word_embeddings", is_tied(model)}};
  for (const ConfigKey& row : kConfigKeys) {
    const std::string key = fmt::format("{}.{}", architecture, row.gguf);
    const auto value = metadata.integer(key);
    if (!value && !row.required) continue;
    if (!value || *value < 1 || *value > kMaxDimension) {
      fail("{}: {}: expected 1 to {}, found {}", quoted(metadata.path()), key, kMaxDimension,
           value ? fmt::to_string(*value) : "no such key");
    }
    config[row.huggingface] = *value;
  }
  if (const auto eps = metadata.real(architecture + ".attention.layer_norm_epsilon")) {
    config["layer_norm_epsilon"] = *eps;
  }
  return config;
}

// --- files in several parts: each has `split.no` and `split.count`, the first also all other keys -----------------

constexpr const char* kSplitNumber = "split.no";
constexpr const char* kSplitCount = "split.count";
constexpr const char* kSplitTensors = "split.tensors.count";

/// "-00002-of-00003.gguf"
std::string part_ending(uint64_t number, uint64_t count) {
  return fmt::format("-{:05}-of-{:05}.gguf", number + 1, count);
}

/// What the names of all parts begin with, from the metadata of the first one. Throws Error if it is not the first.
std::string name_of_parts(const GgufMetadata& metadata, uint64_t count) {
  const std::string& path = metadata.path();
  const uint64_t number = metadata.integer(kSplitNumber).value_or(0);
  const std::string ending = part_ending(number, count);
  if (!path.ends_with(ending)) {
    fail("{}: part {} of {}: expected a name that ends in {}", quoted(path), number + 1, count, ending);
  }
  std::string name = path.substr(0, path.size() - ending.size());
  if (number != 0) {
    fail("{}: part {} of {}; name the first one instead: {}", quoted(path), number + 1, count,
         quoted(name + part_ending(0, count)));
  }
  return name;
}

void check_number(const GgufMetadata& metadata, const char* key, uint64_t expected) {
  const auto found = metadata.integer(key);
  if (found == expected) return;
  fail("{}: {}: expected {}, found {}", quoted(metadata.path()), key, expected,
       found ? fmt::to_string(*found) : "no such key");
}

void read_other_parts(const GgufMetadata& first, ModelFile& model) {
  const uint64_t count = first.integer(kSplitCount).value_or(0);
  if (count == 0) return;  // a file on its own
  const std::string name = name_of_parts(first, count);
  for (uint64_t number = 1; number < count; ++number) {
    const GgufMetadata part = read_file(name + part_ending(number, count), model);
    check_number(part, kSplitNumber, number);
    check_number(part, kSplitCount, count);
  }
  check_number(first, kSplitTensors, model.tensors.size() + model.unread.size());
}

}  // namespace

Vocab open_gguf_vocab(const std::string& path) {
  ModelFile file;
  return read_gguf_vocab(read_file(path, file));
}

ModelFile open_gguf(const std::string& path) {
  ModelFile model;
  model.path = path;
  model.format = "GGUF";
  model.naming = Naming::gguf;
  const GgufMetadata metadata = read_file(path, model);
  read_other_parts(metadata, model);
  model.config = std::make_shared<const nlohmann::json>(make_config(metadata, model));
  model.vocab = read_gguf_vocab(metadata);
  return model;
}

}  // namespace gptj
